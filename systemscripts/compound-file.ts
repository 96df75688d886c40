import type { FileHandle } from 'node:fs/promises'

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
}

const END_OF_CHAIN = 0xfffffffe
const NO_ENTRY = 0xffffffff
const LISTED_IN_HEADER = 109
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
  return { entries, read }

  async function read(wanted: CompoundEntry, length = wanted.sizeBytes): Promise<Buffer> {
    const entry = entries.find((candidate) => candidate === wanted)
    if (entry === undefined) throw new Error(`no stream "${wanted.name}"`)
    const size = Math.min(length, entry.sizeBytes)
    const bytes = entry.sizeBytes < sectors.miniCutoff ? await readMini(entry.start, size) : await sectors.chain(entry.start, size)
    if (bytes.length < size) throw new Error(`of the ${size} bytes of stream "${entry.name}" ${bytes.length} are there`)
    return bytes.subarray(0, size)
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

interface Sectors {
  directoryStart: number
  miniTableStart: number
  /** Streams shorter than this lie in the mini stream. */
  miniCutoff: number
  /** The bytes of a chain, at most `length` of them, fewer when it ends earlier or the file does. */
  chain(start: number, length: number): Promise<Buffer>
}

async function openSectors(file: FileHandle): Promise<Sectors | null> {
  const { size } = await file.stat()
  const header = await readAt(file, 0, 512)
  if (header.length < 512) return null
  const sectorSize = 2 ** header.readUInt16LE(30)
  if (sectorSize !== 512 && sectorSize !== 4096) return null
  const perSector = sectorSize / 4
  const sectorsInFile = Math.ceil(size / sectorSize)
  const tableSectors: number[] = []
  for (let index = 0; index < LISTED_IN_HEADER; index += 1) tableSectors.push(header.readUInt32LE(76 + index * 4))
  const tables = new Map<number, Buffer>()
  let nextList = header.readUInt32LE(68)
  return {
    directoryStart: header.readUInt32LE(48),
    miniTableStart: header.readUInt32LE(60),
    miniCutoff: header.readUInt32LE(56),
    chain,
  }

  async function chain(start: number, length: number): Promise<Buffer> {
    const pieces: Buffer[] = []
    let found = 0
    let walked = 0
    for (let sector = start; sector < END_OF_CHAIN && found < length; walked += 1) {
      if (walked > sectorsInFile) throw new Error('a chain of sectors turns in a circle')
      // Sectors that follow each other are read in one go.
      const from = sector
      let count = 0
      let next: number
      do {
        next = await after(sector)
        count += 1
        if (next !== sector + 1) break
        sector = next
      } while (count < 256 && found + count * sectorSize < length)
      walked += count - 1
      const piece = await readAt(file, (from + 1) * sectorSize, count * sectorSize)
      pieces.push(piece)
      found += piece.length
      if (piece.length < count * sectorSize) break
      sector = next
    }
    return Buffer.concat(pieces)
  }

  /** What the allocation table says comes after a sector. */
  async function after(sector: number): Promise<number> {
    const index = Math.floor(sector / perSector)
    const place = await tableSector(index)
    if (place === null) return END_OF_CHAIN
    const table = tables.get(index) ?? (await readAt(file, (place + 1) * sectorSize, sectorSize))
    tables.set(index, table)
    const at = (sector % perSector) * 4
    return at + 4 <= table.length ? table.readUInt32LE(at) : END_OF_CHAIN
  }

  /** The header lists 109 sectors of the table; of larger files a chain of lists goes on. */
  async function tableSector(index: number): Promise<number | null> {
    while (index >= tableSectors.length && nextList < END_OF_CHAIN && tableSectors.length < sectorsInFile + LISTED_IN_HEADER) {
      const list = await readAt(file, (nextList + 1) * sectorSize, sectorSize)
      if (list.length < sectorSize) return null
      for (let at = 0; at < sectorSize - 4; at += 4) tableSectors.push(list.readUInt32LE(at))
      nextList = list.readUInt32LE(sectorSize - 4)
    }
    const place = tableSectors[index]
    return place === undefined || place >= END_OF_CHAIN ? null : place
  }
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

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}
