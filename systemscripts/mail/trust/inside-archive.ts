import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { streamZipEntry, type ZipEntry } from '../../zip-file.ts'

/** An archive in an archive in an archive is looked into, and no further. */
const DEEPEST = 3
/** Of files that have to be unpacked as a whole. */
const MOST_UNPACKED_BYTES = 256 * 1024 * 1024
const MOST_ENTRIES = 10_000
/** First bytes of zip and of compound files. */
const CONTAINERS = ['PK\x03\x04', '\xd0\xcf\x11\xe0']

/**
 * Looks at the bytes of what an archive holds, whatever the names say. Archives and old Office documents within are unpacked into a temporary
 * folder, one at a time; of all others the beginning is enough. What is encrypted cannot be looked at: its names were.
 *
 * @param judge why bytes are refused, as in blockedByContent
 * @returns the first reason; null when there is none
 */
export async function blockedInside(
  archive: FileHandle,
  entries: ZipEntry[],
  depth: number,
  judge: (path: string, beginning: Buffer) => Promise<string | null>,
): Promise<string | null> {
  if (entries.length > MOST_ENTRIES) return `an archive of ${entries.length} files, which is too many to look at`
  for (const entry of entries) {
    if (entry.isEncrypted || entry.unpackedBytes < 2) continue
    const reason = await ofEntry(archive, entry, depth, judge)
    if (reason !== null) return `an archive that holds "${entry.name.slice(0, 200)}", ${reason}`
  }
  return null
}

async function ofEntry(
  archive: FileHandle,
  entry: ZipEntry,
  depth: number,
  judge: (path: string, beginning: Buffer) => Promise<string | null>,
): Promise<string | null> {
  const pieces = streamZipEntry(archive, entry)
  try {
    const first = await pieces.next()
    if (first.done === true) return null
    const isContainer = CONTAINERS.some((mark) => first.value.toString('latin1', 0, 4) === mark)
    // No file is opened for anything else.
    if (!isContainer) return await judge('', first.value)
    if (depth >= DEEPEST) return 'an archive too deep within archives to be looked into'
    if (entry.unpackedBytes > MOST_UNPACKED_BYTES) return 'an archive too large to be looked into'
    return await ofUnpacked(first.value, pieces, judge)
  } catch (error) {
    // Cut off or packed in a way that nobody here unpacks.
    if (error instanceof Error && /^zip entry|^unexpected end|^invalid|^incorrect/.test(error.message)) return null
    throw error
  } finally {
    await pieces.return(undefined)
  }
}

async function ofUnpacked(
  first: Buffer,
  rest: AsyncIterable<Buffer>,
  judge: (path: string, beginning: Buffer) => Promise<string | null>,
): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'rota-inside-'))
  try {
    const path = join(folder, 'part')
    const file = await open(path, 'w')
    try {
      await file.appendFile(first)
      for await (const piece of rest) await file.appendFile(piece)
    } finally {
      await file.close()
    }
    return await judge(path, first)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
