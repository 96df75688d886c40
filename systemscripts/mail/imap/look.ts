import type { MailboxObject, SearchObject } from 'imapflow'
import { ANEW_DAYS, type Look, type LookOptions, type MailCursor } from '../mailbox.ts'
import { headOf } from '../message-head.ts'
import { commandRefusal } from './refusals.ts'
import type { ImapSession } from './session.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** See Mailbox.look. Sources: RFC 3501, 2.3.1.1 (UIDVALIDITY, UIDNEXT) and 6.4.4 (SEARCH, whose dates are days of the server's zone). */
export async function lookIntoFolder(session: ImapSession, folder: string, options: LookOptions): Promise<Look> {
  const box = await session.open(folder, 'read', true)
  const uidNext = box.uidNext
  const startedAnew = options.since === null ? null : await whyAnew(session, box, options.since)
  const last = options.since === null || startedAnew !== null ? 0 : Number(options.since.uid)
  const uids = new Set(await search(session, folder, newMessages(options, startedAnew !== null, last)))
  // "n:*" gives the newest message even when its number is smaller than n.
  for (const uid of uids) if (uid <= last) uids.delete(uid)
  if (last > 0 && options.lookBackDays) {
    const from = new Date(Date.now() - options.lookBackDays * DAY_MS)
    for (const uid of await search(session, folder, { deleted: false, since: dayBefore(later(from, options.notBefore)) })) uids.add(uid)
  }
  const sorted = [...uids].sort((left, right) => left - right)
  const highest = Math.max(last, (uidNext || 1) - 1, sorted.at(-1) ?? 0)
  const uidValidity = String(box.uidValidity)
  return {
    refs: sorted.map((uid) => ({ folder, uidValidity, uid: String(uid) })),
    cursor: { uidValidity, uid: String(highest), witnessKey: await keyOfMessage(session, highest), lookedAt: new Date().toISOString() },
    startedAnew,
  }
}

async function whyAnew(session: ImapSession, box: MailboxObject, since: MailCursor): Promise<string | null> {
  if (since.uidValidity !== String(box.uidValidity))
    return `the server numbers the folder anew (UIDVALIDITY ${box.uidValidity}, before ${since.uidValidity})`
  if (box.uidNext && box.uidNext <= Number(since.uid)) return `the server's next number is ${box.uidNext}, but ${since.uid} was seen`
  const key = since.witnessKey === null ? null : await keyOfMessage(session, Number(since.uid))
  if (key !== null && key !== since.witnessKey) return `number ${since.uid} is another message than before`
  return null
}

/** Null when there is no such message any more. */
async function keyOfMessage(session: ImapSession, uid: number): Promise<string | null> {
  if (uid === 0) return null
  const query = { uid: true, bodyParts: [{ key: 'HEADER', start: 0, maxLength: 65_536 }] }
  const found = await session.doing('looking at the last message', (client) => client.fetchOne(uid, query, { uid: true }))
  const header = found ? found.headers : undefined
  if (!header) return null
  const facts = { ref: { folder: '', uidValidity: '', uid: '' }, receivedAt: null, sizeBytes: 0, isSeen: false }
  return headOf(header, facts).messageKey
}

function newMessages({ since, notBefore }: LookOptions, isAnew: boolean, last: number): SearchObject {
  const wanted: SearchObject = { deleted: false, ...(notBefore ? { since: dayBefore(notBefore) } : {}) }
  if (last > 0) return { ...wanted, uid: `${last + 1}:*` }
  if (!isAnew || since === null) return wanted
  const from = dayBefore(new Date(Date.parse(since.lookedAt) - ANEW_DAYS * DAY_MS))
  // A server that was moved may give every message the day of the move, or keep the old one.
  return { ...wanted, or: [{ since: from }, { sentSince: from }] }
}

/** Days begin at different moments in different zones. */
function dayBefore(date: Date): Date {
  return new Date(date.getTime() - DAY_MS)
}

function later(left: Date, right: Date | null | undefined): Date {
  return right && right > left ? right : left
}

async function search(session: ImapSession, folder: string, query: SearchObject): Promise<number[]> {
  const found = await session.doing(`searching folder "${folder}"`, (client) => client.search(query, { uid: true }))
  if (Array.isArray(found)) return found
  throw commandRefusal(new Error('the search was refused'), `searching folder "${folder}"`)
}
