import { isAscii, isUtf8 } from 'node:buffer'
import { XmlError } from './xml-tokens.ts'

/**
 * A stretch of a part. `text` has one character for each byte, so that markup, which is ASCII, is found in it quickly at the same offsets;
 * what is taken out as text goes through textOf.
 */
export interface XmlWindow {
  bytes: Buffer
  text: string
  isAscii: boolean
  isLast: boolean
  /** Set by who reads: all before this has been understood, the rest comes again at the start of the next window. */
  used: number
}

/**
 * Windows over UTF-8 bytes. Where nothing of a window could be used, the next is at least twice as long: an element of any length is read in
 * time proportional to it.
 * @throws what `tooLarge` makes, when more than `limit` bytes hold nothing that could be used
 */
export async function* xmlWindows(chunks: AsyncIterable<Buffer>, limit: number, tooLarge: () => Error): AsyncGenerator<XmlWindow> {
  let rest: Buffer[] = []
  let wanted = 0
  let fresh = 0
  for await (const chunk of chunks) {
    rest.push(chunk)
    fresh += chunk.length
    if (fresh < wanted) continue
    const window = windowOf(Buffer.concat(rest), false)
    yield window
    const unused = window.bytes.subarray(window.used)
    if (unused.length > limit) throw tooLarge()
    rest = [unused]
    wanted = window.used === 0 ? Math.min(unused.length, limit + 1 - unused.length) : 0
    fresh = 0
  }
  yield windowOf(Buffer.concat(rest), true)
}

/** Characters between two offsets, entities still in them. @throws XmlError when the bytes are no UTF-8 */
export function textOf(window: XmlWindow, from: number, to: number): string {
  const text = window.text.slice(from, to)
  if (window.isAscii || !/[\x80-\xff]/.test(text)) return text
  const bytes = window.bytes.subarray(from, to)
  if (!isUtf8(bytes)) throw new XmlError(`bytes of a text are no UTF-8: ${bytes.toString('hex', 0, 16)}`)
  return bytes.toString('utf8')
}

function windowOf(bytes: Buffer, isLast: boolean): XmlWindow {
  return { bytes, text: bytes.toString('latin1'), isAscii: isAscii(bytes), isLast, used: 0 }
}
