import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type ClientBase, DatabaseError, Pool } from 'pg'
import { PermanentError } from '../../systemscripts/errors.ts'
import { isVerifierOf, scramVerifier } from '../../systemscripts/scram-verifier.ts'
import type { Secrets } from './secrets.ts'

/** The roles that people, reports and statements log in as. */
export const loginRoles = ['rota_dba', 'rota_operator', 'rota_reader', 'rota_query', 'rota_job'] as const

export type LoginRole = (typeof loginRoles)[number]

export interface LoginAnswer {
  role: LoginRole
  /**
   * `kept`: the stored password is the role's. `set`: a new one was made. `restored`: the role had none, and has the stored one again.
   * `foreign`: the role has a password that this database does not know, and keeps it. `unreadable`: the stored one was sealed with another key.
   */
  state: 'kept' | 'set' | 'restored' | 'foreign' | 'unreadable'
  /** What stands now, and for `foreign` and `unreadable` what to do. */
  message: string
}

/**
 * Gives each login of Rota a password, sealed in dba.secret as `login.<role>`. Roles belong to the whole server, so a password that
 * another database or a person has set is left as it is, and the answer says so. All in one transaction; several may call it at once.
 *
 * Only SCRAM verifiers travel to the server, so its log never shows a password. Where pg_authid is closed to the login (managed servers),
 * the role's comment tells whether a password was made and for which database.
 *
 * @param admin may alter these roles and become rota_worker: a superuser, or the CREATEROLE login that made them.
 */
export async function ensureLogins(admin: Pool | ClientBase, secrets: Secrets): Promise<LoginAnswer[]> {
  if (!(admin instanceof Pool)) return ensureInTransaction(admin, secrets)
  const client = await admin.connect()
  try {
    return await ensureInTransaction(client, secrets)
  } finally {
    client.release()
  }
}

/** The address of the same database for another login: host, database and TLS stay; what would name another user or role does not. */
export function loginUrl(baseUrl: string, role: string, password: string): string {
  const url = new URL(baseUrl)
  url.username = role
  url.password = password
  for (const parameter of ['user', 'password', 'options']) url.searchParams.delete(parameter)
  return url.href
}

/** Two databases of one server may come here at once: the role's row then changes under one of them, which looks again. */
async function ensureInTransaction(client: ClientBase, secrets: Secrets): Promise<LoginAnswer[]> {
  for (let tries = 1; ; tries += 1) {
    await client.query('begin')
    try {
      await client.query('set local role none')
      await client.query(`select pg_advisory_xact_lock(hashtext('rota logins'))`)
      const answers: LoginAnswer[] = []
      for (const found of await readRoles(client)) answers.push(await ensureOne(client, secrets.over(client), found))
      await client.query('commit')
      return answers
    } catch (error) {
      await client.query('rollback').catch(() => {})
      const isCollision = error instanceof DatabaseError && ['XX000', '40P01'].includes(error.code ?? '')
      if (!isCollision || tries === 5) throw error
      await pause(20 * tries)
    }
  }
}

interface RoleFacts {
  role: LoginRole
  has_secret: boolean
  has_password: boolean
  /** Null: no password, or not ours to see. */
  verifier: string | null
  /** The database that made its password, from the role's comment. */
  made_by: string | null
  /** The role's comment without that. */
  remark: string
  database: string
}

async function readRoles(client: ClientBase): Promise<RoleFacts[]> {
  const { rows } = await client.query<{ may_see: boolean }>(`select has_table_privilege('pg_catalog.pg_authid', 'select') as may_see`)
  const stored = await asWorker(client, () =>
    client.query<{ secret_name: string }>(`select secret_name from dba.secret where secret_name like 'login.%'`),
  )
  const secretNames = stored.rows.map(({ secret_name }) => secret_name)
  const catalog = rows[0]?.may_see === true ? 'pg_authid' : 'pg_roles'
  const found = await client.query<RoleFacts>(
    `select r.rolname as role,
            'login.' || r.rolname = any ($2) as has_secret,
            case when $3 then r.rolpassword is not null else c.comment ~ $4 end as has_password,
            case when $3 then r.rolpassword end as verifier,
            substring(c.comment from $4) as made_by,
            regexp_replace(c.comment, $4, '') as remark,
            current_database() as database
     from ${catalog} r, coalesce(shobj_description(r.oid, 'pg_authid'), '') as c (comment)
     where r.rolname = any ($1)
     order by array_position($1, r.rolname::text)`,
    [loginRoles, secretNames, catalog === 'pg_authid', madeByPattern],
  )
  return found.rows
}

const madeByPattern = ' Its password was made for database "(.*)"[.]$'

async function ensureOne(client: ClientBase, secrets: Secrets, found: RoleFacts): Promise<LoginAnswer> {
  const { role, verifier, made_by: madeBy } = found
  if (!found.has_secret && found.has_password) {
    const maker = madeBy === null ? 'that somebody set' : `that was made for database "${madeBy}" of this server`
    return answer(role, 'foreign', `has a password ${maker}; this database does not know it. ${tell(role)}`)
  }
  if (!found.has_secret) {
    const password = randomBytes(24).toString('base64url')
    await asWorker(client, () => secrets.set(secretName(role), password))
    await setPassword(client, found, password)
    return answer(role, 'set', 'has a new password.')
  }
  const password = await readPassword(client, secrets, role)
  if (password === null) return answer(role, 'unreadable', `has a password that was stored with another key. ${unreadableHint}`)
  if (!found.has_password) {
    await setPassword(client, found, password)
    return answer(role, 'restored', 'had no password on this server and has the stored one again.')
  }
  if (verifier === null || (await isVerifierOf(verifier, password))) return answer(role, 'kept', 'has its password.')
  return answer(role, 'foreign', `has another password than the stored one. ${tell(role)}`)
}

function answer(role: LoginRole, state: LoginAnswer['state'], said: string): LoginAnswer {
  return { role, state, message: `Role ${role} ${said}` }
}

function tell(role: LoginRole): string {
  return `Tell it: rota secret set ${secretName(role)}; or let it make one: alter role ${role} password null; and rota migrate.`
}

const unreadableHint = 'Start with the ROTA_SECRET_KEY (or the file secret.key) that it was stored with.'

function secretName(role: LoginRole): string {
  return `login.${role}`
}

async function readPassword(client: ClientBase, secrets: Secrets, role: LoginRole): Promise<string | null> {
  return asWorker(client, () =>
    secrets.get(secretName(role)).catch((error: unknown) => {
      if (error instanceof PermanentError && error.code === 'secret_unreadable') return null
      throw error
    }),
  )
}

async function setPassword(client: ClientBase, { role, remark, database }: RoleFacts, password: string): Promise<void> {
  await client.query(`alter role ${role} password ${client.escapeLiteral(await scramVerifier(password))}`)
  const comment = `${remark} Its password was made for database "${database}".`.trim()
  await client.query(`comment on role ${role} is ${client.escapeLiteral(comment)}`)
}

/** dba.secret is the workers' alone. An error ends the transaction, and the role with it. */
async function asWorker<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('set local role rota_worker')
  const result = await work()
  await client.query('set local role none')
  return result
}
