import { workbookBroken, workbookTooLarge } from '../refusals.ts'

/** Told of each record in turn; `data` is only good until it returns. */
export type RecordReader = (id: number, data: Buffer) => void

/** Texts of Excel are far shorter. */
const LARGEST_RECORD = 64 * 1024 * 1024

/**
 * Walks through the records of a part, whatever its size, and stops after each stretch of it, so that what the reader gathered can be passed on:
 * [MS-XLSB] 2.1.4.
 * @throws PermanentError `workbook_broken` when it ends within a record, or a record is shorter than what it holds; `workbook_too_large`
 */
export async function* walkRecords(bytes: AsyncIterable<Buffer>, reader: RecordReader, fileName: string): AsyncGenerator<void> {
  let pieces: Buffer[] = []
  let length = 0
  let wanted = 1
  for await (const piece of bytes) {
    pieces.push(piece)
    length += piece.length
    if (length < wanted) continue
    const rest = readRecords(Buffer.concat(pieces))
    pieces = [rest.bytes]
    length = rest.bytes.length
    wanted = rest.wanted
    yield
  }
  if (length > 0) throw workbookBroken(fileName, 'A part of it ends within a record.')

  /** What is left, and how much there must be before it is worth another look. */
  function readRecords(stretch: Buffer): { bytes: Buffer; wanted: number } {
    let at = 0
    for (;;) {
      const head = headOf(stretch, at)
      if (head === null) return { bytes: stretch.subarray(at), wanted: stretch.length - at + 1 }
      if (head.end - head.from > LARGEST_RECORD) throw workbookTooLarge(fileName, `A cell of it is larger than ${LARGEST_RECORD} bytes.`)
      if (head.end > stretch.length) return { bytes: stretch.subarray(at), wanted: head.end - at }
      take(head.id, stretch.subarray(head.from, head.end))
      at = head.end
    }
  }

  function take(id: number, data: Buffer): void {
    try {
      reader(id, data)
    } catch (error) {
      // A number that points beyond the end of the record comes as a RangeError.
      throw error instanceof RangeError ? workbookBroken(fileName, `Record ${id} cannot be read: ${error.message}.`, error) : error
    }
  }
}

/** A number of one or two bytes, and a length of one to four; seven bits of each byte count, the eighth says that more follow. */
function headOf(bytes: Buffer, start: number): { id: number; from: number; end: number } | null {
  let at = start
  const first = bytes[at++]
  if (first === undefined) return null
  let id = first & 0x7f
  if (first >= 0x80) {
    const second = bytes[at++]
    if (second === undefined) return null
    id += (second & 0x7f) << 7
  }
  let length = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined) return null
    length += (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  return { id, from: at, end: at + length }
}

/** A text with its length before it; an absent one is empty. @throws RangeError */
export function wideString(data: Buffer, at: number): string {
  const length = data.readUInt32LE(at)
  if (length === 0xffffffff) return ''
  if (at + 4 + length * 2 > data.length) throw new RangeError(`a text of ${length} characters`)
  return data.toString('utf16le', at + 4, at + 4 + length * 2)
}

/** Where the text that begins at `at` ends. */
export function behindWideString(data: Buffer, at: number): number {
  const length = data.readUInt32LE(at)
  return at + 4 + (length === 0xffffffff ? 0 : length * 2)
}
