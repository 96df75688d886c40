import type { JobContext } from '../../src/job/define-job.ts'
import type { DatasetFacts, FixedRows, LoadWork, ReadableFile, TakenFile } from '../../src/job/ledgers.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { openTables } from '../../systemscripts/read-table.ts'
import type { TablesLoaded } from '../../systemscripts/table-loader/load.ts'
import { loadTables } from '../../systemscripts/table-loader.ts'
import { labelAndDate } from './dataset-of.ts'
import type { ImportSettings } from './settings.ts'

/** Owner of the tables that data is loaded into. */
export const ownerRole = 'rota_target'

export type ImportContext = JobContext<ImportSettings>

/** Loads a file as one dataset. @throws those of the file's reader, of labelAndDate and of loadTables */
export async function loadFile(context: ImportContext, file: TakenFile, onRows: (rowsRead: number) => void): Promise<void> {
  const { datasets, log } = context
  const facts = await factsOf(context, file)
  log(`Reading file "${file.name}"`, { size_bytes: file.sizeBytes, label: facts.label, date: facts.datasetDate }, { step: file.name })
  const loaded = await datasets.load(file, facts, workOn(context, { name: file.name, bytesAt: file.bytesAt }, facts, onRows))
  const { sha256 } = await file.hash
  sayLoaded(context, file.name, loaded, sha256)
}

/** Rows that people corrected since their file was loaded join it. */
export async function joinFixedRows(context: ImportContext, fixed: FixedRows): Promise<void> {
  const { datasets, log } = context
  const facts = { ...planFacts(context.config), label: fixed.label, datasetDate: fixed.datasetDate }
  const work = workOn(context, { name: fixed.fileName, bytesAt: fixed.keptPath }, facts, () => {})
  const loaded = await datasets.join(fixed, work)
  if (loaded === null) return
  log(
    `${fixed.rows.length} corrected rows of file "${fixed.fileName}" were loaded`,
    { rows_written: loaded.rowsInserted + loaded.rowsUpdated, rows_rejected: loaded.rejects.count },
    { step: fixed.fileName },
  )
}

/** Answers what would become of a file. */
export async function dryRunFile(context: ImportContext, file: ReadableFile): Promise<number> {
  const facts = await factsOf(context, file)
  const request = { dryRunId: context.config.dryRunId, file: file.path }
  return await context.datasets.dryRun(
    request,
    facts,
    workOn(context, { name: file.name, bytesAt: file.bytesAt }, facts, () => {}),
  )
}

function workOn(
  { config: settings, connections, signal }: ImportContext,
  { name, bytesAt }: { name: string; bytesAt: string },
  facts: DatasetFacts,
  onRows: (rowsRead: number) => void,
): LoadWork {
  const { nameRule, policy, mode, keyColumns, onDuplicateKey, maxRejects, maxRejectPercent, datasetColumn, sourceZone, emptyWhen } =
    settings
  return (host) =>
    loadTables(host, {
      ...settings.rules,
      open: () => openTables(bytesAt, { ...settings.reading, signal }),
      fileName: name,
      target: facts.targetTable,
      nameRule,
      policy,
      mode,
      keyColumns,
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
      onRows,
    })
}

async function factsOf({ config: settings, folder, run, signal }: ImportContext, file: ReadableFile): Promise<DatasetFacts> {
  const today = typeof run.args.as_of === 'string' ? new Date(run.args.as_of) : new Date()
  return { ...planFacts(settings), ...(await labelAndDate(file, settings, folder(settings.sourceFolder), today, signal)) }
}

function planFacts({
  datasource,
  datasettype,
  targetTable,
  mode,
  keyColumns,
}: ImportSettings): Omit<DatasetFacts, 'label' | 'datasetDate'> {
  if (targetTable === null)
    throw new PermanentError('setting_invalid', 'target_table of dba.importconfig is empty', { hint: 'Write schema.table.' })
  return { datasource, datasettype, targetTable, mode, keyColumns }
}

function sayLoaded({ log, config }: ImportContext, name: string, loaded: TablesLoaded, sha256: string): void {
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
