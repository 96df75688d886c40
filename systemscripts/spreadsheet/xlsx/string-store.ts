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
const BLOCK_BYTES = 4 * 1024 * 1024
const BYTES_TO_FIND_ONE = 12
const KEPT = 1 << 16
const LONGEST_KEPT = 256
const COPIED_ONE_BY_ONE = 48

export function createStringStore(): StringStore {
  const blocks: Buffer[] = []
  let free = 0
  let block = Buffer.alloc(0)
  let count = 0
  let bytes = 0
  let blockOf = new Uint16Array(1024)
  let offsetOf = new Uint32Array(1024)
  let lengthOf = new Int32Array(1024)
  const keptIndex = new Int32Array(KEPT).fill(-1)
  const keptText: string[] = []
  let longIndex = -1
  let longText = ''

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
    encoded.copy(block, place)
    // Negative: not ASCII.
    enter(encoded.length === text.length ? encoded.length : -encoded.length)
  }

  function addAscii(source: Buffer, from: number, to: number): void {
    const length = to - from
    const place = reserve(length)
    if (length > COPIED_ONE_BY_ONE) source.copy(block, place, from, to)
    else for (let index = 0; index < length; index += 1) block[place + index] = source[from + index] ?? 0
    enter(length)
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
    const length = lengthOf[index] ?? 0
    const offset = offsetOf[index] ?? 0
    const from = blocks[blockOf[index] ?? 0] ?? block
    return length < 0 ? from.toString('utf8', offset, offset - length) : from.toString('latin1', offset, offset + length)
  }

  /** Place in the current block for so many bytes. */
  function reserve(length: number): number {
    if (free + length > block.length) {
      block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, length))
      blocks.push(block)
      free = 0
    }
    return free
  }

  function enter(length: number): void {
    if (count === offsetOf.length) grow()
    blockOf[count] = blocks.length - 1
    offsetOf[count] = free
    lengthOf[count] = length
    count += 1
    free += Math.abs(length)
    bytes += Math.abs(length) + BYTES_TO_FIND_ONE
  }

  function grow(): void {
    const size = count * 2
    blockOf = enlarged(new Uint16Array(size), blockOf)
    offsetOf = enlarged(new Uint32Array(size), offsetOf)
    lengthOf = enlarged(new Int32Array(size), lengthOf)
  }
}

function enlarged<Numbers extends Uint16Array | Uint32Array | Int32Array>(larger: Numbers, smaller: Numbers): Numbers {
  larger.set(smaller)
  return larger
}
