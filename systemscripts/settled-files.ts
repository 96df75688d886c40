import type { Dirent } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { basename, dirname, join, parse } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { JobError } from './errors.ts'
import { filePattern, type PatternKind } from './file-pattern.ts'

export interface FoundFile {
  path: string
  /** Path below the folder, with `/`; only the name where `recurse` is off. */
  name: string
  sizeBytes: number
  modifiedAt: Date
  /** Changes when another file takes the name. */
  identity: string
}

export interface FileSearch {
  pattern: string
  /** Default `glob`; see file-pattern.ts. */
  patternKind?: PatternKind
  /** Also in folders below; hidden ones are left out. Default false. */
  recurse?: boolean
  /** Default `name`. */
  orderBy?: 'name' | 'modified'
  signal?: AbortSignal | undefined
}

export interface SettleRule {
  /** A file is settled when it has not changed for so long. */
  settleSeconds: number
  /**
   * Instead: it is settled when this file stands beside it. `{name}` is the file's name and `{stem}` the name without its last extension;
   * beginning with a dot it is put behind the name (`.done` → `prices.csv.done`). Default null.
   */
  doneFile?: string | null
}

/**
 * Plain files in a folder whose names match. Symbolic links are never taken or followed: what they lead to may lie outside, and moving one
 * would move only the pointer. Files that vanish meanwhile are left out, and so are names that are not UTF-8.
 * @throws JobError `folder_missing`; PermanentError `file_pattern_invalid`
 */
export async function listMatchingFiles(folder: string, search: FileSearch): Promise<FoundFile[]> {
  const matches = filePattern(search.pattern, search.patternKind ?? 'glob')
  const isForPaths = search.pattern.includes('/')
  const files: FoundFile[] = []
  for await (const name of namesBelow(folder, '', search)) {
    if (!matches(isForPaths ? name : basename(name))) continue
    const stats = await lstat(join(folder, name)).catch(() => null)
    if (!stats?.isFile()) continue
    const { size: sizeBytes, mtime: modifiedAt, dev, ino } = stats
    files.push({ path: join(folder, name), name, sizeBytes, modifiedAt, identity: `${dev}:${ino}` })
  }
  return files.sort((left, right) => {
    const byTime = search.orderBy === 'modified' ? left.modifiedAt.getTime() - right.modifiedAt.getTime() : 0
    return byTime || (left.name < right.name ? -1 : 1)
  })
}

/** Looks twice, `settleSeconds` apart, and gives the files that are settled. With a done-file, or when nothing matches, it looks once. */
export async function settledFiles(folder: string, search: FileSearch & SettleRule): Promise<FoundFile[]> {
  const watch = createSettleWatch(search)
  const first = await listMatchingFiles(folder, search)
  const settled = await watch.look(first, Date.now())
  if (first.length === 0 || search.doneFile) return settled
  await wait(search.settleSeconds * 1000, undefined, search.signal ? { signal: search.signal } : {})
  return watch.look(await listMatchingFiles(folder, search), Date.now())
}

export interface SettleWatch {
  /** Takes what stands in the folder now (`now` in milliseconds) and gives what is settled of it. Call it as often as you like. */
  look(files: FoundFile[], now: number): Promise<FoundFile[]>
}

/**
 * Remembers files from look to look. Settled: same size, time and identity over looks at least `settleSeconds` apart, and not modified
 * within the last `settleSeconds`; a time that lies in the future, as a sender's clock may set it, is not held against the file.
 * With a done-file: as soon as that stands beside it; done-files themselves are never given. A file that is gone is forgotten.
 */
export function createSettleWatch({ settleSeconds, doneFile = null }: SettleRule): SettleWatch {
  const settleMs = settleSeconds * 1000
  let seen = new Map<string, { face: string; since: number }>()
  return { look: doneFile === null ? lookAtTimes : (files) => filesWithDoneFile(files, doneFile) }

  async function lookAtTimes(files: FoundFile[], now: number): Promise<FoundFile[]> {
    const before = seen
    seen = new Map()
    return files.filter((file) => {
      const face = `${file.identity} ${file.sizeBytes} ${file.modifiedAt.getTime()}`
      const known = before.get(file.path)
      const since = known?.face === face ? known.since : now
      seen.set(file.path, { face, since })
      const age = now - file.modifiedAt.getTime()
      return known !== undefined && now - since >= settleMs && (age >= settleMs || age < 0)
    })
  }
}

async function filesWithDoneFile(files: FoundFile[], doneFile: string): Promise<FoundFile[]> {
  const doneFiles = new Set(files.map((file) => doneFilePath(file, doneFile)))
  const settled: FoundFile[] = []
  for (const file of files) {
    if (doneFiles.has(file.path)) continue
    const stats = await lstat(doneFilePath(file, doneFile)).catch(() => null)
    if (stats?.isFile()) settled.push(file)
  }
  return settled
}

/** Where the done-file of a file would stand. */
export function doneFilePath(file: Pick<FoundFile, 'path'>, doneFile: string): string {
  const name = basename(file.path)
  const template = doneFile.startsWith('.') ? `{name}${doneFile}` : doneFile
  return join(
    dirname(file.path),
    template.replaceAll('{name}', () => name).replaceAll('{stem}', () => parse(name).name),
  )
}

async function* namesBelow(folder: string, below: string, search: FileSearch): AsyncGenerator<string> {
  search.signal?.throwIfAborted()
  for (const entry of await entriesOf(folder, below)) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isFile()) yield name
    else if (entry.isDirectory() && search.recurse && !entry.name.startsWith('.')) yield* namesBelow(folder, name, search)
  }
}

async function entriesOf(folder: string, below: string): Promise<Dirent[]> {
  try {
    return await readdir(join(folder, below), { withFileTypes: true })
  } catch (cause) {
    if (below !== '' || !(cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))) throw cause
    throw new JobError('folder_missing', `Folder "${folder}" does not exist`, {
      hint: 'Create it, mount it, or correct the folder in the settings.',
      cause,
    })
  }
}
