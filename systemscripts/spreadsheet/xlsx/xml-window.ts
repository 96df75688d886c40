import { isAscii, isUtf8 } from 'node:buffer'
import { XmlError } from './xml-tokens.ts'

/**
 * A stretch of a part. `text` has one character for each byte, so that markup, which is ASCII, is found in it quickly at the same offsets;
 * what is taken out as text goes through textOf.
 */
export interface XmlWindow {
  /** `length` bytes, and zeros behind them, so that who reads byte by byte need not look for the end. Other bytes stand there in the next window. */
  readonly bytes: Buffer
  readonly length: number
  /** Made when it is first asked for: who reads bytes only does without it. */
  readonly text: string
  readonly isAscii: boolean
  readonly isLast: boolean
  /** Set by who reads: all before this has been understood, the rest comes again at the start of the next window. */
  used: number
}

const ZEROS_BEHIND = 16
const LONGEST_REST = 1024
const FIRST_CAPACITY = 512 * 1024

/**
 * Windows over UTF-8 bytes, all in the same memory. Where nothing of a window could be used, the next is at least twice as long: an element of any
 * length is read in time proportional to it.
 * @param chunks each may be overwritten when the next is asked for
 * @throws what `tooLarge` makes, when more than `limit` bytes hold nothing that could be used
 */
export async function* xmlWindows(chunks: AsyncIterable<Buffer>, limit: number, tooLarge: () => Error): AsyncGenerator<XmlWindow> {
  let memory = Buffer.allocUnsafeSlow(FIRST_CAPACITY)
  let length = 0
  let wanted = 0
  let fresh = 0
  for await (const chunk of chunks) {
    if (length + chunk.length + ZEROS_BEHIND > memory.length) memory = enlarged(memory, length, length + chunk.length + ZEROS_BEHIND)
    memory.set(chunk, length)
    length += chunk.length
    fresh += chunk.length
    if (fresh < wanted) continue
    const window = windowOf(memory, length, false)
    yield window
    const unused = length - window.used
    if (unused > limit) throw tooLarge()
    memory.copyWithin(0, window.used, length)
    length = unused
    wanted = window.used === 0 ? Math.min(unused, limit + 1 - unused) : 0
    fresh = 0
  }
  yield windowOf(memory, length, true)
}

function enlarged(memory: Buffer, length: number, needed: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(Math.max(memory.length * 2, needed))
  memory.copy(larger, 0, 0, length)
  return larger
}

/** Whether what is left is better looked at with the next window: hardly an element ends where a window does. */
export function isCutOff({ used, length, isLast }: XmlWindow): boolean {
  return !isLast && used > 0 && length - used < LONGEST_REST
}

/** Characters between two offsets, entities still in them. @throws XmlError when the bytes are no UTF-8 */
export function textOf(window: XmlWindow, from: number, to: number): string {
  const text = window.text.slice(from, to)
  if (window.isAscii || !/[\x80-\xff]/.test(text)) return text
  const bytes = window.bytes.subarray(from, to)
  if (!isUtf8(bytes)) throw new XmlError(`bytes of a text are no UTF-8: ${bytes.toString('hex', 0, 16)}`)
  return bytes.toString('utf8')
}

function windowOf(memory: Buffer, length: number, isLast: boolean): XmlWindow {
  return new LazyWindow(memory.subarray(0, length + ZEROS_BEHIND).fill(0, length), length, isLast)
}

/** A class, since objects with getters of their own are slow to look into. */
class LazyWindow implements XmlWindow {
  readonly bytes: Buffer
  readonly length: number
  readonly isLast: boolean
  used = 0
  #text: string | null = null
  #isAscii: boolean | null = null

  constructor(bytes: Buffer, length: number, isLast: boolean) {
    this.bytes = bytes
    this.length = length
    this.isLast = isLast
  }

  get text(): string {
    this.#text ??= this.bytes.toString('latin1', 0, this.length)
    return this.#text
  }

  get isAscii(): boolean {
    this.#isAscii ??= isAscii(this.bytes.subarray(0, this.length))
    return this.#isAscii
  }
}
