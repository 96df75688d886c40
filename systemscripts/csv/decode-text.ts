import { chooseEncoding } from './encoding.ts'
import { utf8Bytes } from './utf8-bytes.ts'

/** So many bytes are looked at to tell the encoding. */
const SNIFFED_BYTES = 4096

/**
 * Bytes to text, in pieces, exactly: bytes that are not what the encoding says are refused, never replaced. A byte order mark decides before
 * anything else and is left out of the text; without one the stated encoding counts; without either it is UTF-16 or UTF-8.
 *
 * @throws PermanentError `encoding_not_utf8`, `encoding_mismatch`, `encoding_unknown`
 */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>, stated: string | null, fileName: string): AsyncGenerator<string> {
  const walk = bytes[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  let length = 0
  try {
    while (length < SNIFFED_BYTES) {
      const next = await walk.next()
      if (next.done) break
      head.push(Uint8Array.from(next.value))
      length += next.value.length
    }
    const encoding = chooseEncoding(Buffer.concat(head), stated)
    for await (const piece of utf8Bytes(following(head, walk), encoding, fileName)) yield piece.toString()
  } finally {
    await walk.return?.()
  }
}

async function* following(head: Uint8Array[], walk: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.concat(head)
  for (let next = await walk.next(); !next.done; next = await walk.next()) yield next.value
}
