/** One scan: its line of pages, what came of them, and what was found. */
import { promisify } from 'node:util'
import { gunzipSync, gzip } from 'node:zlib'
import type { Count, FileToSave, Link, PageBody, Scan, ScanTally, Visit, VisitEnd } from '../../job/scans.ts'
import type { LedgerDeps } from '../files/ledger-deps.ts'
import { storableJson } from '../storable.ts'
import {
  countQuery,
  countsQuery,
  enqueueQuery,
  forgetVisitsQuery,
  type KeptRow,
  labelsQuery,
  nextQuery,
  type TallyRow,
  tallyQuery,
  usualQuery,
  type VisitRow,
} from './queries.ts'
import { planFileQuery, recordQuery } from './record-query.ts'

/** So many visits' rows are read at a time. */
const batchSize = 500
const pack = promisify(gzip)

export function openScan(
  { pool, transaction, runId, job, configName }: LedgerDeps,
  facts: Pick<Scan, 'scanId' | 'begunAt' | 'ended'>,
): Scan {
  const { scanId } = facts
  return {
    ...facts,
    tally,
    counts,
    firstFailure,
    retryFailed,
    enqueue,
    next,
    record,
    planFile,
    lastFile,
    keptBody,
    labels,
    rowsOf,
    loaded,
    usual,
    end,
  }

  async function tally(): Promise<ScanTally> {
    const { rows } = await pool.query<TallyRow>(tallyQuery, [scanId])
    const [row] = rows
    const { may_pass: mayPass = 0, first_id: firstId = null, highest_there: highestThere = null } = row ?? {}
    const { waiting = 0, done = 0, failed = 0, skipped = 0, ids = 0 } = row ?? {}
    return { waiting, done, failed, mayPass, skipped, ids, firstId, highestThere }
  }

  async function counts(): Promise<Count[]> {
    return (await pool.query<Count>(countsQuery, [scanId])).rows
  }

  async function firstFailure() {
    const { rows } = await pool.query<{ url: string; code: string; message: string }>(
      `select url, error_code as code, error_message as message from dba.visit where scan_id = $1 and state = 'failed' order by position limit 1`,
      [scanId],
    )
    return rows[0] ?? null
  }

  async function retryFailed(): Promise<void> {
    await transaction((client) => client.query(`update dba.visit set state = 'waiting' where scan_id = $1 and state = 'failed'`, [scanId]))
  }

  async function enqueue(links: Link[]): Promise<void> {
    await transaction((client) => client.query(enqueueQuery, [scanId, storableJson(links)]))
  }

  async function next(after: number, limit: number): Promise<Visit[]> {
    const { rows } = await pool.query<VisitRow>(nextQuery, [scanId, configName, after, limit])
    return rows.map(({ position, url, item, depth, part, is_kept, etag, last_modified: lastModified }) => ({
      position,
      url,
      item,
      depth,
      part,
      kept: is_kept === true && (etag !== null || lastModified !== null) ? { etag, lastModified } : null,
    }))
  }

  async function record(ends: VisitEnd[]): Promise<void> {
    if (ends.length === 0) return
    const bodies = await Promise.all(ends.map(({ body }) => (body === null ? null : pack(body.bytes))))
    const told = ends.map(({ body, found: _, ...end }) => ({ ...end, bodyType: body?.type ?? null, bodyStatus: body?.status ?? null }))
    const found = ends.flatMap((end) => end.found)
    await transaction(async (client) => {
      await client.query(recordQuery, [scanId, configName, runId, storableJson(told), bodies])
      if (found.length > 0) await client.query(enqueueQuery, [scanId, storableJson(found)])
    })
  }

  async function planFile({ url, item }: Link, file: FileToSave, values: Record<string, string | null>): Promise<number> {
    const given = [configName, runId, url, item, storableJson(file), storableJson(values)]
    const { rows } = await transaction((client) => client.query<{ pagefile_id: number }>(planFileQuery, given))
    return rows[0]?.pagefile_id ?? 0
  }

  async function lastFile(url: string, folder: string) {
    const { rows } = await pool.query<{ sha256: string; etag: string | null; lastModified: string | null; isOfThisRun: boolean }>(
      `select f.sha256, f.etag, f.last_modified as "lastModified", f.run_id is not distinct from $4 as "isOfThisRun"
       from dba.pagefile f join dba.page p on p.page_id = f.page_id
       where p.config_name = $1 and f.url = $2 and f.saved_at is not null and left(f.saved_path, length($3)) = $3
       order by f.pagefile_id desc
       limit 1`,
      [configName, url, folder, runId],
    )
    return rows[0] ?? null
  }

  async function keptBody(url: string): Promise<PageBody | null> {
    const { rows } = await pool.query<Pick<KeptRow, 'body' | 'body_type' | 'body_status'>>(
      `select body, body_type, coalesce(body_status, 200) as body_status from dba.page
       where config_name = $1 and url = $2 and body is not null and body_sha256 = sha256`,
      [configName, url],
    )
    const [row] = rows
    return row === undefined ? null : { bytes: gunzipSync(row.body), type: row.body_type, status: row.body_status }
  }

  async function labels({ isComplete, withEmpty }: Parameters<Scan['labels']>[0]): Promise<{ label: string; position: number }[]> {
    return (await pool.query<{ label: string; position: number }>(labelsQuery, [scanId, isComplete, withEmpty])).rows
  }

  async function* rowsOf(label: string): AsyncGenerator<Record<string, string | null>[]> {
    for (let after = 0; ; ) {
      const { rows } = await pool.query<{ position: number; rows: Record<string, string | null>[] }>(
        `select position, rows from dba.visit
         where scan_id = $1 and label = $2 and position > $3 and state = 'done' and rows is not null
         order by position
         limit $4`,
        [scanId, label, after, batchSize],
      )
      const last = rows.at(-1)
      if (last === undefined) return
      after = last.position
      yield rows.flatMap((row) => row.rows)
    }
  }

  async function loaded(label: string): Promise<void> {
    await transaction((client) =>
      client.query('update dba.visit set rows = null, label = null where scan_id = $1 and label = $2', [scanId, label]),
    )
  }

  async function usual(): Promise<Map<string, Count>> {
    const { rows } = await pool.query<Count>(usualQuery, [configName, runId])
    return new Map(rows.map((row) => [row.subject, row]))
  }

  async function end(counted: Count[], before: Map<string, Count>, isGood: boolean): Promise<void> {
    const told = counted.map((count) => ({ ...count, usual: before.get(count.subject)?.matched ?? null }))
    await transaction(async (client) => {
      await client.query(countQuery, [runId, configName, isGood, JSON.stringify(told)])
      await client.query(forgetVisitsQuery, [scanId, configName, job])
    })
  }
}
