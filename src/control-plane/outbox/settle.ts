/** Writes down what became of mails. */
import type { Pool } from 'pg'
import type { RecipientAnswer } from '../../../systemscripts/outgoing-mail/mail-route.ts'
import { explainError } from '../../db/explain-error.ts'
import type { RecipientState, WhenUnknown } from '../../job/outbox.ts'
import { storableJson } from '../storable.ts'
import type { ClaimedMail } from './claims.ts'

/** What one try came to. */
export interface Result {
  mail: ClaimedMail
  /** Of those it was tried for. */
  answers: RecipientAnswer[]
  response: string | null
  error: unknown
  /** What is done where nobody knows. */
  rule: WhenUnknown
}

/** How a row is to stand after a try. */
export interface Settlement {
  outbox_id: number
  claim: string
  state: 'rendered' | 'sent' | 'refused' | 'unknown'
  reason: string | null
  is_sent: boolean
  /** Seconds until a worker tries again. */
  again_in: number | null
  response: string | null
  error_code: string | null
  error_message: string | null
  error_detail: string | null
  error_hint: string | null
  recipients: { address: string; state: RecipientState; code: string | null; text: string | null }[]
}

const FIRST_PAUSE_SECONDS = 60
const LONGEST_PAUSE_SECONDS = 3600

/** Judges a try: what each recipient's answer means for the row, by rule where nobody knows. */
export function judge({ mail, answers, response, error, rule }: Result): Settlement {
  const recipients = answers.map(({ address, state, code, text }) => ({ address, state: stateOf(state, rule, mail.isOverdue), code, text }))
  const own = new Map(recipients.map(({ address, state }) => [address, state]))
  const all = mail.recipients.map(({ address, state }) => own.get(address) ?? state)
  const isAgain = all.includes('waiting')
  const facts = error == null ? null : explainError(error)
  const hasUnknown = answers.some(({ state }) => state === 'unknown')
  return {
    outbox_id: mail.outboxId,
    claim: mail.claim,
    state: isAgain ? 'rendered' : all.includes('unknown') ? 'unknown' : all.includes('sent') ? 'sent' : 'refused',
    reason: reasonOf({ isAgain, hasUnknown, rule, isOverdue: mail.isOverdue && answers.some(({ state }) => state === 'deferred') }),
    is_sent: recipients.some(({ state }) => state === 'sent'),
    again_in: isAgain && mail.isSentByWorker ? pauseSeconds(mail.attempts) : null,
    response,
    error_code: facts?.code ?? null,
    error_message: facts?.message ?? null,
    error_detail: facts?.detail ?? null,
    error_hint: facts?.hint ?? null,
    recipients,
  }
}

function stateOf(state: RecipientAnswer['state'], rule: WhenUnknown, isOverdue: boolean): RecipientState {
  if (state === 'deferred') return isOverdue ? 'refused' : 'waiting'
  if (state !== 'unknown') return state
  return rule === 'hold' ? 'unknown' : rule === 'resend' ? 'waiting' : 'sent'
}

function reasonOf(facts: { isAgain: boolean; hasUnknown: boolean; rule: WhenUnknown; isOverdue: boolean }): string | null {
  if (facts.hasUnknown && facts.rule === 'assume_sent') return 'nobody knows whether the server has it; by rule it counts as sent'
  if (facts.hasUnknown && facts.rule === 'resend') return 'nobody knows whether the server has it; by rule it is sent again'
  if (facts.hasUnknown) return 'nobody knows whether the server has it; a person decides'
  if (facts.isOverdue) return 'given up after two days of trying'
  return facts.isAgain ? 'it is tried again' : null
}

function pauseSeconds(attempts: number): number {
  return Math.min(FIRST_PAUSE_SECONDS * 2 ** Math.max(attempts - 1, 0), LONGEST_PAUSE_SECONDS)
}

/**
 * Writes settlements of claims that still hold, or that lapsed and left the row unknown: whoever was thought dead knows best.
 * @returns numbers of the rows written
 */
export async function settle(pool: Pool, settlements: Settlement[]): Promise<Set<number>> {
  const { rows } = await pool.query<{ outbox_id: number }>({
    name: 'outbox-settle',
    text: `
      with settled as (
        update dba.outbox o
        set state = g.state, reason = g.reason, response = coalesce(g.response, o.response), claimed_until = null,
          sent_at = case when g.is_sent then clock_timestamp() else o.sent_at end,
          next_try_at = case when g.state = 'rendered' then clock_timestamp() + make_interval(secs => g.again_in) end,
          error_code = g.error_code, error_message = g.error_message, error_detail = g.error_detail, error_hint = g.error_hint
        from jsonb_to_recordset($1) as g (outbox_id bigint, claim uuid, state text, reason text, is_sent boolean, again_in float8, response text,
          error_code text, error_message text, error_detail text, error_hint text)
        where o.outbox_id = g.outbox_id and o.claim = g.claim and o.state in ('rendered', 'resend', 'sending', 'unknown')
        returning o.outbox_id
      ), answered as (
        update dba.outboxrecipient r
        set state = a.state, code = a.code, text = a.text, at = clock_timestamp()
        from jsonb_to_recordset($1) as g (outbox_id bigint, recipients jsonb)
        join settled s on s.outbox_id = g.outbox_id
        cross join jsonb_to_recordset(g.recipients) as a (address text, state text, code text, text text)
        where r.outbox_id = g.outbox_id and r.address = a.address
      )
      select outbox_id from settled`,
    values: [storableJson(settlements)],
  })
  return new Set(rows.map(({ outbox_id }) => outbox_id))
}

/** Gives mails back that were not tried. */
export async function releaseClaims(pool: Pool, mails: Pick<ClaimedMail, 'outboxId' | 'claim'>[]): Promise<void> {
  await pool.query(
    `update dba.outbox o set claimed_until = null, attempts = greatest(o.attempts - 1, 0)
     from unnest($1::bigint[], $2::uuid[]) as g (outbox_id, claim)
     where o.outbox_id = g.outbox_id and o.claim = g.claim and o.state in ('rendered', 'resend')`,
    [mails.map(({ outboxId }) => outboxId), mails.map(({ claim }) => claim)],
  )
}
