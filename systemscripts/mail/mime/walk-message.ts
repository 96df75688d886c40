import { type MessagePart, partOfHeader } from '../message-part.ts'
import { headerFields, MOST_HEADER_BYTES } from './header-fields.ts'
import { scanLines } from './scan-lines.ts'

const DEEPEST = 30
const MOST_PARTS = 20_000

/**
 * The parts of a message and where each lies, found in one pass over its bytes; memory does not grow with them. Messages that are attached
 * unencoded are walked too. Where the structure is broken, what can be told is given: a multipart that never ends, ends early, or whose
 * separator never comes. What lies deeper than 30 levels, or behind 20,000 parts, is left out.
 *
 * @param container part whose decoded bytes these are; null for a whole message
 * @returns the root; its parts carry their stretch of `container`
 */
export async function walkMessage(bytes: AsyncIterable<Buffer>, container: MessagePart | null = null): Promise<MessagePart> {
  const walk = new PartWalk(container)
  const length = await scanLines(bytes, (line) => walk.line(line))
  return walk.end(length)
}

/** A part that is open, and what of it stands around the one that is being read. */
interface Frame {
  part: MessagePart
  /** Ids of parts directly below begin with this. */
  prefix: string
}

class PartWalk {
  readonly container: MessagePart | null
  readonly open: Frame[] = []
  root: MessagePart | null = null
  parts = 0
  /** Header of the part that is being read; null within a body. */
  header: Buffer[] | null = []
  headerBytes = 0
  headerStart = 0
  /** The text whose end is looked for. */
  leaf: MessagePart | null = null
  /** Where the previous line's text ended. */
  textEnd = 0

  constructor(container: MessagePart | null) {
    this.container = container
  }

  line({ bytes, start, next, textEnd }: { bytes: Buffer; start: number; next: number; textEnd: number }): void {
    const found = this.separatorOf(bytes)
    if (found !== null) this.separate(found.depth, found.isLast, next)
    else if (this.header !== null) this.headerLine(bytes, start, next)
    this.textEnd = textEnd
  }

  end(length: number): MessagePart {
    if (this.header !== null) this.startBody(length)
    this.endLeaf(length)
    for (const { part } of this.open) closeAt(part, length)
    return this.root ?? partOfHeader([], '1')
  }

  /** Which open multipart a line separates, the innermost first. */
  separatorOf(bytes: Buffer): { depth: number; isLast: boolean } | null {
    if (bytes[0] !== 0x2d || bytes[1] !== 0x2d) return null
    const line = bytes.toString('latin1').trimEnd()
    for (let depth = this.open.length - 1; depth >= 0; depth -= 1) {
      const part = this.open[depth]?.part
      if (part == null || part.boundary === null) continue
      // A multipart that does not say what separates it: what looks like a separator is one.
      if (part.boundary === '' && /^--[^\s-][^\s]{0,70}$/.test(line)) part.boundary = line.slice(2)
      const boundary = part.boundary.trimEnd()
      if (line === `--${boundary}`) return { depth, isLast: false }
      if (line === `--${boundary}--`) return { depth, isLast: true }
    }
    return null
  }

  separate(depth: number, isLast: boolean, next: number): void {
    if (this.header !== null) this.startBody(this.textEnd)
    this.endLeaf(this.textEnd)
    for (const { part } of this.open.splice(depth + 1)) closeAt(part, this.textEnd)
    if (isLast || this.parts >= MOST_PARTS) {
      // What stands behind the last part, up to the separator of what is around it, is nobody's.
      if (isLast) closeAt(this.open.pop()?.part ?? null, next)
      this.header = null
      return
    }
    this.startHeader(next)
  }

  headerLine(bytes: Buffer, start: number, next: number): void {
    const isBlank = bytes.length === 0 || (bytes.length === 1 && bytes[0] === 0x0d)
    if (isBlank) this.startBody(next)
    // The line with which an mbox begins each message.
    else if (start === this.headerStart && bytes.toString('latin1', 0, 5) === 'From ') this.headerStart = next
    else if (this.headerBytes < MOST_HEADER_BYTES) {
      this.header?.push(bytes, Buffer.of(0x0a))
      this.headerBytes += bytes.length + 1
    }
  }

  startHeader(at: number): void {
    this.header = []
    this.headerBytes = 0
    this.headerStart = at
  }

  /** The header is complete: what it describes begins. */
  startBody(at: number): void {
    const around = this.open.at(-1)
    const fields = headerFields(Buffer.concat(this.header ?? []))
    const prefix = around?.prefix ?? this.idBefore()
    const isAlone = around === undefined || around.part.type === 'message/rfc822'
    const number = isAlone ? '1' : String((around?.part.children.length ?? 0) + 1)
    const part = partOfHeader(fields, `${prefix}${number}`)
    part.stretch = { container: this.container, start: at, end: at }
    this.header = null
    this.parts += 1
    if (around === undefined) this.root = part
    else around.part.children.push(part)
    const isMessage = part.type === 'message/rfc822' && /^(7bit|8bit|binary|)$/.test(part.encoding)
    if (part.boundary !== null && this.open.length < DEEPEST) {
      if (isAlone) part.partId = prefix.replace(/[.#]$/, '')
      this.open.push({ part, prefix: part.partId === '' ? '' : isAlone ? prefix : `${part.partId}.` })
    } else if (isMessage && this.open.length < DEEPEST) {
      this.open.push({ part, prefix: `${part.partId}.` })
      this.startHeader(at)
    } else this.leaf = part
  }

  idBefore(): string {
    return this.container === null ? '' : `${this.container.partId}#`
  }

  endLeaf(at: number): void {
    closeAt(this.leaf, at)
    this.leaf = null
  }
}

function closeAt(part: MessagePart | null, at: number): void {
  if (part?.stretch == null) return
  part.stretch.end = Math.max(at, part.stretch.start)
  part.encodedBytes = part.stretch.end - part.stretch.start
}
