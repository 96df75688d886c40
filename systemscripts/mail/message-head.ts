import { createHash, hash as oneShotHash } from 'node:crypto'
import { type MailAddress, parseAddresses } from './mime/addresses.ts'
import { fieldValue, fieldValues, type HeaderField, headerFields } from './mime/header-fields.ts'
import { headerText } from './mime/header-text.ts'
import { parseMailDate } from './mime/mail-date.ts'

/** Which message is meant: unique within an account for as long as `uidValidity` stays. */
export interface MessageRef {
  folder: string
  /** Changes when the server numbers anew. */
  uidValidity: string
  /** IMAP's number, Gmail's id, or the file's name. */
  uid: string
}

/** What a message says about itself, without its body. */
export interface MessageHead {
  ref: MessageRef
  /**
   * The same for the same mail wherever it lies, 64 hexadecimal digits: of Message-ID, date, sender, subject and content type; without Message-ID, of the whole header
   * as the sending side and the receiving server wrote it.
   */
  messageKey: string
  messageId: string | null
  /** All addresses that the From fields name; usually one. */
  from: MailAddress[]
  to: MailAddress[]
  cc: MailAddress[]
  /** To, Cc, Bcc and those for whom the servers say that they delivered it; lower case, each once. */
  recipients: string[]
  subject: string
  /** As the sender says. */
  sentAt: Date | null
  /** As the receiving server says. */
  receivedAt: Date
  sizeBytes: number
  isSeen: boolean
  /** Topmost first. Of a huge header the first 256 KB. */
  fields: HeaderField[]
}

/** What the mailbox knows beside the header itself. */
export interface HeadFacts {
  ref: MessageRef
  receivedAt: Date | null
  sizeBytes: number
  isSeen: boolean
}

/** Reads a header block. A message without any date is taken as received now. */
export function headOf(block: Uint8Array, facts: HeadFacts): MessageHead {
  return headOfFields(headerFields(block), facts)
}

/** The same from fields that somebody else took apart. */
export function headOfFields(fields: HeaderField[], facts: HeadFacts): MessageHead {
  const sentAt = parseMailDate(fieldValue(fields, 'date') ?? '')
  const messageId = messageIdOf(fields)
  const addressed = addressesOf(fields)
  return {
    ref: facts.ref,
    messageKey: keyOf(fields, messageId),
    messageId,
    from: addressed.get('from') ?? [],
    to: addressed.get('to') ?? [],
    cc: addressed.get('cc') ?? [],
    recipients: recipientsOf(addressed),
    subject: headerText(fieldValue(fields, 'subject') ?? '').slice(0, 2000),
    sentAt,
    receivedAt: facts.receivedAt ?? sentAt ?? new Date(),
    sizeBytes: facts.sizeBytes,
    isSeen: facts.isSeen,
    fields,
  }
}

function messageIdOf(fields: HeaderField[]): string | null {
  const raw = fieldValue(fields, 'message-id') ?? ''
  const id = (/<([^<>]+)>/.exec(raw)?.[1] ?? raw).replace(/\s+/g, '')
  return id === '' ? null : headerText(id).slice(0, 998)
}

/** Fields that a mailbox adds or changes after delivery. */
const OF_THE_MAILBOX = /^(status|x-status|x-uid|x-keywords|x-imapbase|x-mozilla-|x-gmail-labels|x-gm-|x-uidl|lines|content-length)/

/** Beside the Message-ID, which some senders give to every mail; a boundary in Content-Type is another one each time. They stay when a mailbox moves. */
const OF_THE_SENDER = ['date', 'from', 'subject', 'content-type']

function keyOf(fields: HeaderField[], messageId: string | null): string {
  if (messageId !== null)
    return oneShotHash('sha256', [messageId, ...OF_THE_SENDER.map((name) => fieldValue(fields, name))].join('\n'), 'hex')
  const hash = createHash('sha256')
  for (const { name, value } of fields) if (!OF_THE_MAILBOX.test(name)) hash.update(`${name}:${value.replace(/\s+/g, ' ')}\n`)
  return hash.digest('hex')
}

/** By name of the field, in the order of ADDRESS_FIELDS. */
function addressesOf(fields: HeaderField[]): Map<string, MailAddress[]> {
  const values = fields.filter(({ name }) => ADDRESS_FIELDS.has(name))
  const names = [...ADDRESS_FIELDS].filter((name) => values.some((field) => field.name === name))
  return new Map(names.map((name) => [name, fieldValues(values, name).flatMap(parseAddresses)]))
}

const ADDRESS_FIELDS = new Set(['from', 'to', 'cc', 'bcc', 'delivered-to', 'x-original-to', 'envelope-to', 'x-delivered-to', 'resent-to'])

function recipientsOf(addressed: Map<string, MailAddress[]>): string[] {
  const found = [...addressed].flatMap(([name, addresses]) => (name === 'from' ? [] : addresses))
  return [...new Set(found.map(({ address }) => address).filter((address) => address !== ''))]
}
