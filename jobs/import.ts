// jobs/import.ts: a file is loaded as one dataset in one transaction and known by its bytes, so a second run of the same files changes nothing.
import { join } from 'node:path'
import { type CheckContext, type CheckResult, defineJob } from '../src/job/define-job.ts'
import type { Keeping, TakenFile } from '../src/job/ledgers.ts'
import { ownerRole } from '../src/job/load-rows.ts'
import type { Outcome } from '../src/job/outcome.ts'
import { doneFilePath } from '../systemscripts/settled-files.ts'
import { targetTrouble } from '../systemscripts/table-loader.ts'
import { expectedBytes, fileNotFound, findFiles, matchingFiles } from './import/find-files.ts'
import { writeCsvs } from './import/keep-csv.ts'
import { dryRunFile, type ImportContext, joinCorrections, loadFile } from './import/load-file.ts'
import { type ImportSettings, readSettings } from './import/settings.ts'

export default defineJob({
  name: 'import',
  config: readSettings,
  check: lookAhead,
  async run(context) {
    const { config: settings, datasets, files, folder, progress, signal } = context
    if (settings.dryRunId !== null) return await dryRun(context)
    await files.finishEarlier((path) => keepingOf(context, path))
    const fixedFiles = await datasets.fixedRows()
    for (const fixed of fixedFiles) await joinCorrections(context, fixed)
    let bytesLeft = await expectedBytes(settings, folder(settings.sourceFolder), signal)
    const bytesAll = bytesLeft
    for await (const file of findFiles({ ...context, settings })) {
      const tell = (rowsRead: number) =>
        progress(bytesAll > 0 ? 1 - bytesLeft / bytesAll : null, `${file.name}: ${rowsRead.toLocaleString('en')} rows`)
      await files.take(file, keepingOf(context, file.path), (taken) => bringIn(context, taken, tell))
      bytesLeft = Math.max(0, bytesLeft - file.sizeBytes)
    }
    const noFile = `No file matches ${settings.file ?? join(folder(settings.sourceFolder), settings.filePattern)}.`
    const fixedRows = fixedFiles.reduce((sum, { rows }) => sum + rows.length, 0)
    return await files.outcome(fixedRows === 0 ? noFile : `${fixedRows} corrected rows were taken up; dba.reject says what became of them.`)
  },
})

async function bringIn(context: ImportContext, file: TakenFile, onRows: (rowsRead: number) => void): Promise<void> {
  const { config: settings, files } = context
  if (settings.keepCsv) await writeCsvs(context, file)
  if (settings.targetTable === null) return await files.store(file)
  await loadFile(context, file, onRows)
}

/** Nothing is taken, moved or loaded. */
async function dryRun(context: ImportContext): Promise<Outcome> {
  for await (const file of findFiles({ ...context, settings: context.config })) {
    const dryRunId = await dryRunFile(context, { ...file, bytesAt: file.path })
    return {
      note: `The answer stands in dba.dryrun: select * from dba.dryrunrow where dryrun_id = ${dryRunId};`,
      result: { dryrun_id: dryRunId },
    }
  }
  throw fileNotFound(context.config.file ?? context.config.sourceFolder)
}

function keepingOf({ config: { archiveFolder, failedFolder, doneFile }, folder }: ImportContext, path: string): Keeping {
  const keeping = { archiveFolder: folder(archiveFolder), failedFolder: folder(failedFolder) }
  return doneFile === null ? keeping : { ...keeping, doneFile: doneFilePath({ path }, doneFile) }
}

async function lookAhead({ config: settings, query, folder, host, signal }: CheckContext<ImportSettings>): Promise<CheckResult> {
  const source = folder(settings.sourceFolder)
  const found = await matchingFiles(settings, source, signal)
  const trouble =
    settings.targetTable === null
      ? null
      : await targetTrouble(query, {
          target: settings.targetTable,
          datasetColumn: settings.datasetColumn,
          policy: settings.policy,
          columns: settings.rules.columns,
          sourceZone: settings.sourceZone,
          ownerRole,
        })
  const count = found.length === 1 ? '1 file matches' : `${found.length === 0 ? 'no' : found.length} files match`
  const message = `${found.length === 0 ? 'no file matches' : count} now on host ${host}`
  return { isOk: trouble === null, message: trouble === null ? message : `${trouble} (${message})` }
}
