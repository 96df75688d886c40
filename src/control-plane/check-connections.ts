import { randomUUID } from 'node:crypto'
import { access, constants, stat, statfs, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkedUrl } from '../../systemscripts/call-url.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { openMailRoute } from '../../systemscripts/outgoing-mail.ts'
import { openPostgres } from '../../systemscripts/postgres.ts'
import { reach } from '../../systemscripts/reachable.ts'
import { refusePlainAddress } from '../../systemscripts/webhook.ts'
import { explainError } from '../db/explain-error.ts'
import type { ConnectionRow } from '../db/row-types.ts'
import type { ConnectionFacts, Connections } from '../job/connections.ts'
import { webhookOf } from './alerts/webhook-of.ts'
import { routeOptions } from './outbox/route-options.ts'
import type { Queryable } from './secrets.ts'

export interface ConnectionAnswer {
  state: 'ok' | 'failed'
  /** What was found, with this machine's name. */
  message: string
}

export interface CheckConnectionOptions {
  connections: Connections
  /** Absolute path of a folder as a row names it. */
  folder(path: string): string
  /** Takes secrets out of a text. */
  redact(text: string): string
  /** Name of this machine. */
  host: string
  /** Seconds that one connection may take. Default: 10. */
  limitSeconds?: number
  signal: AbortSignal
}

/**
 * Answers every row of dba.connection in these lanes that somebody asked about or changed since its last check, and those in use whose
 * last check is as long ago as dba.setting.connection_check says (one that failed: 5 minutes). No row is checked twice at once, by
 * however many workers. Each answer is a transaction of its own, is dropped when the row was changed meanwhile, and passes over a row
 * that somebody holds open: it is answered the next time.
 *
 * @returns names of the connections that were answered.
 */
export async function answerConnections(db: Queryable, lanes: string[], options: CheckConnectionOptions): Promise<string[]> {
  const { limitSeconds = 10 } = options
  const { rows } = await db.query<Pick<ConnectionRow, 'connection_name' | 'version'>>(
    `update dba.connection k
     set tried_until = clock_timestamp() + make_interval(secs => $2)
     where k.connection_name in (
       select c.connection_name from dba.connection c
       where c.connection_name in (select dba.connections_to_try($1)) and coalesce(c.tried_until <= clock_timestamp(), true)
       for no key update skip locked)
     returning k.connection_name, k.version`,
    [lanes, limitSeconds * 3],
  )
  const answered = await Promise.all(
    rows.map(async ({ connection_name: name, version }) => ((await answerConnection(db, name, version, options)) ? [name] : [])),
  )
  return answered.flat().sort()
}

async function answerConnection(db: Queryable, name: string, version: number, options: CheckConnectionOptions): Promise<boolean> {
  const { state, message } = await checkConnection(name, options)
  const { rowCount } = await db.query(
    `update dba.connection
     set checked_at = clock_timestamp(), check_state = $3, check_message = $4, tried_until = null
     where connection_name in (select connection_name from dba.connection where connection_name = $1 and version = $2 for no key update skip locked)`,
    [name, version, state, message],
  )
  return rowCount === 1
}

/** Tries one connection as far as can be done without effect on the other side. Never throws but when `signal` is aborted. */
export async function checkConnection(connectionName: string, options: CheckConnectionOptions): Promise<ConnectionAnswer> {
  const { connections, redact, host, limitSeconds = 10, signal } = options
  const limit = AbortSignal.timeout(limitSeconds * 1000)
  const both = AbortSignal.any([signal, limit])
  try {
    const found = await withinLimit(tryConnection(await connections.get(connectionName), options, both), both)
    return { state: 'ok', message: redact(`${found} Seen from ${host}.`) }
  } catch (error) {
    signal.throwIfAborted()
    if (limit.aborted) return { state: 'failed', message: `No answer within ${limitSeconds} seconds. Seen from ${host}.` }
    const { message, detail, hint } = explainError(error)
    const said = [message, detail, hint]
      .filter((part) => part !== null && part !== '')
      .map((part) => (/[.!?]$/.test(part ?? '') ? part : `${part}.`))
    return { state: 'failed', message: redact(`${said.join(' ')} Seen from ${host}.`) }
  }
}

