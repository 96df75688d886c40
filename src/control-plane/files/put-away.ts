/** Where files go on disk when they have been dealt with. */
import { access, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, parse, relative } from 'node:path'
import type { FourFields } from '../../../systemscripts/errors.ts'
import { moveFile } from '../../../systemscripts/move-file.ts'

/**
 * A name that no other file has: `2026-11-22/prices.17.csv` below the folder, with the day it was dealt with and its number in dba.file.
 *
 * @param day as `yyyy-mm-dd`
 */
export function placeFor(folder: string, { day, name: fileName, fileId }: { day: string; name: string; fileId: number }): string {
  const { name, ext } = parse(fileName)
  return join(folder, day, `${name}.${fileId}${ext}`)
}

/** Moves a file to its place, or, should that be taken, beside it. @returns where it is now; null when it was not there */
export async function putAway(from: string, place: string): Promise<string | null> {
  if (!(await isThere(from))) return (await isThere(place)) ? place : null
  return await moveFile(from, dirname(place), { name: basename(place) })
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
