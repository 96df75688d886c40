import { Client, type ClientConfig } from 'pg'
import { JobError, PermanentError } from './errors.ts'

/** Where a Postgres is and who logs in; the `options` that are read: `ca`, the authority's certificate as PEM text. */
export interface PostgresServer {
  host: string | null
  /** Default: 5432. */
  port: number | null
  /** Default: the user's name. */
  databaseName: string | null
  /** Default: the user that Rota runs as. */
  userName: string | null
  secret: string | null
  tls: 'verify' | 'require' | 'off'
  options: Record<string, unknown>
  /** Transactions of the session begin as read only. It guards against mistakes; against intent, only the rights of the login do. */
  isReadOnly: boolean
}

export interface OpenPostgresOptions {
  applicationName: string
  signal: AbortSignal
  /** Default: 10. */
  limitSeconds?: number
}

/**
 * Logs in. The server ends what the session does within seconds after this process is gone, where it can tell (Linux, macOS).
 * The caller ends the client.
 *
 * @param server an address `postgres://…`, or its parts.
 * @throws PermanentError `database_login_refused`, `certificate_not_trusted`; JobError `database_unreachable`; the signal's reason
 */
export async function openPostgres(
  server: PostgresServer | string,
  { applicationName, signal, limitSeconds = 10 }: OpenPostgresOptions,
): Promise<Client> {
  signal.throwIfAborted()
  const client = new Client({
    ...(typeof server === 'string' ? { connectionString: server } : configOf(server)),
    application_name: applicationName,
    connectionTimeoutMillis: limitSeconds * 1000,
    keepAlive: true,
  })
  // a connection that breaks between two queries is told by the next one
  client.on('error', () => {})
  const stop = () => void client.end().catch(() => {})
  signal.addEventListener('abort', stop, { once: true })
  try {
    await client.connect()
    signal.throwIfAborted()
    await client.query("set client_connection_check_interval = '2s'").catch(() => {})
    return client
  } catch (cause) {
    stop()
    signal.throwIfAborted()
    throw explainRefusal(cause, client)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function configOf(server: PostgresServer): ClientConfig {
  const { host, port, databaseName, userName, secret, tls, options, isReadOnly } = server
  const ca = typeof options.ca === 'string' ? { ca: options.ca } : {}
  return {
    host: host ?? 'localhost',
    port: port ?? 5432,
    ...(userName === null ? {} : { user: userName }),
    ...(databaseName === null ? {} : { database: databaseName }),
    // a function, since pg takes an empty text as leave to use PGPASSWORD and .pgpass of this process
    password: () => secret ?? '',
    ssl: tls === 'off' ? false : { rejectUnauthorized: tls === 'verify', ...ca },
    ...(isReadOnly ? { options: '-c default_transaction_read_only=on' } : {}),
  }
}

/** Invalid login, no such login, no such database, not allowed to connect. */
const refusals = new Set(['28000', '28P01', '3D000', '42501'])

/** Source: "X509 certificate error codes" in Node's manual of tls. */
const certificateTrouble = /^(ERR_TLS_CERT_ALTNAME_INVALID|CERT_.*|.*SELF_SIGNED_CERT.*|UNABLE_TO_.*)$/

function explainRefusal(cause: unknown, client: Client): JobError {
  const where = `${client.host}:${client.port}`
  const said = saidBy(cause)
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  if (refusals.has(code) || /password must be/.test(said)) {
    return new PermanentError(
      'database_login_refused',
      `Postgres on ${where} refuses the login "${client.user}" to database "${client.database}"`,
      {
        detail: said,
        hint: 'Correct user_name, database_name or the secret of the connection.',
        cause,
      },
    )
  }
  if (certificateTrouble.test(code)) {
    return new PermanentError('certificate_not_trusted', `The certificate of Postgres on ${where} is not trusted`, {
      detail: `${said} (${code}).`,
      hint: `Write the certificate of its authority into options of the connection, {"ca": "-----BEGIN CERTIFICATE-----…"}, or correct host; only in a network you trust, set tls to 'require'.`,
      cause,
    })
  }
  const hint = /does not support SSL/.test(said)
    ? "The server speaks no TLS: set it up there, or, in a network you trust, set tls of the connection to 'off'."
    : 'Look whether the server runs and whether a firewall stands between; correct host and port of the connection.'
  return new JobError('database_unreachable', `Postgres on ${where} does not let us in`, { detail: said, hint, cause })
}

/** Connecting to a name with several addresses fails with one error that holds the others and has no words of its own. */
function saidBy(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(saidBy).join('; ')
  return cause instanceof Error ? cause.message || cause.name : String(cause)
}
