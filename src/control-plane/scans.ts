/** The ledger of scans over web pages that jobs see as `ctx.scans`. */
import { gunzipSync } from 'node:zlib'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { Count, KeptPage, Scan, Scans } from '../job/scans.ts'
import type { LedgerDeps } from './files/ledger-deps.ts'
import { openScan } from './scans/open-scan.ts'
import { type KeptRow, keptQuery, scanQuery } from './scans/queries.ts'

export function createScans(deps: LedgerDeps): Scans {
  const { pool, transaction, runId, configName } = deps
  return { open, highestEver, keptPages, forgetBodies, importFolder }

  async function open(): Promise<Scan> {
    const { rows } = await pool.query<{ scan_id: string; begun_at: Date | null }>(scanQuery, [runId])
    const { rows: counted } = await pool.query<Count>('select subject, pages, matched from dba.scrapecount where run_id = $1', [runId])
    return openScan(deps, {
      scanId: rows[0]?.scan_id ?? runId,
      begunAt: rows[0]?.begun_at ?? new Date(),
      ended: counted.length === 0 ? null : counted,
    })
  }

  async function highestEver(): Promise<string | null> {
    const { rows } = await pool.query<{ highest: string | null }>(
      `select max(item::numeric)::text as highest from dba.page where config_name = $1 and first_seen_at is not null and item ~ '^[0-9]{1,18}$'`,
      [configName],
    )
    return rows[0]?.highest ?? null
  }

  async function* keptPages(): AsyncGenerator<KeptPage> {
    for (let last: KeptRow | undefined; ; ) {
      const { rows } = await pool.query<KeptRow>(keptQuery, [configName, last?.body_at ?? null, last?.page_id ?? null])
      last = rows.at(-1)
      if (last === undefined) return
      for (const { url, item, row_count: rowsBefore, body, body_type: type, body_status: status } of rows) {
        yield { url, item, rowsBefore, bytes: gunzipSync(body), type, status }
      }
    }
  }

  async function forgetBodies(days: number): Promise<number> {
    const { rowCount } = await transaction((client) =>
      client.query(
        `update dba.page set body = null, body_type = null, body_status = null, body_sha256 = null, body_at = null
         where config_name = $1 and body is not null and body_at < clock_timestamp() - make_interval(days => $2)`,
        [configName, days],
      ),
    )
    return rowCount ?? 0
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
}
