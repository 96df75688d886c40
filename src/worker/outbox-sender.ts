/** Sends mails that are due without a run: alerts, what people want sent again, what servers put off. Woken by word and by time. */
import type { Pool } from 'pg'
import { claimDueMails } from '../control-plane/outbox/claims.ts'
import { forgetOldContent } from '../control-plane/outbox/content.ts'
import type { MailRoutes } from '../control-plane/outbox/routes.ts'
import { sendClaimed } from '../control-plane/outbox/send-claimed.ts'
import { untilNextMail } from '../control-plane/outbox/until-next-mail.ts'
import { inTransaction } from '../control-plane/transaction.ts'

export interface OutboxSender {
  /** Something changed: look now. */
  wake(): void
  /** Takes no more; mails on their way get until the limit, then their dialogues are broken off. */
  stop(limitSeconds: number): Promise<void>
}

export interface OutboxSenderDeps {
  pool: Pool
  routes: MailRoutes
  lanes: string[]
  /** Name of the worker. */
  worker: string
  /** False: it sends nothing. */
  maySend(): boolean
  redact(text: string): string
  onError(error: unknown): void
}

const MOST_AT_ONCE = 200
const LONGEST_WAIT_MS = 30_000
const FORGET_EVERY_MS = 3_600_000

export function startOutboxSender(deps: OutboxSenderDeps): OutboxSender {
  const { pool } = deps
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined
  let isWoken = false
  let isStopped = false
  let forgotAt = performance.now()
  wake()
  return { wake, stop }

  function wake(): void {
    isWoken = true
    if (isStopped || sending !== undefined) return
    clearTimeout(timer)
    sending = run().finally(() => {
      sending = undefined
      if (isWoken) wake()
    })
  }

  async function run(): Promise<void> {
    let wait = LONGEST_WAIT_MS
    try {
      while (isWoken && !isStopped) {
        isWoken = false
        if (!deps.maySend()) break
        if ((await sendDue()) > 0) isWoken = true
      }
      if (deps.maySend()) wait = await untilNextMail(pool, deps.lanes, LONGEST_WAIT_MS)
      if (performance.now() - forgotAt > FORGET_EVERY_MS) await forget()
    } catch (error) {
      if (!isStopped) deps.onError(error)
    }
    if (!isStopped) timer = setTimeout(wake, Math.max(wait, 100))
  }

  async function sendDue(): Promise<number> {
    const mails = await claimDueMails(pool, { claimedBy: deps.worker, lanes: deps.lanes, most: MOST_AT_ONCE })
    if (mails.length === 0) return 0
    const transaction: Parameters<typeof sendClaimed>[0]['transaction'] = (work) => inTransaction(pool, work)
    await sendClaimed({ pool, routes: deps.routes, transaction, redact: deps.redact, signal: stopping.signal }, mails)
    return mails.length
  }

  async function forget(): Promise<void> {
    forgotAt = performance.now()
    while ((await forgetOldContent(pool)) > 0 && !isStopped);
  }

  async function stop(limitSeconds: number): Promise<void> {
    isStopped = true
    isWoken = false
    clearTimeout(timer)
    const limit = setTimeout(() => stopping.abort(new Error('the worker stops')), limitSeconds * 1000)
    await sending
    clearTimeout(limit)
  }
}
