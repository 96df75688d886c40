import type { Pool } from 'pg'
import type { OutboxMail } from '../../job/outbox.ts'

/** Rows of dba.outbox as jobs see them, in the order in which they were stored. @param where a condition on `o`, with $1 */
export async function readMails(pool: Pool, where: string, value: unknown): Promise<OutboxMail[]> {
  const { rows } = await pool.query<MailRow>(
    `select o.outbox_id, o.once_key, o.subject, o.state, o.error_code, o.error_message, o.error_detail, o.error_hint,
       array(select jsonb_build_object('address', r.address, 'kind', r.kind, 'state', r.state, 'text', nullif(concat_ws(' ', r.code, r.text), ''))
         from dba.outboxrecipient r where r.outbox_id = o.outbox_id order by r.position) as recipients
     from dba.outbox o where ${where} order by o.outbox_id`,
    [value],
  )
  return rows.map((row) => ({
    outboxId: row.outbox_id,
    onceKey: row.once_key,
    subject: row.subject,
    state: row.state,
    recipients: row.recipients,
    error:
      row.error_code === null
        ? null
        : {
            code: row.error_code,
            message: row.error_message ?? '',
            detail: row.error_detail,
            hint: row.error_hint,
            isPermanent: row.state === 'refused',
          },
  }))
}

interface MailRow {
  outbox_id: number
  once_key: string
  subject: string
  state: OutboxMail['state']
  recipients: OutboxMail['recipients']
  error_code: string | null
  error_message: string | null
  error_detail: string | null
  error_hint: string | null
}
