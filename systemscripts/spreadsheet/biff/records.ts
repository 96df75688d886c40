/** One record of a BIFF stream. */
export interface BiffRecord {
  id: number
  data: Buffer
  /** Where it begins, and where the next does. */
  from: number
  end: number
}

/** What is no BIFF stream, or not all of it. */
export class BiffError extends Error {}

/** Numbers of records, [MS-XLS] 2.3 and, for BIFF 2 to 5, OpenOffice's documentation of the Excel file format. */
export const RECORD = {
  eof: 0x0a,
  date1904: 0x22,
  filePass: 0x2f,
  continue: 0x3c,
  codePage: 0x42,
  boundSheet: 0x85,
  bundleHeader: 0x8f,
  sst: 0xfc,
  format: 0x41e,
  format2: 0x1e,
  xf: 0xe0,
  xf2: 0x43,
  xf3: 0x243,
  xf4: 0x443,
} as const

/** The versions by the number of their beginning; of 0x0809 the record itself tells 5 from 8. */
const BEGINNINGS = new Map([
  [0x0009, 2],
  [0x0209, 3],
  [0x0409, 4],
  [0x0809, 8],
])

/** Records from a place on. @throws BiffError when the stream ends within one */
export function* records(stream: Buffer, from: number): Generator<BiffRecord> {
  for (let at = from; at < stream.length; ) {
    const record = recordAt(stream, at)
    yield record
    at = record.end
  }
}

export function recordAt(stream: Buffer, from: number): BiffRecord {
  if (from + 4 > stream.length) throw new BiffError(`it ends within a record, at byte ${stream.length}`)
  const end = from + 4 + stream.readUInt16LE(from + 2)
  if (end > stream.length) throw new BiffError(`it ends within a record, at byte ${stream.length}`)
  return { id: stream.readUInt16LE(from), data: stream.subarray(from + 4, end), from, end }
}

export interface Beginning {
  biff: 2 | 3 | 4 | 5 | 8
  type: 'globals' | 'sheet' | 'chart' | 'macros' | 'workspace' | 'other'
}

/** What a record begins; null when it is no beginning. */
export function beginningOf({ id, data }: BiffRecord): Beginning | null {
  const version = BEGINNINGS.get(id)
  if (version === undefined || data.length < 4) return null
  const biff = version === 2 || version === 3 || version === 4 ? version : data.readUInt16LE(0) === 0x0600 ? 8 : 5
  switch (data.readUInt16LE(2)) {
    case 0x05:
      return { biff, type: 'globals' }
    case 0x10:
      return { biff, type: 'sheet' }
    case 0x20:
      return { biff, type: 'chart' }
    case 0x40:
      return { biff, type: 'macros' }
    case 0x100:
      return { biff, type: 'workspace' }
    default:
      return { biff, type: 'other' }
  }
}
