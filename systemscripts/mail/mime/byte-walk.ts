export interface ByteWalk {
  /** How many bytes have been passed. */
  position(): number
  /** The next `length` bytes; null when fewer are left. */
  take(length: number): Promise<Buffer | null>
  /** Passes over bytes without keeping them. @returns false when fewer were left */
  skip(length: number): Promise<boolean>
  close(): Promise<void>
}

/** Walks through a stream by lengths; keeps no more than what is asked for at once. */
export function walkBytes(bytes: AsyncIterable<Buffer>): ByteWalk {
  const source = bytes[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)
  let passed = 0
  return { position: () => passed, take, skip, close: async () => void (await source.return?.()) }

  async function take(length: number): Promise<Buffer | null> {
    const pieces = [held]
    for (let size = held.length; size < length; ) {
      const next = await source.next()
      if (next.done) {
        held = Buffer.concat(pieces)
        return null
      }
      pieces.push(next.value)
      size += next.value.length
    }
    const all = pieces.length === 1 ? held : Buffer.concat(pieces)
    held = all.subarray(length)
    passed += length
    return all.subarray(0, length)
  }

  async function skip(length: number): Promise<boolean> {
    let left = length
    while (left > held.length) {
      left -= held.length
      passed += held.length
      const next = await source.next()
      held = next.done ? Buffer.alloc(0) : next.value
      if (next.done) return false
    }
    held = held.subarray(left)
    passed += left
    return true
  }
}
