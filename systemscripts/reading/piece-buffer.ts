/** In bytes: what one piece holds, save that a single larger row has a piece of its own. */
const PIECE_BYTES = 256 * 1024

/** Bytes of one piece while it grows; public fields, since the copying loops write into them directly. */
export class PieceBuffer {
  bytes = new Uint8Array(PIECE_BYTES)
  length = 0

  /** Makes room for so many bytes more. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  /** Whether the next row had better go into another piece. */
  isFull(): boolean {
    return this.length >= PIECE_BYTES - 16 * 1024
  }

  /** What has been written, in memory of its own; the buffer starts again. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length)
    this.bytes = new Uint8Array(PIECE_BYTES)
    this.length = 0
    return taken
  }
}

export const TAB = 9
const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const BACKSLASH = 92

/**
 * By byte: 0 for what stands in COPY's text format as it is, else the letter after the backslash; 1 for NUL, which Postgres cannot hold.
 * https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"
 */
export const COPY_ESCAPES: Uint8Array = copyEscapes()

function copyEscapes(): Uint8Array {
  const escapes = new Uint8Array(256)
  escapes[BACKSLASH] = BACKSLASH
  escapes[TAB] = 't'.charCodeAt(0)
  escapes[LINE_FEED] = 'n'.charCodeAt(0)
  escapes[CARRIAGE_RETURN] = 'r'.charCodeAt(0)
  escapes[0] = 1
  return escapes
}

/** `\N` */
export function putNull(out: PieceBuffer): void {
  out.reserve(2)
  out.bytes[out.length] = BACKSLASH
  out.bytes[out.length + 1] = 78
  out.length += 2
}

export function putByte(out: PieceBuffer, byte: number): void {
  out.reserve(1)
  out.bytes[out.length] = byte
  out.length += 1
}

/** Beyond this many characters the call into native code costs less than the loop. */
const SHORT_TEXT = 100

/**
 * A value in COPY's text format, without the tab around it.
 * @returns false, and nothing is written, when Postgres cannot hold the text: a NUL is in it, or half of a surrogate pair
 */
export function putCopyText(out: PieceBuffer, text: string): boolean {
  if (putPlain(out, text, COPY_ESCAPES)) return true
  if (!isHoldable(text)) return false
  putUtf8(out, NEEDS_ESCAPE.test(text) ? text.replace(EVERY_ESCAPE, (character) => ESCAPED[character] ?? character) : text)
  return true
}

function isHoldable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Writes a short text of plain ASCII. @returns false, and nothing is written, when it is none */
function putPlain(out: PieceBuffer, text: string, special: Uint8Array): boolean {
  const { length } = text
  if (length > SHORT_TEXT) return false
  out.reserve(length)
  const { bytes } = out
  let to = out.length
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at)
    if (code > 127 || special[code] !== 0) return false
    bytes[to] = code
    to += 1
  }
  out.length = to
  return true
}

export function putUtf8(out: PieceBuffer, text: string): void {
  out.reserve(text.length * 3)
  out.length += encoder.encodeInto(text, out.bytes.subarray(out.length)).written
}

/** A value as a field of a CSV (RFC 4180): null is nothing, '' is `""`. Answers as putCopyText. */
export function putCsvText(out: PieceBuffer, text: string | null): boolean {
  if (text === null || (text !== '' && putPlain(out, text, CSV_SPECIALS))) return true
  if (!isHoldable(text)) return false
  putUtf8(out, text === '' || NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  return true
}

/**
 * The only field of a line. Null, alone on its line, would be a blank line, which is passed over by whoever reads the file: a comma behind it makes it
 * a record. And where a value could be cut by another character than the comma, quotes say that it is whole.
 */
export function putOnlyField(out: PieceBuffer, text: string | null): boolean {
  if (text === null) putByte(out, COMMA)
  if (text === null || !CUTS_ONE_FIELD.test(text)) return putCsvText(out, text)
  if (!isHoldable(text)) return false
  putUtf8(out, `"${text.replaceAll('"', '""')}"`)
  return true
}

const COMMA = 44
/** Delimiters that reading a CSV looks for, `sep=` in front of one, and quotes other than `"`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: some files have fields with it between them
const CUTS_ONE_FIELD = /[;\t|^~:'\x01]|^sep=/i

/** By byte: 1 for what does not stand in a field of a CSV as it is. */
export const CSV_SPECIALS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  '",\n\r\0'.includes(String.fromCharCode(byte)) ? 1 : 0,
)

const encoder = new TextEncoder()
const NEEDS_ESCAPE = /[\\\t\n\r]/
const EVERY_ESCAPE = /[\\\t\n\r]/g
const ESCAPED: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
const NEEDS_QUOTES = /[",\n\r]/
