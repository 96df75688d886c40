import type { ClientBase } from 'pg'
import type { SeenMail } from '../../job/mails.ts'
import { storableJson } from '../storable.ts'

export interface MailboxOfRun {
  connectionName: string
  folder: string
  runId: string
}

/**
 * Writes down what was found out about mails, within the caller's transaction: new rows, or what is new of known ones, and the decisions. A row
 * of another mail that had the same place lets go of it.
 *
 * @returns the numbers of the mails, in the order given
 */
export async function recordMails(
  client: ClientBase,
  { connectionName, folder, runId }: MailboxOfRun,
  mails: SeenMail[],
): Promise<number[]> {
  const rows = storableJson(mails.map(rowOf))
  const insert = { name: 'mails-new', text: newQuery, values: [rows, connectionName, folder, runId] }
  const isNew = mails.some(({ messageId }) => messageId === null)
  const release = () => client.query({ name: 'mails-release', text: releaseQuery, values: [rows, connectionName] })
  if (mails.some(({ messageId }) => messageId !== null)) {
    await release()
    await client.query({ name: 'mails-known', text: knownQuery, values: [rows, runId] })
  }
  let added = isNew ? (await client.query<NewRow>(insert)).rows : []
  if (added.length < mails.filter(({ messageId }) => messageId === null).length) {
    await release()
    added = [...added, ...(await client.query<NewRow>(insert)).rows]
  }
  const idOf = new Map(
    added.map(({ message_id, folder: lies, uid_validity: uidValidity, uid }) => [placeOf({ folder: lies, uidValidity, uid }), message_id]),
  )
  const ids = mails.map(({ messageId, head }) => messageId ?? idOf.get(placeOf(head.ref)) ?? 0)
  const decisions = mails.flatMap((mail, index) => mail.decisions.map((decision) => ({ ...decision, messageId: ids[index] })))
  if (decisions.length > 0) {
    await client.query({ name: 'mails-decisions', text: decisionQuery, values: [storableJson(decisions), runId] })
  }
  return ids
}

interface NewRow {
  message_id: number
  folder: string
  uid_validity: string
  uid: string
}

function rowOf({ head, decisions: _, ...mail }: SeenMail) {
  const { ref, messageKey, messageId, from, subject, sentAt, receivedAt, sizeBytes } = head
  return {
    message_id: mail.messageId,
    folder: ref.folder,
    uid_validity: ref.uidValidity,
    uid: ref.uid,
    rfc_message_id: messageId,
    fingerprint: messageKey,
    sender: from.map(({ address }) => address).join(', ') || null,
    subject,
    sent_at: sentAt,
    received_at: receivedAt,
    size_bytes: sizeBytes,
    attachments: mail.attachments,
    state: mail.state,
    reason: mail.reason,
    error_code: mail.errorCode,
    taken_by: mail.takenBy,
    action: mail.action,
    filed_to: mail.filedTo,
  }
}

function placeOf({ folder, uidValidity, uid }: { folder: string; uidValidity: string; uid: string }): string {
  return `${folder}\0${uidValidity}\0${uid}`
}

const seen = `
  json_to_recordset($1::json) as n (message_id bigint, folder text, uid_validity text, uid text, rfc_message_id text, fingerprint text, sender text,
    subject text, sent_at timestamptz, received_at timestamptz, size_bytes bigint, attachments integer, state text, reason text, error_code text,
    taken_by text, action text, filed_to text)`

const releaseQuery = `
  update dba.message m set uid = null
  from ${seen}
  where (m.connection_name, m.folder, m.uid_validity, m.uid) = ($2, n.folder, n.uid_validity, n.uid) and m.message_id is distinct from n.message_id
    and (n.message_id is not null or m.fingerprint <> n.fingerprint)`

/** What people want looked at again begins another round. */
const knownQuery = `
  update dba.message m
  set folder = n.folder, uid_validity = n.uid_validity, uid = n.uid, attachments = coalesce(n.attachments, m.attachments), state = n.state,
    reason = n.reason, error_code = n.error_code, taken_by = n.taken_by, action = n.action, filed_to = n.filed_to,
    filed_at = case when n.action = 'leave' and n.state = 'refused' then clock_timestamp() end, run_id = $2,
    round = m.round + case when m.state = 'retry' then 1 else 0 end,
    attempts = case when m.state = 'retry' then 0 else m.attempts end + case when n.state = 'saving' then 1 else 0 end
  from ${seen}
  where m.message_id = n.message_id`

const newQuery = `
  insert into dba.message (connection_name, found_in, folder, uid_validity, uid, rfc_message_id, fingerprint, sender, subject, sent_at, received_at,
    size_bytes, attachments, state, reason, error_code, taken_by, action, filed_to, filed_at, run_id, attempts)
  select $2, $3, n.folder, n.uid_validity, n.uid, n.rfc_message_id, n.fingerprint, n.sender, n.subject, n.sent_at, n.received_at,
    n.size_bytes, n.attachments, n.state, n.reason, n.error_code, n.taken_by, n.action, n.filed_to,
    case when n.action = 'leave' and n.state = 'refused' then clock_timestamp() end, $4, case when n.state = 'saving' then 1 else 0 end
  from ${seen}
  where n.message_id is null
  on conflict on constraint a_mail_stands_once_where_it_lies do nothing
  returning message_id, folder, uid_validity, uid`

const decisionQuery = `
  insert into dba.messagedecision (message_id, config_name, rule_order, decision, failed_on, detail, run_id)
  select d."messageId", d."configName", d."ruleOrder", d.decision, d."failedOn", left(d.detail, 2000), $2
  from json_to_recordset($1::json) as d ("messageId" bigint, "configName" text, "ruleOrder" integer, decision text, "failedOn" text, detail text)
  on conflict (message_id, config_name) do update
  set rule_order = excluded.rule_order, decision = excluded.decision, failed_on = excluded.failed_on, detail = excluded.detail,
    run_id = excluded.run_id, decided_at = clock_timestamp()`
