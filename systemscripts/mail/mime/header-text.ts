import { textOfBytes } from './text-of-bytes.ts'

/** `=?utf-8?B?…?=`, also with a language after the charset, and with blanks inside, which broken senders leave. */
const ENCODED_WORD = /=\?([^?*\s]{1,40})(?:\*[^?\s]*)?\?([bq])\?([^?]*)\?=/gi

/** Most values: nothing in them is to be resolved. */
const PLAIN = /^[ -~]*$/

interface Piece {
  bytes: Buffer
  charset: string | null
}

/**
 * A header value as a person reads it: encoded words resolved, whatever else is in it read by its bytes. Words that follow each other in the
 * same encoding are put together before they are read, since senders split characters between them. Line ends and control characters
 * become blanks.
 *
 * Source: RFC 2047; RFC 2231, 5.
 *
 * @param raw one character a byte, as headerFields gives it
 */
export function headerText(raw: string): string {
  if (PLAIN.test(raw) && !raw.includes('=?')) return raw.trim()
  const text = raw.includes('=?') ? pieces(raw).map(textOfPiece).join('') : textOfBytes(Buffer.from(raw, 'latin1'), null)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim()
}

function pieces(raw: string): Piece[] {
  const found: Piece[] = []
  let at = 0
  for (const match of raw.matchAll(ENCODED_WORD)) {
    const [word, charset = '', kind = '', content = ''] = match
    const between = raw.slice(at, match.index)
    const isAfterWord = found.at(-1)?.charset != null
    if (between !== '' && !(isAfterWord && between.trim() === '')) found.push({ bytes: Buffer.from(between, 'latin1'), charset: null })
    add(found, kind.toLowerCase() === 'b' ? Buffer.from(content, 'base64') : qBytes(content), charset.toLowerCase())
    at = match.index + word.length
  }
  if (at < raw.length) found.push({ bytes: Buffer.from(raw.slice(at), 'latin1'), charset: null })
  return found
}

function add(found: Piece[], bytes: Buffer, charset: string): void {
  const last = found.at(-1)
  if (last?.charset === charset) last.bytes = Buffer.concat([last.bytes, bytes])
  else found.push({ bytes, charset })
}

function qBytes(content: string): Buffer {
  const plain = content.replace(/_/g, ' ').replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(plain, 'latin1')
}

function textOfPiece({ bytes, charset }: Piece): string {
  return textOfBytes(bytes, charset)
}
