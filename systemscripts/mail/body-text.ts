import { attachmentsOf, type MessagePart } from './message-part.ts'
import { textOfBytes } from './mime/text-of-bytes.ts'

/** Of each text of a message so many bytes are read. */
const MOST_BYTES = 512 * 1024

/** The texts of a message that are read to a person: those that are no attachment. The messages that are attached are not looked into. */
export function textParts(root: MessagePart): MessagePart[] {
  const files = new Set(attachmentsOf(root).map(({ part }) => part))
  const found: MessagePart[] = []
  const walk = (part: MessagePart): void => {
    if (/^text\/(plain|html)$/.test(part.type) && !files.has(part)) found.push(part)
    if (part.type !== 'message/rfc822') for (const child of part.children) walk(child)
  }
  walk(root)
  return found.slice(0, 10)
}

/** One text as a person reads it; of HTML what is shown. Of a very long one the beginning. @param bytes decoded */
export async function textOfPart(part: MessagePart, bytes: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of bytes) {
    pieces.push(piece)
    length += piece.length
    if (length >= MOST_BYTES) break
  }
  const text = textOfBytes(wholeCharacters(Buffer.concat(pieces).subarray(0, MOST_BYTES)), part.charset)
  return part.type === 'text/html' ? shownText(text) : text
}

/** Without a UTF-8 character that was cut in two. */
function wholeCharacters(bytes: Buffer): Buffer {
  if (bytes.length < MOST_BYTES) return bytes
  let end = bytes.length
  while (end > bytes.length - 4 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end - 1)
}

async function shownText(html: string): Promise<string> {
  const { load } = await import('cheerio')
  const page = load(html)
  page('script, style, head, title').remove()
  page('br, p, div, tr, li, h1, h2, h3, td, th').append('\n')
  return page
    .root()
    .text()
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n\s*/g, '\n')
    .trim()
}
