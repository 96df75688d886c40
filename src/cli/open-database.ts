import { setTimeout as pause } from 'node:timers/promises'
import type { PoolClient, QueryResultRow } from 'pg'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { Config } from '../config.ts'
import { isUp } from '../db/embedded/data-lock.ts'
import { findEmbedded } from '../db/embedded/start.ts'
import { openPool } from '../db/open.ts'
import type { Call } from './command.ts'

export interface Address {
  /** With the password of its login. */
  url: string
  /** False: DATABASE_URL. */
  isEmbedded: boolean
}

/** The control database as one session sees it. */
export interface Database {
  query<Row extends QueryResultRow = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>
  client: PoolClient
  url: string
}

/**
 * The database a command speaks to: DATABASE_URL, else the running embedded server of the data folder. Starts nothing; one that a
 * `rota up` is starting, perhaps again, is waited for.
 *
 * @throws PermanentError `no_database`
 */
export async function findAddress(config: Config): Promise<Address> {
  if (config.databaseUrl !== undefined) return { url: config.databaseUrl, isEmbedded: false }
  const running = await findRunning(config.dataDir)
  if (running !== null) return { url: running.url, isEmbedded: true }
  throw new PermanentError('no_database', `No Rota runs on the data folder "${config.dataDir}"`, {
    detail: 'DATABASE_URL is not set, and no embedded Postgres of that folder answers.',
    hint: 'Start it with "npm start", or set DATABASE_URL, or ROTA_DATA_DIR to the folder of one that runs.',
  })
}

/** Seconds that a start is waited for: initdb and crash recovery of a small database take fewer. */
const patienceSeconds = 15

async function findRunning(dataDir: string): Promise<{ url: string } | null> {
  const end = performance.now() + patienceSeconds * 1000
  for (;;) {
    const running = await findEmbedded(dataDir)
    if (running !== null || performance.now() > end || !(await isUp(dataDir))) return running
    await pause(100)
  }
}

/**
 * Runs `work` in one session on the control database, which ends with it. The session acts as rota_dba where its login may, so that
 * the rules for people hold for a superuser, too; else as the login itself.
 *
 * @throws PermanentError `no_database`, `not_migrated`; what Postgres answers to the connection
 */
export async function withDatabase<T>(call: Call, work: (database: Database) => Promise<T>): Promise<T> {
  const { url } = await findAddress(call.config())
  const pool = openPool(url, { applicationName: 'rota command line', max: 1 })
  try {
    const client = await pool.connect()
    try {
      const query = async <Row extends QueryResultRow>(text: string, values?: unknown[]) => (await client.query<Row>(text, values)).rows
      await requireSchema(query)
      await query(becomeDba)
      return await work({ query, client, url })
    } finally {
      client.release(true)
    }
  } finally {
    await pool.end()
  }
}

/** The session acts as rota_dba where its login may. */
export const becomeDba = `select set_config('role', 'rota_dba', false) where pg_has_role(session_user, 'rota_dba', 'member')`

/** @throws PermanentError `not_migrated` */
export async function requireSchema(query: (text: string) => Promise<Record<string, unknown>[]>): Promise<void> {
  const [found] = await query(`select to_regclass('dba.migration') is not null as exists, current_database() as database`)
  if (found?.exists === true) return
  throw new PermanentError('not_migrated', `Database "${String(found?.database)}" has no schema of Rota`, {
    hint: 'Run "npx rota migrate" with a login that may make roles, or correct DATABASE_URL.',
  })
}
