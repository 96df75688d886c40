/** Rows that people corrected after their file was loaded: they join its dataset. */
import type { ClientBase } from 'pg'
import { JobError, PermanentError } from '../../../systemscripts/errors.ts'
import type { LoadHost, TablesLoaded } from '../../../systemscripts/table-loader/load.ts'
import type { FixedRows, LoadWork } from '../../job/ledgers.ts'
import { reasonOf } from '../files/end-file.ts'
import { isFaultOfFile } from '../files/fault.ts'
import type { LedgerDeps } from '../files/ledger-deps.ts'
import { reopen, textsOf } from '../rejects.ts'
import { stagingFor } from './staging.ts'

/** At once; what is left over joins with the next run. */
const MOST_ROWS = 10_000

export async function fixedRows({ pool, job, configName }: LedgerDeps): Promise<FixedRows[]> {
  const { rows } = await pool.query<FixedRow>(
    `select f.file_id, f.file_name, f.kept_path, d.dataset_id, d.label, to_char(d.dataset_date, 'YYYY-MM-DD') as dataset_date, r.sheet, r.line, r.raw || r.fixed as values
     from dba.reject r
     join dba.file f on f.file_id = r.file_id
     join dba.dataset d on d.dataset_id = f.dataset_id
     where r.state = 'retry' and r.line is not null and f.job = $1 and f.config_name is not distinct from $2
       and f.state = 'loaded' and f.kept_path is not null and d.state = 'active'
     order by f.file_id, r.reject_id
     limit $3`,
    [job, configName, MOST_ROWS],
  )
  const files = Map.groupBy(rows, ({ file_id: fileId }) => fileId)
  return [...files.values()].flatMap((ofFile) => {
    const [first] = ofFile
    if (first === undefined) return []
    const { file_id: fileId, file_name: fileName, kept_path: keptPath, dataset_id: datasetId, label, dataset_date: datasetDate } = first
    const fixed = ofFile.map(({ sheet, line, values }) => ({ sheet, line: Number(line), values: textsOf(values) }))
    return [{ fileId, fileName, keptPath, datasetId, label, datasetDate, rows: fixed }]
  })
}

/** Another run was faster, or the dataset is no longer in force. */
class NothingToJoin extends Error {
  override name = 'NothingToJoin'
}

export async function join(deps: LedgerDeps, fixed: FixedRows, work: LoadWork): Promise<TablesLoaded | null> {
  try {
    return await work(hostOf(deps, fixed))
  } catch (error) {
    deps.signal.throwIfAborted()
    if (error instanceof NothingToJoin) return null
    if (!(error instanceof PermanentError) && !isFaultOfFile(error)) throw error
    await deps.transaction((client) => reopenAll(client, fixed, reasonOf(error)))
    deps.log(
      `Corrected rows of file "${fixed.fileName}" could not join it: ${error instanceof Error ? error.message : ''}`,
      { file_id: fixed.fileId },
      { step: fixed.fileName, level: 'error' },
    )
    return null
  }
}

function hostOf(deps: LedgerDeps, fixed: FixedRows): LoadHost {
  return {
    datasetId: fixed.datasetId,
    staging: stagingFor('join', fixed.datasetId),
    corrections: [],
    dismissed: [],
    refusedColumns: [],
    refusedWidths: [],
    isTableRefused: false,
    only: fixed.rows,
    isDryRun: false,
    prepare: deps.transaction,
    formerCounts: async () => [],
    commit: (work) =>
      deps.transaction(async (client) => {
        await lockDataset(client, fixed)
        const rejects = await lockRejects(client, fixed)
        const loaded = await work(client, async () => 0)
        if (loaded.rowsRead !== fixed.rows.length) throw rowsNotPlaced(fixed, loaded.rowsRead)
        await settle(client, deps, fixed, rejects, loaded)
        return loaded
      }),
  }
}

async function lockDataset(client: ClientBase, { datasetId }: FixedRows): Promise<void> {
  const { rowCount } = await client.query(`select from dba.dataset where dataset_id = $1 and state = 'active' for no key update`, [
    datasetId,
  ])
  if (rowCount !== 1) throw new NothingToJoin()
}

/** @returns their numbers */
async function lockRejects(client: ClientBase, { fileId, rows, fileName }: FixedRows): Promise<number[]> {
  const { rows: found } = await client.query<{ reject_id: number; values: Record<string, unknown>; sheet: string | null; line: number }>(
    `select r.reject_id
     from dba.reject r
     join jsonb_to_recordset($2::jsonb) as t (sheet text, line bigint, values jsonb) on r.line = t.line and r.sheet is not distinct from t.sheet
     where r.file_id = $1 and r.state = 'retry'
     for update of r`,
    [fileId, JSON.stringify(rows)],
  )
  if (found.length === 0) throw new NothingToJoin()
  if (found.length !== rows.length) {
    throw new JobError('rejects_changed', `Rejected rows of file "${fileName}" were changed while they were being loaded`, {
      hint: 'Nothing to do: it is tried again.',
    })
  }
  return found.map((row) => row.reject_id)
}

async function settle(
  client: ClientBase,
  deps: LedgerDeps,
  { fileId, datasetId }: FixedRows,
  rejects: number[],
  loaded: TablesLoaded,
): Promise<void> {
  const reopened = await reopen(client, deps, fileId, datasetId, loaded.rejects.told)
  const joined = rejects.filter((rejectId) => !reopened.some((again) => again.rejectId === rejectId))
  await client.query(`update dba.reject set state = 'loaded', dataset_id = $2 where reject_id = any ($1)`, [joined, datasetId])
  await client.query(
    `update dba.dataset set rows_written = rows_written + $2, rows_rejected = greatest(rows_rejected - $3, 0) where dataset_id = $1`,
    [datasetId, loaded.rowsInserted + loaded.rowsUpdated, joined.length],
  )
}

async function reopenAll(client: ClientBase, { fileId, rows }: FixedRows, reason: string): Promise<void> {
  await client.query(
    `update dba.reject r
     set state = 'open', rule = 'not_joined', message = $3
     from jsonb_to_recordset($2::jsonb) as t (sheet text, line bigint)
     where r.file_id = $1 and r.state = 'retry' and r.line = t.line and r.sheet is not distinct from t.sheet`,
    [fileId, JSON.stringify(rows.map(({ sheet, line }) => ({ sheet, line }))), reason],
  )
}

function rowsNotPlaced({ fileName, rows }: FixedRows, rowsRead: number): PermanentError {
  return new PermanentError(
    'rows_not_placed',
    `${rows.length - rowsRead} of ${rows.length} corrected rows belong to no sheet of "${fileName}"`,
    {
      hint: 'See sheet in dba.importconfig: it was another one when the rows were refused.',
    },
  )
}

interface FixedRow {
  file_id: number
  file_name: string
  kept_path: string
  dataset_id: number
  label: string
  dataset_date: string
  sheet: string | null
  line: number
  values: Record<string, unknown>
}
