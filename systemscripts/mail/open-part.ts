import { leanStream } from './lean-stream.ts'
import type { MessagePart } from './message-part.ts'
import { decodeTransfer } from './mime/decode-transfer.ts'

/** Gives the encoded bytes of a part that the mailbox knows by its id; null stands for the whole message. */
export type OpenEncoded = (part: MessagePart | null, range?: { start: number; end: number }) => AsyncIterable<Buffer>

/** Bytes of a part without transfer encoding, wherever it lies: by itself, or within what another part unpacks to. Streamed. */
export function openPart(part: MessagePart, openEncoded: OpenEncoded): AsyncIterable<Buffer> {
  return leanStream(decodeTransfer(encodedBytes(part, openEncoded), part.encoding))
}

function encodedBytes(part: MessagePart, openEncoded: OpenEncoded): AsyncIterable<Buffer> {
  const { stretch } = part
  if (stretch === null) return openEncoded(part)
  if (stretch.container === null) return openEncoded(null, stretch)
  return stretchOf(openPart(stretch.container, openEncoded), stretch)
}

/** From `start` up to `end` of a stream, which is not read further than that. */
export async function* stretchOf(bytes: AsyncIterable<Buffer>, { start, end }: { start: number; end: number }): AsyncGenerator<Buffer> {
  let at = 0
  for await (const piece of bytes) {
    const from = Math.max(start - at, 0)
    const to = Math.min(end - at, piece.length)
    if (from < to) yield piece.subarray(from, to)
    at += piece.length
    if (at >= end) return
  }
}