/** A hung network share answers no signal. */
async function withinLimit<T>(work: Promise<T>, limit: AbortSignal): Promise<T> {
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  const stop = () => reject(limit.reason)
  limit.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, stopped])
  } finally {
    limit.removeEventListener('abort', stop)
  }
}

/** Ports that a kind uses when its row names none: with TLS, without. */
const usualPorts: Record<string, { tls: number; plain: number }> = {
  sqlserver: { tls: 1433, plain: 1433 },
  sftp: { tls: 22, plain: 22 },
  imap: { tls: 993, plain: 143 },
  opcua: { tls: 4840, plain: 4840 },
  http: { tls: 443, plain: 80 },
}

async function tryConnection(facts: ConnectionFacts, options: CheckConnectionOptions, signal: AbortSignal): Promise<string> {
  if (facts.kind === 'postgres') return tryPostgres(facts, signal)
  if (facts.kind === 'folder') return tryFolder(facts, options)
  if (facts.kind === 'webhook') return tryWebhook(facts, signal)
  if (facts.kind === 'smtp' || facts.kind === 'gmail') return await tryMail(facts, options, signal)
  const usual = usualPorts[facts.kind]
  const port = facts.port ?? (facts.tls === 'off' ? usual?.plain : usual?.tls)
  const { host } = facts
  if (host === null || port === undefined) {
    throw new PermanentError('connection_incomplete', `Connection "${facts.connectionName}" names no host`, {
      hint: 'Fill dba.connection.host.',
    })
  }
  const milliseconds = await reach(host, port, signal)
  return `Port ${port} of ${host} answers (${milliseconds.toFixed(0)} ms); the login is tried by the job that uses it.`
}

/** Logs in as a job would. That no mail may go out by it is no fault of a connection that is there to read. */
async function tryMail(facts: ConnectionFacts, { folder }: CheckConnectionOptions, signal: AbortSignal): Promise<string> {
  const route = openMailRoute(routeOptions({ ...facts, isReadOnly: false }, folder))
  try {
    return await route.check(signal)
  } finally {
    await route.close()
  }
}

/** A post would be read by somebody. */
async function tryWebhook(facts: ConnectionFacts, signal: AbortSignal): Promise<string> {
  const webhook = webhookOf(facts)
  refusePlainAddress(webhook)
  const url = checkedUrl(webhook.url, webhook.allowsPrivate)
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  const milliseconds = await reach(url.hostname.replace(/^\[|\]$/g, ''), port, signal)
  return `Port ${port} of ${url.hostname} answers (${milliseconds.toFixed(0)} ms); the first alert shows whether it takes the address.`
}

async function tryPostgres(facts: ConnectionFacts, signal: AbortSignal): Promise<string> {
  const client = await openPostgres(facts, { applicationName: 'rota connection check', signal })
  try {
    const { rows } = await client.query<{ version: string; database: string; login: string }>(
      `select split_part(version(), ' ', 1) || ' ' || split_part(version(), ' ', 2) as version, current_database() as database, session_user as login`,
    )
    const found = rows[0]
    return `${found?.version} answers on ${client.host}:${client.port}: database "${found?.database}", logged in as "${found?.login}".`
  } finally {
    await client.end()
  }
}

async function tryFolder(
  { connectionName, databaseName, isReadOnly }: ConnectionFacts,
  { folder }: CheckConnectionOptions,
): Promise<string> {
  if (databaseName === null) {
    throw new PermanentError('connection_incomplete', `Connection "${connectionName}" names no folder`, {
      hint: 'Write its path into dba.connection.database_name.',
    })
  }
  const path = folder(databaseName)
  const facts = await stat(path)
  if (!facts.isDirectory()) {
    throw new PermanentError('not_a_folder', `"${path}" is a file`, { hint: 'Name a folder in dba.connection.database_name.' })
  }
  await access(path, constants.R_OK | constants.X_OK)
  if (!isReadOnly) await tryWriting(path)
  const { bavail, bsize } = await statfs(path)
  return `Folder "${path}" can be ${isReadOnly ? 'read' : 'read and written'}; ${((bavail * bsize) / 2 ** 30).toFixed(1)} GiB are free.`
}

/** The rights of a network share show only when a file is written. */
async function tryWriting(path: string): Promise<void> {
  const trial = join(path, `.rota-check-${randomUUID()}`)
  await writeFile(trial, '')
  await unlink(trial)
}
