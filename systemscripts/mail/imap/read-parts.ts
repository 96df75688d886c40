import type { WantedPart } from '../mailbox.ts'
import type { MessageRef } from '../message-head.ts'
import type { MessagePart } from '../message-part.ts'
import { decodeTransfer } from '../mime/decode-transfer.ts'
import { type OpenEncoded, openPart } from '../open-part.ts'
import { fetchByUid, openFor } from './heads.ts'
import { commandRefusal, messageGone } from './refusals.ts'
import type { ImapSession } from './session.ts'

/** A large part comes in pieces of this size, so memory does not grow with it. */
const WINDOW_BYTES = 1024 * 1024
/** Parts up to this size are fetched together, so that a thousand small files are not a thousand round trips. */
const SMALL_BYTES = 256 * 1024
const TOGETHER_BYTES = 8 * 1024 * 1024
const TOGETHER_PARTS = 100

/** See Mailbox.read. */
export async function* readParts(
  session: ImapSession,
  wanted: WantedPart[],
): AsyncGenerator<WantedPart & { content: AsyncIterable<Buffer> }> {
  for (let at = 0; at < wanted.length; ) {
    const together = smallOnes(wanted, at)
    at += Math.max(together.length, 1)
    const fetched = await fetchTogether(session, together)
    for (const one of together) {
      const bytes = fetched.get(one)
      if (bytes) yield { ...one, content: decodeTransfer(just(bytes), one.part.encoding) }
    }
    const single = together.length === 0 ? wanted[at - 1] : undefined
    if (single === undefined || !(await isThere(session, single.ref))) continue
    yield { ...single, content: openPart(single.part, openEncoded(session, single.ref)) }
  }
}

function smallOnes(wanted: WantedPart[], from: number): WantedPart[] {
  const found: WantedPart[] = []
  let bytes = 0
  for (const one of wanted.slice(from, from + TOGETHER_PARTS)) {
    const size = one.part.stretch === null ? one.part.encodedBytes : null
    if (size === null || size > SMALL_BYTES || bytes + size > TOGETHER_BYTES) break
    found.push(one)
    bytes += size
  }
  return found
}

async function fetchTogether(session: ImapSession, wanted: WantedPart[]): Promise<Map<WantedPart, Buffer>> {
  const fetched = new Map<WantedPart, Buffer>()
  for (const section of new Set(wanted.map(({ part }) => part.partId))) {
    const ofSection = wanted.filter(({ part }) => part.partId === section)
    for (const folder of new Set(ofSection.map(({ ref }) => ref.folder))) {
      const inFolder = ofSection.filter(({ ref }) => ref.folder === folder)
      const refs = inFolder.map(({ ref }) => ref)
      const messages = await fetchByUid(session, refs, 'fetching attachments', { uid: true, bodyParts: [section] })
      for (const one of inFolder) {
        const bytes = messages.get(one.ref.uid)?.bodyParts?.get(section.toLowerCase())
        if (bytes) fetched.set(one, bytes)
      }
    }
  }
  return fetched
}

async function isThere(session: ImapSession, ref: MessageRef): Promise<boolean> {
  return (await fetchByUid(session, [ref], 'looking for a message', { uid: true, flags: true })).has(ref.uid)
}

/** Encoded bytes of a part, or of the whole message, in windows. */
export function openEncoded(session: ImapSession, ref: MessageRef): OpenEncoded {
  return (part, range) => windows(session, ref, part, range)
}

/** The whole message in windows. @throws PermanentError `message_gone` */
export function rawMessage(session: ImapSession, ref: MessageRef): AsyncIterable<Buffer> {
  return windows(session, ref, null)
}

/**
 * Asks for one stretch after the other until there is no more. Servers differ: some give less than was asked for in the middle, some give the
 * whole whatever was asked for.
 */
async function* windows(
  session: ImapSession,
  ref: MessageRef,
  part: MessagePart | null,
  range = { start: 0, end: Number.POSITIVE_INFINITY },
): AsyncGenerator<Buffer> {
  const section = part === null ? null : part.partId
  const expected = Math.min(part?.encodedBytes ?? 0, range.end)
  for (let at = range.start; at < range.end; ) {
    const length = Math.min(WINDOW_BYTES, range.end - at)
    const bytes = await windowAt(session, ref, section, at, length)
    if (bytes === null) throw messageGone(ref.folder, ref.uid)
    if (bytes.length > 0) yield bytes.subarray(0, bytes.length > length ? undefined : length)
    at += bytes.length
    if (bytes.length === 0 || bytes.length > length || (bytes.length < length && at >= expected)) return
    if (part?.encodedBytes && at > part.encodedBytes * 2 + WINDOW_BYTES) {
      throw commandRefusal(
        new Error(`part ${part.partId} gives more than the ${part.encodedBytes} bytes it is said to have`),
        'reading a part',
      )
    }
  }
}

/** Null when the message is gone; empty behind the end. */
async function windowAt(
  session: ImapSession,
  ref: MessageRef,
  section: string | null,
  start: number,
  maxLength: number,
): Promise<Buffer | null> {
  await openFor(session, ref)
  const query =
    section === null ? { uid: true, source: { start, maxLength } } : { uid: true, bodyParts: [{ key: section, start, maxLength }] }
  const message = await session.doing('reading a message', (client) => client.fetchOne(ref.uid, query, { uid: true }))
  if (!message) return null
  const bytes = section === null ? message.source : message.bodyParts?.get(section.toLowerCase())
  return bytes || Buffer.alloc(0)
}

async function* just(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
