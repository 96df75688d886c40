import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSecrets, openSecretKey } from '../../src/control-plane/secrets.ts'
import { createRedactor } from '../../systemscripts/redact.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'

const posix = process.platform === 'win32' ? { skip: 'needs POSIX programs' } : {}

test('after failures of every kind no secret stands in any table, nor in the log file', posix, async (t) => {
  const database = await freshDatabase(t)
  const planted = { stored: plant(), environment: plant(), file: plant(), key: plant() }
  const programDir = await writePrograms(database, planted.stored, planted.file)
  process.env.PLANTED_SECRET = planted.environment
  t.after(() => {
    delete process.env.PLANTED_SECRET
  })
  await storeSecret(database, planted.key, planted.stored)
  await addSchedules(database, planted.file)

  const worker = await workerOn(t, database, { ROTA_SECRET_KEY: planted.key, ROTA_PROGRAM_DIR: programDir })
  const connections = () => database.query(`select check_state, check_message from dba.connection where check_state = 'unchecked'`)
  await eventually(connections, (rows) => rows.length === 0)
  await database.query(`insert into dba.run (schedule_name) select schedule_name from dba.scheduler`)
  const open = () => database.query(`select schedule_name, state from dba.run where state not in ('succeeded', 'failed')`)
  await eventually(open, (rows) => rows.length === 0)
  await worker.stop(5)

  const states = await database.query<{ schedule_name: string; state: string; error_code: string | null }>(
    'select schedule_name, state, error_code from dba.run order by schedule_name',
  )
  assert.deepEqual(states, [
    { schedule_name: 'login from a file', state: 'failed', error_code: 'database_login_refused' },
    { schedule_name: 'login from dba.secret', state: 'failed', error_code: 'database_login_refused' },
    { schedule_name: 'login from the environment', state: 'failed', error_code: 'database_login_refused' },
    { schedule_name: 'program that fails', state: 'failed', error_code: 'program_failed' },
    { schedule_name: 'program that talks', state: 'succeeded', error_code: null },
  ])
  const log = await readLogs(database.dataDir)
  assert.match(log, /the password is \*\*\*/)
  assert.match(log, /database_login_refused/)
  const places = { 'the log file': log, ...(await dumpTables(database)) }
  const found = Object.entries(places).flatMap(([place, text]) =>
    Object.entries(planted).flatMap(([name, secret]) => (holds(text, secret) ? [`${name} secret in ${place}`] : [])),
  )
  assert.deepEqual(found, [])
})

function plant(): string {
  return `planted-${randomBytes(12).toString('hex')}`
}

function holds(text: string, secret: string): boolean {
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').slice(0, -3)].some((form) => text.includes(form))
}

async function writePrograms(database: TestDatabase, ...secrets: string[]): Promise<string> {
  const folder = join(database.dataDir, 'programs')
  await mkdir(folder)
  const talk = `#!/bin/sh\n${secrets.map((secret) => `echo "the password is ${secret}"\necho "address postgres://me:${secret}@host/db" >&2\n`).join('')}`
  await writeFile(join(folder, 'talk.sh'), talk, { mode: 0o755 })
  await writeFile(join(folder, 'fail.sh'), `${talk}exit 1\n`, { mode: 0o755 })
  return folder
}

async function storeSecret(database: TestDatabase, secretKey: string, text: string): Promise<void> {
  const key = await openSecretKey({ secretKey, dataDir: database.dataDir })
  await createSecrets({ db: database.pool, key, redactor: createRedactor(), dataDir: database.dataDir }).set('planted', text)
}

/** Three connections whose secrets are the wrong passwords, and two programs that print what they should not. */
async function addSchedules(database: TestDatabase, fileSecret: string): Promise<void> {
  const path = join(database.dataDir, 'planted')
  await writeFile(path, `${fileSecret}\n`)
  const { hostname, port, pathname } = new URL(database.url)
  const references = { 'dba.secret': 'planted', 'the environment': 'env:PLANTED_SECRET', 'a file': `file:${path}` }
  const { query } = await database.as('rota_dba')
  for (const [name, reference] of Object.entries(references)) {
    await query(
      `insert into dba.connection (connection_name, kind, host, port, database_name, user_name, secret_name, tls)
       values ($1, 'postgres', $2, $3, $4, 'rota_reader', $5, 'off')`,
      [name, hostname, port, pathname.slice(1), reference],
    )
    await query(`insert into dba.scheduler (schedule_name, job, args) values ($1, 'sql', $2)`, [
      `login from ${name}`,
      JSON.stringify({ statement: 'select 1', connection: name }),
    ])
  }
  await query(
    `insert into dba.scheduler (schedule_name, job, args, max_attempts)
     values ('program that talks', 'program', '{"program": "talk.sh"}', 1), ('program that fails', 'program', '{"program": "fail.sh"}', 1)`,
  )
}

async function readLogs(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'logs')
  const names = await readdir(folder)
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n')
}

/** Every table of the database but Postgres's own, as text. */
async function dumpTables({ query }: TestDatabase): Promise<Record<string, string>> {
  const tables = await query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
  )
  const dumps: [string, string][] = []
  for (const { name } of tables) {
    const rows = await query<{ row: string }>(`select row_to_json(t)::text as row from ${name} t`)
    dumps.push([name, rows.map(({ row }) => row).join('\n')])
  }
  return Object.fromEntries(dumps)
}
