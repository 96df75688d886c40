import type { FetchMessageObject } from 'imapflow'
import { headOf, type MessageHead, type MessageRef } from '../message-head.ts'
import { MOST_HEADER_BYTES } from '../mime/header-fields.ts'
import { renumbered } from './refusals.ts'
import type { ImapSession } from './session.ts'
import { batchesOf, uidSet } from './uid-set.ts'

const BATCH = 250
/** Enough for nearly every header; those that are longer are fetched once more. */
const USUAL_HEADER_BYTES = 64 * 1024

/** See Mailbox.heads. */
export async function* fetchHeads(session: ImapSession, refs: MessageRef[]): AsyncGenerator<MessageHead> {
  for (const batch of batchesOf(refs, BATCH)) {
    const found = await fetchByUid(session, batch, 'fetching headers', {
      uid: true,
      size: true,
      internalDate: true,
      flags: true,
      bodyParts: [{ key: 'HEADER', start: 0, maxLength: USUAL_HEADER_BYTES }],
    })
    for (const ref of batch) {
      const message = found.get(ref.uid)
      const header = message && (await wholeHeader(session, ref, message))
      if (message && header) yield headOf(header, { ref, ...factsOf(message) })
    }
  }
}

/** What a fetch gives, by number. All refs are of one folder, unless they are split here. */
export async function fetchByUid(
  session: ImapSession,
  refs: MessageRef[],
  doing: string,
  query: Parameters<ImapSession['client']['fetchAll']>[1],
): Promise<Map<string, FetchMessageObject>> {
  const found = new Map<string, FetchMessageObject>()
  for (const folder of new Set(refs.map((ref) => ref.folder))) {
    const inFolder = refs.filter((ref) => ref.folder === folder)
    await openFor(session, inFolder[0])
    const set = uidSet(inFolder.map(({ uid }) => Number(uid)))
    for (const message of await session.doing(doing, (client) => client.fetchAll(set, query, { uid: true }))) {
      if (message.uid) found.set(String(message.uid), message)
    }
  }
  return found
}

/** Opens the folder of a message for reading. @throws JobError `mailbox_renumbered` */
export async function openFor(session: ImapSession, ref: MessageRef | undefined, mode: 'read' | 'write' = 'read'): Promise<void> {
  if (ref === undefined) return
  const box = await session.open(ref.folder, mode)
  if (String(box.uidValidity) !== ref.uidValidity) throw renumbered(ref.folder)
}

async function wholeHeader(session: ImapSession, ref: MessageRef, { headers }: FetchMessageObject): Promise<Buffer | undefined> {
  if (!headers || headers.length !== USUAL_HEADER_BYTES) return headers
  const query = { uid: true, bodyParts: [{ key: 'HEADER', start: 0, maxLength: MOST_HEADER_BYTES }] }
  return (await fetchByUid(session, [ref], 'fetching a long header', query)).get(ref.uid)?.headers
}

function factsOf({ internalDate, size, flags }: FetchMessageObject): { receivedAt: Date | null; sizeBytes: number; isSeen: boolean } {
  return {
    receivedAt: internalDate instanceof Date ? internalDate : null,
    sizeBytes: size ?? 0,
    isSeen: flags?.has('\\Seen') ?? false,
  }
}
