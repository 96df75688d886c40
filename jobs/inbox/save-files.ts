import { createHash } from 'node:crypto'
import { link, lstat, open, readdir, unlink } from 'node:fs/promises'
import { basename, dirname, join, parse } from 'node:path'
import type { EarlierFile, PlannedFile } from '../../src/job/mails.ts'
import { JobError } from '../../systemscripts/errors.ts'
import { hashFile } from '../../systemscripts/hash-file.ts'
import { type StagedFile, stageFile } from '../../systemscripts/mail/stage-file.ts'
import { blockedByContent } from '../../systemscripts/mail/trust/blocked-types.ts'
import { moveFile } from '../../systemscripts/move-file.ts'
import { safeFileName } from '../../systemscripts/safe-file-name.ts'
import { tooLarge } from './judge.ts'
import type { InboxSettings } from './settings.ts'

/** Why a file is not saved, once its bytes are here. */
export interface ByteRefusal {
  failedOn: 'max_size_bytes' | 'blocked_types'
  detail: string
}

/**
 * Where the files of one mailbox lie before they get their names: a hidden folder in the one that they are for, so on the same file system. A
 * mailbox belongs to one run at a time, so what lies there when that is done was left by one that died.
 */
export function stagingFolder(folder: string, { connectionName, folder: mailFolder }: { connectionName: string; folder: string }): string {
  return join(
    folder,
    `.inbox-${createHash('sha256')
      .update(JSON.stringify([connectionName, mailFolder]))
      .digest('hex')
      .slice(0, 12)}`,
  )
}

/** Writes a file into a folder, hidden, and judges its bytes. Nothing stays of one that is refused. */
export async function stageJudged(
  content: AsyncIterable<Buffer>,
  folder: string,
  name: string,
  { maxFileBytes, rule }: Pick<InboxSettings, 'maxFileBytes' | 'rule'>,
  signal: AbortSignal,
): Promise<StagedFile | ByteRefusal> {
  let staged: StagedFile
  try {
    staged = await stageFile(content, folder, { maxBytes: maxFileBytes, signal })
  } catch (error) {
    if (!(error instanceof JobError && error.code === 'attachment_too_large') || maxFileBytes === null) throw error
    return { failedOn: 'max_size_bytes', detail: tooLarge(name, maxFileBytes, 'more').reason }
  }
  const why = await blockedByContent(staged.path, staged.beginning, rule.blockedTypes ?? [])
  if (why === null) return staged
  await staged.discard()
  return { failedOn: 'blocked_types', detail: `"${name}" is ${why}` }
}

/** A name in the folder that is free now, on the disk and among `planned`. */
export async function freePath(folder: string, name: string, planned: Set<string>): Promise<string> {
  const { name: stem, ext } = parse(safeFileName(name))
  for (let number = 1; ; number += 1) {
    const path = join(folder, number === 1 ? `${stem}${ext}` : `${stem}_${number}${ext}`)
    if (planned.has(path) || (await exists(path))) continue
    planned.add(path)
    return path
  }
}

/** Gives a file its name; where somebody took it meanwhile, the next free one. @returns its path */
export async function publishFile({ stagedPath, savedPath }: Pick<PlannedFile, 'stagedPath' | 'savedPath'>): Promise<string> {
  // Nobody else knows the hidden file: what moveFile looks after beside is of no use here.
  const isNamed = await link(stagedPath, savedPath).then(
    () => true,
    () => false,
  )
  if (isNamed) {
    await unlink(stagedPath)
    return savedPath
  }
  return await moveFile(stagedPath, dirname(savedPath), { name: basename(savedPath) })
}

/**
 * Where the file is that an interrupted run has written down: under its name, or still hidden, when it gets its name now. Known by its bytes,
 * since the name may be another's.
 *
 * @returns null when it is nowhere
 */
export async function findEarlier(file: EarlierFile): Promise<string | null> {
  if (file.isTakenUp || file.isSaved) return file.savedPath
  if (await hasBytes(file.stagedPath, file)) return await publishFile(file)
  const folder = dirname(file.savedPath)
  const { name: stem, ext } = parse(file.savedPath)
  for (const entry of await readdir(folder).catch(() => [])) {
    if (!entry.startsWith(stem) || !entry.endsWith(ext) || !/^(_\d+)?$/.test(entry.slice(stem.length, entry.length - ext.length))) continue
    if (await hasBytes(join(folder, entry), file)) return join(folder, entry)
  }
  return null
}

/** So that the new names in a folder survive a loss of power. */
export async function syncFolders(paths: string[]): Promise<void> {
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    // Windows knows no such thing.
    const handle = await open(folder, 'r').catch(() => null)
    await handle?.sync().catch(() => {})
    await handle?.close()
  }
}

async function hasBytes(path: string, { sizeBytes, sha256 }: Pick<PlannedFile, 'sizeBytes' | 'sha256'>): Promise<boolean> {
  const stats = await lstat(path).catch(() => null)
  return stats?.isFile() === true && stats.size === sizeBytes && (await hashFile(path)).sha256 === sha256
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null
}
