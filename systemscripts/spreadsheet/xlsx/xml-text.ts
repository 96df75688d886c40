import { XmlError } from './xml-tokens.ts'

const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** Character data as XML means it: entities (the five named ones, and numbers) replaced, line ends `\n`. @throws XmlError */
export function decodeXml(raw: string): string {
  const text = raw.includes('\r') ? raw.replace(/\r\n?/g, '\n') : raw
  return text.includes('&') ? text.replace(/&([^;&]{0,12};)?/g, entity) : text
}

/**
 * Text of a cell: Excel writes what XML cannot hold as `_x0008_`, and the underscore of a text that looks like that as `_x005F_`
 * (ISO/IEC 29500-1, 22.4.2.4, bstr). `_x0000_` stays as written: no text of Postgres holds a zero.
 */
export function decodeEscapes(text: string): string {
  if (!text.includes('_x')) return text
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (written, digits) =>
    digits === '0000' ? written : String.fromCharCode(Number.parseInt(digits, 16)),
  )
}

function entity(written: string, name: string | undefined): string {
  const key = name?.slice(0, -1) ?? ''
  const named = Object.hasOwn(NAMED, key) ? NAMED[key] : undefined
  if (named !== undefined) return named
  const code = /^#\d+$/.test(key) ? Number(key.slice(1)) : /^#x[0-9a-f]+$/i.test(key) ? Number.parseInt(key.slice(2), 16) : 0
  if (code === 0 || code > 0x10ffff) throw new XmlError(`"${written}" is no character of XML`)
  return String.fromCodePoint(code)
}
