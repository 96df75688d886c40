// jobs/import.ts: a file is loaded as one dataset in one transaction and known by its bytes, so a second run of the same files changes nothing.
import { join } from 'node:path'
import { type CheckContext, type CheckResult, defineJob, type JobContext } from '../src/job/define-job.ts'
import type { Keeping, TakenFile } from '../src/job/ledgers.ts'
import { columnNames } from '../systemscripts/column-names.ts'
import { readTable } from '../systemscripts/read-table.ts'
import { doneFilePath } from '../systemscripts/settled-files.ts'
import { loadTable, targetTrouble } from '../systemscripts/table-loader.ts'
import { datasetOf } from './import/dataset-of.ts'
import { expectedBytes, findFiles, matchingFiles } from './import/find-files.ts'
import { type ImportSettings, readSettings } from './import/settings.ts'

/** Owner of the tables that data is loaded into. */
const ownerRole = 'rota_target'

export default defineJob({
  name: 'import',
  config: readSettings,
  check: lookAhead,
  async run(context) {
    const { config: settings, files, folder, progress, signal } = context
    let bytesLeft = await expectedBytes(settings, folder(settings.sourceFolder), signal)
    const bytesAll = bytesLeft
    for await (const file of findFiles({ ...context, settings })) {
      const tell = (rowsRead: number) =>
        progress(bytesAll > 0 ? 1 - bytesLeft / bytesAll : null, `${file.name}: ${rowsRead.toLocaleString('en')} rows`)
      await files.take(file, keepingOf(context, file.path), (taken) => loadFile(context, taken, tell))
      bytesLeft = Math.max(0, bytesLeft - file.sizeBytes)
    }
    return await files.outcome(`No file matches ${settings.file ?? join(folder(settings.sourceFolder), settings.filePattern)}.`)
  },
})

async function loadFile(context: JobContext<ImportSettings>, file: TakenFile, onRows: (rowsRead: number) => void): Promise<void> {
  const { config: settings, datasets, folder, log, run, signal } = context
  const today = typeof run.args.as_of === 'string' ? new Date(run.args.as_of) : new Date()
  const facts = datasetOf(file, settings, folder(settings.sourceFolder), today)
  log(
    `Reading file "${file.name}"`,
    { size_bytes: file.sizeBytes, sha256: file.sha256, label: facts.label, date: facts.datasetDate },
    { step: file.name },
  )
  const table = await readTable(file.bytesAt, { ...settings.reading, signal })
  try {
    const loaded = await datasets.load(file, facts, async (client, dataset) => {
      const done = await loadTable(client, {
        table,
        columns: columnNames(table.headers, settings.nameRule),
        fileName: file.name,
        target: settings.targetTable,
        policy: settings.policy,
        ...dataset,
        datasetColumn: settings.datasetColumn,
        label: facts.label,
        date: facts.datasetDate,
        emptyWhen: settings.emptyWhen,
        ownerRole,
        signal,
        onRows,
      })
      const { added = [], ignored = [], missing = [] } = done.drift ?? {}
      log(
        `File "${file.name}" meets ${settings.targetTable}`,
        { kind: table.kind, sheet: table.sheet, header_line: table.headerLine, new_table: done.isTargetNew, added, ignored, missing },
        { step: file.name, level: ignored.length > 0 ? 'warning' : 'info' },
      )
      return done
    })
    log(
      `File "${file.name}" is ${loaded.state === 'empty' ? 'empty' : 'loaded'}`,
      { rows_read: loaded.rowsRead, rows_written: loaded.rowsWritten, ...(loaded.reason === undefined ? {} : { reason: loaded.reason }) },
      { step: file.name },
    )
  } finally {
    await table.close()
  }
}

function keepingOf({ config: { archiveFolder, failedFolder, doneFile }, folder }: JobContext<ImportSettings>, path: string): Keeping {
  const keeping = { archiveFolder: folder(archiveFolder), failedFolder: folder(failedFolder) }
  return doneFile === null ? keeping : { ...keeping, doneFile: doneFilePath({ path }, doneFile) }
}

async function lookAhead({ config: settings, query, folder, host, signal }: CheckContext<ImportSettings>): Promise<CheckResult> {
  const source = folder(settings.sourceFolder)
  const found = await matchingFiles(settings, source, signal)
  const trouble = await targetTrouble(query, {
    target: settings.targetTable,
    datasetColumn: settings.datasetColumn,
    policy: settings.policy,
    ownerRole,
  })
  const count = found.length === 1 ? '1 file matches' : `${found.length === 0 ? 'no' : found.length} files match`
  const message = `${found.length === 0 ? 'no file matches' : count} now on host ${host}`
  return { isOk: trouble === null, message: trouble === null ? message : `${trouble} (${message})` }
}
