import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, type Pool, type QueryResultRow } from 'pg'
import { migrate } from '../../src/db/migrate.ts'
import { readMigrations } from '../../src/db/migration-files.ts'
import { openPool, valueTypes } from '../../src/db/open.ts'
import { afterEverything, type Ending } from './after-everything.ts'
import { testServer } from './cluster.ts'

export interface TestDatabase {
  /** Superuser's address. */
  url: string
  /** The address of a role's own login (session_user and current_user are the role), password included. */
  urlAs(role: string): string
  /** Runs one statement as superuser and returns its rows. */
  query: Query
  /** A session in which `role` has logged in; ends with the test. */
  as(role: string): Promise<Session>
  /** The control plane as a worker sees it: a superuser's login that has become rota_worker at connect. */
  pool: Pool
  /** A temporary folder of this test. */
  dataDir: string
}

export type Query = <Row extends QueryResultRow = Record<string, unknown>>(text: string, values?: unknown[]) => Promise<Row[]>

export interface Session {
  query: Query
  client: Client
}

/**
 * A database of this test's own, with all migrations, gone after the test. About 60 ms: it is a clone of a template that the first
 * call of a run migrates.
 *
 * It goes after everything that the test itself registers with `t.after`, whenever it does so.
 */
export async function freshDatabase(t: Ending): Promise<TestDatabase> {
  const server = await testServer()
  const template = await ensureTemplate(server)
  const name = `rota_test_${process.pid}_${randomUUID().slice(0, 8)}`
  await onServer(server, (client) => client.query(`create database ${name} template ${template} strategy wal_log`))
  const dataDir = await mkdtemp(join(tmpdir(), `rota-test-${process.pid}-data-`))
  const url = withDatabase(server, name)
  const pool = openPool(url, { role: 'rota_worker', applicationName: 'rota test', max: 10 })
  const sessions: Client[] = []

  const connect = async (address: string): Promise<Session> => {
    const client = new Client({ connectionString: address, types: valueTypes })
    client.on('error', () => {})
    await client.connect()
    sessions.push(client)
    return { client, query: async (text, values) => (await client.query(text, values)).rows }
  }
  const urlAs = (role: string): string => withLogin(url, role)
  const superusers = openPool(url, { applicationName: 'rota test', max: 4 })
  const query: Query = async (text, values) => (await superusers.query(text, values)).rows
  afterEverything(t, async () => {
    await Promise.all([pool.end(), superusers.end()])
    await Promise.all(sessions.map((client) => client.end().catch(() => {})))
    await onServer(server, (client) => dropDatabase(client, name))
    await rm(dataDir, { recursive: true, force: true })
  })

  await grantOnDatabase(query, name)
  await adoptHome(query)
  return { url, urlAs, query, as: (role) => connect(urlAs(role)), pool, dataDir }
}

/** An empty database, never migrated, gone after the test. */
export async function emptyDatabase(t: Ending): Promise<{ url: string; query: Query }> {
  const server = await testServer()
  const name = `rota_test_${process.pid}_${randomUUID().slice(0, 8)}`
  await onServer(server, (client) => client.query(`create database ${name} template template0`))
  afterEverything(t, async () => {
    await onServer(server, (client) => dropDatabase(client, name))
  })
  const url = withDatabase(server, name)
  const query: Query = async (text, values) => {
    const client = new Client({ connectionString: url, types: valueTypes })
    await client.connect()
    try {
      return (await client.query(text, values)).rows
    } finally {
      await client.end()
    }
  }
  return { url, query }
}

let template: Promise<string> | undefined

/** Its name carries the checksum of what made it, so an edited migration makes another one. */
function ensureTemplate(server: string): Promise<string> {
  template ??= makeTemplate(server)
  return template
}

async function makeTemplate(server: string): Promise<string> {
  const name = `rota_template_${await fingerprint()}`
  const draft = `${name}_draft`
  await onServer(server, async (client) => {
    await client.query('select pg_advisory_lock($1)', [templateLock])
    const found = await client.query('select from pg_database where datname = $1', [name])
    if (found.rowCount === 1) return
    await client.query(`drop database if exists ${draft} with (force)`)
    await client.query(`create database ${draft} template template0`)
    await migrate(withDatabase(server, draft))
    for (const role of roles) await client.query(`alter role ${role} login password '${password}'`)
    await client.query(`alter database ${draft} rename to ${name}`)
    await client.query(`alter database ${name} allow_connections false`)
  })
  return name
}

async function fingerprint(): Promise<string> {
  const roles = await readFile(new URL('../../onboarding/roles.sql', import.meta.url), 'utf8')
  const hash = createHash('sha256').update(roles)
  for (const migration of readMigrations()) hash.update(migration.checksum)
  return hash.digest('hex').slice(0, 16)
}

/** Sessions that are closing get a second to do so: one that is ended by force on its way out would throw at whoever has just closed it. */
async function dropDatabase(client: Client, name: string): Promise<void> {
  for (let looks = 0; looks < 50; looks += 1) {
    const { rowCount } = await client.query('select from pg_stat_activity where datname = $1', [name])
    if (rowCount === 0) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await client.query(`drop database if exists ${name} with (force)`)
}

/** What roles.sql grants on the database itself does not come along with a clone. */
async function grantOnDatabase(query: Query, name: string): Promise<void> {
  await query(`grant connect, temporary on database ${name} to rota_worker, rota_query, rota_job, rota_dba, rota_operator, rota_reader`)
  await query(`grant create on database ${name} to rota_owner, rota_worker, rota_target, rota_dba`)
}

/** A clone counts as a restored copy, in which nothing fires, until it is made the live one. */
async function adoptHome(query: Query): Promise<void> {
  const [found] = await query<{ exists: boolean }>(`select to_regprocedure('dba.adopt_home()') is not null as exists`)
  if (found?.exists === true) await query('select dba.adopt_home()')
}

async function onServer(server: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: server })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

function withDatabase(address: string, database: string): string {
  const url = new URL(address)
  url.pathname = `/${database}`
  return url.href
}

function withLogin(address: string, user: string): string {
  const url = new URL(address)
  url.username = user
  url.password = password
  return url.href
}

/** One for all roles of the test server. */
const password = 'for-tests-only'

const roles = ['rota_owner', 'rota_worker', 'rota_target', 'rota_query', 'rota_job', 'rota_dba', 'rota_operator', 'rota_reader']

/** Any number that nobody else locks in database postgres. */
const templateLock = 7_265_741
