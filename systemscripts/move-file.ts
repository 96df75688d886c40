import { createHash, randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import { copyFile, link, lstat, mkdir, open, readdir, realpath, rename, unlink, utimes } from 'node:fs/promises'
import { basename, dirname, join, parse } from 'node:path'
import { type JobError, PermanentError } from './errors.ts'
import { faceAt, faceOf, fileChanged } from './file-face.ts'
import { hashFile } from './hash-file.ts'

/**
 * Moves a plain file into a folder, which is made when missing, and gives its new path. Under its own name, or, where that is taken, as
 * `name_2.ext`, `name_3.ext` …: no file is ever overwritten, also when several processes move at once.
 *
 * The whole file appears under the new name or nothing does. Killed in the middle it leaves both names or only the old one; a second run
 * then finishes the move and gives the same path. Across file systems the bytes are copied under a hidden name, written to disk, and only
 * then named; there a file of the same name and the same bytes counts as already moved. A file that is there already stays as it is.
 * A file that another one replaces under its old name meanwhile is moved or not; the other one stays.
 *
 * @param options.name another name in the new folder. Default: its own.
 * @param options.face moves only the file with this face (file-face.ts). Default: whichever is there.
 * @throws PermanentError `file_missing`, `file_not_plain`; JobError `file_changed`
 */
export async function moveFile(path: string, folder: string, options: { name?: string; face?: string } = {}): Promise<string> {
  const source = await statPlainFile(path)
  if (options.face !== undefined && options.face !== faceOf(source)) throw fileChanged(basename(path))
  const name = options.name ?? basename(path)
  await mkdir(folder, { recursive: true })
  const here = join(await realpath(dirname(path)), basename(path))
  if (here === join(await realpath(folder), name)) return path
  try {
    const moved = await nameFreely(path, folder, name, (taken) => isSameFile(source, taken))
    if (!(await isSameContent(source, moved))) throw await takenBack(path, moved)
    await unlinkIfSame(path, source)
    return moved
  } catch (error) {
    if (!hasCode(error, 'EXDEV')) throw error
  }
  return await copyInto(path, folder, name, source)
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

/** Names the file in the folder. A name that `isDone` knows is one that an earlier try already gave. */
async function nameFreely(path: string, folder: string, name: string, isDone: (taken: string) => Promise<boolean>): Promise<string> {
  const { name: stem, ext } = parse(name)
  for (let number = 1; ; number += 1) {
    const candidate = join(folder, number === 1 ? name : `${stem}_${number}${ext}`)
    if ((await takeName(path, candidate)) || (await isDone(candidate))) return candidate
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

/** What has come under the new name is a file that took the old one meanwhile: that belongs there. */
async function takenBack(path: string, moved: string): Promise<JobError> {
  if ((await faceAt(path)) === null) await rename(moved, path)
  else await unlinkIfThere(moved)
  return fileChanged(basename(path))
}

async function copyInto(path: string, folder: string, name: string, source: Stats): Promise<string> {
  const mark = createHash('sha256').update(name).digest('hex').slice(0, 16)
  await removeDeadCopies(folder, mark)
  const copy = join(folder, `.${mark}.${randomUUID()}.part`)
  try {
    await copyToDisk(path, copy, source)
    if ((await faceAt(path)) !== faceOf(source)) throw fileChanged(basename(path))
    const moved = await nameFreely(copy, folder, name, (taken) => hasSameBytes(copy, taken))
    await unlinkIfSame(path, source)
    return moved
  } finally {
    await unlinkIfThere(copy)
  }
}

/** Of moves that were killed; one that goes on writes to its copy every few moments. */
async function removeDeadCopies(folder: string, mark: string): Promise<void> {
  const isCopy = (entry: string) => entry.startsWith(`.${mark}.`) && entry.endsWith('.part')
  for (const entry of (await readdir(folder)).filter(isCopy)) {
    const stats = await lstat(join(folder, entry)).catch(() => null)
    if (stats !== null && Date.now() - stats.ctimeMs > DEAD_AFTER_MS) await unlinkIfThere(join(folder, entry))
  }
}

const DEAD_AFTER_MS = 10_000

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

/** File systems without links may number a file anew when it is renamed. */
async function isSameContent({ size, mtimeMs }: Stats, path: string): Promise<boolean> {
  const other = await lstat(path).catch(() => null)
  return other !== null && other.size === size && other.mtimeMs === mtimeMs
}

async function hasSameBytes(path: string, other: string): Promise<boolean> {
  const [left, right] = await Promise.all([lstat(path), lstat(other).catch(() => null)])
  if (!right?.isFile() || left.size !== right.size) return false
  return (await hashFile(path)).sha256 === (await hashFile(other)).sha256
}

/** Whoever drops another file under the same name meanwhile keeps it. */
async function unlinkIfSame(path: string, source: Stats): Promise<void> {
  if (await isSameFile(source, path)) await unlinkIfThere(path)
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error) => {
    if (!hasCode(error, 'ENOENT')) throw error
  })
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}
