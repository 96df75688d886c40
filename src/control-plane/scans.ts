/** The ledger of scans over web pages that jobs see as `ctx.scans`. */
import { gunzipSync, gzipSync } from 'node:zlib'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { Count, Link, Scan, Scans, Visit, VisitEnd } from '../job/scans.ts'
import type { LedgerDeps } from './files.ts'
import { recordQuery } from './scans/record-query.ts'

/** So many visits' rows are read at a time. */
const batchSize = 500

export function createScans(deps: LedgerDeps): Scans {
  const { pool, transaction, runId, configName } = deps
  return { open, keptPages, importFolder }

  async function open(): Promise<Scan> {
    const { rows } = await pool.query<{ scan_id: string }>(scanQuery, [runId])
    const scanId = rows[0]?.scan_id ?? runId
    return {
      scanId,
      tally: () => tally(scanId),
      counts: () => counts(scanId),
      firstFailure: () => firstFailure(scanId),
      retryFailed: () => retryFailed(scanId),
      enqueue: (links) => transaction(async (client) => void (await client.query(enqueueQuery, [scanId, JSON.stringify(links)]))),
      next: (after, limit) => next(scanId, after, limit),
      record: (ends) => record(scanId, ends),
      keptBody,
      lastFile,
      labels: () => labels(scanId),
      loaded: (label) => loaded(scanId, label),
      rowsOf: (label) => rowsOf(scanId, label),
      usual,
      end: (counts, isGood) => end(scanId, counts, isGood),
    }
  }

  async function tally(scanId: string) {
    const { rows } = await pool.query<TallyRow>(tallyQuery, [scanId])
    const row = rows[0] ?? { waiting: 0, done: 0, failed: 0, skipped: 0, ids: 0, highest_there: null, row_count: 0 }
    const { waiting, done, failed, skipped, ids, highest_there: highestThere, row_count } = row
    return { waiting, done, failed, skipped, ids, highestThere, rows: row_count }
  }

  async function counts(scanId: string): Promise<Count[]> {
    const { rows } = await pool.query<Count>(countsQuery, [scanId])
    return rows
  }

  async function firstFailure(scanId: string) {
    const { rows } = await pool.query<{ url: string; code: string; message: string }>(
      `select url, error_code as code, error_message as message from dba.visit where scan_id = $1 and state = 'failed' order by position limit 1`,
      [scanId],
    )
    return rows[0] ?? null
  }

  async function retryFailed(scanId: string): Promise<void> {
    await transaction((client) =>
      client.query(
        `update dba.visit set state = 'waiting', error_code = null, error_message = null where scan_id = $1 and state = 'failed'`,
        [scanId],
      ),
    )
  }

  async function next(scanId: string, after: number, limit: number): Promise<Visit[]> {
    const { rows } = await pool.query<VisitRow>(nextQuery, [scanId, configName, after, limit])
    return rows.map(({ position, url, item, depth, part, has_body, etag, last_modified }) => ({
      position,
      url,
      item,
      depth,
      part,
      kept: has_body ? { etag, lastModified: last_modified } : null,
    }))
  }

  async function record(scanId: string, ends: VisitEnd[]): Promise<void> {
    if (ends.length === 0) return
    const bodies = ends.map(({ body }) => (body === null ? null : gzipSync(body.bytes)))
    const told = ends.map(({ body, found: _, ...end }) => ({ ...end, bodyType: body?.type ?? null }))
    const found: Link[] = ends.flatMap((end) => end.found)
    await transaction(async (client) => {
      await client.query(recordQuery, [scanId, configName, runId, JSON.stringify(told), bodies])
      if (found.length > 0) await client.query(enqueueQuery, [scanId, JSON.stringify(found)])
    })
  }

  async function keptBody(url: string) {
    const { rows } = await pool.query<{ body: Buffer; body_type: string | null }>(
      'select body, body_type from dba.page where config_name = $1 and url = $2 and body is not null',
      [configName, url],
    )
    const row = rows[0]
    return row === undefined ? null : { bytes: gunzipSync(row.body), type: row.body_type }
  }

  async function lastFile(url: string) {
    const { rows } = await pool.query<{ sha256: string; savedAt: Date }>(
      `select f.sha256, f.saved_at as "savedAt"
       from dba.pagefile f join dba.page p on p.page_id = f.page_id
       where p.config_name = $1 and f.url = $2
       order by f.pagefile_id desc limit 1`,
      [configName, url],
    )
    return rows[0] ?? null
  }

  async function importFolder(name: string): Promise<string> {
    const { rows } = await pool.query<{ source_folder: string }>('select source_folder from dba.importconfig where config_name = $1', [
      name,
    ])
    if (rows[0] !== undefined) return rows[0].source_folder
    throw new PermanentError('config_not_found', `There is no config "${name}" in dba.importconfig`, {
      hint: 'Correct file_config in dba.scrapeconfig.',
    })
  }

  async function loaded(scanId: string, label: string): Promise<void> {
    await transaction((client) =>
      client.query('update dba.visit set rows = null, label = null where scan_id = $1 and label = $2', [scanId, label]),
    )
  }

  async function labels(scanId: string): Promise<string[]> {
    const { rows } = await pool.query<{ label: string }>(
      `select label from dba.visit where scan_id = $1 and state = 'done' and label is not null and jsonb_array_length(rows) > 0 group by label order by min(position)`,
      [scanId],
    )
    return rows.map(({ label }) => label)
  }

  async function* rowsOf(scanId: string, label: string): AsyncGenerator<Record<string, string | null>[]> {
    for (let after = 0; ; ) {
      const { rows } = await pool.query<{ position: number; rows: Record<string, string | null>[] }>(
        `select position, rows from dba.visit
         where scan_id = $1 and label = $2 and position > $3 and state = 'done' and rows is not null
         order by position limit $4`,
        [scanId, label, after, batchSize],
      )
      const last = rows.at(-1)
      if (last === undefined) return
      after = last.position
      yield rows.flatMap((row) => row.rows)
    }
  }

  async function usual() {
    const { rows } = await pool.query<{ subject: string; pages: number; matched: number }>(usualQuery, [configName, runId])
    return new Map(rows.map((row) => [row.subject, row]))
  }

  async function end(scanId: string, counts: Parameters<Scan['end']>[0], isGood: boolean): Promise<void> {
    await transaction(async (client) => {
      await client.query(countQuery, [runId, configName, isGood, JSON.stringify(counts)])
      if (isGood) await client.query('delete from dba.visit where scan_id = $1', [scanId])
    })
  }

  async function* keptPages() {
    for (let before: number | null = null; ; ) {
      const { rows }: { rows: KeptRow[] } = await pool.query<KeptRow>(
        `select page_id, url, item, coalesce(status_code, 200) as status_code, body, body_type
         from dba.page
         where config_name = $1 and body is not null and ($2::bigint is null or page_id < $2)
         order by page_id desc limit 50`,
        [configName, before],
      )
      if (rows.length === 0) return
      for (const { page_id, url, item, status_code, body, body_type } of rows) {
        before = page_id
        yield { url, item, statusCode: status_code, bytes: gunzipSync(body), type: body_type }
      }
    }
  }
}

