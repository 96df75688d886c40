import { isUtf8 } from 'node:buffer'
import { detectEncoding } from '../../csv/encoding.ts'
import { PermanentError } from '../../errors.ts'

/** HTML standard, 13.2.3.2: a page states its encoding within its first 1024 bytes; a little more does no harm. */
const META_BYTES = 4096

export interface PageText {
  text: string
  /** A label of the WHATWG Encoding Standard. */
  encoding: string
}

/**
 * The text of a page. What decides, in order: a byte order mark, the header's charset, `<meta>` or the XML declaration, then what the bytes
 * plausibly are, as for a CSV (csv/encoding.ts). A statement that the bytes contradict is not believed: UTF-8 that is none,
 * and Latin-1, which many servers say of everything, for what is UTF-8. Where nothing decides it is
 * UTF-8 for bytes that mostly are, else windows-1252, as browsers do; single wrong bytes become U+FFFD.
 */
export async function pageText(bytes: Buffer, contentType: string | null): Promise<PageText> {
  const stated = markedEncoding(bytes) ?? labelOf(charsetOf(contentType)) ?? labelOf(charsetOf(statedInside(bytes)))
  const isUtf8Beneath = stated === 'windows-1252' && bytes.some((byte) => byte > 127) && isUtf8(bytes)
  if (stated !== null && stated !== 'utf-8' && !isUtf8Beneath) return { text: new TextDecoder(stated).decode(bytes), encoding: stated }
  if (isUtf8(bytes)) return { text: withoutMark(bytes.toString('utf8')), encoding: 'utf-8' }
  const encoding = (await plausible(bytes)) ?? (stated === null && !isMostlyUtf8(bytes) ? 'windows-1252' : 'utf-8')
  return { text: new TextDecoder(encoding).decode(bytes), encoding }
}

/** Whether a content type is text that a reader of pages may read. Null, when nothing is stated, counts as text. */
export function isTextual(contentType: string | null): boolean {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  return type === '' || type.startsWith('text/') || /^application\/(.*\+)?(xml|json|xhtml)\b|^application\/javascript/.test(type)
}

function markedEncoding(bytes: Buffer): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  return null
}

function charsetOf(text: string | null): string | null {
  return /\bcharset\s*=\s*["']?\s*([^\s"';>]+)/i.exec(text ?? '')?.[1] ?? null
}

/** What `<meta charset>`, `<meta http-equiv=content-type content="…charset=…">` or `<?xml encoding?>` says. A comment says nothing. */
function statedInside(bytes: Buffer): string | null {
  const head = bytes.toString('latin1', 0, META_BYTES).replace(/<!--.*?-->/gs, '')
  const declared = /^\s*<\?xml[^>]*\bencoding\s*=\s*["']([^"']+)["']/i.exec(head)?.[1]
  if (declared !== undefined) return `charset=${declared}`
  const meta = head.match(/<meta\s[^>]*>/gi)?.find((tag) => charsetOf(tag) !== null) ?? null
  // A page that could be read so far is not UTF-16, whatever it says (HTML standard, 13.2.3.2, step 15).
  return meta?.replace(/utf-16(le|be)?/i, 'utf-8') ?? null
}

/** Null for a label that nobody knows. */
function labelOf(charset: string | null): string | null {
  if (charset === null) return null
  try {
    return new TextDecoder(charset).encoding
  } catch {
    return null
  }
}

async function plausible(bytes: Buffer): Promise<string | null> {
  try {
    return await detectEncoding(() => [bytes], bytes.subarray(0, META_BYTES), null, 'page')
  } catch (error) {
    if (error instanceof PermanentError) return null
    throw error
  }
}

/** Of the bytes beyond ASCII, most are whole characters. */
function isMostlyUtf8(bytes: Buffer): boolean {
  const text = bytes.toString('utf8')
  const wrong = text.split('\ufffd').length - 1
  return wrong * 4 < (text.match(/[^\0-\x7f]/g)?.length ?? 0)
}

function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text
}
