/** How jobs bring files into tables: what `systemscripts/table-loader.ts` does, with the ledgers of a run. */
import type { NameRule } from '../../systemscripts/column-names.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { Table } from '../../systemscripts/table.ts'
import type { DriftPolicy } from '../../systemscripts/table-loader/drift.ts'
import type { LoadMode, TablesLoaded } from '../../systemscripts/table-loader/load.ts'
import { loadTables } from '../../systemscripts/table-loader.ts'
import type { JobContext } from './define-job.ts'
import type { DatasetFacts, FixedRows, LoadRules, LoadWork, TakenFile } from './ledgers.ts'

/** Owner of the tables that data is loaded into. */
export const ownerRole = 'rota_target'

/** What a settings table says of loading. */
export interface LoadSettings {
  nameRule: NameRule
  /** Null: nothing is loaded. */
  targetTable: string | null
  policy: DriftPolicy
  mode: LoadMode
  keyColumns: string[]
  onDuplicateKey: 'fail' | 'last' | 'first'
  /** Null: no limit. */
  maxRejects: number | null
  maxRejectPercent: number | null
  datasource: string
  datasettype: string
  datasetColumn: string
  sourceZone: string
  emptyWhen: RegExp | null
  /** What people wrote about columns and rows. */
  rules: LoadRules
}

export type LoadContext = Pick<JobContext<LoadSettings>, 'config' | 'connections' | 'datasets' | 'log' | 'signal'>

/** A file as one dataset. */
export interface FileToLoad {
  name: string
  /** Opens it anew each time. */
  open(): AsyncIterable<Table>
  label: string
  /** As `yyyy-mm-dd`. */
  datasetDate: string
  /** Told how many rows have been read, now and then. */
  onRows?: (rowsRead: number) => void
}

/** Loads a file as one dataset, and says how it met its target. @throws those of the file's reader and of loadTables */
export async function loadRows(context: LoadContext, file: TakenFile, what: FileToLoad): Promise<TablesLoaded> {
  const facts = factsOf(context, what)
  const loaded = await context.datasets.load(file, facts, loadWork(context, what, facts))
  const { sha256 } = await file.hash
  sayLoaded(context, what.name, loaded, sha256)
  return loaded
}

/** Rows that people corrected since their file was loaded join it. @param open opens the file that they are of */
export async function joinFixedRows(context: LoadContext, fixed: FixedRows, open: () => AsyncIterable<Table>): Promise<void> {
  const what = { name: fixed.fileName, open, label: fixed.label, datasetDate: fixed.datasetDate }
  const loaded = await context.datasets.join(fixed, loadWork(context, what, factsOf(context, what)))
  if (loaded === null) return
  context.log(
    `${fixed.rows.length} corrected rows of file "${fixed.fileName}" were loaded`,
    { rows_written: loaded.rowsInserted + loaded.rowsUpdated, rows_rejected: loaded.rejects.count },
    { step: fixed.fileName },
  )
}

/** What `ctx.datasets` needs beside the file. */
export function factsOf({ config }: LoadContext, { label, datasetDate }: Pick<FileToLoad, 'label' | 'datasetDate'>): DatasetFacts {
  const { datasource, datasettype, targetTable, mode, keyColumns } = config
  if (targetTable === null)
    throw new PermanentError('setting_invalid', 'target_table of the settings is empty', { hint: 'Write schema.table.' })
  return { datasource, datasettype, targetTable, mode, keyColumns, label, datasetDate }
}

export function loadWork({ config, connections, signal }: LoadContext, what: FileToLoad, facts: DatasetFacts): LoadWork {
  const { nameRule, policy, onDuplicateKey, maxRejects, maxRejectPercent, datasetColumn, sourceZone, emptyWhen, rules } = config
  return (host) =>
    loadTables(host, {
      ...rules,
      open: what.open,
      fileName: what.name,
      target: facts.targetTable,
      nameRule,
      policy,
      mode: facts.mode,
      keyColumns: facts.keyColumns,
      onDuplicateKey,
      maxRejects,
      maxRejectPercent,
      datasetColumn,
      label: facts.label,
      date: facts.datasetDate,
      sourceZone,
      emptyWhen,
      ownerRole,
      expressionRole: 'rota_job',
      expressionUrl: connections.jobDatabaseUrl,
      signal,
      ...(what.onRows === undefined ? {} : { onRows: what.onRows }),
    })
}

function sayLoaded({ log, config }: LoadContext, name: string, loaded: TablesLoaded, sha256: string): void {
  for (const { kind, sheet, headerLine, drift } of loaded.tables) {
    const { added, extra, proposed, ignored, missing, renames } = drift
    const facts = { kind, sheet, header_line: headerLine, new_table: loaded.isTargetNew, added, ignored, missing }
    const more = {
      ...(extra.length > 0 ? { extra } : {}),
      ...(proposed.length > 0 ? { proposed } : {}),
      ...(renames.length > 0 ? { renames } : {}),
    }
    const level = ignored.length + renames.length > 0 ? 'warning' : 'info'
    log(`File "${name}" meets ${config.targetTable}`, { ...facts, ...more }, { step: name, level })
  }
  for (const { name: column, type } of loaded.widened) log(`Column "${column}" of ${config.targetTable} became ${type}`, {}, { step: name })
  for (const warning of loaded.warnings) log(warning, {}, { step: name, level: 'warning' })
  const what = { active: 'loaded', empty: 'empty', quarantined: 'quarantined', waiting: 'waiting' }[loaded.state]
  const { rowsInserted, rowsUpdated, rowsSkipped, rejects, reason } = loaded
  log(
    `File "${name}" is ${what}`,
    {
      rows_read: loaded.rowsRead,
      rows_written: rowsInserted + rowsUpdated,
      ...(rowsUpdated > 0 ? { rows_updated: rowsUpdated } : {}),
      ...(rowsSkipped > 0 ? { rows_skipped: rowsSkipped } : {}),
      ...(rejects.count > 0 ? { rows_rejected: rejects.count } : {}),
      ...(reason === null ? {} : { reason }),
      sha256,
    },
    { step: name, level: loaded.state === 'active' || loaded.state === 'empty' ? 'info' : 'warning' },
  )
}