/** A rerun goes on with the scan of the run it repeats, where that one left something. */
const scanQuery = `
  with recursive chain as (
    select r.run_id, r.rerun_of, 0 as step from dba.run r where r.run_id = $1
    union all
    select r.run_id, r.rerun_of, c.step + 1 from chain c join dba.run r on r.run_id = c.rerun_of where c.step < 100
  )
  select c.run_id as scan_id from chain c where exists (select from dba.visit v where v.scan_id = c.run_id) order by c.step limit 1`

const tallyQuery = `
  select
    count(*) filter (where state = 'waiting') as waiting,
    count(*) filter (where state = 'done') as done,
    count(*) filter (where state = 'failed') as failed,
    count(*) filter (where state = 'skipped') as skipped,
    count(*) filter (where depth = 0 and part = 1) as ids,
    (max(item::numeric) filter (where is_there and depth = 0 and item ~ '^[0-9]+$'))::text as highest_there,
    coalesce(sum(jsonb_array_length(rows)), 0)::bigint as row_count
  from dba.visit
  where scan_id = $1`

/** Of a field the pages are its rows. */
const countsQuery = `
  with visited as (
    select v.state_word, v.files, coalesce(v.counts, '{}') as counts from dba.visit v where v.scan_id = $1 and v.state = 'done'
  ), whole as (
    select count(*) as pages, coalesce(sum((counts ->> 'rows')::bigint), 0) as rows, coalesce(sum(files), 0) as files from visited
  )
  select 'pages' as subject, pages, pages as matched from whole
  union all select 'rows', pages, rows from whole
  union all select 'files', pages, files from whole
  union all select 'state:' || state_word, (select pages from whole), count(*) from visited where state_word is not null group by state_word
  union all
  select c.key, (select greatest(rows, 1) from whole), sum(c.value::bigint)
  from visited, jsonb_each_text(counts) c
  where c.key <> 'rows'
  group by c.key`

const enqueueQuery = `
  insert into dba.visit (scan_id, position, url, item, depth, part)
  select $1, coalesce((select max(position) from dba.visit where scan_id = $1), 0) + l.number, l.link ->> 'url', l.link ->> 'item', (l.link ->> 'depth')::integer, (l.link ->> 'part')::integer
  from jsonb_array_elements($2::jsonb) with ordinality as l (link, number)
  on conflict (scan_id, url) do nothing`

const nextQuery = `
  select v.position, v.url, v.item, v.depth, v.part, p.body is not null as has_body, p.etag, p.last_modified
  from dba.visit v
  left join dba.page p on p.config_name = $2 and p.url = v.url
  where v.scan_id = $1 and v.state = 'waiting' and v.position > $3
  order by v.position
  limit $4`

const usualQuery = `
  select subject, percentile_cont(0.5) within group (order by pages) as pages, percentile_cont(0.5) within group (order by matched) as matched
  from (
    select c.subject, c.pages, c.matched, row_number() over (partition by c.subject order by c.counted_at desc) as age
    from dba.scrapecount c
    where c.config_name = $1 and c.is_good and c.run_id <> $2
  ) latest
  where age <= 5
  group by subject
  having count(*) >= 3`

const countQuery = `
  insert into dba.scrapecount (run_id, config_name, subject, pages, matched, is_good)
  select $1, $2, c ->> 'subject', (c ->> 'pages')::bigint, (c ->> 'matched')::bigint, $3
  from jsonb_array_elements($4::jsonb) c
  on conflict (run_id, subject) do update
  set pages = excluded.pages, matched = excluded.matched, is_good = excluded.is_good, counted_at = clock_timestamp()`

interface TallyRow {
  waiting: number
  done: number
  failed: number
  skipped: number
  ids: number
  highest_there: string | null
  row_count: number
}

interface VisitRow {
  position: number
  url: string
  item: string | null
  depth: number
  part: number
  has_body: boolean
  etag: string | null
  last_modified: string | null
}

interface KeptRow {
  page_id: number
  url: string
  item: string | null
  status_code: number
  body: Buffer
  body_type: string | null
}
