/** Where files go on disk when they have been dealt with. */
import { access, lstat, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, parse, relative } from 'node:path'
import { type FourFields, JobError } from '../../../systemscripts/errors.ts'
import { moveFile } from '../../../systemscripts/move-file.ts'
import { explainError } from '../../db/explain-error.ts'

/**
 * A name that no other file has: `2026-11-22/prices.17.csv` below the folder, with the day it was met and its number in dba.file.
 *
 * @param day as `yyyy-mm-dd`
 */
export function placeFor(folder: string, { day, name: fileName, fileId }: { day: string; name: string; fileId: number }): string {
  const { name, ext } = parse(fileName)
  return join(folder, day, `${name}.${fileId}${ext}`)
}

export interface PutAway {
  from: string
  place: string
  /** Of the file that is meant (file-face.ts); another one that has taken its name stays. */
  face: string
  /** Goes first: what it stands beside may not be taken again for a file that has arrived. */
  doneFile: string | null
}

/**
 * Moves a file to its place, or, should that be taken, beside it.
 * @returns where it is now; null when it was not there any more
 * @throws JobError with the code of what the operating system said, naming the file
 */
export async function putAway({ from, place, face, doneFile }: PutAway): Promise<string | null> {
  try {
    if (doneFile !== null) await rm(doneFile, { force: true })
    return await moveFile(from, dirname(place), { name: basename(place), face })
  } catch (error) {
    if (error instanceof JobError && (error.code === 'file_missing' || error.code === 'file_changed')) return null
    throw notPutAway(from, place, error)
  }
}

/** Whether a file of that size stands at its place. */
export async function isKept(place: string, sizeBytes: number): Promise<boolean> {
  const stats = await lstat(place).catch(() => null)
  return stats?.isFile() === true && stats.size === sizeBytes
}

export async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

export function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '' && !way.startsWith('..') && !isAbsolute(way)
}

/** Writes the reason beside a file that failed, for people who look into the folder and not into the database. */
export async function writeReason(keptPath: string, fileId: number, { code, message, detail, hint }: FourFields): Promise<void> {
  const again = `To load it again: update dba.file set state = 'retry' where file_id = ${fileId};`
  const lines = [message, detail, hint === null ? null : `What to do: ${hint}`, again, `(${code})`]
  await writeFile(`${keptPath}.reason.txt`, `${lines.filter((line) => line).join('\n')}\n`)
}

export async function removeReason(keptPath: string): Promise<void> {
  await rm(`${keptPath}.reason.txt`, { force: true })
}

/** Those of a file that is not loaded after all. */
export async function removeCsvs(paths: string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true })
}

/** What became of the file stands in the ledger; only its bytes are not where they belong. */
function notPutAway(from: string, place: string, cause: unknown): JobError {
  const { code, message, hint } = explainError(cause)
  return new JobError(code, `File "${basename(from)}" was dealt with and could not be put away`, {
    detail: `From ${from} to ${place}: ${message}`,
    hint: `${hint ?? 'See detail.'} The next run puts it away, and loads nothing twice.`,
    cause,
  })
}
