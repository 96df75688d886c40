/** Alerts that go out as mail: stored in dba.outbox in the transaction that marks them as told. */
import type { Pool } from 'pg'
import type { ComposedMail, DkimKey } from '../../../systemscripts/outgoing-mail/composed-mail.ts'
import { explainError } from '../../db/explain-error.ts'
import type { Connections } from '../../job/connections.ts'
import type { NewMail } from '../../job/outbox.ts'
import { dkimKeyOf } from '../outbox/route-options.ts'
import { standardConnection, storeMails } from '../outbox/store.ts'
import { inTransaction } from '../transaction.ts'
import { composeAlert } from './compose-alert.ts'
import { type AlertNews, type AlertTerms, lettersOf, readDueNews, readTerms } from './told-alert.ts'

export interface TellOptions {
  pool: Pool
  connections: Connections
  /** Default: the database's clock. */
  at?: Date | null
}

/**
 * Stores a mail for each letter that may go out now and marks its messages as told, in one transaction: who dies before the commit has told
 * nobody, after it everybody. A worker's outbox sends them. Two at once: the second does nothing.
 * @returns how many mails were stored
 */
export async function tellByMail({ pool, connections, at = null }: TellOptions): Promise<number> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ is_mine: boolean }>(`select pg_try_advisory_xact_lock(hashtext('dba.alertmessage')) as is_mine`)
    if (rows[0]?.is_mine !== true) return 0
    const news = await readDueNews(client, 'mail', at)
    if (news.length === 0) return 0
    const terms = await readTerms(client)
    const dkim = await keyOf(connections, await standardConnection(client))
    const composed = await Promise.all(lettersOf(news, terms.storm).map((letter) => compose(letter, terms, dkim)))
    const mails = composed.flatMap(({ letter, mail }) => (mail === null ? [] : { letter, mail: newMail(letter, mail) }))
    const numbers = await storeMails(
      client,
      mails.map(({ mail }) => mail),
      { runId: null, configName: null, scheduleName: null, scheduledFor: null, isSentByWorker: true },
    )
    const outboxIds = new Map(mails.map(({ letter }, index) => [letter, numbers[index] ?? null]))
    const told = composed.flatMap(({ letter, answer }) =>
      letter.map(({ messageId }) => ({ messageId, outboxId: outboxIds.get(letter) ?? null, answer })),
    )
    await client.query(
      `update dba.alertmessage m
       set state = case when t.outbox_id is null then 'failed' else 'told' end, outbox_id = t.outbox_id, answer = t.answer,
         told_at = case when t.outbox_id is not null then coalesce($4::timestamptz, clock_timestamp()) end
       from unnest($1::bigint[], $2::bigint[], $3::text[]) as t (message_id, outbox_id, answer)
       where m.message_id = t.message_id`,
      [told.map(({ messageId }) => messageId), told.map(({ outboxId }) => outboxId), told.map(({ answer }) => answer), at],
    )
    return mails.length
  })
}

interface Composed {
  letter: AlertNews[]
  /** Null: it cannot be made; `answer` says why. */
  mail: ComposedMail | null
  answer: string | null
}

/** An address that is no good keeps nobody else's alert back. */
async function compose(letter: AlertNews[], terms: AlertTerms, dkim: DkimKey | null): Promise<Composed> {
  try {
    return { letter, mail: await composeAlert(letter, terms, dkim), answer: null }
  } catch (error) {
    const { message, detail, hint } = explainError(error)
    return { letter, mail: null, answer: [message, detail, hint].filter((part) => part !== null && part !== '').join('. ') }
  }
}

function newMail(letter: AlertNews[], mail: ComposedMail): NewMail {
  // An alert that comes twice does less harm than one that a person must look for; it has the same Message-ID.
  return { onceKey: `alert ${letter[0]?.messageId} ${letter.length}`, kind: 'alert', mail, connectionName: null, whenUnknown: 'resend' }
}

/** A key that cannot be had must not keep an alert back. */
async function keyOf(connections: Connections, connectionName: string | null): Promise<DkimKey | null> {
  if (connectionName === null) return null
  return connections.get(connectionName).then(dkimKeyOf, () => null)
}
