import type { JobContext } from '../../src/job/define-job.ts'
import type { FixedRows, ReadableFile, TakenFile } from '../../src/job/ledgers.ts'
import { type FileToLoad, factsOf, joinFixedRows, loadRows, loadWork } from '../../src/job/load-rows.ts'
import { openTables } from '../../systemscripts/read-table.ts'
import { labelAndDate } from './dataset-of.ts'
import type { ImportSettings } from './settings.ts'

export type ImportContext = JobContext<ImportSettings>

/** Loads a file as one dataset. @throws those of the file's reader, of labelAndDate and of loadTables */
export async function loadFile(context: ImportContext, file: TakenFile, onRows: (rowsRead: number) => void): Promise<void> {
  const what = { ...(await fileToLoad(context, file)), onRows }
  const { name, label, datasetDate } = what
  context.log(`Reading file "${name}"`, { size_bytes: file.sizeBytes, label, date: datasetDate }, { step: name })
  await loadRows(context, file, what)
}

/** Rows that people corrected since their file was loaded join it. */
export async function joinCorrections(context: ImportContext, fixed: FixedRows): Promise<void> {
  await joinFixedRows(context, fixed, tablesAt(context, fixed.keptPath))
}

/** Answers what would become of a file. */
export async function dryRunFile(context: ImportContext, file: ReadableFile): Promise<number> {
  const what = await fileToLoad(context, file)
  const facts = factsOf(context, what)
  return await context.datasets.dryRun({ dryRunId: context.config.dryRunId, file: file.path }, facts, loadWork(context, what, facts))
}

async function fileToLoad(context: ImportContext, file: ReadableFile): Promise<FileToLoad> {
  const { config: settings, files, folder, run, signal } = context
  const today = typeof run.args.as_of === 'string' ? new Date(run.args.as_of) : new Date()
  const origin = () => files.origin(file)
  const labelled = await labelAndDate(file, settings, { sourceFolder: folder(settings.sourceFolder), today, origin, signal })
  return { name: file.name, open: tablesAt(context, file.bytesAt), ...labelled }
}

function tablesAt({ config, signal }: ImportContext, path: string) {
  return () => openTables(path, { ...config.reading, signal })
}
