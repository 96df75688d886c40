import type { FileHandle } from 'node:fs/promises'

/** What is not below it is no sector. */
export const END_OF_CHAIN = 0xfffffffe
const LISTED_IN_HEADER = 109

/** The sectors of a compound file, each with the one after it: [MS-CFB] 2.2 to 2.5. */
export interface Sectors {
  directoryStart: number
  miniTableStart: number
  /** Streams shorter than this lie in the mini stream. */
  miniCutoff: number
  /** The bytes of a chain, at most `length` of them, fewer when it ends earlier or the file does. */
  chain(start: number, length: number): Promise<Buffer>
  /** The same in pieces. */
  pieces(start: number, length: number): AsyncGenerator<Buffer>
}

/** Null: its header cannot be read. */
export async function openSectors(file: FileHandle): Promise<Sectors | null> {
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
    pieces,
  }

  async function chain(start: number, length: number): Promise<Buffer> {
    const all: Buffer[] = []
    for await (const piece of pieces(start, length)) all.push(piece)
    return Buffer.concat(all)
  }

  async function* pieces(start: number, length: number): AsyncGenerator<Buffer> {
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
      yield piece
      found += piece.length
      if (piece.length < count * sectorSize) break
      sector = next
    }
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

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}
