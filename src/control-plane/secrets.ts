import { readFile, realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { QueryResult, QueryResultRow } from 'pg'
import { PermanentError } from '../../systemscripts/errors.ts'
import { ensureKeyFile } from '../../systemscripts/key-file.ts'
import type { Redactor } from '../../systemscripts/redact.ts'
import { type SecretKey, secretKeyOf } from '../../systemscripts/seal.ts'
import type { SecretRow } from '../db/row-types.ts'

/** A pool or a client whose role is, or inherits, rota_worker or rota_owner: nobody else may read dba.secret. */
export interface Queryable {
  query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<QueryResult<Row>>
}

export type SecretFacts = Pick<SecretRow, 'secret_name' | 'expires_at' | 'updated_at' | 'updated_by'> & {
  /** Names of the connections that use it. */
  used_by: string[]
}

export interface Secrets {
  /**
   * The secret behind a reference: a name of dba.secret, `env:NAME` or `file:/path` (one line end at its end is dropped). The redactor
   * learns it before anyone else sees it.
   * @throws PermanentError `secret_not_found`, `secret_unreadable`, `secret_off_limits`
   */
  get(reference: string): Promise<string>
  /** Seals and stores it, in place of the former one. `expiresAt`: somebody is told before; default: it does not expire. @throws PermanentError `secret_name_invalid`, `secret_empty` */
  set(name: string, text: string, expiresAt?: Date | null): Promise<void>
  /** Names only; by name. */
  list(): Promise<SecretFacts[]>
  /** @throws PermanentError `secret_not_found`, `secret_in_use` */
  remove(name: string): Promise<void>
  /** The same secrets through another connection, to take part in its transaction. */
  over(db: Queryable): Secrets
}

export interface SecretsOptions {
  db: Queryable
  key: SecretKey
  redactor: Redactor
  /** What `env:NAME` looks into. Default: this process's environment. */
  env?: NodeJS.ProcessEnv
  /** Its secret.key may not be read as a `file:` secret, nor the password of the embedded Postgres. */
  dataDir: string
}

/**
 * The key of this machine: ROTA_SECRET_KEY, or the file secret.key of the data folder, made on first use.
 *
 * @throws PermanentError `secret_key_too_short`; JobError `key_file_unusable`
 */
export async function openSecretKey({ secretKey, dataDir }: { secretKey?: string; dataDir: string }): Promise<SecretKey> {
  return secretKeyOf(secretKey ?? (await ensureKeyFile(keyFile(dataDir))))
}

/** Secrets of dba.secret, of the environment and of files. No value is kept in memory but in the redactor. */
export function createSecrets(options: SecretsOptions): Secrets {
  const { db, key, redactor, env = process.env, dataDir } = options
  const find = async (reference: string): Promise<string> => {
    if (reference.startsWith('env:')) return fromEnvironment(reference.slice(4), env)
    if (reference.startsWith('file:')) return fromFile(reference.slice(5), keyFile(dataDir))
    return key.unseal(reference, await readSealed(db, reference))
  }
  return {
    async get(reference) {
      const secret = await find(reference)
      if (secret === '') throw notFound(`Secret "${reference}" is empty`, 'Give it a value.')
      redactor.learn(secret)
      return secret
    },
    async set(name, text, expiresAt = null) {
      redactor.learn(text)
      if (!/^[a-z][a-z0-9_.-]{0,62}$/.test(name)) {
        throw new PermanentError('secret_name_invalid', `"${name}" is no name for a secret`, {
          hint: 'Write lower-case letters, digits, dots, dashes and underscores, a letter first: smtp_main.',
        })
      }
      if (text === '')
        throw new PermanentError('secret_empty', `Secret "${name}" would be empty`, { hint: 'Give it a value, or remove it.' })
      await db.query(
        `insert into dba.secret (secret_name, sealed, expires_at) values ($1, $2, $3)
         on conflict (secret_name) do update set sealed = excluded.sealed, expires_at = excluded.expires_at, updated_at = clock_timestamp(), updated_by = session_user`,
        [name, await key.seal(name, text), expiresAt],
      )
    },
    list: () => readList(db),
    remove: (name) => removeSecret(db, name),
    over: (other) => createSecrets({ ...options, db: other }),
  }
}

function keyFile(dataDir: string): string {
  return join(dataDir, 'secret.key')
}

function fromEnvironment(name: string, env: NodeJS.ProcessEnv): string {
  if (name === 'ROTA_SECRET_KEY' || name === 'DATABASE_URL') throw offLimits(`Environment variable ${name} opens Rota itself`)
  const value = env[name]
  if (value !== undefined) return value
  throw notFound(
    `Environment variable "${name}" is not set for this worker`,
    `Set ${name} where the workers of this lane start, and restart them.`,
  )
}

/** Longer files are no secrets but something else. */
const longestFile = 65_536

async function fromFile(path: string, forbidden: string): Promise<string> {
  try {
    const real = await realpath(path)
    const isOwn = real === (await realpath(forbidden).catch(() => forbidden)) || basename(real) === 'rota.password'
    if (isOwn || /^[/](proc|sys|dev)[/]/.test(real)) throw offLimits(`File "${path}" opens Rota itself or its machine`)
    const facts = await stat(real)
    if (!facts.isFile() || facts.size > longestFile)
      throw notFound(`"${path}" is no file of at most 64 kB`, 'Name the file that holds the secret alone.')
    return (await readFile(real, 'utf8')).replace(/\r?\n$/, '')
  } catch (cause) {
    if (cause instanceof PermanentError) throw cause
    throw notFound(
      `Secret file "${path}" cannot be read`,
      'Put it there on every machine of this lane, readable for the user that Rota runs as.',
      cause,
    )
  }
}

async function readSealed(db: Queryable, name: string): Promise<Uint8Array> {
  const { rows } = await db.query<Pick<SecretRow, 'sealed'>>('select sealed from dba.secret where secret_name = $1', [name])
  const sealed = rows[0]?.sealed
  if (sealed !== undefined) return sealed
  const hint = name.startsWith('login.')
    ? 'Run: rota migrate. It gives the logins of Rota their passwords.'
    : `Set it: rota secret set ${name}`
  throw notFound(`There is no secret "${name}"`, hint)
}

async function readList(db: Queryable): Promise<SecretFacts[]> {
  const { rows } = await db.query<SecretFacts>(
    `select secret_name, expires_at, updated_at, updated_by,
            array(select connection_name from dba.connection c where c.secret_name = s.secret_name order by connection_name) as used_by
     from dba.secret s
     order by secret_name`,
  )
  return rows
}

async function removeSecret(db: Queryable, name: string): Promise<void> {
  const { rows } = await db.query<{ is_there: boolean; used_by: string[] }>(
    `with gone as (
       delete from dba.secret
       where secret_name = $1 and not exists (select from dba.connection where secret_name = $1)
       returning secret_name
     )
     select exists (select from dba.secret where secret_name = $1) as is_there,
            array(select connection_name from dba.connection where secret_name = $1 order by connection_name) as used_by
     from (select count(*) from gone) as done`,
    [name],
  )
  const found = rows[0]
  if (found?.is_there !== true) throw notFound(`There is no secret "${name}"`, 'Look at the names: rota secret list')
  if (found.used_by.length > 0) {
    throw new PermanentError('secret_in_use', `Secret "${name}" is used by connections`, {
      detail: `They are ${found.used_by.map((user) => `"${user}"`).join(', ')}.`,
      hint: `Give them another first: update dba.connection set secret_name = … where secret_name = '${name}'.`,
    })
  }
}

function notFound(message: string, hint: string, cause?: unknown): PermanentError {
  const detail = cause instanceof Error ? { detail: cause.message } : {}
  return new PermanentError('secret_not_found', message, { ...detail, hint, cause })
}

function offLimits(message: string): PermanentError {
  return new PermanentError('secret_off_limits', message, { hint: 'Name a secret made for this connection: rota secret set <name>.' })
}
