/** Sends mails that are claimed, and writes down what became of each. */
import type { ClientBase, Pool } from 'pg'
import { JobError } from '../../../systemscripts/errors.ts'
import type { Delivery, Envelope, RecipientAnswer } from '../../../systemscripts/outgoing-mail/mail-route.ts'
import type { WhenUnknown } from '../../job/outbox.ts'
import { createBatches } from './batches.ts'
import { CLAIM_SECONDS, type ClaimedMail, markSending, renewClaims } from './claims.ts'
import { firstPieces, readContent } from './content.ts'
import type { MailRoutes, NamedRoute } from './routes.ts'
import { judge, releaseClaims, type Settlement, settle } from './settle.ts'

export interface SendDeps {
  pool: Pool
  routes: MailRoutes
  /** A transaction in which mails are marked as being sent; a run's proves its lease. */
  transaction<T>(work: (client: Pick<ClientBase, 'query'>) => Promise<T>): Promise<T>
  /** Takes secrets out of a text. */
  redact(text: string): string
  signal: AbortSignal
}

/** Enough to keep any route busy: each lets in as many as it can. */
const AT_ONCE = 32

/**
 * Every mail is settled when this returns, or given back where it was not tried. Errors of single mails are written at them.
 * @returns the last error of each mail that has one
 * @throws what the transaction throws (lease_lost), the signal's reason: after all others are settled
 */
export async function sendClaimed(deps: SendDeps, mails: ClaimedMail[]): Promise<Map<number, unknown>> {
  const { pool, signal } = deps
  const errors = new Map<number, unknown>()
  const mark = createBatches((items: ClaimedMail[]) => deps.transaction((client) => markSending(client, items)))
  const write = createBatches((items: Settlement[]) => settle(pool, items))
  const first = firstPieces(pool)
  const claims = new Set(mails.map(({ claim }) => claim))
  const renewing = setInterval(() => void renewClaims(pool, [...claims]).catch(() => {}), (CLAIM_SECONDS * 1000) / 4)
  const queue = mails[Symbol.iterator]()
  let stopped: unknown
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, mails.length) }, work))
  } finally {
    clearInterval(renewing)
  }
  if (stopped !== undefined) throw stopped
  return errors

  async function work(): Promise<void> {
    for (const mail of queue) {
      try {
        if (stopped !== undefined || signal.aborted) {
          stopped ??= signal.reason
          await releaseClaims(pool, [mail])
        } else await sendOne(mail)
      } catch (error) {
        stopped ??= error
        await releaseClaims(pool, [mail]).catch(() => {})
      }
    }
  }

  async function sendOne(mail: ClaimedMail): Promise<void> {
    const waiting = mail.recipients.filter(({ state }) => state === 'waiting').map(({ address }) => address)
    const envelope: Envelope = { ...mail, recipients: waiting }
    let named: NamedRoute
    try {
      named = await deps.routes.get(mail.connectionName)
    } catch (error) {
      // Of what somebody died at nobody knows without its connection.
      await put(mail, mail.state === 'sending' ? diedAt(envelope, null) : untried(envelope, error), mail.whenUnknown ?? 'hold')
      return
    }
    const rule = mail.whenUnknown ?? named.whenUnknown
    if (mail.state === 'sending') {
      const wasSent = await named.route.wasSent(envelope).catch(() => null)
      if (wasSent !== false) {
        await put(mail, diedAt(envelope, wasSent), rule)
        return
      }
    }
    let isMarked = false
    try {
      const delivery = await named.route.send(envelope, () => readContent(pool, mail.outboxId, first), {
        signal,
        onReady: async () => {
          signal.throwIfAborted()
          if (!(await mark(mail)).has(mail.outboxId)) throw claimLost(mail)
          isMarked = true
        },
      })
      await put(mail, delivery, rule)
    } catch (error) {
      if (!isMarked && (signal.aborted || !(error instanceof JobError) || error.code === 'lease_lost')) throw error
      if (error instanceof JobError && error.code === 'mail_claim_lost') return
      // It broke off before the server had all of it: the content could not be read, or the worker stops.
      await put(mail, untried(envelope, error), rule)
    }
  }

  async function put(mail: ClaimedMail, { recipients, response, error }: Omit<Delivery, 'state'>, rule: WhenUnknown): Promise<void> {
    if (error !== null) errors.set(mail.outboxId, error)
    const settlement = judge({ mail, answers: recipients, response, error, rule })
    const { error_message: message, error_detail: detail } = settlement
    await write({
      ...settlement,
      response: settlement.response === null ? null : deps.redact(settlement.response),
      error_message: message === null ? null : deps.redact(message),
      error_detail: detail === null ? null : deps.redact(detail),
    })
  }
}

function untried({ recipients }: Envelope, cause: unknown): Omit<Delivery, 'state'> {
  const error =
    cause instanceof JobError ? cause : new JobError('mail_not_sent', 'A mail could not be sent', { detail: String(cause), cause })
  return { recipients: answers(recipients, 'deferred', error.message), response: null, error }
}

/** @param wasSent null: nobody knows */
function diedAt({ recipients }: Envelope, wasSent: true | null): Omit<Delivery, 'state'> {
  if (wasSent) return { recipients: answers(recipients, 'sent', 'found where it was sent to'), response: null, error: null }
  const error = new JobError('mail_fate_unknown', 'Whoever sent this mail died before it was written down whether the server has it', {
    detail: 'It was marked as being sent, and its claim lapsed.',
    hint: 'Look into the server’s log for its Message-ID, or ask a recipient; when_unknown in the options of the connection makes a rule of it.',
  })
  return { recipients: answers(recipients, 'unknown', error.message), response: null, error }
}

function answers(recipients: string[], state: RecipientAnswer['state'], text: string): RecipientAnswer[] {
  return recipients.map((address) => ({ address, state, code: null, text }))
}

function claimLost({ outboxId }: ClaimedMail): JobError {
  return new JobError('mail_claim_lost', `Mail ${outboxId} was taken over by somebody else`, {
    hint: 'Nothing to do: it is not sent here.',
  })
}
