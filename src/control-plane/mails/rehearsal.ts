import type { ClientBase } from 'pg'
import type { Mails } from '../../job/mails.ts'
import { storableJson, storableText } from '../storable.ts'

/** Writes the answer to a rehearsal, in place of an earlier attempt's. */
export async function writeRehearsal(
  client: ClientBase,
  rehearsalId: number,
  runId: string,
  { messages, matched, message, mails }: Parameters<Mails['rehearsed']>[1],
): Promise<void> {
  await client.query('delete from dba.rehearsalmail where rehearsal_id = $1', [rehearsalId])
  // One value of jsonb holds 256 MB at most.
  for (let at = 0; at < mails.length; at += writtenTogether)
    await client.query(insertQuery, [rehearsalId, storableJson(mails.slice(at, at + writtenTogether))])
  await client.query(
    `update dba.rehearsal set state = 'done', run_id = $2, messages = $3, matched = $4, message = $5, finished_at = clock_timestamp()
     where rehearsal_id = $1`,
    [rehearsalId, runId, messages, matched, storableText(message)],
  )
}

const writtenTogether = 2000

const insertQuery = `
  insert into dba.rehearsalmail (rehearsal_id, position, config_name, sender, subject, received_at, decision, failed_on, detail, files, would_file_to)
  select $1, m.position, m."configName", m.sender, m.subject, m."receivedAt", m.decision, m."failedOn", left(m.detail, 2000), m.files, m."wouldFileTo"
  from jsonb_to_recordset($2::jsonb) as m (position integer, "configName" text, sender text, subject text, "receivedAt" timestamptz, decision text,
    "failedOn" text, detail text, files text[], "wouldFileTo" text)`
