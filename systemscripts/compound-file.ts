import type { FileHandle } from 'node:fs/promises'

const END_OF_CHAIN = 0xfffffffe
const LARGEST_CHAIN = 4096

/**
 * Names of the streams and folders in a compound file (the container of .xls, .doc, .msg and of encrypted .xlsx), or null when it
 * cannot be read. Layout: Microsoft [MS-CFB] 2.2 (header), 2.3 (sector chains), 2.6 (directory). Reads the directory only.
 */
export async function readCompoundNames(file: FileHandle): Promise<string[] | null> {
  const header = await readAt(file, 0, 512)
  if (header === null) return null
  const sectorSize = 2 ** header.readUInt16LE(30)
  if (sectorSize !== 512 && sectorSize !== 4096) return null
  const names: string[] = []
  let sector = header.readUInt32LE(48)
  for (let walked = 0; sector < END_OF_CHAIN; walked += 1) {
    const directory = walked < LARGEST_CHAIN ? await readAt(file, (sector + 1) * sectorSize, sectorSize) : null
    if (directory === null) return names.length > 0 ? names : null
    names.push(...entryNames(directory))
    const next = await nextSector(file, header, sectorSize, sector)
    if (next === null) return names
    sector = next
  }
  return names
}

function entryNames(directory: Buffer): string[] {
  const names: string[] = []
  for (let at = 0; at + 128 <= directory.length; at += 128) {
    const nameBytes = directory.readUInt16LE(at + 64)
    const isUsed = directory[at + 66] !== 0
    if (isUsed && nameBytes >= 2 && nameBytes <= 64) names.push(directory.toString('utf16le', at, at + nameBytes - 2))
  }
  return names
}

/** Through the first 109 allocation sectors, which the header lists: enough for the directory of any file below 7 MB, and of most others. */
async function nextSector(file: FileHandle, header: Buffer, sectorSize: number, sector: number): Promise<number | null> {
  const perSector = sectorSize / 4
  const index = Math.floor(sector / perSector)
  if (index >= 109) return null
  const allocation = header.readUInt32LE(76 + index * 4)
  const entry = await readAt(file, (allocation + 1) * sectorSize + (sector % perSector) * 4, 4)
  return entry === null ? null : entry.readUInt32LE(0)
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer | null> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return bytesRead === length ? buffer : null
}
