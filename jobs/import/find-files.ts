import { lstat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Log, RunFacts } from '../../src/job/define-job.ts'
import type { ArrivedFile, FileLedger } from '../../src/job/ledgers.ts'
import { arrivingFiles } from '../../systemscripts/arriving-files.ts'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import { doneFilePath, type FoundFile, listMatchingFiles } from '../../systemscripts/settled-files.ts'
import type { ImportSettings } from './settings.ts'

export interface Finding {
  settings: ImportSettings
  run: Pick<RunFacts, 'trigger'>
  folder(path: string): string
  files: FileLedger
  log: Log
  signal: AbortSignal
}

/**
 * The files of a run, as they settle: what people want loaded again, then what has arrived. A run for one file gives that one only.
 *
 * @throws PermanentError `folder_missing`, `file_not_found`, `file_pattern_invalid`; JobError `done_file_missing`
 */
export async function* findFiles(finding: Finding): AsyncGenerator<ArrivedFile> {
  const { settings, folder, files, log, signal } = finding
  if (settings.file !== null) {
    yield* findOne(finding, folder(settings.file))
    return
  }
  yield* await files.toRetry()
  const search = { ...searchOf(settings), settleSeconds: settings.settleSeconds, doneFile: settings.doneFile, signal }
  const left = (file: FoundFile) =>
    log(
      `File "${file.name}" goes on changing and is left for the next run`,
      { size_bytes: file.sizeBytes },
      { step: file.name, level: 'warning' },
    )
  try {
    for await (const file of arrivingFiles(folder(settings.sourceFolder), search, left)) yield arrived(file)
  } catch (error) {
    throw error instanceof JobError && error.code === 'folder_missing' ? folderMissing(error, folder(settings.sourceFolder)) : error
  }
}

/** What matches now, settled or not. @throws JobError `folder_missing`; PermanentError `file_pattern_invalid` */
export async function matchingFiles(settings: ImportSettings, folder: string, signal: AbortSignal): Promise<FoundFile[]> {
  return await listMatchingFiles(folder, { ...searchOf(settings), signal })
}

/** Size of what matches now, for the progress of a run; 0 when it is not known. */
export async function expectedBytes(settings: ImportSettings, folder: string, signal: AbortSignal): Promise<number> {
  if (settings.file !== null) return 0
  const found = await matchingFiles(settings, folder, signal).catch(() => [])
  return found.reduce((sum, file) => sum + file.sizeBytes, 0)
}

/** A folder that is not there is a wrong setting rather than a bad moment: a lost network drive leaves its mount point. */
export function folderMissing(cause: unknown, folder: string): PermanentError {
  return new PermanentError('folder_missing', `Folder "${folder}" does not exist`, {
    hint: 'Create it, mount it, or correct source_folder in dba.importconfig.',
    cause,
  })
}

function searchOf({ filePattern, patternKind, recurse, orderBy }: ImportSettings) {
  return { pattern: filePattern, patternKind, recurse, orderBy }
}

/** Whoever fired the run has seen it settle. The file that was named may be the done-file of the one that is meant. */
async function* findOne({ settings, run, files, log, signal }: Finding, path: string): AsyncGenerator<ArrivedFile> {
  const { doneFile } = settings
  if (doneFile !== null) {
    const beside = await listMatchingFiles(dirname(path), { ...searchOf(settings), recurse: false, signal }).catch(() => [])
    const meant = beside.find((file) => file.path === path || doneFilePath(file, doneFile) === path)
    if (meant !== undefined) {
      if (!(await isPlainFile(doneFilePath(meant, doneFile)))) throw doneFileMissing(meant, doneFile)
      yield arrived(meant)
      return
    }
  }
  const stats = await lstat(path).catch(() => null)
  if (stats?.isFile()) {
    yield { path, name: basename(path), sizeBytes: stats.size, modifiedAt: stats.mtime }
    return
  }
  const metBy = await files.metBy(path)
  // Two things may see the same file arrive; a person means one that is there.
  if (metBy === null || (metBy === 'another run' && run.trigger !== 'file')) throw fileNotFound(path, metBy !== null)
  log(`File "${basename(path)}" was dealt with by ${metBy === 'this run' ? 'an earlier attempt' : 'another run'}`, { path })
}

async function isPlainFile(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isFile() === true
}

function arrived({ path, sizeBytes, modifiedAt }: FoundFile): ArrivedFile {
  return { path, name: basename(path), sizeBytes, modifiedAt }
}

function doneFileMissing(file: FoundFile, doneFile: string): JobError {
  return new JobError('done_file_missing', `File "${file.name}" has no done-file beside it yet`, {
    detail: `Looked for ${doneFilePath(file, doneFile)}.`,
    hint: 'Let on_file of the schedule wait for the done-file instead of the file.',
  })
}

export function fileNotFound(path: string, wasMet = false): PermanentError {
  return new PermanentError('file_not_found', `File "${path}" does not exist`, {
    ...(wasMet
      ? { detail: `A file of that name was dealt with before: select * from dba.file where path = '${path.replaceAll("'", "''")}'.` }
      : {}),
    hint: 'Correct file in the args of the request: an absolute path, or one below the data folder.',
  })
}
