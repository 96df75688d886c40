import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { PermanentError } from '../errors.ts'
import type { ComposedMail, MailDraft, MailFile, MailRecipient } from './composed-mail.ts'
import { type NamedAddress, readAddress, refuseControls } from './mail-address.ts'
import { plainText } from './plain-text.ts'

const EXCERPT_LENGTH = 2000

/**
 * Makes a mail of a draft: checked at once, its bytes made while they are read. Has a text part always, a Message-ID and a Date of its own, and
 * says that a machine wrote it (RFC 3834), so that nobody's absence notice answers. Bcc stands in no header.
 *
 * @throws PermanentError `header_injection`, `address_invalid`, `mail_without_recipient`, `header_unknown`; while its content is read, whatever
 * reading the files throws
 */
export async function composeMail(draft: MailDraft): Promise<ComposedMail> {
  const sender = readAddress(draft.sender)
  const [to, cc, bcc] = [draft.to, draft.cc ?? [], draft.bcc ?? []].map((list) => list.map(readAddress))
  const recipients = eachOnce({ to, cc, bcc })
  if (recipients.length === 0) {
    throw new PermanentError('mail_without_recipient', `Mail "${draft.subject}" goes to nobody`, {
      hint: 'Give the report an address in to_addresses, or rows in dba.reportrecipient.',
    })
  }
  checkHeaders(draft)
  const text = draft.text ?? (await plainText(draft.html ?? ''))
  const facts = {
    messageId: draft.messageId ?? `<${randomUUID()}@${sender.address.slice(sender.address.lastIndexOf('@') + 1)}>`,
    // What a header can hold: whole seconds.
    date: new Date(Math.floor((draft.date ?? new Date()).getTime() / 1000) * 1000),
  }
  return {
    ...facts,
    sender: sender.address,
    recipients,
    subject: draft.subject,
    excerpt: text.slice(0, EXCERPT_LENGTH).toWellFormed(),
    content: () => bytesOf({ ...draft, text, ...facts }, { sender, to: to ?? [], cc: cc ?? [] }),
  }
}

function eachOnce(lists: Record<MailRecipient['kind'], NamedAddress[] | undefined>): MailRecipient[] {
  const found = new Map<string, MailRecipient>()
  for (const kind of ['to', 'cc', 'bcc'] as const) {
    for (const { address } of lists[kind] ?? []) {
      const key = address.toLowerCase()
      if (!found.has(key)) found.set(key, { address, kind })
    }
  }
  return [...found.values()]
}

function checkHeaders({ subject, files = [], headers = {}, unsubscribe = [], messageId, replyTo }: MailDraft): void {
  refuseControls(subject, 'The subject')
  if (replyTo != null) readAddress(replyTo)
  for (const { fileName, contentId, contentType } of files) {
    refuseControls(fileName, 'The name of a file')
    refuseControls(contentId ?? '', 'A content id')
    refuseControls(contentType ?? '', 'A media type')
  }
  for (const [name, value] of Object.entries(headers)) {
    refuseControls(value, `Header ${JSON.stringify(name)}`)
    if (!/^X-[A-Za-z0-9-]{1,60}$/.test(name)) throw headerUnknown(name, 'Headers of one’s own begin with "X-".')
  }
  for (const address of unsubscribe) {
    if (!/^(mailto:|https?:\/\/)[^\s<>,]+$/.test(address))
      throw headerUnknown(address, 'List-Unsubscribe takes mailto: and https: addresses.')
  }
  if (messageId !== undefined && !/^<[^<>\s@]+@[^<>\s@]+>$/.test(messageId))
    throw headerUnknown(messageId, 'A Message-ID is <local@domain>.')
}

function headerUnknown(written: string, why: string): PermanentError {
  return new PermanentError('header_unknown', `${JSON.stringify(written)} cannot stand in the header of a mail`, {
    detail: why,
    hint: 'Correct what the mail is composed from.',
  })
}

async function* bytesOf(
  draft: MailDraft & { text: string; messageId: string; date: Date },
  { sender, to, cc }: { sender: NamedAddress; to: NamedAddress[]; cc: NamedAddress[] },
): AsyncGenerator<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer')
  const message = new MailComposer({
    from: sender,
    to,
    cc,
    ...(draft.replyTo == null ? {} : { replyTo: readAddress(draft.replyTo) }),
    subject: draft.subject,
    messageId: draft.messageId,
    date: draft.date,
    text: withLineEnds(draft.text),
    ...(draft.html === null ? {} : { html: withLineEnds(draft.html) }),
    attachments: (draft.files ?? []).map(attachmentOf),
    headers: {
      ...draft.headers,
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      ...(to.length === 0 && cc.length === 0 ? { To: 'undisclosed-recipients:;' } : {}),
      ...(draft.unsubscribe?.length ? { 'List-Unsubscribe': draft.unsubscribe.map((address) => `<${address}>`).join(', ') } : {}),
    },
    // An attached message goes along as it is.
    ...(draft.files?.some(({ contentType, fileName }) => /^message\//i.test(contentType ?? '') || /[.]eml$/i.test(fileName))
      ? { newline: 'win' }
      : {}),
    disableUrlAccess: true,
  })
    .compile()
    .createReadStream()
  yield* draft.dkim == null ? message : await signed(message, draft.dkim)
}

function withLineEnds(text: string): string {
  return text.replace(/\r\n|[\r\n]/g, '\r\n')
}

async function signed(message: Readable, { domain, selector, privateKey }: NonNullable<MailDraft['dkim']>): Promise<AsyncIterable<Buffer>> {
  const { default: DKIM } = await import('nodemailer/lib/dkim')
  const signer = new DKIM({ domainName: domain, keySelector: selector, privateKey })
  return signer.sign(message)
}

function attachmentOf({ fileName, content, contentType, contentId }: MailFile) {
  return {
    filename: fileName,
    content: typeof content === 'string' || Buffer.isBuffer(content) ? content : Readable.from(fileBytes(content.path)),
    ...(contentType === undefined ? {} : { contentType }),
    ...(contentId === undefined ? {} : { cid: contentId, contentDisposition: 'inline' }),
  }
}

/** Opened when it is its turn: a mail with many files holds one open. */
async function* fileBytes(path: string): AsyncGenerator<Buffer> {
  yield* createReadStream(path)
}
