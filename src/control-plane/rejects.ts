/** Rows that were refused, dba.reject, as loads read and write them. */
import type { ClientBase } from 'pg'
import type { RowReject } from '../../systemscripts/copy-plan.ts'
import type { Correction } from '../../systemscripts/table-loader/load.ts'
import type { Rejects } from '../../systemscripts/table-loader/load-refused.ts'
import type { LedgerDeps } from './files/ledger-deps.ts'

/** One insert at a time. */
const ROWS_AT_ONCE = 1000

/** What people have decided about rows of a file: corrected ones count whenever it is loaded again, dismissed ones are left out in silence. */
export async function knownRejects(
  client: ClientBase,
  fileId: number,
): Promise<{ corrections: Correction[]; dismissed: { sheet: string | null; line: number }[] }> {
  const { rows } = await client.query<{ state: string; sheet: string | null; line: number; fixed: Record<string, unknown> }>(
    `select distinct on (sheet, line) state, sheet, line, fixed
     from dba.reject
     where file_id = $1 and line is not null and (state in ('retry', 'loaded') and fixed is not null or state = 'dismissed')
     order by sheet, line, reject_id desc`,
    [fileId],
  )
  return {
    corrections: rows
      .filter(({ state }) => state !== 'dismissed')
      .map(({ sheet, line, fixed }) => ({ sheet, line: Number(line), values: textsOf(fixed) })),
    dismissed: rows.filter(({ state }) => state === 'dismissed').map(({ sheet, line }) => ({ sheet, line: Number(line) })),
  }
}

/**
 * Writes what a load left out. What stood open of the file before is replaced; a corrected row that was refused again is open again; the
 * other corrected ones are `loaded`, if the file was.
 *
 * @param datasetId null: the file was not loaded
 */
export async function writeRejects(
  client: ClientBase,
  deps: LedgerDeps,
  fileId: number,
  datasetId: number | null,
  { told }: Rejects,
): Promise<void> {
  await client.query(`delete from dba.reject where file_id = $1 and state = 'open' and fixed is null`, [fileId])
  const reopened = await reopen(client, deps, fileId, datasetId, told)
  if (datasetId !== null) {
    await client.query(
      `update dba.reject set state = 'loaded', dataset_id = $2
       where file_id = $1 and reject_id <> all ($3::bigint[]) and (state in ('retry', 'loaded') or state = 'open' and fixed is not null)`,
      [fileId, datasetId, reopened.map(({ rejectId }) => rejectId)],
    )
  }
  const known = new Set(reopened.map(placeOf))
  await insertRejects(
    client,
    deps,
    fileId,
    datasetId,
    told.filter((reject) => !known.has(placeOf(reject))),
  )
}

/** Corrected rows that were refused again say why. */
export async function reopen(
  client: ClientBase,
  { runId }: LedgerDeps,
  fileId: number,
  datasetId: number | null,
  told: RowReject[],
): Promise<{ rejectId: number; sheet: string | null; line: number }[]> {
  if (told.length === 0) return []
  const { rows } = await client.query<{ reject_id: number; sheet: string | null; line: number }>(
    `update dba.reject r
     set state = 'open', run_id = $2, dataset_id = $3, column_name = t.column, value = t.value, rule = t.rule, message = t.message
     from jsonb_to_recordset($4::jsonb) as t (sheet text, line bigint, "column" text, value text, rule text, message text)
     where r.file_id = $1 and r.sheet is not distinct from t.sheet and r.line = t.line and r.fixed is not null and r.state <> 'dismissed'
     returning r.reject_id, r.sheet, r.line`,
    [fileId, runId, datasetId, JSON.stringify(told.map(({ raw: _, ...reject }) => reject))],
  )
  return rows.map((row) => ({ rejectId: row.reject_id, sheet: row.sheet, line: Number(row.line) }))
}

async function insertRejects(
  client: ClientBase,
  { runId }: LedgerDeps,
  fileId: number,
  datasetId: number | null,
  rejects: RowReject[],
): Promise<void> {
  for (let start = 0; start < rejects.length; start += ROWS_AT_ONCE) {
    await client.query(
      `insert into dba.reject (run_id, file_id, dataset_id, sheet, line, column_name, value, rule, message, raw)
       select $1, $2, $3, sheet, line, "column", value, rule, message, raw
       from jsonb_to_recordset($4::jsonb) as t (sheet text, line bigint, "column" text, value text, rule text, message text, raw jsonb)`,
      [runId, fileId, datasetId, JSON.stringify(rejects.slice(start, start + ROWS_AT_ONCE))],
    )
  }
}

/** What a person wrote into `fixed`, as a file would have it. */
export function textsOf(values: Record<string, unknown>): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(values).map(([header, value]) => [header, value === null || value === undefined ? null : String(value)]),
  )
}

function placeOf({ sheet, line }: { sheet: string | null; line: number }): string {
  return `${line} ${sheet ?? ''}`
}
