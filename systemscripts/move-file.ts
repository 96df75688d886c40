import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import { copyFile, link, lstat, mkdir, open, realpath, rename, unlink, utimes } from 'node:fs/promises'
import { basename, dirname, join, parse } from 'node:path'
import { PermanentError } from './errors.ts'
import { hashFile } from './hash-file.ts'

/**
 * Moves a plain file into a folder, which is made when missing, and gives its new path. Under its own name, or, where that is taken, as
 * `name_2.ext`, `name_3.ext` …: no file is ever overwritten, also when several processes move at once.
 *
 * The whole file appears under the new name or nothing does. Killed in the middle it leaves both names or only the old one; a second run
 * then finishes the move and gives the same path. Across file systems the bytes are copied under a hidden name, written to disk, and only
 * then named; there a file of the same name and the same bytes counts as already moved. A file that is there already stays as it is.
 *
 * @param options.name another name in the new folder. Default: its own.
 * @throws PermanentError `file_missing`, `file_not_plain`
 */
export async function moveFile(path: string, folder: string, options: { name?: string } = {}): Promise<string> {
  const source = await statPlainFile(path)
  const name = options.name ?? basename(path)
  await mkdir(folder, { recursive: true })
  const here = join(await realpath(dirname(path)), basename(path))
  if (here === join(await realpath(folder), name)) return path
  const copy = join(folder, `.${randomUUID()}.part`)
  try {
    return await placeUnderFreeName(path, folder, name, (taken) => isSameFile(source, taken))
  } catch (error) {
    if (!hasCode(error, 'EXDEV')) throw error
    await copyToDisk(path, copy, source)
    const moved = await placeUnderFreeName(copy, folder, name, (taken) => hasSameBytes(copy, taken))
    await unlinkIfThere(path)
    return moved
  } finally {
    await unlinkIfThere(copy)
  }
}

async function statPlainFile(path: string): Promise<Stats> {
  try {
    const stats = await lstat(path)
    if (stats.isFile()) return stats
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT', 'ENOTDIR')) throw cause
    throw new PermanentError('file_missing', `File "${basename(path)}" is not there to be moved`, {
      detail: `Looked for ${path}.`,
      hint: 'See whether somebody took it, or another run moved it.',
      cause,
    })
  }
  throw new PermanentError('file_not_plain', `"${basename(path)}" is no plain file, so it is not moved`, {
    detail: `${path} is a folder, a symbolic link or a device.`,
    hint: 'Put a copy of the file itself there.',
  })
}

/** Names the file in the folder, then takes the old name away. A name that `isDone` knows is one that an earlier try already gave. */
async function placeUnderFreeName(
  path: string,
  folder: string,
  name: string,
  isDone: (taken: string) => Promise<boolean>,
): Promise<string> {
  const { name: stem, ext } = parse(name)
  for (let number = 1; ; number += 1) {
    const candidate = join(folder, number === 1 ? name : `${stem}_${number}${ext}`)
    if (!(await takeName(path, candidate)) && !(await isDone(candidate))) continue
    await unlinkIfThere(path)
    return candidate
  }
}

/**
 * Gives the file a second name, as a hard link: that refuses a name that is taken, which a rename would overwrite. Where the file system has
 * no links, an empty file of that name is made first, which only one process can, and the rename goes over it.
 * @returns false when the name is taken
 */
async function takeName(path: string, candidate: string): Promise<boolean> {
  try {
    await link(path, candidate)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw error
  }
  try {
    await (await open(candidate, 'wx')).close()
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
  try {
    await rename(path, candidate)
    return true
  } catch (error) {
    await unlinkIfThere(candidate)
    throw error
  }
}

async function copyToDisk(path: string, copy: string, source: Stats): Promise<void> {
  await copyFile(path, copy)
  await utimes(copy, source.atime, source.mtime)
  const file = await open(copy, 'r+')
  await file.sync().finally(() => file.close())
}

async function isSameFile(source: Stats, path: string): Promise<boolean> {
  const other = await lstat(path).catch(() => null)
  return other !== null && other.ino === source.ino && other.dev === source.dev
}

async function hasSameBytes(path: string, other: string): Promise<boolean> {
  const [left, right] = await Promise.all([lstat(path), lstat(other).catch(() => null)])
  if (!right?.isFile() || left.size !== right.size) return false
  return (await hashFile(path)).sha256 === (await hashFile(other)).sha256
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error) => {
    if (!hasCode(error, 'ENOENT')) throw error
  })
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}
