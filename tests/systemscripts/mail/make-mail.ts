/** Bytes of a message: lines with CRLF between them; Buffers stand as they are. */
export function mail(...lines: (string | Buffer)[]): Buffer {
  return Buffer.concat(lines.flatMap((line) => [typeof line === 'string' ? Buffer.from(line, 'utf8') : line, Buffer.from('\r\n')]))
}

/** Base64 in lines of 76 characters, as mail programs write it. */
export function base64Lines(bytes: Uint8Array): string {
  return (
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  ).join('\r\n')
}

export interface PlainMail {
  from?: string
  to?: string
  subject?: string
  date?: string
  messageId?: string | null
  /** More header lines, above all others. */
  above?: string[]
  text?: string
  files?: { name: string; bytes: Uint8Array; type?: string }[]
}

let counter = 0

/** An ordinary message with a text and files. */
export function plainMail(facts: PlainMail = {}): Buffer {
  counter += 1
  const { from = 'Ann <ann@example.com>', to = 'us@example.org', subject = 'Prices', date = 'Thu, 19 Nov 2026 10:00:00 +0100' } = facts
  const id = facts.messageId === undefined ? `<m${counter}@example.com>` : facts.messageId
  const head = [
    ...(facts.above ?? []),
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    `Date: ${date}`,
    ...(id === null ? [] : [`Message-ID: ${id}`]),
    'MIME-Version: 1.0',
  ]
  const text = ['Content-Type: text/plain; charset=utf-8', '', facts.text ?? 'See the file.']
  if (facts.files === undefined) return mail(...head, ...text)
  const files = facts.files.flatMap(({ name, bytes, type = 'application/octet-stream' }) => [
    '--sep',
    `Content-Type: ${type}; name="${name}"`,
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment; filename="${name}"`,
    '',
    base64Lines(bytes),
  ])
  return mail(...head, 'Content-Type: multipart/mixed; boundary="sep"', '', '--sep', ...text, ...files, '--sep--')
}

/** A stream in pieces of the given size, so that everything is cut somewhere. */
export async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export async function collect(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}

export async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
