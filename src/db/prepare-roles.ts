import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { type Client, DatabaseError } from 'pg'
import { PermanentError } from '../../systemscripts/errors.ts'
import { inTransaction, runFile } from './run-sql.ts'

/**
 * Makes the roles (onboarding/roles.sql, idempotent), makes schema `dba` unless it is there, and leaves the connection acting as
 * rota_owner. A login that may not make roles is enough once somebody else has made them.
 *
 * @throws PermanentError `roles_missing`, `owner_not_granted`, `schema_owned_by_another`
 */
export async function becomeOwner(client: Client): Promise<void> {
  await applyRoles(client)
  await setRole(client)
  await ensureSchema(client)
}

/** Roles belong to the whole server, the migration lock to one database: two databases that migrate at once may collide here. */
async function applyRoles(client: Client): Promise<void> {
  const sql = await readFile(new URL('../../onboarding/roles.sql', import.meta.url), 'utf8')
  for (let tries = 1; ; tries += 1) {
    try {
      return await inTransaction(client, () => runFile(client, { file: 'onboarding/roles.sql', sql }))
    } catch (error) {
      const state = stateOf(error)
      if (state === '42501') return await requireRoles(client, error)
      if (tries === 10 || !collisions.includes(state ?? '')) throw error
      await pause(20 * tries)
    }
  }
}

/** Unique violation in pg_authid, role exists, deadlock, and "tuple concurrently updated", which is an internal error to Postgres. */
const collisions = ['23505', '42710', '40P01', 'XX000']

const roles = ['rota_owner', 'rota_worker', 'rota_target', 'rota_query', 'rota_job', 'rota_dba', 'rota_operator', 'rota_reader']

/** A login that may not apply the file is enough when an administrator has applied it to this database. */
async function requireRoles(client: Client, cause: unknown): Promise<void> {
  const { rows } = await client.query<{ missing: string[] }>(
    'select array(select wanted from unnest($1::text[]) as wanted where not exists (select from pg_roles where rolname = wanted)) as missing',
    [roles],
  )
  const missing = rows[0]?.missing ?? []
  if (missing.length === 0 && (await ownerMayCreate(client))) return
  const lack = missing.length === 0 ? 'rota_owner may not create a schema here.' : `Missing roles: ${missing.join(', ')}.`
  throw new PermanentError('roles_missing', `The login "${client.user}" may not make the roles of Rota in database "${client.database}"`, {
    detail: cause instanceof Error ? `${lack} ${cause.message}.` : lack,
    hint: `As an administrator, run onboarding/roles.sql in this database, then: grant rota_owner, rota_worker to "${client.user}". Or: alter role "${client.user}" createrole.`,
    cause,
  })
}

async function ownerMayCreate(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(
    `select has_database_privilege('rota_owner', current_database(), 'create') or exists (select from pg_namespace where nspname = 'dba') as may`,
  )
  return rows[0]?.may === true
}

async function setRole(client: Client): Promise<void> {
  try {
    await client.query('set role rota_owner')
  } catch (error) {
    if (stateOf(error) !== '42501') throw error
    await grantOwner(client)
    await client.query('set role rota_owner')
  }
}

/** Since PostgreSQL 16 a role's maker administers it without being able to become it: it grants itself the role. */
async function grantOwner(client: Client): Promise<void> {
  try {
    await client.query(`grant rota_owner to ${client.escapeIdentifier(client.user ?? '')}`)
  } catch (cause) {
    throw new PermanentError('owner_not_granted', `The login "${client.user}" may not become rota_owner`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: `As an administrator: grant rota_owner to "${client.user}".`,
      cause,
    })
  }
}

async function ensureSchema(client: Client): Promise<void> {
  const { rows } = await client.query<{ owner: string }>(
    `select pg_get_userbyid(nspowner) as owner from pg_namespace where nspname = 'dba'`,
  )
  const owner = rows[0]?.owner
  if (owner === undefined) await client.query('create schema dba')
  else if (owner !== 'rota_owner') {
    throw new PermanentError('schema_owned_by_another', `Schema "dba" of database "${client.database}" belongs to "${owner}"`, {
      detail: 'Rota keeps its tables in it and has to own it; tables that are already there stay as they are.',
      hint: 'As its owner or an administrator: alter schema dba owner to rota_owner;',
    })
  }
}

function stateOf(error: unknown): string | undefined {
  const cause = error instanceof PermanentError ? error.cause : error
  return cause instanceof DatabaseError ? cause.code : undefined
}
