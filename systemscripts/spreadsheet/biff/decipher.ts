import { biffCipher } from '../../protected-workbook/biff-cipher.ts'
import { BiffError, beginningOf, RECORD, recordAt, records } from './records.ts'

/** These stay plain, beside the beginnings: UsrExcl, FileLock, InterfaceHdr, RRDInfo, RRDHead. */
const PLAIN = new Set<number>([RECORD.filePass, 0x194, 0x195, 0xe1, 0x196, 0x138])
/** Where a sheet begins is told plainly. */
const PLAIN_OF_SHEET = 4
const LOOKED_AT = 20

/**
 * Deciphers, in place, a stream that is encrypted under Excel's default password: [MS-XLS] 2.2.10. Heads of records are never encrypted.
 * @returns false when another password protects it
 */
export function decipher(stream: Buffer): boolean {
  const pass = filePassOf(stream)
  if (pass === null) return true
  const cipher = biffCipher(pass.data)
  if (cipher === null) return false
  for (let at = pass.end; at + 4 <= stream.length; ) {
    const end = at + 4 + stream.readUInt16LE(at + 2)
    // The reader says what is cut off, and what comes behind the last record is no concern of its own.
    if (end > stream.length) return true
    const record = recordAt(stream, at)
    if (!PLAIN.has(record.id) && beginningOf(record) === null)
      cipher(stream, { from: at + 4, end, plain: record.id === RECORD.boundSheet ? PLAIN_OF_SHEET : 0 })
    at = end
  }
  return true
}

function filePassOf(stream: Buffer): { data: Buffer; end: number } | null {
  let seen = 0
  try {
    for (const record of records(stream, 0)) {
      if (record.id === RECORD.filePass) return record
      seen += 1
      if (seen === LOOKED_AT) return null
    }
  } catch (error) {
    // The reader says so.
    if (!(error instanceof BiffError)) throw error
  }
  return null
}
