import { headOf, type MessageHead, type MessageRef } from '../message-head.ts'
import { MOST_HEADER_BYTES } from '../mime/header-fields.ts'
import { parseMailDate } from '../mime/mail-date.ts'
import type { Fetched } from './fetch-lane.ts'
import type { ImapSession } from './session.ts'
import { batchesOf } from './uid-set.ts'
import type { ImapValue } from './values.ts'

const BATCH = 250
/** Enough for nearly every header; those that are longer are fetched once more. */
const USUAL_HEADER_BYTES = 64 * 1024

/** See Mailbox.heads. */
export async function* fetchHeads(session: ImapSession, refs: MessageRef[]): AsyncGenerator<MessageHead> {
  const items = `(UID RFC822.SIZE INTERNALDATE FLAGS BODY.PEEK[HEADER]<0.${USUAL_HEADER_BYTES}>)`
  for await (const { ref, values } of fetchInBatches(session, refs, items)) {
    const header = await wholeHeader(session, ref, values)
    if (header !== null) yield headOf(header, { ref, ...factsOf(values) })
  }
}

/** Items of messages, in the order of `refs`; those that are gone are left out. The next batch is on its way while one is used. */
export async function* fetchInBatches(
  session: ImapSession,
  refs: MessageRef[],
  items: string,
): AsyncGenerator<{ ref: MessageRef; values: Map<string, ImapValue> }> {
  for (const folder of new Set(refs.map((ref) => ref.folder))) {
    const batches = batchesOf(
      refs.filter((ref) => ref.folder === folder),
      BATCH,
    )
    let coming = fetchItems(session, batches[0] ?? [], items)
    for (const [index, batch] of batches.entries()) {
      const fetched = await coming
      coming = fetchItems(session, batches[index + 1] ?? [], items)
      // Whoever stops here is not told what becomes of the next one.
      coming.catch(() => {})
      for (const ref of batch) {
        const values = fetched.get(ref.uid)
        if (values) yield { ref, values }
      }
    }
  }
}

/** @param refs all of one folder */
export async function fetchItems(session: ImapSession, refs: MessageRef[], items: string): Promise<Fetched> {
  const [first] = refs
  if (first === undefined) return new Map()
  const lane = await session.laneFor(first)
  return lane.fetch(
    refs.map(({ uid }) => Number(uid)),
    items,
  )
}

/** Bytes of a section; null when the server gave none. */
export function bytesOf(values: Map<string, ImapValue> | undefined, section: string): Buffer | null {
  const value = values?.get(`BODY[${section}]`) ?? null
  if (typeof value === 'string') return Buffer.from(value, 'latin1')
  return Buffer.isBuffer(value) ? value : null
}

async function wholeHeader(session: ImapSession, ref: MessageRef, values: Map<string, ImapValue>): Promise<Buffer | null> {
  const header = bytesOf(values, 'HEADER')
  if (header?.length !== USUAL_HEADER_BYTES) return header
  const fetched = await fetchItems(session, [ref], `(UID BODY.PEEK[HEADER]<0.${MOST_HEADER_BYTES}>)`)
  return bytesOf(fetched.get(ref.uid), 'HEADER')
}

function factsOf(values: Map<string, ImapValue>): { receivedAt: Date | null; sizeBytes: number; isSeen: boolean } {
  const [date, size, flags] = [values.get('INTERNALDATE'), values.get('RFC822.SIZE'), values.get('FLAGS')]
  return {
    receivedAt: typeof date === 'string' ? parseMailDate(date) : null,
    sizeBytes: typeof size === 'string' ? Number(size) || 0 : 0,
    isSeen: Array.isArray(flags) && flags.some((flag) => typeof flag === 'string' && flag.toLowerCase() === '\\seen'),
  }
}
