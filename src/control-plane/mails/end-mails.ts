const ends = `
  jsonb_to_recordset($1::jsonb) as e ("messageId" bigint, state text, reason text, "errorCode" text, "takenBy" text, action text, "filedTo" text,
    refusals jsonb, files jsonb)`

/**
 * How the taking of mails ended; $1: MailEnd[], $2: the run. Files that got another name than was planned may have been met by their import
 * under that name already: then they are tied here.
 */
export const endMailsQueries = [
  `update dba.message m
   set state = e.state, reason = e.reason, error_code = e."errorCode", taken_by = coalesce(e."takenBy", m.taken_by), action = e.action, filed_to = e."filedTo", run_id = $2,
     saved_at = case when e.state in ('saved', 'filed') then clock_timestamp() else m.saved_at end,
     filed_at = case when e.action = 'leave' and e.state in ('filed', 'refused') then clock_timestamp() end
   from ${ends}
   where m.message_id = e."messageId"`,
  `update dba.messagefile f
   set saved_path = s ->> 'savedPath', saved_as = regexp_replace(s ->> 'savedPath', '^.*[/\\\\]', ''), saved_at = coalesce(f.saved_at, clock_timestamp()),
     file_id = case when f.saved_path = s ->> 'savedPath' then f.file_id else (
       select max(d.file_id) from dba.file d where d.path = s ->> 'savedPath' and d.size_bytes = f.size_bytes and d.seen_at >= f.planned_at) end
   from ${ends}, jsonb_array_elements(e.files) s, dba.message m
   where m.message_id = e."messageId" and f.message_id = m.message_id and f.round = m.round and f.part = s ->> 'part' and f.config_name = s ->> 'configName'
     and $2::uuid is not null`,
]

/** $1: message_id[], $2: what was done, null where the mail was not there any more */
export const filedQuery = `
  update dba.message m
  set filed_at = clock_timestamp(), state = case when m.state = 'saved' then 'filed' else m.state end,
    reason = case when f.done is null then coalesce(m.reason || '; ', '') || 'it was no longer there when it was to be filed' else m.reason end
  from unnest($1::bigint[], $2::text[]) as f (message_id, done)
  where m.message_id = f.message_id`

/** What rules refused once the bytes were here; $1: MailEnd[], $2: the run. */
export const refusalsQuery = `
  update dba.message m
  set decided_in = $2, decisions = (
    select jsonb_agg(
      case when r.refusal is null then d.decision
      else d.decision || jsonb_build_object('decision', 'refused', 'failed_on', r.refusal ->> 'failedOn', 'detail', left(r.refusal ->> 'detail', 2000)) end
      order by d.position)
    from jsonb_array_elements(m.decisions) with ordinality as d (decision, position)
    left join jsonb_array_elements(e.refusals) as r (refusal) on r.refusal ->> 'configName' = d.decision ->> 'config_name')
  from ${ends}
  where m.message_id = e."messageId" and e.refusals <> '[]'`
