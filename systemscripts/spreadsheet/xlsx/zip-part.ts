import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { crc32, createInflateRaw } from 'node:zlib'
import { workbookEncrypted } from '../../file-kind/refusals.ts'
import type { ZipEntry } from '../../zip-file.ts'
import { workbookBroken, workbookTooLarge } from '../refusals.ts'

/** A workbook's zip, opened. Parts are named without a leading slash. */
export interface Package {
  fileName: string
  file: FileHandle
  entries: ZipEntry[]
  signal: AbortSignal | undefined
}

const LOCAL_ENTRY = 0x04034b50
const PACKED_BYTES = 128 * 1024
const CHUNK_BYTES = 128 * 1024
/** A part above this size must not be packed more tightly than sheets ever are. */
const UNSUSPICIOUS_BYTES = 100 * 1024 * 1024
const LARGEST_RATIO = 200

/** Names of parts compare without case (ECMA-376 part 2, 6.2.2.3); the exact one comes first. */
export function findPart({ entries }: Package, name: string): ZipEntry | undefined {
  return entries.find((entry) => entry.name === name) ?? entries.find((entry) => entry.name.toLowerCase() === name.toLowerCase())
}

/**
 * The unpacked bytes of a part, in pieces, as they are needed; a piece is there until the next is asked for. Length and checksum are verified when
 * the last has been taken.
 * @throws PermanentError `workbook_broken`, `workbook_encrypted`, `workbook_too_large`
 */
export async function* readPart(zip: Package, entry: ZipEntry): AsyncGenerator<Buffer> {
  refuseBomb(zip, entry)
  let crc = 0
  let length = 0
  for await (const chunk of unpack(zip, entry)) {
    zip.signal?.throwIfAborted()
    length += chunk.length
    if (length > entry.unpackedBytes) break
    crc = crc32(chunk, crc)
    yield chunk
    letGo(chunk)
  }
  if (length !== entry.unpackedBytes || crc !== entry.crc) throw broken(zip, entry, 'fails its checksum')
}

/** Frees a whole chunk of zlib, which it does not write to again, now: the collector would be called for hundreds of megabytes of them. */
function letGo({ length, buffer }: Buffer): void {
  if (length === CHUNK_BYTES && buffer.byteLength === CHUNK_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/** @throws PermanentError `workbook_too_large` when the part has more than `limit` bytes */
export function refuseLarge({ fileName }: Package, entry: ZipEntry, limit: number): void {
  if (entry.unpackedBytes <= limit) return
  throw workbookTooLarge(fileName, `Part "${entry.name}" has ${entry.unpackedBytes} bytes, allowed are ${limit}.`)
}

function refuseBomb({ fileName }: Package, entry: ZipEntry): void {
  if (entry.unpackedBytes <= UNSUSPICIOUS_BYTES || entry.unpackedBytes <= entry.packedBytes * LARGEST_RATIO) return
  throw workbookTooLarge(fileName, `Part "${entry.name}" has ${entry.packedBytes} bytes and unpacks to ${entry.unpackedBytes}.`)
}

async function* unpack(zip: Package, entry: ZipEntry): AsyncGenerator<Buffer> {
  if (entry.isEncrypted) throw workbookEncrypted(zip.fileName)
  if (entry.method !== 0 && entry.method !== 8) throw broken(zip, entry, `is packed by method ${entry.method}, only deflate is known`)
  const start = await contentStart(zip, entry)
  if (entry.packedBytes === 0) return
  const packed = packedBytes(zip, entry, start)
  if (entry.method === 0) {
    yield* packed
    return
  }
  const inflate = createInflateRaw({ chunkSize: CHUNK_BYTES })
  const source = Readable.from(packed, { objectMode: false })
  source.on('error', (error) => inflate.destroy(error))
  source.pipe(inflate)
  try {
    yield* inflate
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))) throw error
    throw broken(zip, entry, `cannot be unpacked: ${error.message}`, error)
  } finally {
    source.destroy()
    inflate.destroy()
  }
}

async function* packedBytes(zip: Package, entry: ZipEntry, start: number): AsyncGenerator<Buffer> {
  for (let done = 0; done < entry.packedBytes; ) {
    const buffer = Buffer.allocUnsafe(Math.min(PACKED_BYTES, entry.packedBytes - done))
    const { bytesRead } = await zip.file.read(buffer, 0, buffer.length, start + done)
    if (bytesRead === 0) throw broken(zip, entry, 'is cut off')
    yield buffer.subarray(0, bytesRead)
    done += bytesRead
  }
}

/** Behind the local header, whose extra field may differ in length from the directory's. */
async function contentStart(zip: Package, entry: ZipEntry): Promise<number> {
  const header = Buffer.alloc(30)
  const { bytesRead } = await zip.file.read(header, 0, 30, entry.offset)
  if (bytesRead < 30 || header.readUInt32LE(0) !== LOCAL_ENTRY) throw broken(zip, entry, 'is not where the directory says')
  return entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
}

function broken(zip: Package, entry: ZipEntry, what: string, cause?: unknown): Error {
  return workbookBroken(zip.fileName, `Part "${entry.name}" ${what}.`, cause)
}
