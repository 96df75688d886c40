/** Alerts that go out by webhook: claimed, posted, and written down. Tried again with back-off for two days. */
import type { Pool } from 'pg'
import { postNote } from '../../../systemscripts/webhook.ts'
import { explainError } from '../../db/explain-error.ts'
import type { Connections } from '../../job/connections.ts'
import { inTransaction } from '../transaction.ts'
import { noteOf } from './alert-note.ts'
import { type AlertNews, type AlertTerms, lettersOf, readDueNews, readTerms } from './told-alert.ts'
import { webhookOf } from './webhook-of.ts'

export interface CallWebhooksOptions {
  pool: Pool
  connections: Connections
  redact(text: string): string
  /** Default: the database's clock. */
  at?: Date | null
  signal?: AbortSignal
}

/** Whoever posts holds the messages for so long; when he dies, another goes on then. */
const HELD_SECONDS = 150
/** A storm of webhooks does not hold up the watch. */
const MOST_AT_ONCE = 20

/**
 * Posts what may go out now. A post whose end nobody saw is made again, with the same idempotency key.
 * @returns how many posts were taken
 */
export async function callWebhooks(options: CallWebhooksOptions): Promise<number> {
  const { pool, at = null } = options
  const { letters, terms } = await claimLetters(pool, at)
  const answers = await Promise.all(letters.map((letter) => callOne(options, letter, terms)))
  return answers.filter(Boolean).length
}

async function claimLetters(pool: Pool, at: Date | null): Promise<{ letters: AlertNews[][]; terms: AlertTerms }> {
  return inTransaction(pool, async (client) => {
    const terms = await readTerms(client)
    const { rows } = await client.query<{ is_mine: boolean }>(
      `select pg_try_advisory_xact_lock(hashtext('dba.alertmessage webhook')) as is_mine`,
    )
    if (rows[0]?.is_mine !== true) return { letters: [], terms }
    const letters = lettersOf(await readDueNews(client, 'webhook', at), terms.storm).slice(0, MOST_AT_ONCE)
    if (letters.length > 0) {
      await client.query(
        `update dba.alertmessage set attempts = attempts + 1, next_try_at = coalesce($2::timestamptz, clock_timestamp()) + make_interval(secs => $3) where message_id = any ($1)`,
        [letters.flat().map(({ messageId }) => messageId), at, HELD_SECONDS],
      )
    }
    return { letters, terms }
  })
}

async function callOne(
  { pool, connections, redact, at = null, signal }: CallWebhooksOptions,
  letter: AlertNews[],
  terms: AlertTerms,
): Promise<boolean> {
  const [first] = letter
  if (first === undefined) return false
  const ids = letter.map(({ messageId }) => messageId)
  try {
    const webhook = webhookOf(await connections.get(first.address))
    const answer = await postNote(webhook, noteOf(letter, terms.publicAddress), ids.join(' '), signal)
    await pool.query(
      `update dba.alertmessage set state = 'told', told_at = coalesce($3::timestamptz, clock_timestamp()), next_try_at = null, answer = $2 where message_id = any ($1)`,
      [ids, redact(answer), at],
    )
    return true
  } catch (error) {
    const { message, detail, hint } = explainError(error)
    const words = [message, detail, hint].filter((part) => part !== null && part !== '').join('. ')
    await pool.query(
      `update dba.alertmessage
       set answer = $2, state = case when created_at < coalesce($3::timestamptz, clock_timestamp()) - interval '2 days' then 'failed' else 'waiting' end,
         next_try_at = coalesce($3::timestamptz, clock_timestamp()) + least(interval '1 minute' * 2 ^ least(attempts - 1, 10), interval '15 minutes')
       where message_id = any ($1)`,
      [ids, redact(words), at],
    )
    return false
  }
}
