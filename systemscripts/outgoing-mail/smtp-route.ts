import { setTimeout as wait } from 'node:timers/promises'
import { JobError } from '../errors.ts'
import type { Delivery, Envelope, MailRoute, SendOptions } from './mail-route.ts'
import { createPace } from './pace.ts'
import { placeOf, type SmtpOptions } from './smtp/options.ts'
import { openSmtpSession, type SmtpSession } from './smtp/session.ts'
import { createTurns } from './turns.ts'

/** A connection that nobody needs is closed after this; servers do so themselves sooner or later. */
const IDLE_MS = 20_000

/** Mail through an SMTP server, over connections that are kept while there is mail. */
export function openSmtpRoute(options: SmtpOptions): MailRoute {
  const { connections = 5, mailsPerConnection = 100 } = options
  const pace = createPace(options)
  const turns = createTurns(connections)
  const idle: { session: SmtpSession; timer: NodeJS.Timeout }[] = []
  let isClosed = false
  return { send, wasSent: async () => null, check, close }

  async function send(envelope: Envelope, content: () => AsyncIterable<Buffer>, { onReady, signal }: SendOptions = {}): Promise<Delivery> {
    const giveBack = await turns.take(signal)
    try {
      await pace(signal)
      let isReady = false
      for (;;) {
        const kept = takeIdle()
        let session: SmtpSession
        try {
          session = kept ?? (await openSmtpSession(options, signal))
        } catch (error) {
          signal?.throwIfAborted()
          return notReached(envelope, error)
        }
        try {
          if (!isReady) await onReady?.()
        } catch (error) {
          keep(session)
          throw error
        }
        isReady = true
        const delivery = await session.send(envelope, content(), signal)
        keep(session)
        // A connection that was kept may have been closed by the server meanwhile, unseen: nobody has the mail, and a new one is tried.
        const isStale = kept !== undefined && delivery.state === 'deferred' && delivery.response === null && signal?.aborted !== true
        if (!isStale) return delivery
      }
    } finally {
      giveBack()
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

function notReached({ recipients }: Envelope, error: unknown): Delivery {
  if (!(error instanceof JobError)) throw error
  const text = error.detail ?? error.message
  return {
    state: 'deferred',
    recipients: recipients.map((address) => ({ address, state: 'deferred', code: null, text })),
    response: null,
    error,
  }
}
