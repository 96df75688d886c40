import { isUtf8 } from 'node:buffer'
import { legacyEncoding } from './legacy-encoding.ts'
import { unmarkedUtf16 } from './unmarked-utf16.ts'
import { type ByteSource, firstWrongByte, knownEncoding, lastBoundary, type WrongByte } from './utf8-bytes.ts'

/** So many bytes at the beginning tell UTF-16. */
const SNIFFED_BYTES = 4096
/** Of the lines that are not UTF-8 so much is looked at. */
const LEGACY_SAMPLE_BYTES = 256 * 1024
/** From ASCII to kanji (RFC 1468). */
const JAPANESE_ESCAPES = ['\x1b$B', '\x1b$@']

/**
 * The encoding of a text. A byte order mark decides before anything else. Without one the stated encoding counts. Without either: UTF-16 when
 * unmarkedUtf16 says so; UTF-8 when the whole text is, ISO-2022-JP when its escapes are there as well; else what legacyEncoding makes of its lines that are not. The whole text is read for that
 * before any of it is used, about 0.1 s for 100 MB, so that it is known for certain and no file turns out otherwise half way through.
 *
 * @returns a label of the WHATWG Encoding Standard
 * @throws PermanentError `encoding_unknown`, `encoding_not_utf8`
 */
export async function detectEncoding(open: () => ByteSource, head: Buffer, stated: string | null, fileName: string): Promise<string> {
  const encoding = chooseEncoding(head, stated)
  if (encoding !== 'utf-8' || stated || markedEncoding(head) !== null) return encoding
  const foreign = await foreignLines(open())
  if (foreign === null) return JAPANESE_ESCAPES.some((start) => head.includes(start)) ? 'iso-2022-jp' : encoding
  return legacyEncoding(foreign.lines, foreign.wrong, fileName)
}

/** The same by the first bytes alone: what is neither marked, stated nor UTF-16 counts as UTF-8. @throws PermanentError `encoding_unknown` */
export function chooseEncoding(head: Buffer, stated: string | null): string {
  return knownEncoding(markedEncoding(head) ?? (stated || null) ?? unmarkedUtf16(head.subarray(0, SNIFFED_BYTES)) ?? 'utf-8')
}

function markedEncoding(head: Buffer): string | null {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8'
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  return null
}

/** Of a text that is not UTF-8: lines with bytes beyond ASCII, from its head and from where it ceases to be. Null for one that is. */
async function foreignLines(bytes: ByteSource): Promise<{ lines: Buffer; wrong: WrongByte } | null> {
  const lines: Buffer[] = []
  let length = 0
  let offset = 0
  let wrong: WrongByte | null = null
  let rest: Buffer = Buffer.alloc(0)
  const look = (part: Buffer): void => {
    if (wrong === null && !isUtf8(part)) {
      const found = firstWrongByte(part)
      wrong = { ...found, offset: offset + found.offset }
    }
    const atMost = (wrong === null ? LEGACY_SAMPLE_BYTES / 4 : LEGACY_SAMPLE_BYTES) - length
    for (const line of linesBeyondAscii(part, atMost)) {
      lines.push(line)
      length += line.length
    }
    offset += part.length
  }
  for await (const piece of bytes) {
    const all: Buffer = rest.length === 0 ? Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength) : Buffer.concat([rest, piece])
    const lineEnd = all.lastIndexOf(10) + 1
    const until = lineEnd === 0 ? lastBoundary(all) : lineEnd
    look(all.subarray(0, until))
    rest = Buffer.from(all.subarray(until))
    if (wrong !== null && length >= LEGACY_SAMPLE_BYTES) break
  }
  look(rest)
  return wrong === null ? null : { lines: Buffer.concat(lines), wrong }
}

function* linesBeyondAscii(bytes: Buffer, atMost: number): Generator<Buffer> {
  let length = 0
  for (let from = 0; from < bytes.length && length < atMost; ) {
    const end = bytes.indexOf(10, from)
    const until = end === -1 ? bytes.length : end + 1
    const line = bytes.subarray(from, until)
    if (line.some((byte) => byte > 127)) {
      length += line.length
      yield Buffer.from(line)
    }
    from = until
  }
}
