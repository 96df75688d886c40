import type { WantedPart } from '../mailbox.ts'
import type { MessageRef } from '../message-head.ts'
import type { MessagePart } from '../message-part.ts'
import { decodeTransfer } from '../mime/decode-transfer.ts'
import { type OpenEncoded, openPart } from '../open-part.ts'
import { bytesOf, fetchItems } from './heads.ts'
import { commandRefusal, messageGone } from './refusals.ts'
import type { ImapSession } from './session.ts'

/** A large part comes in pieces of this size, so memory does not grow with it. */
const WINDOW_BYTES = 1024 * 1024
/** Parts up to this size are fetched together, so that a thousand small files are not a thousand round trips. */
const SMALL_BYTES = 256 * 1024
const TOGETHER_BYTES = 4 * 1024 * 1024
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
  for (const group of Map.groupBy(wanted, ({ ref, part }) => `${part.partId} ${ref.folder}`).values()) {
    const section = group[0]?.part.partId ?? ''
    const refs = group.map(({ ref }) => ref)
    const messages = await fetchItems(session, refs, `(UID BODY.PEEK[${section}])`)
    for (const one of group) {
      const bytes = bytesOf(messages.get(one.ref.uid), section)
      if (bytes) fetched.set(one, bytes)
    }
  }
  return fetched
}

async function isThere(session: ImapSession, ref: MessageRef): Promise<boolean> {
  return (await fetchItems(session, [ref], '(UID FLAGS)')).has(ref.uid)
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
  const section = part?.partId ?? ''
  const expected = Math.min(part?.encodedBytes ?? 0, range.end)
  for (let at = range.start; at < range.end; ) {
    const length = Math.min(WINDOW_BYTES, range.end - at)
    const values = (await fetchItems(session, [ref], `(UID BODY.PEEK[${section}]<${at}.${length}>)`)).get(ref.uid)
    if (values === undefined) throw messageGone(ref.folder, ref.uid)
    const bytes = bytesOf(values, section) ?? Buffer.alloc(0)
    if (bytes.length > 0) yield bytes
    at += bytes.length
    if (bytes.length === 0 || bytes.length > length || (bytes.length < length && at >= expected)) return
    if (part?.encodedBytes && at > part.encodedBytes * 2 + WINDOW_BYTES) throw tooMuch(part)
  }
}

function tooMuch({ partId, encodedBytes }: MessagePart): Error {
  return commandRefusal(new Error(`part ${partId} gives more than the ${encodedBytes} bytes it is said to have`), 'reading a part')
}

async function* just(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
