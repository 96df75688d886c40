import { setTimeout as wait } from 'node:timers/promises'
import { JobError } from '../errors.ts'
import type { Delivery, Envelope, MailRoute, SendOptions } from './mail-route.ts'
import { createPace } from './pace.ts'
import { placeOf, type SmtpOptions } from './smtp/options.ts'
import { openSmtpSession, type SmtpSession } from './smtp/session.ts'
import { createTurns } from './turns.ts'

/** A connection that nobody needs is closed after this; servers do so themselves sooner or later. */
const IDLE_MS = 20_000

/** A server that took a mail so long ago counts as ready for another. */
const READY_MS = 5000

/** Mail through an SMTP server, over connections that are kept while there is mail. */
export function openSmtpRoute(options: SmtpOptions): MailRoute {
  const { connections = 5, mailsPerConnection = 100 } = options
  const pace = createPace(options)
  const turns = createTurns(connections)
  // As many again make ready.
  const anteroom = createTurns(2 * connections)
  let tookAt = Number.NEGATIVE_INFINITY
  const idle: { session: SmtpSession; timer: NodeJS.Timeout }[] = []
  let isClosed = false
  return { send, wasSent: async () => null, check, close }

  async function send(envelope: Envelope, content: () => AsyncIterable<Buffer>, { onReady, signal }: SendOptions = {}): Promise<Delivery> {
    const leave = await anteroom.take(signal)
    try {
      await pace(signal)
      // While others are on their way: what there is to be done before takes no connection's time.
      const isEarly = performance.now() - tookAt < READY_MS
      if (isEarly) await onReady?.()
      const giveBack = await turns.take(isEarly ? undefined : signal)
      try {
        return await carry(envelope, content, { ...(isEarly || !onReady ? {} : { onReady }), ...(signal ? { signal } : {}) })
      } finally {
        giveBack()
      }
    } finally {
      leave()
    }
  }

  async function carry(envelope: Envelope, content: () => AsyncIterable<Buffer>, { onReady, signal }: SendOptions): Promise<Delivery> {
    let ready = onReady
    for (;;) {
      const kept = takeIdle()
      let session: SmtpSession
      try {
        session = kept ?? (await openSmtpSession(options, signal))
      } catch (error) {
        return notReached(envelope, error, signal)
      }
      try {
        await ready?.()
      } catch (error) {
        keep(session)
        throw error
      }
      ready = undefined
      const delivery = await session.send(envelope, content(), signal)
      keep(session)
      if (delivery.state === 'sent') tookAt = performance.now()
      // A connection that was kept may have been closed by the server meanwhile, unseen, or be closed by it now, since it has carried enough
      // (421): nobody has the mail, and a new one is tried.
      const isOver = delivery.state === 'deferred' && (delivery.response === null || delivery.response.startsWith('421'))
      if (kept === undefined || !isOver || signal?.aborted === true) return delivery
    }
  }

  function takeIdle(): SmtpSession | undefined {
    for (;;) {
      const found = idle.pop()
      if (found === undefined) return undefined
      clearTimeout(found.timer)
      if (found.session.isUsable()) return found.session
    }
  }

  function keep(session: SmtpSession): void {
    if (!session.isUsable()) return
    if (isClosed || session.sent() >= mailsPerConnection) {
      session.close()
      return
    }
    const entry = {
      session,
      timer: setTimeout(() => {
        idle.splice(idle.indexOf(entry), 1)
        session.close()
      }, IDLE_MS).unref(),
    }
    idle.push(entry)
  }

  async function check(signal: AbortSignal): Promise<string> {
    const { host, port, isImplicitTls } = placeOf(options)
    const session = await openSmtpSession(options, signal)
    session.close()
    const way = options.tls === 'off' ? 'in the clear' : isImplicitTls ? 'over TLS' : 'over STARTTLS'
    return `Mail server ${host}:${port} answers ${way}${options.user === null ? '' : `, logged in as "${options.user}"`}.`
  }

  async function close(): Promise<void> {
    isClosed = true
    for (const { session, timer } of idle.splice(0)) {
      clearTimeout(timer)
      session.close()
    }
    await wait(0)
  }
}

/** Also after an abort: what became of the mail is answered. */
function notReached({ recipients }: Envelope, cause: unknown, signal: AbortSignal | undefined): Delivery {
  const error =
    cause instanceof JobError ? cause : new JobError('mail_not_begun', 'The mail was not sent', { detail: String(cause), cause })
  if (!(cause instanceof JobError) && signal?.aborted !== true) throw cause
  const text = error.detail ?? error.message
  return {
    state: 'deferred',
    recipients: recipients.map((address) => ({ address, state: 'deferred', code: null, text })),
    response: null,
    error,
  }
}
