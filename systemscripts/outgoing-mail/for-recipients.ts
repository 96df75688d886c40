import { parseAddresses } from '../mail/mime/addresses.ts'

const END_OF_HEADER = Buffer.from('\r\n\r\n')

/**
 * A mail for a server that takes the recipients from its header, and takes Bcc out. The header stays where it names no others than these;
 * who is missing stands in Bcc. Where it names others, as when a mail is sent again to some, all stand in Bcc and no header names anybody.
 * The body is the same bytes always.
 */
export async function* forRecipients(content: AsyncIterable<Buffer>, recipients: string[]): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0)
  for await (const piece of content) {
    if (head === null) {
      yield piece
      continue
    }
    head = Buffer.concat([head, piece])
    const end = head.indexOf(END_OF_HEADER)
    if (end === -1) continue
    yield Buffer.from(addressed(head.subarray(0, end).toString('latin1'), recipients), 'latin1')
    yield head.subarray(end)
    head = null
  }
  if (head !== null) yield head
}

function addressed(header: string, recipients: string[]): string {
  const fields = header.split(/\r\n(?![ \t])/)
  const isRecipients = (field: string): boolean => /^(to|cc|bcc):/i.test(field)
  const named = fields
    .filter(isRecipients)
    .flatMap((field) => parseAddresses(field.slice(field.indexOf(':') + 1)).map(({ address }) => address))
  const wanted = new Set(recipients.map((address) => address.toLowerCase()))
  if (named.every((address) => wanted.has(address))) {
    const missing = recipients.filter((address) => !named.includes(address.toLowerCase()))
    return missing.length === 0 ? header : [...fields, bcc(missing)].join('\r\n')
  }
  return [...fields.filter((field) => !isRecipients(field)), 'To: undisclosed-recipients:;', bcc(recipients)].join('\r\n')
}

function bcc(addresses: string[]): string {
  return `Bcc: ${addresses.join(',\r\n ')}`
}
