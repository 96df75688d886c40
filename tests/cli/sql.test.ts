import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freshDatabase } from '../helpers/database.ts'
import { rota } from './rota-process.ts'

const statement = `select 7 as number, '' as nothing, null as missing, E'a,"b"\\nc' as text`

test('a statement prints columns, CSV or JSON', async (t) => {
  const { url } = await freshDatabase(t)
  const env = { DATABASE_URL: url }
  const table = await rota(['sql', statement], { env })
  assert.equal(table.out, ['NUMBER  NOTHING  MISSING  TEXT', '     7                    a,"b" ⏎ c', '(1 row)', ''].join('\n'))
  const csv = await rota(['sql', '--csv', statement], { env })
  assert.equal(csv.out, 'number,nothing,missing,text\n7,"",,"a,""b""\nc"\n')
  const json = await rota(['sql', '--json', statement], { env })
  assert.deepEqual(JSON.parse(json.out), { number: 7, nothing: '', missing: null, text: 'a,"b"\nc' })
  assert.deepEqual([table.code, csv.code, json.code], [0, 0, 0])
})

test('several statements from the standard input run in one transaction, as rota_dba', async (t) => {
  const { url, query } = await freshDatabase(t)
  const input = `insert into dba.lane (lane) values ('plant_a'); select current_user as who; select 1/0`
  const failed = await rota(['sql'], { env: { DATABASE_URL: url }, input })
  assert.equal(failed.code, 1)
  assert.deepEqual(await query(`select from dba.lane where lane = 'plant_a'`), [])
  const done = await rota(['sql', '--csv'], { env: { DATABASE_URL: url }, input: input.replace('; select 1/0', '') })
  assert.equal(done.code, 0)
  assert.equal(done.out, 'who\nrota_dba\n')
  assert.equal(done.err, 'INSERT 1\n')
  assert.equal((await query(`select from dba.lane where lane = 'plant_a'`)).length, 1)
})

test('what Postgres refuses comes in four fields, with the place in the statement', async (t) => {
  const { url } = await freshDatabase(t)
  const wrong = await rota(['sql', 'select *\nfrm dba.run'], { env: { DATABASE_URL: url } })
  assert.equal(wrong.code, 1)
  assert.equal(wrong.err, 'ERROR:  syntax error at or near "frm"\nDETAIL:  At line 2, near "frm".\nCODE:  syntax_error\n')
  const refused = await rota(['sql', `insert into dba.scheduler (schedule_name, job, cron) values ('x', 'noop', '61 * * * *')`], {
    env: { DATABASE_URL: url },
  })
  assert.match(
    refused.err,
    /^ERROR: {2}cron "61 \* \* \* \*": minute 61 is out of range 0-59\nDETAIL: {2}[^\n]+\nHINT: {2}Write 0 to 59\.\nCODE: {2}/,
  )
  assert.doesNotMatch(refused.err, /PL\/pgSQL/)
})

test('a role is tried on with --role, and its limits hold', async (t) => {
  const { url, urlAs } = await freshDatabase(t)
  const { code, err } = await rota(['sql', '--role', 'rota_reader', `insert into dba.lane (lane) values ('x')`], {
    env: { DATABASE_URL: url },
  })
  assert.equal(code, 1)
  assert.match(err, /CODE: {2}insufficient_privilege/)
  const operator = await rota(['sql', '--csv', 'select current_user as who'], { env: { DATABASE_URL: urlAs('rota_operator') } })
  assert.equal(operator.out, 'who\nrota_operator\n')
})

test('a reader that goes away ends a long result quietly', async (t) => {
  const { url } = await freshDatabase(t)
  const command = fileURLToPath(new URL('../../src/cli/rota', import.meta.url))
  const line = `"$0" sql --csv "select generate_series(1, 3000000)" | head -n 2; echo "status \${PIPESTATUS[0]}"`
  const shell = spawn('bash', ['-c', line, command], { env: { ...process.env, DATABASE_URL: url } })
  let said = ''
  for (const stream of [shell.stdout, shell.stderr]) stream.setEncoding('utf8').on('data', (part: string) => (said += part))
  await new Promise((resolve) => shell.once('close', resolve))
  assert.equal(said, 'generate_series\n1\nstatus 0\n')
})
