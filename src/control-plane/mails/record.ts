import type { ClientBase } from 'pg'
import type { Decision, SeenMail } from '../../job/mails.ts'
import { storableJson } from '../storable.ts'

export interface MailboxOfRun {
  connectionName: string
  folder: string
  runId: string
}

/**
 * Writes down what was found out about mails, within the caller's transaction: new rows, or what is new of known ones, the decisions among it. A row
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
  return mails.map(({ messageId, head }) => messageId ?? idOf.get(placeOf(head.ref)) ?? 0)
}

interface NewRow {
  message_id: number
  folder: string
  uid_validity: string
  uid: string
}

/** What is not there is left out of the JSON, which is most of it. */
function rowOf({ head, decisions, ...mail }: SeenMail) {
  const { ref, messageKey, messageId, from, subject, sentAt, receivedAt, sizeBytes } = head
  return {
    message_id: mail.messageId ?? undefined,
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
    attachments: mail.attachments ?? undefined,
    state: mail.state,
    reason: mail.reason ?? undefined,
    error_code: mail.errorCode ?? undefined,
    taken_by: mail.takenBy ?? undefined,
    action: mail.action ?? undefined,
    filed_to: mail.filedTo ?? undefined,
    decisions: decisions.length === 0 ? undefined : decisions.map(storedDecision),
  }
}

function storedDecision({ configName, ruleOrder, decision, failedOn, detail }: Decision) {
  return {
    config_name: configName,
    rule_order: ruleOrder,
    decision,
    failed_on: failedOn ?? undefined,
    detail: detail?.slice(0, 2000),
  }
}

function placeOf({ folder, uidValidity, uid }: { folder: string; uidValidity: string; uid: string }): string {
  return `${folder}\0${uidValidity}\0${uid}`
}

const seen = `
  json_to_recordset($1::json) as n (message_id bigint, folder text, uid_validity text, uid text, rfc_message_id text, fingerprint text, sender text,
    subject text, sent_at timestamptz, received_at timestamptz, size_bytes bigint, attachments integer, state text, reason text, error_code text,
    taken_by text, action text, filed_to text, decisions jsonb)`

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
    decisions = n.decisions, decided_at = clock_timestamp(), decided_in = $2,
    round = m.round + case when m.state = 'retry' then 1 else 0 end,
    attempts = case when m.state = 'retry' then 0 else m.attempts end + case when n.state = 'saving' then 1 else 0 end
  from ${seen}
  where m.message_id = n.message_id`

const newQuery = `
  insert into dba.message (connection_name, found_in, folder, uid_validity, uid, rfc_message_id, fingerprint, sender, subject, sent_at, received_at,
    size_bytes, attachments, state, reason, error_code, taken_by, action, filed_to, filed_at, run_id, attempts,
    decisions, decided_at, decided_in)
  select $2, $3, n.folder, n.uid_validity, n.uid, n.rfc_message_id, n.fingerprint, n.sender, n.subject, n.sent_at, n.received_at,
    n.size_bytes, n.attachments, n.state, n.reason, n.error_code, n.taken_by, n.action, n.filed_to,
    case when n.action = 'leave' and n.state = 'refused' then clock_timestamp() end, $4, case when n.state = 'saving' then 1 else 0 end,
    n.decisions, case when n.decisions is not null then clock_timestamp() end, case when n.decisions is not null then $4::uuid end
  from ${seen}
  where n.message_id is null
  on conflict on constraint a_mail_stands_once_where_it_lies do nothing
  returning message_id, folder, uid_validity, uid`
