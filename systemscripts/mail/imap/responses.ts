import type { Readable } from 'node:stream'

const LARGEST_RESPONSE = 80 * 1024 * 1024
const LITERAL = /\{(\d{1,10})\}$/

/**
 * The responses of an IMAP server one by one, each whole with its literals and without its last line end. Source: RFC 3501, 2.2.2 and 4.3.
 * @throws Error when the stream ends or a response is larger than 80 MiB
 */
export function responseReader(stream: Readable): () => Promise<Buffer> {
  const source: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)
  return nextResponse

  async function nextResponse(): Promise<Buffer> {
    for (let scanned = 0; ; ) {
      const end = await lineEnd(scanned)
      const literal = LITERAL.exec(held.toString('latin1', Math.max(scanned, end - 13), end))
      if (literal === null) {
        const response = held.subarray(0, end)
        held = held.subarray(end + 2)
        return response
      }
      scanned = end + 2 + Number(literal[1])
      await hold(scanned)
    }
  }

  async function lineEnd(from: number): Promise<number> {
    for (let at = from; ; ) {
      const end = held.indexOf('\r\n', at)
      if (end !== -1) return end
      at = Math.max(from, held.length - 1)
      await hold(held.length + 1)
    }
  }

  /** Reads until so many bytes are held; puts them together once, however many pieces they come in. */
  async function hold(length: number): Promise<void> {
    if (length > LARGEST_RESPONSE) throw new Error(`a response is larger than ${LARGEST_RESPONSE} bytes`)
    if (held.length >= length) return
    const pieces = [held]
    for (let size = held.length; size < length; ) {
      const next = await source.next()
      if (next.done) throw new Error('the connection is lost')
      pieces.push(next.value)
      size += next.value.length
    }
    held = Buffer.concat(pieces)
  }
}
