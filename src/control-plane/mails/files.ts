import type { EarlierFile } from '../../job/mails.ts'

/** $1: PlannedFile[] */
export const planQuery = `
  insert into dba.messagefile (message_id, round, part, config_name, file_name, saved_as, saved_path, staged_path, size_bytes, sha256)
  select f."messageId", m.round, f.part, f."configName", f."fileName", regexp_replace(f."savedPath", '^.*[/\\\\]', ''), f."savedPath", f."stagedPath",
    f."sizeBytes", f.sha256
  from jsonb_to_recordset($1::jsonb) as f ("messageId" bigint, part text, "configName" text, "fileName" text, "savedPath" text, "stagedPath" text,
    "sizeBytes" bigint, sha256 text)
  join dba.message m on m.message_id = f."messageId"
  on conflict (message_id, round, part, config_name) do update
  set file_name = excluded.file_name, saved_as = excluded.saved_as, saved_path = excluded.saved_path, staged_path = excluded.staged_path,
    size_bytes = excluded.size_bytes, sha256 = excluded.sha256, file_id = null, planned_at = clock_timestamp(), saved_at = null`

export const earlierFilesQuery = `
  select f.message_id, f.part, f.config_name, f.file_name, f.saved_path, f.staged_path, f.size_bytes, f.sha256,
    f.saved_at is not null as is_saved, f.file_id is not null as is_taken_up
  from dba.messagefile f
  join dba.message m on m.message_id = f.message_id and m.round = f.round
  where f.message_id = any ($1)`

export interface EarlierRow {
  message_id: number
  part: string
  config_name: string
  file_name: string
  saved_path: string
  staged_path: string
  size_bytes: number
  sha256: string
  is_saved: boolean
  is_taken_up: boolean
}

export function earlierFileOf(row: EarlierRow): EarlierFile {
  return {
    messageId: row.message_id,
    part: row.part,
    configName: row.config_name,
    fileName: row.file_name,
    savedPath: row.saved_path,
    stagedPath: row.staged_path,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    isSaved: row.is_saved,
    isTakenUp: row.is_taken_up,
  }
}
