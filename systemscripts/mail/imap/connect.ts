import type { ImapFlow } from 'imapflow'
import { connectRefusal } from './refusals.ts'

export interface ImapOptions {
  host: string
  /** Default 993; 143 where `tls` is `off`. */
  port?: number | null
  user: string
  /** A password, or what gives an access token (OAUTHBEARER, XOAUTH2); asked for at each connect. */
  login: { password: string } | { accessToken: () => Promise<string> }
  /**
   * `verify`: encrypted, the certificate must be right; `require`: encrypted, whatever the certificate; `off`: in the clear.
   * Encrypted from the first byte on port 993, else by STARTTLS, which the server must then offer.
   */
  tls: 'verify' | 'require' | 'off'
  /** Encrypted from the first byte, whatever the port. Default: on port 993. */
  isImplicitTls?: boolean
  /** Certificate in PEM that is trusted too. */
  trusted?: string
  /** A server that says nothing for so long is given up. Default 60. */
  timeoutSeconds?: number
  signal?: AbortSignal
}

/**
 * A connection that is logged in.
 * @throws PermanentError `mail_login_refused`, `mail_certificate_refused`, `mail_tls_not_offered`; JobError `mail_server_unreachable`
 */
export async function connectImap(options: ImapOptions): Promise<ImapFlow> {
  options.signal?.throwIfAborted()
  const { ImapFlow } = await import('imapflow')
  const { port, isImplicitTls } = portOf(options)
  const timeout = (options.timeoutSeconds ?? 60) * 1000
  const client = new ImapFlow({
    host: options.host,
    port,
    secure: isImplicitTls,
    ...(isImplicitTls ? {} : { doSTARTTLS: options.tls !== 'off' }),
    tls: { rejectUnauthorized: options.tls === 'verify', ...(options.trusted === undefined ? {} : { ca: options.trusted }) },
    auth: { user: options.user, ...(await secretOf(options)) },
    clientInfo: { name: 'Rota' },
    logger: false,
    disableAutoIdle: true,
    // CONDSTORE would make the server compute a change number for every message.
    disableAutoEnable: true,
    // Costs more processor time than it saves on the way: mail is base64.
    disableCompression: true,
    connectionTimeout: Math.min(timeout, 30_000),
    greetingTimeout: Math.min(timeout, 30_000),
    socketTimeout: timeout,
    maxLiteralSize: MOST_LITERAL_BYTES,
    maxResponseSize: 2 * MOST_LITERAL_BYTES,
  })
  // Without a listener a lost connection would end the process; the command that waits is told anyway.
  client.on('error', () => {})
  const stop = (): void => client.close()
  options.signal?.addEventListener('abort', stop, { once: true })
  client.once('close', () => options.signal?.removeEventListener('abort', stop))
  try {
    await client.connect()
    return client
  } catch (error) {
    client.close()
    options.signal?.throwIfAborted()
    throw connectRefusal(error, { host: options.host, port, user: options.user })
  }
}

/** More than any window that is asked for; a list of a million numbers fits. */
const MOST_LITERAL_BYTES = 64 * 1024 * 1024

function portOf({ port, tls, isImplicitTls }: ImapOptions): { port: number; isImplicitTls: boolean } {
  const number = port ?? (tls === 'off' ? 143 : 993)
  return { port: number, isImplicitTls: tls !== 'off' && (isImplicitTls ?? number === 993) }
}

async function secretOf({ login }: ImapOptions): Promise<{ pass: string } | { accessToken: string }> {
  return 'password' in login ? { pass: login.password } : { accessToken: await login.accessToken() }
}
