import type { FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib'
import { zipName } from './zip-name.ts'

/** One entry of a zip's central directory. Sizes in bytes. */
export interface ZipEntry {
  /** With `/` between folders; ends in `/` for a folder. A label: never a path to write to. */
  name: string
  method: number
  isEncrypted: boolean
  crc: number
  packedBytes: number
  unpackedBytes: number
  offset: number
}

const END_RECORD = 0x06054b50
const END_RECORD_64 = 0x06064b50
const LOCATOR_64 = 0x07064b50
const ENTRY = 0x02014b50
const LOCAL_ENTRY = 0x04034b50
const LARGEST_DIRECTORY = 64 * 1024 * 1024
const PIECE_BYTES = 64 * 1024
/** Node ends the process when it is asked for 2 GiB or more at once. */
const LARGEST_READ = 2 ** 31 - 1

/**
 * The central directory of a zip, or null when it has none that can be read: cut off, or no zip.
 * Layout: PKWARE APPNOTE 6.3, sections 4.3.12 to 4.3.16; zip64 included.
 */
export async function readZipDirectory(file: FileHandle): Promise<ZipEntry[] | null> {
  const { size } = await file.stat()
  const place = await findDirectory(file, size)
  if (place === null || place.offset + place.length > size || place.length > LARGEST_DIRECTORY) return null
  const directory = await readAt(file, place.offset, place.length)
  const entries: ZipEntry[] = []
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === ENTRY; ) {
    const nameLength = directory.readUInt16LE(at + 28)
    const extraLength = directory.readUInt16LE(at + 30)
    entries.push(readEntry(directory, at, nameLength, extraLength))
    at += 46 + nameLength + extraLength + directory.readUInt16LE(at + 32)
  }
  return entries.length === place.entries ? entries : null
}

/**
 * The content of one entry, its length and checksum verified; never more than the directory said, whatever the packed bytes hold.
 * @throws Error when the entry is cut off, packed in a way other than deflate, or not what its checksum says
 */
export async function readZipEntry(file: FileHandle, entry: ZipEntry): Promise<Buffer> {
  const from = await contentStart(file, entry)
  const packed = await readAt(file, from, entry.packedBytes)
  if (packed.length < entry.packedBytes) throw new Error(`zip entry "${entry.name}" is cut off`)
  const content = unpack(entry, packed)
  if (content.length !== entry.unpackedBytes || crc32(content) !== entry.crc)
    throw new Error(`zip entry "${entry.name}" fails its checksum`)
  return content
}

/**
 * The content of one entry as a stream; length and checksum are verified at its end. Never more than the directory said.
 * @throws Error as readZipEntry, from within the walk
 */
export async function* streamZipEntry(file: FileHandle, entry: ZipEntry): AsyncGenerator<Buffer> {
  const from = await contentStart(file, entry)
  if (entry.method !== 0 && entry.method !== 8) throw methodUnknown(entry)
  let length = 0
  let checksum = 0
  for await (const piece of entry.method === 0 ? packedPieces(file, from, entry) : inflated(packedPieces(file, from, entry))) {
    length += piece.length
    if (length > entry.unpackedBytes) break
    checksum = crc32(piece, checksum)
    yield piece
  }
  if (length !== entry.unpackedBytes || checksum !== entry.crc) throw new Error(`zip entry "${entry.name}" fails its checksum`)
}

async function contentStart(file: FileHandle, entry: ZipEntry): Promise<number> {
  const local = await readAt(file, entry.offset, 30)
  if (local.length < 30 || local.readUInt32LE(0) !== LOCAL_ENTRY)
    throw new Error(`zip entry "${entry.name}" is not where the directory says`)
  return entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
}

async function* packedPieces(file: FileHandle, from: number, entry: ZipEntry): AsyncGenerator<Buffer> {
  for (let at = 0; at < entry.packedBytes; ) {
    const piece = await readAt(file, from + at, Math.min(PIECE_BYTES, entry.packedBytes - at))
    if (piece.length === 0) throw new Error(`zip entry "${entry.name}" is cut off`)
    at += piece.length
    yield piece
  }
}

async function* inflated(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const unpacking = createInflateRaw({ chunkSize: PIECE_BYTES })
  // Errors of either side come out of the walk.
  pipeline(pieces, unpacking, () => {})
  for await (const piece of unpacking) yield piece
}

async function findDirectory(file: FileHandle, size: number): Promise<{ offset: number; length: number; entries: number } | null> {
  const tailLength = Math.min(size, 22 + 0xffff)
  const tail = await readAt(file, size - tailLength, tailLength)
  let at = tail.length - 22
  while (at >= 0 && tail.readUInt32LE(at) !== END_RECORD) at -= 1
  if (at < 0) return null
  const entries = tail.readUInt16LE(at + 10)
  const length = tail.readUInt32LE(at + 12)
  const offset = tail.readUInt32LE(at + 16)
  const needs64 = entries === 0xffff || length === 0xffffffff || offset === 0xffffffff
  if (!needs64 || at < 20 || tail.readUInt32LE(at - 20) !== LOCATOR_64) return { offset, length, entries }
  const end64 = await readAt(file, Number(tail.readBigUInt64LE(at - 12)), 56)
  if (end64.length < 56 || end64.readUInt32LE(0) !== END_RECORD_64) return null
  return {
    offset: Number(end64.readBigUInt64LE(48)),
    length: Number(end64.readBigUInt64LE(40)),
    entries: Number(end64.readBigUInt64LE(32)),
  }
}

function readEntry(directory: Buffer, at: number, nameLength: number, extraLength: number): ZipEntry {
  const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength)
  const large = largeNumbers(extra)
  const take = (value: number): number => (value === 0xffffffff ? (large.shift() ?? value) : value)
  const unpackedBytes = take(directory.readUInt32LE(at + 24))
  const packedBytes = take(directory.readUInt32LE(at + 20))
  const offset = take(directory.readUInt32LE(at + 42))
  const flags = directory.readUInt16LE(at + 8)
  return {
    name: zipName(directory.subarray(at + 46, at + 46 + nameLength), extra, (flags & 0x800) !== 0),
    method: directory.readUInt16LE(at + 10),
    isEncrypted: (flags & 1) === 1,
    crc: directory.readUInt32LE(at + 16),
    packedBytes,
    unpackedBytes,
    offset,
  }
}

/** The numbers of a zip64 extra field (id 1), in the order of those that did not fit above. */
function largeNumbers(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    const field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
    return Array.from({ length: Math.floor(field.length / 8) }, (_, index) => Number(field.readBigUInt64LE(index * 8)))
  }
  return []
}

function unpack(entry: ZipEntry, packed: Buffer): Buffer {
  if (entry.method === 0) return packed
  if (entry.method !== 8) throw methodUnknown(entry)
  return inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.unpackedBytes) })
}

function methodUnknown(entry: ZipEntry): Error {
  return new Error(`zip entry "${entry.name}" is packed by method ${entry.method}, only deflate is known`)
}

/** What is there of so many bytes: sizes and places that a broken zip states may be anything. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { size } = await file.stat()
  const there = Math.min(length, Math.max(0, size - position), LARGEST_READ)
  const buffer = Buffer.alloc(there)
  let filled = 0
  while (filled < there) {
    const { bytesRead } = await file.read(buffer, filled, there - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
