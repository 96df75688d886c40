import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { PermanentError } from './errors.ts'
import { fileIs, workbookEncrypted } from './file-kind/refusals.ts'
import { type FileKind, fileKind, HEAD_BYTES, kindOfHead } from './file-kind.ts'
import { fileBytes } from './file-members/file-bytes.ts'
import { gunzipped, gzipName } from './file-members/gzip.ts'
import { keptFile } from './file-members/kept-file.ts'
import {
  archiveBroken,
  archiveEncrypted,
  archiveInArchive,
  archiveMethodUnknown,
  archiveTooLarge,
  archiveUnsafe,
  emptyArchive,
} from './file-members/refusals.ts'
import type { GridKind } from './grid.ts'
import { unprotected } from './protected-workbook.ts'
import { readZipDirectory, streamZipEntry, type ZipEntry } from './zip-file.ts'

export interface MemberLimits {
  /** Of one member, unpacked. Default 64 GiB for what is read as a stream, 4 GiB for what must be unpacked to a file. */
  maxUnpackedBytes?: number
  /** Unpacked to packed, beyond the first 256 MiB. Default 400. */
  maxRatio?: number
  /** Members of one archive. Default 10,000. */
  maxMembers?: number
}

/** A file in an archive, not unpacked yet. */
export interface Member {
  /** Name in the archive, with its folders. A label: never a path. */
  name: string
  /**
   * What it is, told by its bytes.
   * @throws PermanentError those of fileKind; `archive_in_archive`, `archive_encrypted`, `archive_method_unknown`, `archive_broken`, `archive_too_large`
   */
  open(): Promise<FileContent>
}

/** A file's content, wherever it lies. */
export interface FileContent {
  kind: GridKind
  /** For messages: `prices.csv`, or `prices.csv in january.zip`. */
  fileName: string
  /** Where it lies on disk until `close`: given for workbooks, which are read in no order; null for what is read as a stream. */
  path: string | null
  /**
   * From the beginning, as often as wanted; unpacked while it is read, length and checksum verified at the end.
   * @throws PermanentError `archive_broken`, `archive_too_large`
   */
  bytes(): AsyncIterable<Buffer>
  /** Removes what was unpacked. May be called twice. */
  close(): Promise<void>
}

/** These are read in no order. */
const UNPACKED_KINDS = new Set<FileKind | 'compound'>(['xlsx', 'xlsb', 'xls', 'ods', 'xml', 'zip', 'compound'])
const GIB = 1024 ** 3

/** A plain file, as if it were the only member. @throws PermanentError as fileKind */
export async function contentOfFile(path: string, kind: GridKind): Promise<FileContent> {
  return { kind, fileName: basename(path), path, bytes: () => fileBytes(path), close: async () => {} }
}

/**
 * The files in a gzip (always one, under the name that its header has, else its own without `.gz`) or in a zip, by name. Folders, what macOS
 * adds (`__MACOSX`), and files whose name begins with a dot are left out. Names are UTF-8 or code page 437. A protected workbook holds one: itself.
 *
 * @throws PermanentError `archive_broken` no directory, or entries that lie over each other; `archive_empty`; `archive_too_large`
 */
export async function membersOf(path: string, kind: 'gzip' | 'zip' | 'protected', limits: MemberLimits = {}): Promise<Member[]> {
  if (kind === 'protected') return [{ name: basename(path), open: () => openProtected(path, basename(path)) }]
  return kind === 'gzip' ? [await gzipMember(path, limits)] : zipMembers(path, limits)
}

async function gzipMember(path: string, limits: MemberLimits): Promise<Member> {
  const archive = basename(path)
  const name = (await gzipName(path)) ?? archive.replace(/\.t?gz$/i, '')
  return { name, open: () => openMember(() => bounded(gunzipped(path), archive, limits), { name, archive, limits }) }
}

async function zipMembers(path: string, limits: MemberLimits): Promise<Member[]> {
  const archive = basename(path)
  const { maxMembers = 10_000 } = limits
  const entries = await withFile(path, readZipDirectory)
  if (entries === null) throw archiveBroken(archive, 'The end of the zip, with its table of contents, is missing.')
  refuseOverlaps(entries, archive)
  const files = entries.filter(({ name }) => !isLeftOut(name)).sort((left, right) => (left.name < right.name ? -1 : 1))
  if (files.length === 0) throw emptyArchive(archive)
  if (files.length > maxMembers) throw archiveTooLarge(archive, `It holds ${files.length} files, allowed are ${maxMembers}.`)
  return files.map((entry) => ({
    name: entry.name,
    open: async () => {
      if (entry.isEncrypted) throw archiveEncrypted(archive, entry.name)
      if (entry.method !== 0 && entry.method !== 8) throw archiveMethodUnknown(archive, entry.name, entry.method)
      return openMember(() => bounded(zipPieces(path, entry), archive, limits), { name: entry.name, archive, limits })
    },
  }))
}

