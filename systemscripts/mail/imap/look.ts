import { ANEW_DAYS, type Look, type LookOptions, type MailCursor } from '../mailbox.ts'
import { headOf } from '../message-head.ts'
import type { FetchLane } from './fetch-lane.ts'
import { bytesOf } from './heads.ts'
import type { ImapSession } from './session.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** See Mailbox.look. Sources: RFC 3501, 2.3.1.1 (UIDVALIDITY, UIDNEXT) and 6.4.4 (SEARCH, whose dates are days of the server's zone). */
export async function lookIntoFolder(session: ImapSession, folder: string, options: LookOptions): Promise<Look> {
  const lane = await session.openLane(folder)
  const { uidValidity, uidNext } = lane
  const startedAnew = options.since === null ? null : await whyAnew(lane, options.since)
  const last = options.since === null || startedAnew !== null ? 0 : Number(options.since.uid)
  // "n:*" gives the newest message even when its number is smaller than n.
  const uids = new Set((await lane.search(newMessages(options, startedAnew !== null, last))).filter((uid) => uid > last))
  if (last > 0 && options.lookBackDays) {
    const from = new Date(Date.now() - options.lookBackDays * DAY_MS)
    for (const uid of await lane.search(`UNDELETED SINCE ${dayBefore(later(from, options.notBefore))}`)) uids.add(uid)
  }
  const sorted = [...uids].sort((left, right) => left - right)
  const highest = Math.max(last, uidNext - 1, sorted.at(-1) ?? 0)
  return {
    refs: sorted.map((uid) => ({ folder, uidValidity, uid: String(uid) })),
    cursor: { uidValidity, uid: String(highest), witnessKey: await keyOfMessage(lane, highest), lookedAt: new Date().toISOString() },
    startedAnew,
  }
}

async function whyAnew(lane: FetchLane, since: MailCursor): Promise<string | null> {
  const { uidValidity, uidNext } = lane
  if (since.uidValidity !== uidValidity)
    return `the server numbers the folder anew (UIDVALIDITY ${uidValidity}, before ${since.uidValidity})`
  if (uidNext > 0 && uidNext <= Number(since.uid)) return `the server's next number is ${uidNext}, but ${since.uid} was seen`
  const key = since.witnessKey === null ? null : await keyOfMessage(lane, Number(since.uid))
  if (key !== null && key !== since.witnessKey) return `number ${since.uid} is another message than before`
  return null
}

/** Null when there is no such message any more. */
async function keyOfMessage(lane: FetchLane, uid: number): Promise<string | null> {
  if (uid === 0) return null
  const header = bytesOf((await lane.fetch([uid], '(UID BODY.PEEK[HEADER]<0.65536>)')).get(String(uid)), 'HEADER')
  const facts = { ref: { folder: '', uidValidity: '', uid: '' }, receivedAt: null, sizeBytes: 0, isSeen: false }
  return header === null ? null : headOf(header, facts).messageKey
}

function newMessages({ since, notBefore }: LookOptions, isAnew: boolean, last: number): string {
  const wanted = notBefore ? `UNDELETED SINCE ${dayBefore(notBefore)}` : 'UNDELETED'
  if (last > 0) return `${wanted} UID ${last + 1}:*`
  if (!isAnew || since === null) return wanted
  const from = dayBefore(new Date(Date.parse(since.lookedAt) - ANEW_DAYS * DAY_MS))
  // A server that was moved may give every message the day of the move, or keep the old one.
  return `${wanted} OR SINCE ${from} SENTSINCE ${from}`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** As IMAP writes days. Of the day before, since days begin at different moments in different zones. */
function dayBefore(date: Date): string {
  const day = new Date(date.getTime() - DAY_MS)
  return `${day.getUTCDate()}-${MONTHS[day.getUTCMonth()]}-${day.getUTCFullYear()}`
}

function later(left: Date, right: Date | null | undefined): Date {
  return right && right > left ? right : left
}
