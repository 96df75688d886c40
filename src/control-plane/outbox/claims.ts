/** Who is at which mail. A claim is renewed while it is used, and free for others when it is not: no mail is sent by two. */
import { randomUUID } from 'node:crypto'
import type { ClientBase, Pool } from 'pg'
import type { RecipientState, WhenUnknown } from '../../job/outbox.ts'

/** A claim that is not renewed lapses then: whoever held it has died. */
export const CLAIM_SECONDS = 20

export interface ClaimedMail {
  outboxId: number
  claim: string
  connectionName: string | null
  whenUnknown: WhenUnknown | null
  /** `sending`: somebody died at it. */
  state: 'rendered' | 'resend' | 'sending'
  messageId: string
  sender: string
  subject: string
  date: Date
  sizeBytes: number
  round: number
  attempts: number
  /** A worker tries again by itself. */
  isSentByWorker: boolean
  /** It has been tried for long enough. */
  isOverdue: boolean
  recipients: { address: string; state: RecipientState }[]
}

/** Takes mails that are due for a worker of these lanes, and those that somebody died at. */
export async function claimDueMails(
  pool: Pool,
  { claimedBy, lanes, most }: { claimedBy: string; lanes: string[]; most: number },
): Promise<ClaimedMail[]> {
  return await claim(
    pool,
    claimedBy,
    `select o.outbox_id from dba.outbox o left join dba.connection k on k.connection_name = o.connection_name
     where (o.state in ('rendered', 'resend') and o.next_try_at <= clock_timestamp() and (o.claimed_until is null or o.claimed_until < clock_timestamp())
         or o.state = 'sending' and o.claimed_until < clock_timestamp())
       and coalesce(k.lane, 'default') = any ($4) and dba.is_home()
     order by o.next_try_at, o.outbox_id limit $5 for update of o skip locked`,
    [lanes, most],
  )
}

/**
 * Takes those of these mails that have not been sent and nobody is at.
 * @param supersedes beginning of the names of those whose claims count no more: earlier attempts of the same run
 */
export async function claimMails(pool: Pool, claimedBy: string, outboxIds: number[], supersedes: string): Promise<ClaimedMail[]> {
  return await claim(
    pool,
    claimedBy,
    `select o.outbox_id from dba.outbox o
     where o.outbox_id = any ($4) and o.state in ('rendered', 'resend', 'sending')
       and (o.claimed_until is null or o.claimed_until < clock_timestamp() or starts_with(o.claimed_by, $5) and o.claimed_by <> $2)
     order by o.outbox_id for update of o skip locked`,
    [outboxIds, supersedes],
  )
}

async function claim(pool: Pool, claimedBy: string, which: string, values: unknown[]): Promise<ClaimedMail[]> {
  const token = randomUUID()
  const { rows } = await pool.query<ClaimRow>(
    `with free as (${which}), taken as (
       update dba.outbox o
       set claim = $1, claimed_by = $2, claimed_until = clock_timestamp() + make_interval(secs => $3), attempts = o.attempts + 1
       from free where o.outbox_id = free.outbox_id
       returning o.*
     )
     select t.outbox_id, t.connection_name, t.when_unknown, t.state, t.message_id, t.sender, t.subject, t.dated_at, t.size_bytes, t.round, t.attempts,
       t.next_try_at is not null as by_worker, t.asked_at < clock_timestamp() - interval '2 days' as overdue,
       array(select jsonb_build_object('address', r.address, 'state', r.state) from dba.outboxrecipient r where r.outbox_id = t.outbox_id order by r.position) as recipients
     from taken t order by t.outbox_id`,
    [token, claimedBy, CLAIM_SECONDS, ...values],
  )
  return rows.map((row) => ({
    outboxId: row.outbox_id,
    claim: token,
    connectionName: row.connection_name,
    whenUnknown: row.when_unknown,
    state: row.state,
    messageId: row.message_id,
    sender: row.sender,
    subject: row.subject,
    date: row.dated_at,
    sizeBytes: row.size_bytes,
    round: row.round,
    attempts: row.attempts,
    isSentByWorker: row.by_worker,
    isOverdue: row.overdue,
    recipients: row.recipients,
  }))
}

interface ClaimRow {
  outbox_id: number
  connection_name: string | null
  when_unknown: WhenUnknown | null
  state: ClaimedMail['state']
  message_id: string
  sender: string
  subject: string
  dated_at: Date
  size_bytes: number
  round: number
  attempts: number
  by_worker: boolean
  overdue: boolean
  recipients: ClaimedMail['recipients']
}

/** A sign of life for claims in use. */
export async function renewClaims(pool: Pool, claims: string[]): Promise<void> {
  await pool.query(
    `update dba.outbox set claimed_until = clock_timestamp() + make_interval(secs => $2) where claim = any ($1) and claimed_until is not null`,
    [claims, CLAIM_SECONDS],
  )
}

/** Marks mails that a server is told of next; once this is committed a crash leaves them `sending`. @returns those that still were ours */
export async function markSending(client: Pick<ClientBase, 'query'>, mails: { outboxId: number; claim: string }[]): Promise<Set<number>> {
  const { rows } = await client.query<{ outbox_id: number }>({
    name: 'outbox-sending',
    text: `update dba.outbox o
      set state = 'sending', sending_at = clock_timestamp(), claimed_until = clock_timestamp() + make_interval(secs => $3)
      from unnest($1::bigint[], $2::uuid[]) as g (outbox_id, claim)
      where o.outbox_id = g.outbox_id and o.claim = g.claim and o.state in ('rendered', 'resend', 'sending')
      returning o.outbox_id`,
    values: [mails.map(({ outboxId }) => outboxId), mails.map(({ claim }) => claim), CLAIM_SECONDS],
  })
  return new Set(rows.map(({ outbox_id }) => outbox_id))
}
