import { BiffError } from './records.ts'

/** Text of bytes in the workbook's code page, before Excel 97. */
export type CodePage = (bytes: Buffer) => string

/** A string with a length of one or two bytes before it: code page bytes before BIFF 8, UTF-16 or its low bytes since. */
export function readString(data: Buffer, at: number, lengthBytes: 1 | 2, biff: number, codePage: CodePage): string {
  const start = at + lengthBytes
  if (start > data.length) return ''
  const length = lengthBytes === 1 ? data.readUInt8(at) : data.readUInt16LE(at)
  if (biff < 8) return codePage(data.subarray(start, start + length))
  if (start >= data.length) return ''
  return characters(data.subarray(start + 1), length, ((data[start] ?? 0) & 1) === 1)
}

/**
 * The table of shared strings, which goes on over several records: [MS-XLS] 2.4.265 and 2.5.293. Where characters are cut by the end of a
 * record, the next begins by saying anew how they are stored.
 * @throws BiffError
 */
export function readSharedStrings(pieces: Buffer[]): string[] {
  const strings: string[] = []
  let piece = 0
  let data = pieces[0] ?? Buffer.alloc(0)
  let at = 8
  if (data.length < 8) return strings
  const count = data.readUInt32LE(4)
  while (strings.length < count && (at < data.length || piece + 1 < pieces.length)) strings.push(next())
  return strings

  function next(): string {
    if (at >= data.length) turn()
    if (at + 3 > data.length) throw new BiffError('the table of texts is cut within a text')
    let left = data.readUInt16LE(at)
    let flags = data.readUInt8(at + 2)
    at += 3
    const runs = (flags & 8) === 0 ? 0 : number(2)
    const extension = (flags & 4) === 0 ? 0 : number(4)
    const parts: string[] = []
    while (left > 0) {
      if (at >= data.length) {
        turn()
        flags = number(1)
      }
      const isWide = (flags & 1) === 1
      const here = Math.min(left, isWide ? (data.length - at) >> 1 : data.length - at)
      if (here === 0) throw new BiffError('the table of texts is cut within a character')
      parts.push(characters(data.subarray(at), here, isWide))
      at += here * (isWide ? 2 : 1)
      left -= here
    }
    pass(runs * 4 + extension)
    return parts.length === 1 ? (parts[0] ?? '') : parts.join('')
  }

  function number(bytes: 1 | 2 | 4): number {
    if (at + bytes > data.length) throw new BiffError('the table of texts is cut within a number')
    at += bytes
    return data.readUIntLE(at - bytes, bytes)
  }

  /** Formats and phonetics behind the text. */
  function pass(length: number): void {
    let left = length
    while (left > 0) {
      if (at >= data.length) turn()
      const here = Math.min(left, data.length - at)
      at += here
      left -= here
    }
  }

  function turn(): void {
    piece += 1
    const following = pieces[piece]
    if (following === undefined) throw new BiffError('the table of texts has no end')
    data = following
    at = 0
  }
}

function characters(bytes: Buffer, length: number, isWide: boolean): string {
  return isWide ? bytes.toString('utf16le', 0, length * 2) : bytes.toString('latin1', 0, length)
}
