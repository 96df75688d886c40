/** What is not well-formed, or is what no workbook has. */
export class XmlError extends Error {}

/** One piece of XML. Offsets are into the text it was read from. */
export interface Token {
  /** `other`: comments, instructions, the declaration. */
  kind: 'open' | 'empty' | 'close' | 'text' | 'cdata' | 'other'
  /** Of elements: without prefix. */
  name: string
  prefix: string
  /** Between these lies the content of text and cdata, the attributes of open and empty. */
  from: number
  to: number
  /** Behind the piece. */
  end: number
}

const NAME_START = /[A-Za-z_:\u0080-\uffff]/

/**
 * The piece of XML that begins at `at`, or null when the text ends within it; text counts as complete only when markup follows.
 * A document type is refused: no workbook has one, and entities are the way of attacks (billion laughs, external entities).
 * @throws XmlError
 */
export function readToken(text: string, at: number): Token | null {
  if (text.charCodeAt(at) !== 0x3c) return readText(text, at)
  const sign = text[at + 1]
  if (sign === undefined) return null
  if (sign === '!') return readDeclared(text, at)
  if (sign === '?') return upTo(text, at + 2, '?>', 'other')
  if (sign === '/') return readClose(text, at)
  return readOpen(text, at)
}

/** Values of attributes by name as written, prefix included; entities are left as they are. */
export function readAttributes(text: string, from: number, to: number): Map<string, string> {
  const attributes = new Map<string, string>()
  const pattern = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/y
  for (let at = skipBlanks(text, from, to); at < to; at = skipBlanks(text, pattern.lastIndex, to)) {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null || pattern.lastIndex > to)
      throw new XmlError(`attributes cannot be read: ${text.slice(from, Math.min(to, from + 80))}`)
    attributes.set(match[1] ?? '', match[2] ?? match[3] ?? '')
  }
  return attributes
}

function readText(text: string, at: number): Token | null {
  const end = text.indexOf('<', at)
  return end === -1 ? null : { kind: 'text', name: '', prefix: '', from: at, to: end, end }
}

function readDeclared(text: string, at: number): Token | null {
  if (text.startsWith('<!--', at)) return upTo(text, at + 4, '-->', 'other')
  if (text.startsWith('<![CDATA[', at)) return upTo(text, at + 9, ']]>', 'cdata')
  if (text.length < at + 9) return null
  if (/^<!doctype/i.test(text.slice(at, at + 9))) throw new XmlError('it declares a document type (DOCTYPE), which no workbook does')
  throw new XmlError('it has markup that is no XML')
}

function upTo(text: string, from: number, mark: string, kind: 'cdata' | 'other'): Token | null {
  const to = text.indexOf(mark, from)
  return to === -1 ? null : { kind, name: '', prefix: '', from, to, end: to + mark.length }
}

function readClose(text: string, at: number): Token | null {
  const end = text.indexOf('>', at)
  if (end === -1) return null
  return { kind: 'close', ...splitName(text.slice(at + 2, end).trimEnd()), from: end, to: end, end: end + 1 }
}

function readOpen(text: string, at: number): Token | null {
  const end = tagEnd(text, at)
  if (end === -1) return null
  if (!NAME_START.test(text[at + 1] ?? '')) throw new XmlError('a "<" stands alone')
  let nameEnd = at + 1
  while (nameEnd < end && !isBlank(text.charCodeAt(nameEnd)) && text.charCodeAt(nameEnd) !== 0x2f) nameEnd += 1
  const isEmpty = text.charCodeAt(end - 1) === 0x2f
  const name = splitName(text.slice(at + 1, nameEnd))
  return { kind: isEmpty ? 'empty' : 'open', ...name, from: nameEnd, to: isEmpty ? end - 1 : end, end: end + 1 }
}

/** Place of the `>` that ends the tag; one within quotes does not. */
function tagEnd(text: string, at: number): number {
  for (let place = at + 1; place < text.length; place += 1) {
    const code = text.charCodeAt(place)
    if (code === 0x3e) return place
    if (code === 0x3c) throw new XmlError('a "<" stands within a tag')
    if (code !== 0x22 && code !== 0x27) continue
    place = text.indexOf(code === 0x22 ? '"' : "'", place + 1)
    if (place === -1) return -1
  }
  return -1
}

function splitName(qualified: string): { name: string; prefix: string } {
  const colon = qualified.indexOf(':')
  return { name: qualified.slice(colon + 1), prefix: colon === -1 ? '' : qualified.slice(0, colon) }
}

function skipBlanks(text: string, from: number, to: number): number {
  let at = from
  while (at < to && isBlank(text.charCodeAt(at))) at += 1
  return at
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
