import type { GridKind } from '../grid.ts'
import { fileEmpty, fileIs } from './refusals.ts'

/** The head as text for sniffing (bytes above 127 are as good as letters), or null when it is binary. */
export function sniffedText(head: Buffer): string | null {
  const mark = head.toString('latin1', 0, 2)
  if (mark === '\xff\xfe' || mark === '\xfe\xff') return new TextDecoder(mark === '\xff\xfe' ? 'utf-16le' : 'utf-16be').decode(head)
  const bytes = head.toString('latin1').replace(/^\xef\xbb\xbf/, '')
  const text = isUtf16(bytes) ? bytes.replaceAll('\0', '') : bytes
  const controls = [...text].filter((character) => character < ' ' && !'\t\n\v\f\r\x1b\x1a\x1c\x1d\x1e\x1f\x01'.includes(character)).length
  return controls > text.length / 50 || text.includes('\0') ? null : text
}

function isUtf16(bytes: string): boolean {
  const start = [...bytes.slice(0, 8)]
  return start.length === 8 && [0, 1].some((side) => start.every((character, at) => (character === '\0') === (at % 2 === side)))
}

/**
 * What a text is by how it begins; text that is nothing else is a CSV.
 * @param isWhole whether this is all of the file
 * @throws PermanentError `file_empty`, `file_is_mhtml`, `file_is_xml`, `file_is_sylk`, `file_is_dif`
 */
export function kindOfText(text: string, isWhole: boolean, fileName: string): GridKind {
  if (text.trim() === '' && isWhole) throw fileEmpty(fileName)
  const start = text.replace(/^\s*(<!--[\s\S]*?-->\s*)*/, '')
  if (/^(MIME-Version:|From: <Saved by|Content-Type: multipart\/related)/i.test(start)) {
    throw fileIs(fileName, 'file_is_mhtml', 'a web page saved as a single file (.mht)')
  }
  if (/^ID;P[A-Z]*(;[A-Z][^;\r\n]*)*\r?\n[A-Z];/.test(start)) throw fileIs(fileName, 'file_is_sylk', 'a SYLK file (.slk)')
  if (/^TABLE\r?\n0,1\r?\n"/.test(start)) throw fileIs(fileName, 'file_is_dif', 'a DIF file')
  if (start.startsWith('<')) return kindOfMarkup(start, fileName)
  if (/^\{\s*("|\})/.test(start) || /^\[\s*([{["]|\]|-?\d[\d.]*\s*,|(true|false|null)\s*[,\]])/.test(start)) return 'json'
  return 'csv'
}

function kindOfMarkup(start: string, fileName: string): GridKind {
  // Instructions, comments and a document type come before the first element.
  const root = start.replace(/^(\s*(<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!doctype[^>[]*>))*\s*/i, '')
  if (/^<!doctype html/i.test(start) || /<!doctype html/i.test(start.slice(0, start.length - root.length))) return 'html'
  if (/^<(html|head|meta|style|body|table|div|font|center|script|title|link|thead|tbody|tr|p|br|span|form|h[1-6]|!\[)\b/i.test(root))
    return 'html'
  const tag = /^<([a-z_][\w.:-]*)(\s[^>]*)?\/?>/i.exec(root)
  if (tag === null) {
    if (/^<\?xml/i.test(start)) throw fileIs(fileName, 'file_is_xml', 'XML')
    return 'csv'
  }
  const [whole, name = ''] = tag
  if (/^(\w+:)?Workbook$/.test(name) && whole.includes('urn:schemas-microsoft-com:office:spreadsheet')) return 'xml'
  if (/^(\w+:)?document$/.test(name) && whole.includes('opendocument.spreadsheet')) return 'ods'
  if (/<table[\s>]/i.test(start) && !/^<\?xml/i.test(start)) return 'html'
  throw fileIs(fileName, 'file_is_xml', 'XML')
}
