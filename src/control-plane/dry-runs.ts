/** What a load would do, asked for and answered: dba.dryrun and its samples. */
import type { Reader } from './overview.ts'

/** What a load would do: a row of dba.dryrun with its samples. */
export interface DryRun {
  dryrun_id: number
  config_name: string
  file: string
  state: 'requested' | 'running' | 'done' | 'failed'
  message: string | null
  target_table: string | null
  is_target_new: boolean | null
  label: string | null
  dataset_date: string | null
  columns_to_add: unknown
  columns_ignored: string[] | null
  columns_missing: string[] | null
  ddl: string | null
  rows_read: number | null
  rows_insert: number | null
  rows_update: number | null
  rows_skip: number | null
  rows_delete: number | null
  rows_reject: number | null
  samples: DryRunSample[]
}

export interface DryRunSample {
  kind: 'insert' | 'update' | 'skip' | 'delete' | 'reject'
  sheet: string | null
  line: number | null
  data: Record<string, unknown>
  former: Record<string, unknown> | null
  column_name: string | null
  rule: string | null
  message: string | null
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
  const samples = await query<DryRunSample & Record<string, unknown>>(
    'select kind, sheet, line, data, former, column_name, rule, message from dba.dryrunrow where dryrun_id = $1 order by row_id',
    [dryRunId],
  )
  return { ...found, samples }
}
