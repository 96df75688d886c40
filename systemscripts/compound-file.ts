import type { FileHandle } from 'node:fs/promises'
import { END_OF_CHAIN, openSectors, type Sectors } from './compound-file/sectors.ts'

/** A stream or folder that stands directly in the root of a compound file. */
export interface CompoundEntry {
  name: string
  isFolder: boolean
  sizeBytes: number
}

export interface CompoundFile {
  /** Those of the root; what lies in folders belongs to embedded documents. */
  entries: CompoundEntry[]
  /**
   * The first `length` bytes of a stream; all of it by default.
   * @throws Error when the stream is not wholly there
   */
  read(entry: CompoundEntry, length?: number): Promise<Buffer>
  /**
   * A stream in pieces, for what is too large to be held.
   * @throws Error when it is not wholly there
   */
  stream(entry: CompoundEntry): AsyncGenerator<Buffer>
}

const NO_ENTRY = 0xffffffff
const MINI_SECTOR = 64
const LARGEST_DIRECTORY = 4 * 1024 * 1024

interface DirectoryEntry extends CompoundEntry {
  start: number
  left: number
  right: number
  child: number
}

/**
 * Opens a compound file (the container of .xls, .doc, .msg and of encrypted .xlsx), or gives null when its header or directory cannot be
 * read. Layout: Microsoft [MS-CFB] 2.2 (header), 2.3 to 2.5 (sector chains), 2.6 (directory). Reads sectors as they are needed; a chain that
 * turns in a circle ends with an error.
 */
export async function openCompoundFile(file: FileHandle): Promise<CompoundFile | null> {
  const sectors = await openSectors(file)
  if (sectors === null) return null
  const directory = readDirectory(await sectors.chain(sectors.directoryStart, LARGEST_DIRECTORY))
  const root = directory[0]
  return root === undefined ? null : rootFolder(sectors, root, siblings(directory, root.child))
}

function rootFolder(sectors: Sectors, root: DirectoryEntry, entries: DirectoryEntry[]): CompoundFile {
  return { entries, read, stream }

  async function read(wanted: CompoundEntry, length = wanted.sizeBytes): Promise<Buffer> {
    const entry = known(wanted)
    const size = Math.min(length, entry.sizeBytes)
    const bytes = entry.sizeBytes < sectors.miniCutoff ? await readMini(entry.start, size) : await sectors.chain(entry.start, size)
    if (bytes.length < size) throw cutOff(entry, size, bytes.length)
    return bytes.subarray(0, size)
  }

  async function* stream(wanted: CompoundEntry): AsyncGenerator<Buffer> {
    const entry = known(wanted)
    if (entry.sizeBytes < sectors.miniCutoff) {
      yield await read(entry)
      return
    }
    let left = entry.sizeBytes
    for await (const piece of sectors.pieces(entry.start, left)) {
      yield piece.subarray(0, left)
      left -= Math.min(left, piece.length)
    }
    if (left > 0) throw cutOff(entry, entry.sizeBytes, entry.sizeBytes - left)
  }

  function known(wanted: CompoundEntry): DirectoryEntry {
    const entry = entries.find((candidate) => candidate === wanted)
    if (entry === undefined) throw new Error(`no stream "${wanted.name}"`)
    return entry
  }

  /** Short streams lie in sectors of 64 bytes within the root's own stream. */
  async function readMini(start: number, size: number): Promise<Buffer> {
    const stream = await sectors.chain(root.start, root.sizeBytes)
    const table = await sectors.chain(sectors.miniTableStart, LARGEST_DIRECTORY)
    const pieces: Buffer[] = []
    let sector = start
    for (let left = size; left > 0 && sector < END_OF_CHAIN; left -= MINI_SECTOR) {
      pieces.push(stream.subarray(sector * MINI_SECTOR, (sector + 1) * MINI_SECTOR))
      sector = sector * 4 + 4 <= table.length ? table.readUInt32LE(sector * 4) : END_OF_CHAIN
    }
    return Buffer.concat(pieces)
  }
}

function cutOff({ name }: CompoundEntry, size: number, found: number): Error {
  return new Error(`of the ${size} bytes of stream "${name}" ${found} are there`)
}

function readDirectory(bytes: Buffer): DirectoryEntry[] {
  const entries: DirectoryEntry[] = []
  for (let at = 0; at + 128 <= bytes.length; at += 128) {
    const nameBytes = Math.min(bytes.readUInt16LE(at + 64), 64)
    entries.push({
      name: nameBytes >= 2 ? bytes.toString('utf16le', at, at + nameBytes - 2) : '',
      isFolder: bytes[at + 66] === 1,
      left: bytes.readUInt32LE(at + 68),
      right: bytes.readUInt32LE(at + 72),
      child: bytes.readUInt32LE(at + 76),
      start: bytes.readUInt32LE(at + 116),
      sizeBytes: bytes.readUInt32LE(at + 120),
    })
  }
  return entries
}

/** The entries of one folder, which the directory keeps as a tree. */
function siblings(directory: DirectoryEntry[], top: number): DirectoryEntry[] {
  const found = new Set<DirectoryEntry>()
  const waiting = [top]
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    const entry = index === NO_ENTRY ? undefined : directory[index]
    if (entry === undefined || found.has(entry)) continue
    found.add(entry)
    waiting.push(entry.left, entry.right)
  }
  return [...found]
}
