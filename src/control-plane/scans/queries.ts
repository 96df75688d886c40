/** What scans ask of the database; record-query.ts writes. */

/** A rerun goes on with the scan of the run it repeats, where that one left something and the settings are the same. */
export const scanQuery = `
  with recursive chain as (
    select r.run_id, r.rerun_of, r.config_version, r.args - 'as_of' as args, 0 as step from dba.run r where r.run_id = $1
    union all
    select r.run_id, r.rerun_of, c.config_version, c.args, c.step + 1
    from chain c join dba.run r on r.run_id = c.rerun_of
    where c.step < 100 and r.config_version is not distinct from c.config_version and r.args - 'as_of' = c.args
  )
  select c.run_id as scan_id, (select min(v.visited_at) from dba.visit v where v.scan_id = c.run_id) as begun_at
  from chain c
  where exists (select from dba.visit v where v.scan_id = c.run_id)
  order by c.step
  limit 1`

export const tallyQuery = `
  select
    count(*) filter (where state = 'waiting') as waiting,
    count(*) filter (where state = 'done') as done,
    count(*) filter (where state = 'failed') as failed,
    count(*) filter (where state = 'failed' and may_pass) as may_pass,
    count(*) filter (where state = 'skipped') as skipped,
    count(*) filter (where depth = 0 and part = 1) as ids,
    (array_agg(item order by position) filter (where depth = 0 and part = 1))[1] as first_id,
    (max(item::numeric) filter (where is_there and depth = 0 and item ~ '^[0-9]{1,18}$'))::text as highest_there
  from dba.visit
  where scan_id = $1`

export interface TallyRow {
  waiting: number
  done: number
  failed: number
  may_pass: number
  skipped: number
  ids: number
  first_id: string | null
  highest_there: string | null
}

export const countsQuery = `
  with visited as materialized (
    select v.state_word, v.row_count, v.files, v.counts from dba.visit v where v.scan_id = $1 and v.state = 'done'
  ), whole as (
    select count(*) as pages, coalesce(sum(row_count), 0) as rows, coalesce(sum((counts ->> 'files')::bigint), 0)::bigint as files, coalesce(sum(files), 0) as saved from visited
  )
  select 'pages' as subject, pages, pages as matched from whole
  union all select 'rows', pages, rows from whole
  union all select 'files', pages, files from whole
  union all select 'files saved', pages, saved from whole
  union all select 'pages ' || state, count(*), count(*) from dba.visit where scan_id = $1 and state in ('failed', 'skipped') group by state
  union all select 'state:' || state_word, (select pages from whole), count(*) from visited where state_word is not null group by state_word
  union all
  select 'field:' || c.key, (select rows from whole), sum(c.value::bigint)::bigint from visited, jsonb_each_text(counts -> 'fields') c group by c.key
  union all
  select 'selector:' || c.key, (select pages from whole), sum(c.value::bigint)::bigint from visited, jsonb_each_text(counts -> 'selectors') c group by c.key`

/** A page that a link led to and that turns out to stand in the line of ids as well is one of those. */
export const enqueueQuery = `
  insert into dba.visit as v (scan_id, position, url, item, depth, part)
  select $1, coalesce((select max(position) from dba.visit where scan_id = $1), 0) + l.number, l.link ->> 'url', l.link ->> 'item', (l.link ->> 'depth')::integer, (l.link ->> 'part')::integer
  from (
    select distinct on (link ->> 'url') link, number from jsonb_array_elements($2::jsonb) with ordinality as e (link, number) order by link ->> 'url', (link ->> 'depth')::integer, number
  ) l
  on conflict (scan_id, url) do update
  set item = excluded.item, depth = excluded.depth, part = excluded.part
  where excluded.depth = 0 and excluded.part = 1 and (v.depth, v.part) <> (0, 1)`

export const nextQuery = `
  select v.position, v.url, v.item, v.depth, v.part, p.body_sha256 = p.sha256 as is_kept, p.etag, p.last_modified
  from dba.visit v
  left join dba.page p on p.config_name = $2 and p.url = v.url
  where v.scan_id = $1 and v.state = 'waiting' and v.position > $3
  order by v.position
  limit $4`

export interface VisitRow {
  position: number
  url: string
  item: string | null
  depth: number
  part: number
  is_kept: boolean | null
  etag: string | null
  last_modified: string | null
}

export const labelsQuery = `
  select v.label, min(v.position) as position
  from dba.visit v
  where v.scan_id = $1 and v.state = 'done' and v.label is not null and (v.row_count > 0 or $3)
  group by v.label
  having not $2 or not exists (
    select from dba.visit f where f.scan_id = $1 and f.state in ('failed', 'waiting') and f.item = any (array_agg(v.item)))
  order by min(v.position)`

export const usualQuery = `
  select subject, percentile_cont(0.5) within group (order by pages) as pages, percentile_cont(0.5) within group (order by matched) as matched
  from (
    select c.subject, c.pages, c.matched, row_number() over (partition by c.subject order by c.counted_at desc) as age
    from dba.scrapecount c
    where c.config_name = $1 and c.is_good and c.run_id <> $2
  ) latest
  where age <= 5
  group by subject
  having count(*) >= 3`

export const countQuery = `
  insert into dba.scrapecount (run_id, config_name, subject, pages, matched, usual, is_good)
  select $1, $2, c ->> 'subject', (c ->> 'pages')::bigint, (c ->> 'matched')::bigint, (c ->> 'usual')::numeric, $3
  from jsonb_array_elements($4::jsonb) c
  on conflict (run_id, subject) do update
  set pages = excluded.pages, matched = excluded.matched, usual = excluded.usual, is_good = excluded.is_good, counted_at = clock_timestamp()`

/** Of the scan, and of ended runs before it: none of those is gone on with any more. */
export const forgetVisitsQuery = `
  delete from dba.visit v
  where v.scan_id = $1
     or v.scan_id in (
       select s.scan_id from (select distinct scan_id from dba.visit) s
       left join dba.run r on r.run_id = s.scan_id
       where r.run_id is null or r.config_name = $2 and r.job = $3 and r.state not in ('planned', 'waiting', 'queued', 'running'))`

export const keptQuery = `
  select page_id, url, item, row_count, body, body_type, coalesce(body_status, 200) as body_status, body_at::text as body_at
  from dba.page
  where config_name = $1 and body is not null and ($2::timestamptz is null or (body_at, page_id) < ($2, $3))
  order by body_at desc, page_id desc
  limit 20`

export interface KeptRow {
  page_id: number
  url: string
  item: string | null
  row_count: number | null
  body: Buffer
  body_type: string | null
  body_status: number
  body_at: string
}
