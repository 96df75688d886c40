import type { FilingAction, KnownMail, MailState } from '../../job/mails.ts'

/** Columns of dba.message that KnownRow has. */
export const knownColumns =
  'message_id, folder, uid_validity, uid, found_in, fingerprint, state, received_at, attempts, action, filed_to, filed_at is not null as is_filed'

export interface KnownRow {
  message_id: number
  folder: string
  uid_validity: string
  uid: string | null
  found_in: string
  fingerprint: string
  state: MailState
  received_at: Date | null
  attempts: number
  action: FilingAction | null
  filed_to: string | null
  is_filed: boolean
}

export function knownMailOf(row: KnownRow): KnownMail {
  return {
    messageId: row.message_id,
    folder: row.folder,
    uidValidity: row.uid_validity,
    uid: row.uid,
    foundIn: row.found_in,
    fingerprint: row.fingerprint,
    state: row.state,
    receivedAt: row.received_at,
    attempts: row.attempts,
    action: row.action,
    filedTo: row.filed_to,
    isFiled: row.is_filed,
  }
}
