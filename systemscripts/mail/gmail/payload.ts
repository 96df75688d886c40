import type { gmail_v1 } from '@googleapis/gmail'
import { type MessagePart, partOfHeader } from '../message-part.ts'
import type { HeaderField } from '../mime/header-fields.ts'

/** Google gives small texts at once and everything else under an id that is good for this answer. */
export interface PlaceOfBytes {
  data: string | null
  attachmentId: string | null
}

/** Google's texts as the fields that headerFields gives: one character a byte. */
export function fieldsOf(payload: gmail_v1.Schema$MessagePart | undefined): HeaderField[] {
  return (payload?.headers ?? []).flatMap(({ name, value }) =>
    name
      ? [
          {
            name: name.toLowerCase(),
            value: Buffer.from(value ?? '', 'utf8')
              .toString('latin1')
              .replace(/\r?\n/g, '')
              .trim(),
          },
        ]
      : [],
  )
}

/**
 * A part as Google describes it, with numbers as IMAP counts them. Google has undone the transfer encoding.
 *
 * @param prefix number of the part around it, with a dot; empty at the root
 * @param places where the bytes of each part lie is added here
 */
export function gmailPart(payload: gmail_v1.Schema$MessagePart, prefix: string, places: WeakMap<MessagePart, PlaceOfBytes>): MessagePart {
  const fields = fieldsOf(payload)
  const described = partOfHeader(fields, '')
  const isMultipart = (payload.mimeType ?? described.type).startsWith('multipart/')
  const ownNumber = isMultipart && prefix === '' ? '' : numberOf(payload.partId, prefix)
  const part: MessagePart = {
    ...described,
    partId: ownNumber,
    type: payload.mimeType?.toLowerCase() || described.type,
    encoding: 'binary',
    fileName: described.fileName ?? (payload.filename || null),
    encodedBytes: payload.body?.size ?? null,
    boundary: null,
  }
  places.set(part, { data: payload.body?.data ?? null, attachmentId: payload.body?.attachmentId ?? null })
  part.children = (payload.parts ?? []).map((child) => gmailPart(child, ownNumber === '' ? '' : `${ownNumber}.`, places))
  return part
}

/** `1.0`, counted from 0, is `2.1`; the only part of a message is `1`. */
function numberOf(partId: string | null | undefined, prefix: string): string {
  if (!partId) return `${prefix}1`
  return partId
    .split('.')
    .map((number) => Number(number) + 1)
    .join('.')
}
