/** Rows of mails that are stored: dba.outbox, dba.outboxrecipient, dba.outboxcontent. */
import type { ClientBase } from 'pg'
import type { NewMail } from '../../job/outbox.ts'
import { storableJson } from '../storable.ts'

/** What the rows say of where the mails come from. */
export interface MailOrigin {
  runId: string | null
  configName: string | null
  scheduleName: string | null
  scheduledFor: Date | null
  /** True: a worker sends them by itself, at once. False: whoever stores them does. */
  isSentByWorker: boolean
}

/** A row of dba.outbox as it is inserted. */
export type OutboxInsert = ReturnType<typeof rowOf> & { size_bytes: number; sha256: string }

export function rowOf({ onceKey, kind, mail, connectionName, whenUnknown = null, isHeld = false }: NewMail, origin: MailOrigin) {
  return {
    once_key: onceKey,
    kind,
    connection_name: connectionName,
    config_name: origin.configName,
    schedule_name: origin.scheduleName,
    run_id: origin.runId,
    scheduled_for: origin.scheduledFor,
    message_id: mail.messageId,
    dated_at: mail.date,
    sender: mail.sender,
    subject: mail.subject,
    excerpt: mail.excerpt,
    state: isHeld ? 'held' : 'rendered',
    when_unknown: whenUnknown,
  }
}

/** @returns numbers of those that are new, by their keys */
export async function insertRows(client: ClientBase, rows: OutboxInsert[], { isSentByWorker }: MailOrigin): Promise<Map<string, number>> {
  const inserted = await client.query<{ once_key: string; outbox_id: number }>(
    `insert into dba.outbox (once_key, kind, connection_name, config_name, schedule_name, run_id, scheduled_for, message_id, dated_at, sender, subject, excerpt,
       size_bytes, sha256, state, when_unknown, next_try_at)
     select once_key, kind, connection_name, config_name, schedule_name, run_id, scheduled_for, message_id, dated_at, sender, subject, excerpt,
       size_bytes, sha256, state, when_unknown, case when $2 and state = 'rendered' then clock_timestamp() end
     from jsonb_to_recordset($1) as m (once_key text, kind text, connection_name text, config_name text, schedule_name text, run_id uuid, scheduled_for timestamptz,
       message_id text, dated_at timestamptz, sender text, subject text, excerpt text, size_bytes bigint, sha256 text, state text, when_unknown text)
     on conflict (once_key) do nothing
     returning once_key, outbox_id`,
    [storableJson(rows), isSentByWorker],
  )
  return new Map(inserted.rows.map(({ once_key, outbox_id }) => [once_key, outbox_id]))
}

export async function insertRecipients(client: ClientBase, mails: { outboxId: number; mail: NewMail }[]): Promise<void> {
  const recipients = mails.flatMap(({ outboxId, mail }) =>
    mail.mail.recipients.map((recipient, at) => ({ outboxId, ...recipient, at: at + 1 })),
  )
  await client.query(
    `insert into dba.outboxrecipient (outbox_id, address, kind, position) select * from unnest($1::bigint[], $2::text[], $3::text[], $4::integer[])`,
    [
      recipients.map(({ outboxId }) => outboxId),
      recipients.map(({ address }) => address),
      recipients.map(({ kind }) => kind),
      recipients.map(({ at }) => at),
    ],
  )
}

export async function insertPieces(client: ClientBase, pieces: { outboxId: number; piece: number; bytes: Buffer }[]): Promise<void> {
  await client.query(
    'insert into dba.outboxcontent (outbox_id, piece, bytes) select * from unnest($1::bigint[], $2::integer[], $3::bytea[])',
    [pieces.map(({ outboxId }) => outboxId), pieces.map(({ piece }) => piece), pieces.map(({ bytes }) => bytes)],
  )
}
