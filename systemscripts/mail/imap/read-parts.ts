import type { WantedPart } from '../mailbox.ts'
import type { MessageRef } from '../message-head.ts'
import type { MessagePart } from '../message-part.ts'
import { decodeWhole } from '../mime/decode-transfer.ts'
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
      if (bytes) yield { ...one, content: just(await decodeWhole(bytes, one.part.encoding)) }
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

/** One command for all messages of which the same parts are wanted: usually one part of each, or many of one. */
async function fetchTogether(session: ImapSession, wanted: WantedPart[]): Promise<Map<WantedPart, Buffer>> {
  const fetched = new Map<WantedPart, Buffer>()
  const byMessage = Map.groupBy(wanted, ({ ref }) => `${ref.folder}\0${ref.uidValidity}\0${ref.uid}`)
  const alike = Map.groupBy(byMessage.values(), (parts) => `${parts[0]?.ref.folder}\0${sectionsOf(parts).join()}`)
  for (const messages of alike.values()) {
    const refs = messages.flatMap(([first]) => first?.ref ?? [])
    const items = sectionsOf(messages[0] ?? []).map((section) => ` BODY.PEEK[${section}]`)
    const answers = await fetchItems(session, refs, `(UID${items.join('')})`)
    for (const one of messages.flat()) {
      const bytes = bytesOf(answers.get(one.ref.uid), one.part.partId)
      if (bytes) fetched.set(one, bytes)
    }
  }
  return fetched
}

function sectionsOf(parts: WantedPart[]): string[] {
  return [...new Set(parts.map(({ part }) => part.partId))]
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
