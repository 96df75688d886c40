import { headerText } from './header-text.ts'
import { textOfBytes } from './text-of-bytes.ts'

export interface Parameterized {
  /** What stands before the first semicolon, in lower case. */
  value: string
  /** By name in lower case, decoded. */
  parameters: Map<string, string>
}

interface Segment {
  name: string
  /** Place among the pieces of a long value; null for one that stands alone. */
  index: number | null
  isEncoded: boolean
  text: string
}

/**
 * A header value with parameters, such as Content-Type and Content-Disposition, read as kindly as mail demands: pieces (`name*0*=`) in
 * any order, percent-encoding with or without its charset, encoded words within quotes, raw bytes of any encoding, values with blanks but
 * without quotes, quotes within quotes and quotes that never end, Windows paths.
 *
 * Source: RFC 2045, 5.1; RFC 2231, 3 and 4; RFC 2183.
 */
export function parseParameters(raw: string): Parameterized {
  const end = raw.indexOf(';')
  const value = (end === -1 ? raw : raw.slice(0, end)).replace(/\([^)]*\)/g, '')
  const segments = end === -1 ? [] : segmentsOf(raw.slice(end + 1))
  const parameters = new Map<string, string>()
  for (const name of new Set(segments.map((segment) => segment.name))) {
    parameters.set(name, decodedValue(segments.filter((segment) => segment.name === name)))
  }
  return { value: value.trim().toLowerCase(), parameters }
}

function segmentsOf(text: string): Segment[] {
  const segments: Segment[] = []
  for (let at = 0; at < text.length; ) {
    const head = /^[\s;]*([^=;]*)/.exec(text.slice(at))
    at += head?.[0].length ?? 1
    if (text[at] !== '=') continue
    const blanks = /^=\s*/.exec(text.slice(at))?.[0].length ?? 1
    const { content, length } = text[at + blanks] === '"' ? quoted(text.slice(at + blanks)) : bare(text.slice(at + blanks))
    at += blanks + length
    const name = /^([^*\s]+)(?:\*(\d{1,4}))?(\*)?$/.exec((head?.[1] ?? '').trim().toLowerCase())
    if (name?.[1] === undefined) continue
    segments.push({
      name: name[1],
      index: name[2] === undefined ? null : Number(name[2]),
      isEncoded: name[3] !== undefined,
      text: content,
    })
  }
  return segments
}

/** A quote ends the value where a semicolon or nothing follows; any other belongs to it. */
function quoted(text: string): { content: string; length: number } {
  let content = ''
  for (let at = 1; at < text.length; at += 1) {
    const character = text[at] ?? ''
    const next = text[at + 1]
    if (character === '\\' && (next === '"' || next === '\\')) {
      content += next
      at += 1
    } else if (character === '"' && /^\s*(;|$)/.test(text.slice(at + 1, at + 40))) return { content, length: at + 1 }
    else content += character
  }
  // The quote that should end it is missing: the value ends where the next parameter seems to begin.
  const { content: open } = bare(text.slice(1))
  return { content: open, length: open.length + 1 }
}

function bare(text: string): { content: string; length: number } {
  const content = /^[^;]*/.exec(text)?.[0] ?? ''
  return { content: content.trim(), length: content.length }
}

function decodedValue(segments: Segment[]): string {
  const alone = segments.find((segment) => segment.index === null && segment.isEncoded)
  const pieces = segments.filter((segment) => segment.index !== null).sort((left, right) => (left.index ?? 0) - (right.index ?? 0))
  if (alone === undefined && pieces.length === 0) return headerText(segments[0]?.text ?? '')
  return joined(alone === undefined ? pieces : [alone])
}

function joined(pieces: Segment[]): string {
  const stated = /^([^']*)'[^']*'/.exec(pieces[0]?.isEncoded ? pieces[0].text : '')
  const bytes = pieces.map((piece, index) => {
    const text = index === 0 && stated ? piece.text.slice(stated[0].length) : piece.text
    return piece.isEncoded ? percentDecoded(text) : text
  })
  const charset = stated?.[1] || null
  if (charset === null) return headerText(bytes.join(''))
  return textOfBytes(Buffer.from(bytes.join(''), 'latin1'), charset)
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
