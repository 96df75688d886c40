import { decodeTransfer } from '../mime/decode-transfer.ts'

/**
 * Decodes one base64url text out of a JSON answer while it comes, such as `{"size": 3, "data": "…"}`: an attachment of 50 MB is never in memory
 * as a whole. What comes after the text is not read. Nothing without such a field.
 *
 * @param name of a field whose value holds no escapes but at its end, as base64url does
 */
export function decodeJsonField(bytes: AsyncIterable<Uint8Array>, name: string): AsyncIterable<Buffer> {
  return decodeTransfer(fieldBytes(bytes, name), 'base64url')
}

async function* fieldBytes(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Buffer> {
  const opening = new RegExp(`"${name}"\\s*:\\s*"`)
  let before: string | null = ''
  for await (const piece of bytes) {
    let text = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('latin1')
    if (before !== null) {
      const all: string = before + text
      const found = opening.exec(all)
      // The field is among the first of the answer; what is kept is enough to find it across two pieces.
      before = found ? null : all.slice(-4096)
      if (!found) continue
      text = all.slice(found.index + found[0].length)
    }
    const end = text.search(/["\\]/)
    yield Buffer.from(end === -1 ? text : text.slice(0, end), 'latin1')
    if (end !== -1) return
  }
}
