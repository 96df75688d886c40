import type { gmail_v1 } from '@googleapis/gmail'
import { messageGone } from '../imap/refusals.ts'
import type { MessageAction, WantedPart } from '../mailbox.ts'
import { headOfFields, type MessageHead, type MessageRef } from '../message-head.ts'
import type { MessagePart } from '../message-part.ts'
import { walkMessage } from '../mime/walk-message.ts'
import { type OpenEncoded, openPart, stretchOf } from '../open-part.ts'
import { needsUnpacking, unpackParts } from '../unpack-parts.ts'
import { type CallOptions, callGmail } from './call.ts'
import { decodeJsonField } from './json-text.ts'
import type { GmailLabels } from './labels.ts'
import { fieldsOf, gmailPart, type PlaceOfBytes } from './payload.ts'

/** Requests at once; Google allows 250 units a second and user, a message costs 5 (20 since 2026 in some projects). */
const AT_ONCE = 8

export interface GmailMessages {
  heads(refs: MessageRef[]): AsyncGenerator<MessageHead>
  structures(refs: MessageRef[]): AsyncGenerator<{ ref: MessageRef; root: MessagePart }>
  read(wanted: WantedPart[]): AsyncGenerator<WantedPart & { content: AsyncIterable<Buffer> }>
  raw(ref: MessageRef): AsyncGenerator<Buffer>
  act(ref: MessageRef, action: MessageAction): Promise<string | null>
}

/** Messages through the Gmail API; see Mailbox. */
export function gmailMessages(gmail: gmail_v1.Gmail, labels: GmailLabels, options: CallOptions): GmailMessages {
  /** Where the bytes of the parts lie that were given out. */
  const places = new WeakMap<MessagePart, PlaceOfBytes>()
  return { heads, structures, read, raw, act }

  async function* heads(refs: MessageRef[]): AsyncGenerator<MessageHead> {
    for await (const { ref, message } of fetchAll(refs, 'metadata')) {
      const labelId = await labels.idOf(ref.folder)
      // Its label was taken away since: it is no longer in the folder that was looked into.
      if (!message.labelIds?.includes(labelId)) continue
      yield headOfFields(fieldsOf(message.payload), {
        ref,
        receivedAt: message.internalDate ? new Date(Number(message.internalDate)) : null,
        sizeBytes: message.sizeEstimate ?? 0,
        isSeen: !message.labelIds.includes('UNREAD'),
      })
    }
  }

  async function* structures(refs: MessageRef[]): AsyncGenerator<{ ref: MessageRef; root: MessagePart }> {
    for await (const { ref, message } of fetchAll(refs, 'full')) {
      const root = gmailPart(message.payload ?? {}, '', places)
      if (needsUnpacking(root)) await unpackParts(root, openEncoded(ref))
      yield { ref, root }
    }
  }

  async function* fetchAll(
    refs: MessageRef[],
    format: 'metadata' | 'full',
  ): AsyncGenerator<{ ref: MessageRef; message: gmail_v1.Schema$Message }> {
    for (let at = 0; at < refs.length; at += AT_ONCE) {
      const batch = refs.slice(at, at + AT_ONCE)
      const answers = await Promise.all(
        batch.map((ref) =>
          callGmail('reading messages', () => gmail.users.messages.get({ userId: 'me', id: ref.uid, format }, { retry: false }), options),
        ),
      )
      for (const [index, ref] of batch.entries()) {
        const message = answers[index]?.data
        if (message) yield { ref, message }
      }
    }
  }

  async function* read(wanted: WantedPart[]): AsyncGenerator<WantedPart & { content: AsyncIterable<Buffer> }> {
    for (const one of wanted) {
      const labelled = await callGmail(
        'reading messages',
        () => gmail.users.messages.get({ userId: 'me', id: one.ref.uid, format: 'minimal' }, { retry: false }),
        options,
      )
      if (labelled !== null) yield { ...one, content: openPart(one.part, openEncoded(one.ref)) }
    }
  }

  function openEncoded(ref: MessageRef): OpenEncoded {
    return (part, range) => {
      if (part === null) return range === undefined ? raw(ref) : stretchOf(raw(ref), range)
      const place = places.get(part)
      if (place?.data != null) return just(Buffer.from(place.data, 'base64url'))
      if (place?.attachmentId != null) return attachment(ref, place.attachmentId)
      return partOfRaw(ref, part)
    }
  }

  async function* attachment(ref: MessageRef, id: string): AsyncGenerator<Buffer> {
    const params = { userId: 'me', messageId: ref.uid, id, fields: 'data' }
    const get = () => gmail.users.messages.attachments.get(params, { responseType: 'stream', retry: false })
    const answer = await callGmail('reading an attachment', get, options)
    if (answer === null) throw messageGone(ref.folder, ref.uid)
    yield* decodeJsonField(answer.data, 'data')
  }

  async function* raw(ref: MessageRef): AsyncGenerator<Buffer> {
    const get = () =>
      gmail.users.messages.get({ userId: 'me', id: ref.uid, format: 'raw', fields: 'raw' }, { responseType: 'stream', retry: false })
    const answer = await callGmail('reading a message', get, options)
    if (answer === null) throw messageGone(ref.folder, ref.uid)
    yield* decodeJsonField(answer.data, 'raw')
  }

  /** Google names no bytes for some parts, such as attached messages without a name: they are cut out of the whole message. */
  async function* partOfRaw(ref: MessageRef, part: MessagePart): AsyncGenerator<Buffer> {
    const root = await walkMessage(raw(ref))
    const same = allParts(root).find(({ partId }) => partId === part.partId)
    if (same) yield* openPart(same, openEncoded(ref))
  }

  async function act(ref: MessageRef, action: MessageAction): Promise<string | null> {
    if (action.kind === 'leave') return 'left as it was'
    const { addLabelIds, removeLabelIds, done } = await changeFor(ref, action)
    const requestBody = { addLabelIds, removeLabelIds }
    const modify = () => gmail.users.messages.modify({ userId: 'me', id: ref.uid, requestBody }, { retry: false })
    return (await callGmail('labelling a message', modify, options)) === null ? null : done
  }

  async function changeFor(
    ref: MessageRef,
    { kind, label = 'Processed' }: MessageAction,
  ): Promise<{ addLabelIds: string[]; removeLabelIds: string[]; done: string }> {
    if (kind === 'mark_read') return { addLabelIds: [], removeLabelIds: ['UNREAD'], done: 'marked as read' }
    if (kind === 'flag') return { addLabelIds: ['STARRED'], removeLabelIds: [], done: 'flagged' }
    const added = await labels.ensure(label)
    if (kind === 'label') return { addLabelIds: [added], removeLabelIds: [], done: `labelled "${label}"` }
    const from = await labels.idOf(ref.folder)
    return { addLabelIds: [added], removeLabelIds: from === added ? [] : [from], done: `moved to "${label}"` }
  }
}

function allParts(part: MessagePart): MessagePart[] {
  return [part, ...part.children.flatMap(allParts)]
}

async function* just(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
