import { Client } from 'pg'
import { PermanentError } from '../../systemscripts/errors.ts'
import { type Migration, readMigrations } from './migration-files.ts'
import { becomeOwner } from './prepare-roles.ts'
import { inTransaction, runFile } from './run-sql.ts'

export interface MigrateOptions {
  /** Told what is created, one line each. Default: silent. */
  log?: (line: string) => void
  /** Where the migrations lie. Default: migrations/ of this project. */
  directory?: URL
}

/**
 * Brings a database to the schema of this code: roles first, then schema `dba`, then every migration that is missing, each in one
 * transaction with its row in dba.migration. Forward only. Two at once take turns; the second finds nothing to do.
 *
 * @param adminUrl a superuser, or a login with CREATEROLE and CREATE on the database; once the roles exist, a member of rota_owner.
 * @returns the names applied now, in order, and how many stood there before.
 * @throws PermanentError `server_too_old`, `roles_missing`, `schema_owned_by_another`, `migration_changed`, `database_newer`,
 * `migration_out_of_order`, `migration_failed` (nothing of that migration is kept, those before it are)
 */
export async function migrate(
  adminUrl: string,
  { log = () => {}, directory }: MigrateOptions = {},
): Promise<{ applied: string[]; already: number }> {
  const migrations = readMigrations(directory)
  const client = new Client({ connectionString: adminUrl, application_name: 'rota migrate', keepAlive: true })
  client.on('error', () => {})
  await client.connect()
  try {
    await requireServer(client)
    await client.query('select pg_advisory_lock($1, $2)', migrationLock)
    const applied = await readApplied(client)
    if (applied === null) log(await announcement(client, migrations))
    const missing = pending(migrations, applied ?? [])
    await becomeOwner(client)
    for (const migration of missing) {
      await apply(client, migration)
      log(`Applied migration ${migration.name}`)
    }
    return { applied: missing.map((migration) => migration.name), already: applied?.length ?? 0 }
  } finally {
    await client.end()
  }
}

/** Any pair of numbers that nobody else locks: "rota" in ASCII, and the first use of it. */
const migrationLock = [0x726f7461, 1]

interface Applied {
  migration_number: number
  name: string
  checksum: string
}

async function requireServer(client: Client): Promise<void> {
  const { rows } = await client.query<{ number: number; version: string }>(
    `select current_setting('server_version_num')::integer as number, current_setting('server_version') as version`,
  )
  const server = rows[0]
  if (server === undefined || server.number >= 150000) return
  throw new PermanentError('server_too_old', `PostgreSQL ${server.version} is too old for Rota`, {
    hint: 'Give DATABASE_URL the address of a PostgreSQL 15 or newer.',
  })
}

/** Null for a database that Rota has never written to. */
async function readApplied(client: Client): Promise<Applied[] | null> {
  const found = await client.query<{ exists: boolean }>(`select to_regclass('dba.migration') is not null as exists`)
  if (found.rows[0]?.exists !== true) return null
  return (await client.query<Applied>('select migration_number, name, checksum from dba.migration order by migration_number')).rows
}

async function announcement(client: Client, migrations: Migration[]): Promise<string> {
  const { rows } = await client.query<{ database: string; login: string }>('select current_database() as database, session_user as login')
  const where = `database "${rows[0]?.database}" on ${client.host}:${client.port}, as "${rows[0]?.login}"`
  return `First migration of ${where}: creates schema dba and the roles rota_… (${migrations.map(({ name }) => name).join(', ') || 'no migration yet'})`
}

function pending(migrations: Migration[], applied: Applied[]): Migration[] {
  const byNumber = new Map(migrations.map((migration) => [migration.number, migration]))
  const newestHere = migrations.at(-1)?.number ?? 0
  for (const { migration_number, name, checksum } of applied) {
    const file = byNumber.get(migration_number)
    if (file === undefined && migration_number > newestHere) {
      throw new PermanentError('database_newer', `The database is newer than this Rota: it has migration "${name}"`, {
        detail: `The newest migration of this code is number ${newestHere}.`,
        hint: 'Update this checkout of Rota to the version that migrated the database.',
      })
    }
    if (file?.checksum !== checksum || file.name !== name) {
      throw new PermanentError('migration_changed', `Migration "${name}" was changed after it was applied`, {
        detail:
          file === undefined
            ? 'It is no longer in the folder.'
            : `Applied with checksum ${checksum}; "${file.name}" now has ${file.checksum}.`,
        hint: 'Put the file back as it was, and write the change as a new migration.',
      })
    }
  }
  const last = applied.at(-1)?.migration_number ?? 0
  const known = new Set(applied.map(({ migration_number }) => migration_number))
  const missing = migrations.filter(({ number }) => !known.has(number))
  const late = missing.find(({ number }) => number < last)
  if (late !== undefined) {
    throw new PermanentError('migration_out_of_order', `Migration "${late.name}" comes before one that is already applied`, {
      detail: `The newest in the database has number ${last}.`,
      hint: 'Give it the next free number: migrations only go forward.',
    })
  }
  return missing
}

async function apply(client: Client, migration: Migration): Promise<void> {
  await inTransaction(client, async () => {
    for (const part of migration.parts) await runFile(client, part)
    // Workers look at once whether they still know the schema.
    await client.query(`select pg_notify('rota', 'migration')`)
    await client.query('insert into dba.migration (migration_number, name, checksum, applied_by) values ($1, $2, $3, session_user)', [
      migration.number,
      migration.name,
      migration.checksum,
    ])
  })
}
