import { TextDecoder } from 'node:util'

/**
 * The bytes of an XML part as UTF-8 without byte order mark, whatever encoding the part has: told by its mark, by zeros between its first
 * letters, or by its declaration; else it is UTF-8 already, and passes as it is.
 */
export async function* utf8Xml(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | null = null
  let head: Buffer | null = Buffer.alloc(0)
  for await (const chunk of chunks) {
    if (head === null) {
      yield decoder === null ? chunk : Buffer.from(decoder.decode(chunk, { stream: true }))
      continue
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
    if (head.length < 200) continue
    decoder = decoderFor(head)
    yield start(head, decoder)
    head = null
  }
  if (head === null && decoder !== null) yield Buffer.from(decoder.decode())
  if (head !== null && head.length > 0) yield start(head, decoderFor(head))
}

function start(head: Buffer, decoder: TextDecoder | null): Buffer {
  if (decoder !== null) return Buffer.from(decoder.decode(head, { stream: true }))
  return head.subarray(head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0)
}

/** Null: UTF-8. A name that nobody knows is taken for UTF-8 too; then the texts tell. */
function decoderFor(head: Buffer): TextDecoder | null {
  const [first = 0, second = 0] = head
  if ((first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)) return new TextDecoder('utf-16le')
  if ((first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c)) return new TextDecoder('utf-16be')
  const encoding = /^(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)["']/.exec(head.toString('latin1', 0, 200))?.[1] ?? 'utf-8'
  if (/^(utf-?8|us-ascii|ascii)$/i.test(encoding)) return null
  try {
    return new TextDecoder(encoding)
  } catch {
    return null
  }
}
