import { fieldValue, type HeaderField } from './mime/header-fields.ts'
import { type Parameterized, parseParameters } from './mime/parameters.ts'

/** One node of a message: a text, a file, or something that holds others. */
export interface MessagePart {
  /** Place in the message, counted from 1 as IMAP does: `2.1`; below a container that is unpacked here `2#1`. Empty for a root that holds others. */
  partId: string
  /** Media type in lower case, such as `text/plain`. */
  type: string
  charset: string | null
  /** Transfer encoding in lower case: `base64`, `quoted-printable`, `7bit` … */
  encoding: string
  disposition: 'attachment' | 'inline' | null
  /** As the sender wrote it, decoded. Never a path: see safe-file-name.ts. */
  fileName: string | null
  contentId: string | null
  /** Still encoded; null when unknown. */
  encodedBytes: number | null
  /** Separator of a multipart, empty when it does not say; null for everything else. */
  boundary: string | null
  children: MessagePart[]
  /** Where its encoded bytes lie, when they are a stretch of something else; null: the mailbox knows the part by its id. */
  stretch: Stretch | null
}

/** From `start` up to, not including, `end`, of a part's decoded bytes, or of the whole message. */
export interface Stretch {
  container: MessagePart | null
  start: number
  end: number
}

/** A part as its header describes it, without children. */
export function partOfHeader(fields: HeaderField[], partId: string): MessagePart {
  const content = parseParameters(fieldValue(fields, 'content-type') ?? 'text/plain')
  const disposition = parseParameters(fieldValue(fields, 'content-disposition') ?? '')
  return {
    partId,
    type: /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(content.value) ? content.value : 'application/octet-stream',
    charset: content.parameters.get('charset') || null,
    encoding: (fieldValue(fields, 'content-transfer-encoding') ?? '7bit').replace(/\([^)]*\)|;.*$|\s/g, '').toLowerCase(),
    disposition: dispositionOf(disposition.value),
    fileName: fileNameOf(disposition, content),
    contentId: (fieldValue(fields, 'content-id') ?? '').replace(/^[\s<]+|[\s>]+$/g, '') || null,
    encodedBytes: null,
    boundary: content.value.startsWith('multipart/') ? (content.parameters.get('boundary') ?? '') : null,
    children: [],
    stretch: null,
  }
}

/** RFC 2183, 2.8: what is unknown counts as an attachment. */
export function dispositionOf(word: string): MessagePart['disposition'] {
  if (word === '') return null
  return word === 'inline' ? 'inline' : 'attachment'
}

/** The name of the disposition; that of the type where the former is missing or did not survive its way. */
function fileNameOf(disposition: Parameterized, content: Parameterized): string | null {
  const names = [disposition.parameters.get('filename'), content.parameters.get('name')].filter((name) => name !== undefined && name !== '')
  return names.find((name) => !name?.includes('\ufffd')) ?? names[0] ?? null
}

/** A file that came with a message. */
export interface Attachment {
  part: MessagePart
  /** As the sender wrote it, or made up from the type: `message.eml`, `part-2.pdf`. */
  name: string
  type: string
  /** About so many when unpacked; null when unknown. */
  sizeBytes: number | null
  /** A picture that a text shows within itself, such as the logo of a signature. */
  isInline: boolean
}

const SIGNATURES = /^application\/(pgp-signature|(x-)?pkcs7-signature|pgp-encrypted)$/

/**
 * What came with a message, in order, whatever the sender called it: parts with a name, parts that say they are attachments, and parts that are
 * no text; also those within messages that are attached, which are themselves given too.
 */
export function attachmentsOf(root: MessagePart): Attachment[] {
  const found: Attachment[] = []
  const walk = (part: MessagePart): void => {
    if (isFile(part)) found.push(attachmentOf(part))
    for (const child of part.children) walk(child)
  }
  walk(root)
  return found
}

function isFile(part: MessagePart): boolean {
  if (part.type.startsWith('multipart/') || SIGNATURES.test(part.type)) return false
  // What was unpacked from winmail.dat is the attachment; the wrapper is not.
  if (isTnef(part) && part.children.length > 0) return false
  return part.fileName !== null || part.disposition === 'attachment' || !/^(text|message\/(delivery-status|disposition))/.test(part.type)
}

export function isTnef(part: MessagePart): boolean {
  return /^application\/(vnd\.)?ms-tnef$/.test(part.type) || /^winmail\.dat$/i.test(part.fileName ?? '')
}

function attachmentOf(part: MessagePart): Attachment {
  return {
    part,
    name: part.fileName ?? madeUpName(part),
    type: part.type,
    sizeBytes: part.encodedBytes === null ? null : Math.floor(part.encodedBytes * (part.encoding === 'base64' ? 0.73 : 1)),
    isInline: part.disposition !== 'attachment' && part.contentId !== null && part.type.startsWith('image/'),
  }
}

function madeUpName(part: MessagePart): string {
  if (part.type === 'message/rfc822') return 'message.eml'
  const ending = ENDINGS[part.type] ?? (/^[a-z0-9]{1,5}$/.test(part.type.split('/')[1] ?? '') ? part.type.split('/')[1] : 'bin')
  return `part-${part.partId.replace(/[^0-9]+/g, '-')}.${ending}`
}

const ENDINGS: Record<string, string> = {
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.ms-excel.sheet.binary.macroenabled.12': 'xlsb',
  'application/vnd.oasis.opendocument.spreadsheet': 'ods',
  'application/x-zip-compressed': 'zip',
  'application/gzip': 'gz',
  'application/x-gzip': 'gz',
  'application/ms-tnef': 'dat',
  'image/jpeg': 'jpg',
  'text/plain': 'txt',
  'text/comma-separated-values': 'csv',
}
