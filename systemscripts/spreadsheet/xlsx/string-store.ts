/**
 * A list of many texts in little memory: their bytes lie one behind the other outside the heap, and a text is made when it is asked for.
 * Those asked for lately are kept, so that a word that stands in every row is one string.
 */
export interface StringStore {
  readonly count: number
  /** Bytes of all texts, and what is needed to find them. */
  readonly bytes: number
  add(text: string): void
  /** Adds the ASCII characters between two offsets of `source`. */
  addAscii(source: Buffer, from: number, to: number): void
  /** Undefined beyond the end. */
  at(index: number): string | undefined
}

/** A text never begins in one block and ends in another; a longer one has a block of its own. */
const BLOCK_BYTES = 1024 * 1024
/** Where texts begin stands in pages of so many, so that no larger list has to be made and the smaller copied. */
const PAGE = 1 << 16
const PAGE_BITS = 16
const BYTES_TO_FIND_ONE = 4
/** The lowest bit of a place. */
const NOT_ASCII = 1
const KEPT = 1 << 13
const LONGEST_KEPT = 256
const COPIED_ONE_BY_ONE = 48

interface Block {
  bytes: Buffer
  /** How much is taken. */
  used: number
  /** Number of its first text. */
  first: number
}

export function createStringStore(): StringStore {
  const blocks: Block[] = []
  let block: Block = { bytes: Buffer.alloc(0), used: 0, first: 0 }
  let blockNumber = -1
  let count = 0
  let bytes = 0
  // Of each text: its place in its block, doubled, and whether it is ASCII.
  const pages: Uint32Array[] = []
  const keptIndex = new Int32Array(KEPT).fill(-1)
  const keptText: string[] = []
  let longIndex = -1
  let longText = ''
  let readNumber = 0

  return {
    get count() {
      return count
    },
    get bytes() {
      return bytes
    },
    add,
    addAscii,
    at,
  }

  function add(text: string): void {
    const encoded = Buffer.from(text)
    const place = reserve(encoded.length)
    encoded.copy(block.bytes, place)
    enter(encoded.length, encoded.length === text.length ? 0 : NOT_ASCII)
  }

  function addAscii(source: Buffer, from: number, to: number): void {
    const length = to - from
    const place = reserve(length)
    const target = block.bytes
    if (length > COPIED_ONE_BY_ONE) source.copy(target, place, from, to)
    else for (let index = 0; index < length; index += 1) target[place + index] = source[from + index] ?? 0
    enter(length, 0)
  }

  function at(index: number): string | undefined {
    const slot = index & (KEPT - 1)
    if (keptIndex[slot] === index) return keptText[slot]
    if (index === longIndex) return longText
    if (index >= count) return undefined
    const text = read(index)
    if (text.length > LONGEST_KEPT) {
      longIndex = index
      longText = text
    } else {
      keptIndex[slot] = index
      keptText[slot] = text
    }
    return text
  }

  function read(index: number): string {
    const from = blockOf(index)
    const place = placeOf(index)
    const next = blocks[readNumber + 1]
    const isLast = index + 1 === (next === undefined ? count : next.first)
    const start = place >>> 1
    const end = isLast ? from.used : placeOf(index + 1) >>> 1
    return (place & NOT_ASCII) === 0 ? from.bytes.toString('latin1', start, end) : from.bytes.toString('utf8', start, end)
  }

  function placeOf(index: number): number {
    return pages[index >>> PAGE_BITS]?.[index & (PAGE - 1)] ?? 0
  }

  /** Mostly the one of the text before; `readNumber` is its number. */
  function blockOf(index: number): Block {
    const lately = blocks[readNumber]
    if (lately !== undefined && index >= lately.first && index < (blocks[readNumber + 1]?.first ?? count)) return lately
    let low = 0
    let high = blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((blocks[middle]?.first ?? 0) <= index) low = middle
      else high = middle - 1
    }
    readNumber = low
    return blocks[low] ?? block
  }

  /** Place in the current block for so many bytes. */
  function reserve(length: number): number {
    if (blockNumber === -1 || block.used + length > block.bytes.length) {
      block = { bytes: Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, length)), used: 0, first: count }
      blockNumber += 1
      blocks.push(block)
    }
    return block.used
  }

  function enter(length: number, mark: number): void {
    let page = pages[count >>> PAGE_BITS]
    if (page === undefined) {
      page = new Uint32Array(PAGE)
      pages.push(page)
    }
    page[count & (PAGE - 1)] = block.used * 2 + mark
    count += 1
    block.used += length
    bytes += length + BYTES_TO_FIND_ONE
  }
}
