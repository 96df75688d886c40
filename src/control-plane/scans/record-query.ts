/**
 * What came of some visits: the visits themselves, the inventory of pages with its life cycle, and the files. Takes scan_id, config_name,
 * run_id, the visits' ends as a JSON array, and their bytes (gzip or null) in the same order.
 */
export const recordQuery = `
  with told as materialized (
    select e.number, (e."end" ->> 'position')::bigint as position, e."end", ($5::bytea[])[e.number] as body
    from jsonb_array_elements($4::jsonb) with ordinality as e ("end", number)
  ), visited as (
    update dba.visit v
    set state = t."end" ->> 'state', state_word = t."end" ->> 'stateWord', status_code = (t."end" ->> 'statusCode')::integer, label = t."end" ->> 'label',
        is_there = (t."end" ->> 'isThere')::boolean, rows = t."end" -> 'rows', row_count = jsonb_array_length(t."end" -> 'rows'),
        files = jsonb_array_length(t."end" -> 'files'), counts = t."end" -> 'counts', error_code = t."end" -> 'error' ->> 'code',
        error_message = t."end" -> 'error' ->> 'message', may_pass = (t."end" -> 'error' ->> 'mayPass')::boolean, visited_at = clock_timestamp()
    from told t
    where v.scan_id = $1 and v.position = t.position
    returning v.position, v.url, v.item
  ), advanced as (
    -- Those that failed come again.
    update dba.attempt a
    set advanced_at = clock_timestamp()
    where a.run_id = $3 and a.finished_at is null and exists (select from told t where t."end" ->> 'state' <> 'failed')
  ), seen as (
    insert into dba.page as p (config_name, url, item, life, state_word, status_code, title, row_count, etag, last_modified, sha256, fingerprint, run_id, error_code, error_message,
      first_seen_at, last_seen_at, changed_at, body, body_type, body_status, body_sha256, body_at)
    select $2, v.url, v.item, case when s.is_there then 'new' end, t."end" ->> 'stateWord', (t."end" ->> 'statusCode')::integer, t."end" ->> 'title',
      jsonb_array_length(t."end" -> 'rows'), t."end" ->> 'etag', t."end" ->> 'lastModified', t."end" ->> 'sha256', t."end" ->> 'fingerprint', $3, t."end" -> 'error' ->> 'code', t."end" -> 'error' ->> 'message',
      case when s.is_there then clock_timestamp() end, case when s.is_there then clock_timestamp() end, case when s.is_there then clock_timestamp() end,
      t.body, t."end" ->> 'bodyType', (t."end" ->> 'bodyStatus')::integer, case when t.body is not null then t."end" ->> 'sha256' end, case when t.body is not null then clock_timestamp() end
    from visited v join told t on t.position = v.position
    cross join lateral (select (t."end" ->> 'isThere')::boolean as is_there) s
    on conflict (config_name, url) do update
    set item = excluded.item, state_word = excluded.state_word, status_code = excluded.status_code, row_count = excluded.row_count, run_id = excluded.run_id,
        error_code = excluded.error_code, error_message = excluded.error_message, visited_at = excluded.visited_at, title = coalesce(excluded.title, p.title),
        -- What the server calls a version goes with its bytes.
        etag = case when excluded.sha256 is null then p.etag when excluded.sha256 = p.sha256 then coalesce(excluded.etag, p.etag) else excluded.etag end,
        last_modified = case when excluded.sha256 is null then p.last_modified when excluded.sha256 = p.sha256 then coalesce(excluded.last_modified, p.last_modified) else excluded.last_modified end,
        life = case
          -- An error says nothing of whether the page is there.
          when excluded.life is null and excluded.error_code is not null then p.life
          when excluded.life is null then case when p.first_seen_at is not null then 'gone' end
          when p.first_seen_at is null then 'new'
          when p.life = 'gone' or p.fingerprint is distinct from excluded.fingerprint then 'changed'
          else 'seen' end,
        first_seen_at = coalesce(p.first_seen_at, excluded.first_seen_at),
        last_seen_at = coalesce(excluded.last_seen_at, p.last_seen_at),
        changed_at = case when excluded.life is not null and p.fingerprint is distinct from excluded.fingerprint then excluded.changed_at else p.changed_at end,
        gone_at = case
          when excluded.life is not null then null
          when excluded.error_code is null and p.first_seen_at is not null then coalesce(p.gone_at, excluded.visited_at)
          else p.gone_at end,
        sha256 = coalesce(excluded.sha256, p.sha256),
        fingerprint = coalesce(excluded.fingerprint, p.fingerprint),
        body = coalesce(excluded.body, p.body),
        body_type = case when excluded.body is null then p.body_type else excluded.body_type end,
        body_status = case when excluded.body is null then p.body_status else excluded.body_status end,
        body_sha256 = case when excluded.body is null then p.body_sha256 else excluded.body_sha256 end,
        body_at = coalesce(excluded.body_at, p.body_at)
    returning p.page_id, p.url
  )
  update dba.pagefile p
  set file_name = f ->> 'fileName', saved_path = f ->> 'savedPath', saved_at = clock_timestamp(),
      -- Where its name was taken, an import may have met it under the other one by now.
      file_id = case when p.saved_path = f ->> 'savedPath' then p.file_id else (
        select max(d.file_id) from dba.file d where d.path = f ->> 'savedPath' and d.size_bytes = p.size_bytes and d.seen_at >= p.planned_at) end
  from told t, jsonb_array_elements(t."end" -> 'files') f
  where p.pagefile_id = (f ->> 'pagefileId')::bigint`

/** Ties a file to its page before either is recorded. Takes config_name, run_id, the page's address and id, the file as JSON, what was read from the page. */
export const planFileQuery = `
  with made as (
    insert into dba.page (config_name, url, item) values ($1, $3, $4) on conflict (config_name, url) do nothing returning page_id
  ), met as (
    select page_id from made union all select page_id from dba.page where config_name = $1 and url = $3 limit 1
  )
  insert into dba.pagefile (page_id, run_id, url, file_name, saved_path, size_bytes, sha256, etag, last_modified, page_values)
  select m.page_id, $2, f ->> 'url', f ->> 'fileName', f ->> 'savedPath', (f ->> 'sizeBytes')::bigint, f ->> 'sha256', f ->> 'etag', f ->> 'lastModified', $6
  from met m, (select $5::jsonb as f) file
  returning pagefile_id`
