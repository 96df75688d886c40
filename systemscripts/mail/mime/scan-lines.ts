/** Of a line so many bytes are looked at; separators and fields are shorter. */
const MOST_LINE_BYTES = 16 * 1024

export interface ScannedLine {
  /** Without its line feed; cut off when it is very long. */
  bytes: Buffer
  start: number
  /** Where the text ends: at the line feed, or at the carriage return before it. */
  textEnd: number
  /** Where the next line starts. */
  next: number
}

/** Calls `onLine` for every line of a stream, also for a last one without line feed. @returns how many bytes there were */
export async function scanLines(bytes: AsyncIterable<Buffer>, onLine: (line: ScannedLine) => void): Promise<number> {
  let offset = 0
  let start = 0
  let carried: Buffer = Buffer.alloc(0)
  let lastByte = 0
  for await (const piece of bytes) {
    let from = 0
    for (let feed = piece.indexOf(0x0a); feed !== -1; feed = piece.indexOf(0x0a, from)) {
      const end = offset + feed
      const before = feed > 0 ? piece[feed - 1] : lastByte
      const isCrLf = before === 0x0d && end > start
      const part = piece.subarray(from, Math.min(feed, from + MOST_LINE_BYTES))
      onLine({ bytes: carried.length === 0 ? part : joined(carried, part), start, textEnd: isCrLf ? end - 1 : end, next: end + 1 })
      carried = Buffer.alloc(0)
      start = end + 1
      from = feed + 1
    }
    if (from < piece.length) carried = joined(carried, piece.subarray(from))
    offset += piece.length
    lastByte = piece[piece.length - 1] ?? lastByte
  }
  if (offset > start) onLine({ bytes: carried, start, textEnd: offset, next: offset })
  return offset
}

function joined(carried: Buffer, piece: Buffer): Buffer {
  if (carried.length >= MOST_LINE_BYTES) return carried
  return Buffer.concat([carried, piece.subarray(0, MOST_LINE_BYTES - carried.length)])
}
