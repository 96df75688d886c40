import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { type CompoundEntry, type CompoundFile, openCompoundFile } from './compound-file.ts'
import { PermanentError } from './errors.ts'
import { workbookEncrypted } from './file-kind/refusals.ts'
import { agileCipher } from './protected-workbook/agile.ts'
import { SEGMENT_BYTES, type SegmentCipher } from './protected-workbook/segment-cipher.ts'
import { standardCipher } from './protected-workbook/standard.ts'
import { workbookBroken } from './spreadsheet/refusals.ts'

const SIZE_BYTES = 8
const LARGEST_DESCRIPTION = 1024 * 1024
const AGILE = 0x0004_0004

/**
 * The plain bytes of a workbook of Excel 2007 or later that lies encrypted in a compound file under Excel's default password. Excel does so to
 * workbooks whose structure is protected, and opens them without asking. Memory does not grow with the file. Layout: [MS-OFFCRYPTO] 2.3.4.4
 * (package), 2.3.4.5 (standard), 2.3.4.10 (agile). The checksum of an agile package is not looked at: the zip inside has its own.
 *
 * @param fileName for messages; default the path's last part
 * @throws PermanentError `workbook_encrypted` when another password, or a cipher that is not read here, protects it; `workbook_broken`
 */
export async function* unprotected(path: string, fileName = basename(path)): AsyncGenerator<Buffer> {
  const file = await open(path, 'r')
  try {
    const container = await openCompoundFile(file)
    const described = container?.entries.find(({ name }) => name === 'EncryptionInfo')
    const stream = container?.entries.find(({ name }) => name === 'EncryptedPackage')
    if (container === null || described === undefined || stream === undefined) throw workbookEncrypted(fileName, 'It does not say how.')
    const cipher = await cipherOf(container, described)
    if (cipher === null) throw workbookEncrypted(fileName)
    yield* deciphered(container.stream(stream), cipher)
  } catch (error) {
    if (error instanceof PermanentError || !(error instanceof Error) || 'code' in error) throw error
    throw workbookBroken(fileName, `As a compound file it cannot be read: ${error.message}.`, error)
  } finally {
    await file.close()
  }
}

/** Null: not with the default password. */
async function cipherOf(container: CompoundFile, described: CompoundEntry): Promise<SegmentCipher | null> {
  const bytes = await container.read(described, LARGEST_DESCRIPTION)
  if (bytes.length < 8) return null
  if (bytes.readUInt32LE(0) === AGILE) return agileCipher(bytes.toString('utf8', 8))
  return bytes.readUInt16LE(2) === 2 ? standardCipher(bytes) : null
}

/** The package begins with its plain size; what follows is filled up to whole blocks. */
async function* deciphered(pieces: AsyncIterable<Buffer>, cipher: SegmentCipher): AsyncGenerator<Buffer> {
  let waiting: Buffer = Buffer.alloc(0)
  let left = -1
  let segment = 0
  for await (const piece of pieces) {
    waiting = waiting.length === 0 ? piece : Buffer.concat([waiting, piece])
    if (left === -1) {
      if (waiting.length < SIZE_BYTES) continue
      left = Number(waiting.readBigUInt64LE(0))
      waiting = waiting.subarray(SIZE_BYTES)
    }
    const plain: Buffer[] = []
    for (; waiting.length >= SEGMENT_BYTES; segment += 1) {
      plain.push(cipher(segment, waiting.subarray(0, SEGMENT_BYTES)))
      waiting = waiting.subarray(SEGMENT_BYTES)
    }
    const wanted = Buffer.concat(plain).subarray(0, left)
    left -= wanted.length
    if (wanted.length > 0) yield wanted
  }
  const rest = waiting.subarray(0, waiting.length - (waiting.length % 16))
  if (left > 0 && rest.length > 0) yield cipher(segment, rest).subarray(0, left)
}
