/** What a load would do, asked for and answered: dba.dryrun and its samples. */
import type { DryrunRow, DryrunrowRow } from '../db/row-types.ts'
import type { Reader } from './overview.ts'

/** What a load would do: a row of dba.dryrun with its samples. */
export type DryRun = Omit<DryrunRow, 'run_id' | 'requested_at' | 'requested_by' | 'finished_at'> & { samples: DryRunSample[] }

export type DryRunSample = Pick<DryrunrowRow, 'kind' | 'sheet' | 'line' | 'column_name' | 'rule' | 'message'> & {
  data: Record<string, unknown>
  former: Record<string, unknown> | null
}

/** Has a file loaded by a config, at once. @returns the run */
export async function requestImport({ query }: Reader, config: string, file: string, reason: string | null): Promise<string> {
  const [row] = await query<{ run_id: string }>('select dba.request_import($1, $2, $3) as run_id', [config, file, reason])
  return row?.run_id ?? ''
}

/** Asks what a load of a file would do; the run answers. */
export async function requestDryRun({ query }: Reader, config: string, file: string): Promise<{ dryRunId: number; runId: string }> {
  const [row] = await query<{ dryrun_id: number }>('select dba.request_dry_run($1, $2) as dryrun_id', [config, file])
  const dryRunId = row?.dryrun_id ?? 0
  const [dryRun] = await query<{ run_id: string }>('select run_id from dba.dryrun where dryrun_id = $1', [dryRunId])
  return { dryRunId, runId: dryRun?.run_id ?? '' }
}

export async function readDryRun({ query }: Reader, dryRunId: number): Promise<DryRun> {
  const [found] = await query<Omit<DryRun, 'samples'>>(
    `select dryrun_id, config_name, file, state, message, target_table, is_target_new, label, dataset_date::text as dataset_date, columns_to_add,
       columns_ignored, columns_missing, ddl, rows_read, rows_insert, rows_update, rows_skip, rows_delete, rows_reject
     from dba.dryrun where dryrun_id = $1`,
    [dryRunId],
  )
  if (found === undefined) throw new Error(`dba.dryrun has no row ${dryRunId}`)
  const samples = await query<DryRunSample>(
    'select kind, sheet, line, data, former, column_name, rule, message from dba.dryrunrow where dryrun_id = $1 order by row_id',
    [dryRunId],
  )
  return { ...found, samples }
}
