import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { type Ended, rota } from './rota-process.ts'

function commandOn({ url, dataDir }: TestDatabase): (...words: string[]) => Promise<Ended> {
  return (...words) => rota(words, { env: { DATABASE_URL: url, ROTA_DATA_DIR: dataDir } })
}

test('pause and resume speak to schedules and to lanes, and name the nearest when there is none', async (t) => {
  const db = await freshDatabase(t)
  const run = commandOn(db)
  await db.query(`insert into dba.scheduler (schedule_name, job, cron) values ('load prices', 'noop', '20 6 * * *')`)
  const paused = await run('pause', 'load prices', '--until', '2 hours', '--reason', 'storage move')
  assert.equal(paused.code, 0)
  assert.match(paused.out, /^Schedule "load prices" is paused until .*: storage move\.\n$/)
  assert.deepEqual(await db.query(`select paused_until > now() + interval '1 hour' as is_paused, pause_reason from dba.scheduler`), [
    { is_paused: true, pause_reason: 'storage move' },
  ])
  assert.equal((await run('resume', 'load prices')).code, 0)
  assert.equal((await run('pause', 'lane:default', '--reason', 'firewall')).out, 'Lane "default" is paused until it is resumed.\n')
  assert.deepEqual(await db.query('select paused_until, pause_reason from dba.lane'), [
    { paused_until: Number.POSITIVE_INFINITY, pause_reason: 'firewall' },
  ])
  assert.equal((await run('resume', 'lane:default')).out, 'Lane "default" goes on.\n')
  assert.deepEqual(await db.query('select paused_until, pause_reason from dba.lane'), [{ paused_until: null, pause_reason: null }])
  const lane = await run('pause', 'lane:defalt')
  assert.deepEqual([lane.code, /Did you mean "default"/.test(lane.err)], [1, true])
  const schedule = await run('pause', 'load price')
  assert.deepEqual([schedule.code, /Did you mean "load prices"/.test(schedule.err)], [1, true])
})

test('cancel ends the open runs of a schedule and leaves its coming fires; rerun asks for a new run', async (t) => {
  const db = await freshDatabase(t)
  const run = commandOn(db)
  await db.query(`insert into dba.scheduler (schedule_name, job, cron) values ('load prices', 'noop', '20 6 * * *')`)
  await db.query(`insert into dba.run (schedule_name) values ('load prices')`)
  await db.query(`insert into dba.run (schedule_name, scheduled_for) values ('load prices', now() + interval '1 day')`)
  const cancelled = await run('cancel', 'load prices', '--reason', 'wrong file')
  assert.equal(cancelled.code, 0)
  const states = await db.query<{ run_id: string; state: string; requested_reason: string }>(
    'select run_id, state, requested_reason from dba.run order by due_at',
  )
  assert.deepEqual(
    states.map(({ state, requested_reason }) => [state, requested_reason]),
    [
      ['cancelled', 'wrong file'],
      ['planned', null],
    ],
  )
  const again = await run('cancel', 'load prices')
  assert.deepEqual([again.code, /CODE: {2}nothing_to_cancel/.test(again.err)], [1, true])
  const first = states[0]?.run_id ?? ''
  const rerun = await run('rerun', first.slice(0, 13), '--json')
  assert.equal(rerun.code, 0)
  assert.deepEqual(await db.query('select rerun_of from dba.run where run_id = $1', [JSON.parse(rerun.out).run_id]), [{ rerun_of: first }])
})

test('a secret is taken from the standard input, stored sealed, and never shown again', async (t) => {
  const db = await freshDatabase(t)
  const env = { DATABASE_URL: db.url, ROTA_DATA_DIR: db.dataDir }
  const said = [await rota(['secret', 'set', 'smtp_main'], { env, input: 'hunter22-for-tests\n' })]
  for (const words of [
    ['secret', 'list'],
    ['secret', 'list', '--json'],
    ['check'],
    ['check', '--json'],
    ['sql', 'select * from dba.secret'],
    ['status'],
  ]) {
    said.push(await rota(words, { env }))
  }
  assert.equal(said[0]?.code, 0)
  assert.match(said[1]?.out ?? '', /smtp_main/)
  for (const { out, err } of said) assert.doesNotMatch(out + err, /hunter22/)
  const [row] = await db.query<{ sealed: Buffer }>('select sealed from dba.secret')
  assert.ok(row !== undefined && !row.sealed.toString('latin1').includes('hunter22'))
  const onTheLine = await rota(['secret', 'set', 'smtp_main', 'hunter22-for-tests'], { env })
  assert.deepEqual([onTheLine.code, /hunter22/.test(onTheLine.err)], [2, false])
  const empty = await rota(['secret', 'set', 'smtp_main'], { env })
  assert.deepEqual([empty.code, /CODE: {2}secret_empty/.test(empty.err)], [1, true])
  assert.equal((await rota(['secret', 'remove', 'smtp_main'], { env })).code, 0)
  assert.deepEqual(await db.query('select from dba.secret'), [])
})

test('a secret may say when it expires', async (t) => {
  const db = await freshDatabase(t)
  const env = { DATABASE_URL: db.url, ROTA_DATA_DIR: db.dataDir, TZ: 'UTC' }
  const set = (when: string) => rota(['secret', 'set', 'token', '--expires', when], { env, input: 'hunter22-for-tests\n' })
  assert.equal((await set('2099-01-31')).code, 0)
  assert.deepEqual(await db.query('select expires_at from dba.secret'), [{ expires_at: new Date('2099-01-31T00:00Z') }])
  assert.match((await rota(['secret', 'list'], { env })).out, /2099-01-31/)
  for (const wrong of ['2015-01-31', 'soon']) assert.deepEqual([(await set(wrong)).code, wrong], [2, wrong])
})

test('check starts and makes nothing, and says what is wrong with exit code 1', async (t) => {
  const db = await freshDatabase(t)
  const env = { DATABASE_URL: db.url, ROTA_DATA_DIR: db.dataDir }
  const fine = await rota(['check', '--json'], { env })
  const findings: { state: string; what: string }[] = JSON.parse(fine.out)
  assert.deepEqual([fine.code, findings.filter(({ state }) => state === 'wrong')], [0, []])
  await assert.rejects(readFile(join(db.dataDir, 'secret.key')), /ENOENT/)
  await db.query(`update dba.migration set checksum = 'another' where migration_number = 1`)
  await mkdir(join(db.dataDir, 'programs'))
  const wrong = await rota(['check', '--json'], { env: { ...env, ROTA_PROGRAM_DIR: join(db.dataDir, 'no-programs') } })
  assert.equal(wrong.code, 1)
  const things = JSON.parse(wrong.out)
    .filter(({ state }: { state: string }) => state === 'wrong')
    .map(({ what }: { what: string }) => what)
  assert.deepEqual(things, ['program folder', 'schema'])
})