function isLeftOut(name: string): boolean {
  return (
    name.endsWith('/') ||
    name.split('/').some((part) => part.startsWith('.') && !/^\.+$/.test(part)) ||
    /(^|\/)(__MACOSX\/|Thumbs\.db$|desktop\.ini$)/i.test(name)
  )
}

/** Entries that share bytes make a small zip that unpacks to petabytes (D. Fifield, A better zip bomb, 2019). */
function refuseOverlaps(entries: ZipEntry[], archive: string): void {
  const places = [...entries].sort((left, right) => left.offset - right.offset)
  places.forEach((entry, index) => {
    const next = places[index + 1]
    if (next !== undefined && entry.offset + entry.packedBytes + 30 > next.offset) {
      throw archiveUnsafe(archive, `Its entries "${entry.name}" and "${next.name}" lie over each other.`)
    }
  })
}

async function* zipPieces(path: string, entry: ZipEntry): AsyncGenerator<{ piece: Buffer; packedBytes: number }> {
  const file = await open(path, 'r')
  try {
    for await (const piece of streamZipEntry(file, entry)) yield { piece, packedBytes: entry.packedBytes }
  } finally {
    await file.close()
  }
}

interface MemberPlace {
  name: string
  archive: string
  limits: MemberLimits
}

async function openMember(bytes: () => AsyncIterable<Buffer>, { name, archive, limits }: MemberPlace): Promise<FileContent> {
  const fileName = `${name} in ${archive}`
  const head = await headOf(bytes())
  const kind = kindOfHead(head, fileName)
  if (kind === 'gzip') throw archiveInArchive(archive, name)
  if (kind !== 'compound' && kind !== 'zip' && !UNPACKED_KINDS.has(kind))
    return { kind, fileName, path: null, bytes, close: async () => {} }
  const kept = await keptFile(bytes(), limits.maxUnpackedBytes ?? 4 * GIB, (detail) => archiveTooLarge(archive, detail))
  try {
    const known = await fileKind(kept.path, fileName)
    if (known === 'zip' || known === 'gzip') throw archiveInArchive(archive, name)
    if (known === 'protected') return await openProtected(kept.path, fileName).finally(kept.remove)
    return { kind: known, fileName, path: kept.path, bytes: () => fileBytes(kept.path), close: kept.remove }
  } catch (error) {
    await kept.remove()
    throw error
  }
}

/** Deciphered it is as large as it was. */
async function openProtected(path: string, fileName: string): Promise<FileContent> {
  const kept = await keptFile(unprotected(path, fileName), Number.POSITIVE_INFINITY, (detail) => workbookEncrypted(fileName, detail))
  try {
    const kind = await fileKind(kept.path, fileName)
    if (kind === 'zip' || kind === 'gzip' || kind === 'protected')
      throw fileIs(fileName, 'file_is_office_document', 'an encrypted file, but no workbook')
    return { kind, fileName, path: kept.path, bytes: () => fileBytes(kept.path), close: kept.remove }
  } catch (error) {
    await kept.remove()
    throw error
  }
}

async function headOf(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of bytes) {
    pieces.push(piece)
    length += piece.length
    if (length >= HEAD_BYTES) break
  }
  return Buffer.concat(pieces).subarray(0, HEAD_BYTES)
}

/** Within the limits, and with the errors of whoever unpacks it said in four fields. */
async function* bounded(
  pieces: AsyncIterable<{ piece: Buffer; packedBytes: number }>,
  archive: string,
  { maxUnpackedBytes = 64 * GIB, maxRatio = 400 }: MemberLimits,
): AsyncGenerator<Buffer> {
  let length = 0
  try {
    for await (const { piece, packedBytes } of pieces) {
      length += piece.length
      if (length > maxUnpackedBytes)
        throw archiveTooLarge(archive, `Unpacked it has more than ${maxUnpackedBytes} bytes, the most allowed.`)
      if (length > GIB / 4 && length > packedBytes * maxRatio) {
        throw archiveTooLarge(
          archive,
          `It unpacks to more than ${maxRatio} times its size, as bombs do: ${length} bytes from ${packedBytes}.`,
        )
      }
      yield piece
    }
  } catch (error) {
    if (error instanceof PermanentError) throw error
    throw archiveBroken(archive, error instanceof Error ? error.message : String(error), error)
  }
}

async function withFile<Result>(path: string, use: (file: FileHandle) => Promise<Result>): Promise<Result> {
  const file = await open(path, 'r')
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}
