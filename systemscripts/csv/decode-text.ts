import { isUtf8 } from 'node:buffer'
import { PermanentError } from '../errors.ts'

/** So many bytes are looked at to tell the encoding. */
const SNIFFED_BYTES = 4096

/**
 * Bytes to text, in pieces, exactly: bytes that are not what the encoding says are refused, never replaced.
 *
 * A byte order mark decides before anything else and is left out of the text. Without one the stated encoding counts,
 * a label of the WHATWG Encoding Standard (https://encoding.spec.whatwg.org/#names-and-labels; `latin1` means windows-1252).
 * Without either: UTF-16 when every second byte is NUL, else UTF-8.
 *
 * @throws PermanentError `encoding_not_utf8`, `encoding_mismatch`, `encoding_unknown`
 */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>, stated: string | null, fileName: string): AsyncGenerator<string> {
  let head: Buffer | null = Buffer.alloc(0)
  let decoder: Decoder | null = null
  for await (const chunk of bytes) {
    const piece = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (head === null) {
      const text: string = decoder?.write(piece) ?? ''
      if (text !== '') yield text
      continue
    }
    head = Buffer.concat([head, piece])
    if (head.length < SNIFFED_BYTES) continue
    decoder = createDecoder(head, stated, fileName)
    yield decoder.write(head)
    head = null
  }
  if (head !== null) {
    decoder = createDecoder(head, stated, fileName)
    const text = decoder.write(head)
    if (text !== '') yield text
  }
  const rest = decoder?.end() ?? ''
  if (rest !== '') yield rest
}

interface Decoder {
  write(bytes: Buffer): string
  end(): string
}

function createDecoder(head: Buffer, stated: string | null, fileName: string): Decoder {
  const label = markedEncoding(head) ?? stated ?? unmarkedEncoding(head)
  let encoding: string
  try {
    encoding = new TextDecoder(label).encoding
  } catch (cause) {
    throw new PermanentError('encoding_unknown', `Encoding "${label}" is unknown`, {
      hint: 'Set encoding in the settings to a name such as utf-8, windows-1252, iso-8859-15, utf-16le or shift_jis.',
      cause,
    })
  }
  return encoding === 'utf-8' ? createUtf8Decoder(fileName) : createLabelDecoder(encoding, fileName)
}

function markedEncoding(head: Buffer): string | null {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8'
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  return null
}

/** Delimiters, digits and line ends of a UTF-16 text leave a NUL in every second byte, always on the same side. */
function unmarkedEncoding(head: Buffer): string {
  const looked = head.subarray(0, SNIFFED_BYTES)
  const nuls = [0, 0]
  for (let at = 0; at < looked.length; at += 1) if (looked[at] === 0) nuls[at % 2] = (nuls[at % 2] ?? 0) + 1
  const [even = 0, odd = 0] = nuls
  if (odd > looked.length / 8 && even === 0) return 'utf-16le'
  if (even > looked.length / 8 && odd === 0) return 'utf-16be'
  return 'utf-8'
}

/** UTF-8 by way of Buffer, several times as fast as a streaming TextDecoder; also says where the first wrong byte stands. */
function createUtf8Decoder(fileName: string): Decoder {
  let unfinished = Buffer.alloc(0)
  let offset = 0
  let isFirst = true
  return { write, end }

  function write(bytes: Buffer): string {
    const all = unfinished.length === 0 ? bytes : Buffer.concat([unfinished, bytes])
    const until = lastBoundary(all)
    // A copy: the reader may reuse its memory for the next chunk.
    unfinished = Buffer.from(all.subarray(until))
    return decode(all.subarray(0, until))
  }

  function end(): string {
    return decode(unfinished)
  }

  function decode(part: Buffer): string {
    if (!isUtf8(part)) throw notUtf8(part, offset, fileName)
    offset += part.length
    const text = part.toString('utf8')
    const isMarked = isFirst && text.startsWith('\ufeff')
    isFirst &&= text === ''
    return isMarked ? text.slice(1) : text
  }
}

/** Where the last character that may still miss bytes begins, or the end. */
function lastBoundary(bytes: Buffer): number {
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
  const text = part.toString('utf8')
  let at = text.indexOf('\ufffd')
  let before = Buffer.byteLength(text.slice(0, at))
  // U+FFFD may also stand in the file as itself: then its own three bytes are there.
  while (part[before] === 0xef && part[before + 1] === 0xbf && part[before + 2] === 0xbd) {
    const next = text.indexOf('\ufffd', at + 1)
    before += Buffer.byteLength(text.slice(at, next))
    at = next
  }
  const byte = (part[before] ?? 0).toString(16).toUpperCase().padStart(2, '0')
  return new PermanentError('encoding_not_utf8', `File "${fileName}" is not UTF-8`, {
    detail: `Byte 0x${byte} at offset ${partOffset + before} (from 0), after ${JSON.stringify(text.slice(Math.max(0, at - 20), at))}.`,
    hint: 'Set encoding in the settings to what the sender uses, for example windows-1252.',
  })
}

function createLabelDecoder(encoding: string, fileName: string): Decoder {
  const decoder = new TextDecoder(encoding, { fatal: true })
  const decode = (bytes: Buffer | undefined): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined })
    } catch (cause) {
      throw new PermanentError('encoding_mismatch', `File "${fileName}" is not ${encoding}`, {
        detail: `It holds bytes that ${encoding} does not know.`,
        hint: 'Correct encoding in the settings, or leave it empty to have it detected.',
        cause,
      })
    }
  }
  return { write: decode, end: () => decode(undefined) }
}
