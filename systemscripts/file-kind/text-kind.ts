import { unmarkedUtf16 } from '../csv/unmarked-utf16.ts'
import type { GridKind } from '../grid.ts'
import { fileEmpty, fileIs } from './refusals.ts'

/**
 * The head as text for sniffing (bytes above 127 are as good as letters), or null when it is binary. A NUL here and there, or many at the end, as
 * a crash leaves them, are for the reader to refuse, who knows the line.
 */
export function sniffedText(head: Buffer): string | null {
  const mark = head.toString('latin1', 0, 2)
  const marked = mark === '\xff\xfe' ? 'utf-16le' : mark === '\xfe\xff' ? 'utf-16be' : null
  const encoding = marked ?? unmarkedUtf16(head)
  const text = encoding === null ? head.toString('latin1').replace(/^(\xef\xbb\xbf)+/, '') : new TextDecoder(encoding).decode(head)
  if (marked !== null) return text
  const seen = text.slice(0, unpaddedLength(text))
  const controls = [...seen].filter((character) => character < ' ' && !'\t\n\v\f\r\x1b\x1a\x1c\x1d\x1e\x1f\x01'.includes(character)).length
  return (seen === '' && text !== '') || controls > Math.max(1, seen.length / 50) ? null : text
}

function unpaddedLength(text: string): number {
  let length = text.length
  while (text[length - 1] === '\0') length -= 1
  return length
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
  if (/^ID;P\w*(;[A-Z][^;\r\n]*)*\r?\n([BCFOP]|N[NEUVW]);[A-Z]/.test(start)) throw fileIs(fileName, 'file_is_sylk', 'a SYLK file (.slk)')
  if (/^TABLE\r?\n0,1\r?\n"/.test(start)) throw fileIs(fileName, 'file_is_dif', 'a DIF file')
  if (start.startsWith('<')) return kindOfMarkup(start, fileName)
  if (/^\{\s*("|\})/.test(start) || /^\[\s*([{["]|\]|-?\d[\d.]*\s*,|(true|false|null)\s*[,\]])/.test(start)) return 'json'
  if (isWhole && (start.trim() === 'null' || isJsonList(start))) return 'json'
  return 'csv'
}

/** Of one line `[1]` may be the name of a column, too, but hardly is. */
function isJsonList(text: string): boolean {
  if (!text.startsWith('[')) return false
  try {
    return Array.isArray(JSON.parse(text))
  } catch {
    return false
  }
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
