import { isIP } from 'node:net'
import { Readable } from 'node:stream'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { Delivery, Envelope } from '../mail-route.ts'
import { placeOf, type SmtpOptions } from './options.ts'
import { connectRefusal, verdictOfError, verdictOfReply } from './verdict.ts'

/** One connection that is logged in. */
export interface SmtpSession {
  isUsable(): boolean
  /** Mails it has carried. */
  sent(): number
  /**
   * One at a time. Whatever does not end well ends the session too. An abort breaks it off, and what became of the mail is answered.
   * @throws what `content` throws
   */
  send(envelope: Envelope, content: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<Delivery>
  /** Says QUIT. */
  close(): void
}

/** @throws JobError, PermanentError, see connectRefusal */
export async function openSmtpSession(options: SmtpOptions, signal?: AbortSignal): Promise<SmtpSession> {
  signal?.throwIfAborted()
  const { host, port, isImplicitTls } = placeOf(options)
  const timeoutMs = (options.timeoutSeconds ?? 300) * 1000
  const connection = new SMTPConnection({
    host,
    port,
    secure: isImplicitTls,
    ...(options.tls === 'off' ? { ignoreTLS: true } : { requireTLS: !isImplicitTls }),
    ...(options.heloName === undefined ? {} : { name: options.heloName }),
    tls: {
      rejectUnauthorized: options.tls === 'verify',
      ...(options.trusted === undefined ? {} : { ca: options.trusted }),
      ...(isIP(host) ? {} : { servername: host }),
    },
    connectionTimeout: Math.min(timeoutMs, 30_000),
    greetingTimeout: Math.min(timeoutMs, 60_000),
    socketTimeout: timeoutMs,
    dnsTimeout: Math.min(timeoutMs, 30_000),
    logger: false,
  })
  let isUsable = true
  let sent = 0
  let failure = (_error: Error): void => {}
  const lose = (error: Error): void => {
    isUsable = false
    failure(error)
  }
  connection.on('error', lose)
  connection.once('end', () => {
    isUsable = false
    // Whoever knows better why it ended speaks first.
    setImmediate(() => lose(new Error('Connection closed')))
  })
  const stop = (): void => connection.close()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    await step((done) => connection.connect(done))
    if (options.user !== null && options.login !== null) await logIn(options.user, options.login)
  } catch (error) {
    connection.close()
    signal?.throwIfAborted()
    throw connectRefusal(error, { host, port, user: options.user })
  } finally {
    signal?.removeEventListener('abort', stop)
  }
  return { isUsable: () => isUsable, sent: () => sent, send, close }

  /** One exchange; a lost connection ends it too. */
  function step<T>(begin: (done: (error?: Error | null, result?: T) => void) => void): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      failure = reject
      begin((error, result) => (error ? reject(error) : resolve(result)))
    })
  }

  async function logIn(user: string, login: NonNullable<SmtpOptions['login']>): Promise<void> {
    if ('password' in login) return void (await step((done) => connection.login({ user, pass: login.password }, done)))
    const { default: XOAuth2 } = await import('nodemailer/lib/xoauth2')
    // Nodemailer would write a code of its own over that of our error.
    let withoutToken: unknown
    const oauth2 = new XOAuth2({
      user,
      provisionCallback: (_user, isAnew, give) =>
        void login.accessToken(isAnew).then(
          (token) => give(null, token),
          (error) => {
            withoutToken = error
            give(new Error('There is no token'))
          },
        ),
    })
    await step((done) => connection.login({ user, method: 'XOAUTH2', oauth2 }, done)).catch((error) => {
      throw withoutToken ?? error
    })
  }

  async function send(envelope: Envelope, content: AsyncIterable<Buffer>, stopping?: AbortSignal): Promise<Delivery> {
    if (stopping?.aborted) return verdictOfError(envelope, stopping.reason, { host, isHandedOver: false })
    const stream = Readable.from(inSlices(content), { objectMode: false, highWaterMark: SLICE_BYTES })
    // From here on the last dot may be on its way: without an answer nobody knows what the server has.
    let isHandedOver = false
    let broken: unknown
    stream.once('end', () => {
      isHandedOver = true
    })
    stream.on('error', (error) => {
      broken ??= error
    })
    const { sender: from, recipients: to, sizeBytes: size } = envelope
    let patience: NodeJS.Timeout | undefined
    const breakOff = (): void => {
      patience = setTimeout(() => connection.close(), isHandedOver ? LAST_WORD_MS : 0)
    }
    stopping?.addEventListener('abort', breakOff, { once: true })
    try {
      const reply = await step<SMTPConnection.SentMessageInfo>((done) => connection.send({ from, to: [...to], size }, stream, done))
      sent += 1
      return verdictOfReply(envelope, reply ?? { response: '' })
    } catch (error) {
      isUsable = false
      // Not politely: a QUIT could pass for a line of the mail.
      connection.close()
      if (broken !== undefined && !isHandedOver) throw broken
      return verdictOfError(envelope, error, { host, isHandedOver })
    } finally {
      clearTimeout(patience)
      stopping?.removeEventListener('abort', breakOff)
      stream.destroy()
    }
  }

  function close(): void {
    if (isUsable) connection.quit()
    else connection.close()
    isUsable = false
  }
}

/** After an abort a server that has all of a mail gets so long to say what it does with it. */
const LAST_WORD_MS = 1000
const SLICE_BYTES = 64 * 1024

/** What is taken of the stream is on its way: of a large piece that would be all of it at once. */
async function* inSlices(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of content) for (let at = 0; at < piece.length; at += SLICE_BYTES) yield piece.subarray(at, at + SLICE_BYTES)
}
