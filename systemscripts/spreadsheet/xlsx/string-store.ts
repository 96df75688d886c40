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
  /** Finds the bytes of a text: they lie in `found` until the next one is looked for. False beyond the end. */
  find(index: number): boolean
  readonly found: { bytes: Buffer; from: number; to: number }
}

/** A text never begins in one block and ends in another; a longer one has a block of its own. 512 MB of texts fill at most half of 2048 blocks. */
const BLOCK_BITS = 20
const BLOCK_BYTES = 1 << BLOCK_BITS
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
}

export function createStringStore(): StringStore {
  const blocks: Block[] = []
  let block: Block = { bytes: Buffer.alloc(0), used: 0 }
  // Of each text the number of its block, its place in it, and in the lowest bit whether it is more than ASCII: 11, 20 and 1 bits.
  const pages: Uint32Array[] = []
  const keptIndex = new Int32Array(KEPT).fill(-1)
  const keptText: string[] = []
  let longIndex = -1
  let longText = ''

  const store = { count: 0, bytes: 0, found: { bytes: block.bytes, from: 0, to: 0 }, add, addAscii, at, find }
  const { found } = store
  return store

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
    if (index >= store.count) return undefined
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
    find(index)
    const { bytes: source, from, to } = found
    return (placeOf(index) & NOT_ASCII) === 0 ? source.toString('latin1', from, to) : source.toString('utf8', from, to)
  }

  function find(index: number): boolean {
    if (index >= store.count) return false
    const place = placeOf(index)
    const next = index + 1 === store.count ? 0 : placeOf(index + 1)
    const number = place >>> (BLOCK_BITS + 1)
    const from = blocks[number]
    if (from === undefined) return false
    const isLast = index + 1 === store.count || next >>> (BLOCK_BITS + 1) !== number
    found.bytes = from.bytes
    found.from = (place >>> 1) & (BLOCK_BYTES - 1)
    found.to = isLast ? from.used : (next >>> 1) & (BLOCK_BYTES - 1)
    return true
  }

  function placeOf(index: number): number {
    return pages[index >>> PAGE_BITS]?.[index & (PAGE - 1)] ?? 0
  }

  /** Place in the current block for so many bytes. */
  function reserve(length: number): number {
    if (blocks.length === 0 || block.used + length > block.bytes.length || block.used >= BLOCK_BYTES) {
      block = { bytes: Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, length)), used: 0 }
      blocks.push(block)
    }
    return block.used
  }

  function enter(length: number, mark: number): void {
    let page = pages[store.count >>> PAGE_BITS]
    if (page === undefined) {
      page = new Uint32Array(PAGE)
      pages.push(page)
    }
    page[store.count & (PAGE - 1)] = ((blocks.length - 1) * BLOCK_BYTES + block.used) * 2 + mark
    store.count += 1
    block.used += length
    store.bytes += length + BYTES_TO_FIND_ONE
  }
}
