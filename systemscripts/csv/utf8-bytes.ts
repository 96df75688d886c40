import { isUtf8 } from 'node:buffer'
import { PermanentError } from '../errors.ts'
import { createDecoder, encodingOf } from './text-decoder.ts'

export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/**
 * The same text as UTF-8, exactly: bytes that are not what the encoding says are refused, never replaced. A byte order mark at the beginning is
 * left out. UTF-8 is passed on as it came, checked, in pieces that end between characters.
 *
 * @param encoding a label of the WHATWG Encoding Standard (https://encoding.spec.whatwg.org/#names-and-labels; `latin1` means windows-1252), or of DOS: `ibm850`
 * @throws PermanentError `encoding_not_utf8`, `encoding_mismatch`, `encoding_unknown`
 */
export function utf8Bytes(bytes: ByteSource, encoding: string, fileName: string): AsyncGenerator<Buffer> {
  const known = knownEncoding(encoding)
  return known === 'utf-8' ? checkedUtf8(bytes, fileName) : recoded(bytes, known, fileName)
}

/** @throws PermanentError `encoding_unknown` */
export function knownEncoding(label: string): string {
  const encoding = encodingOf(label)
  if (encoding !== null) return encoding
  throw new PermanentError('encoding_unknown', `Encoding "${label}" is unknown`, {
    hint: 'Set encoding in the settings to a name such as utf-8, windows-1252, iso-8859-15, utf-16le, ibm850 or shift_jis.',
  })
}

async function* checkedUtf8(bytes: ByteSource, fileName: string): AsyncGenerator<Buffer> {
  let unfinished = Buffer.alloc(0)
  let offset = 0
  for await (const chunk of bytes) {
    const piece = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const all = unfinished.length === 0 ? piece : Buffer.concat([unfinished, piece])
    const until = lastBoundary(all)
    const whole = all.subarray(0, until)
    if (!isUtf8(whole)) throw notUtf8(whole, offset, fileName)
    const from = offset === 0 ? marksLength(whole) : 0
    // A copy: the reader may reuse its memory for the next chunk.
    unfinished = Buffer.from(all.subarray(until))
    offset += until
    if (until > from) yield whole.subarray(from)
  }
  if (unfinished.length > 0) throw notUtf8(unfinished, offset, fileName)
}

/** Of byte order marks: programs put one before a text that has one. */
function marksLength(bytes: Buffer): number {
  let length = 0
  while (bytes[length] === 0xef && bytes[length + 1] === 0xbb && bytes[length + 2] === 0xbf) length += 3
  return length
}

/** Where the last character that may still miss bytes begins, or the end. */
export function lastBoundary(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return bytes.length
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return needed > back ? bytes.length - back : bytes.length
    }
  }
  return bytes.length
}

function notUtf8(part: Buffer, partOffset: number, fileName: string): PermanentError {
  const { offset, byte, before } = firstWrongByte(part)
  return new PermanentError('encoding_not_utf8', `File "${fileName}" is not UTF-8`, {
    detail: `Byte ${byte} at offset ${partOffset + offset} (from 0), after ${JSON.stringify(before)}.`,
    hint: 'Set encoding in the settings to what the sender uses, for example windows-1252.',
  })
}

export interface WrongByte {
  /** From 0. */
  offset: number
  /** As `0xFC`. */
  byte: string
  /** The text before it. */
  before: string
}

/** Of bytes that are not UTF-8, the first that no character of it has in that place. */
export function firstWrongByte(bytes: Buffer): WrongByte {
  let offset = 0
  let high = bytes.length
  while (high - offset > 64) {
    const middle = (offset + high) >> 1
    const boundary = lastBoundary(bytes.subarray(0, middle))
    if (isUtf8(bytes.subarray(offset, boundary))) offset = boundary
    else high = middle
  }
  for (let length = characterAt(bytes, offset); length > 0 && offset < bytes.length; length = characterAt(bytes, offset)) offset += length
  const byte = (bytes[offset] ?? 0).toString(16).toUpperCase().padStart(2, '0')
  return { offset, byte: `0x${byte}`, before: bytes.toString('utf8', Math.max(0, offset - 80), offset).slice(-20) }
}

/** Length of the character that begins there, 0 when none does. */
function characterAt(bytes: Buffer, offset: number): number {
  return [1, 2, 3, 4].find((length) => offset + length <= bytes.length && isUtf8(bytes.subarray(offset, offset + length))) ?? 0
}

async function* recoded(bytes: ByteSource, encoding: string, fileName: string): AsyncGenerator<Buffer> {
  const decoder = createDecoder(encoding)
  const decode = (piece: Uint8Array | null): Buffer => {
    try {
      return Buffer.from(decoder.decode(piece))
    } catch (cause) {
      throw new PermanentError('encoding_mismatch', `File "${fileName}" is not ${encoding}`, {
        detail: `It holds bytes that ${encoding} does not know.`,
        hint: 'Correct encoding in the settings, or leave it empty to have it detected.',
        cause,
      })
    }
  }
  for await (const piece of bytes) {
    const text = decode(piece)
    if (text.length > 0) yield text
  }
  const rest = decode(null)
  if (rest.length > 0) yield rest
}
