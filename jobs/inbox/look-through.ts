import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { KnownMail, SeenMail } from '../../src/job/mails.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { MessageHead, MessageRef } from '../../systemscripts/mail/message-head.ts'
import { batchesOf } from './batches.ts'
import { type Asked, placeOf } from './judge.ts'
import { fileSafely, judgeAndTake, type LookingThrough, settle } from './judge-and-take.ts'
import { standingOf } from './standing.ts'
import { takeAgain } from './take-again.ts'

const lookedAtTogether = 500

/**
 * Looks through a folder by all rules: files away what an earlier run left saved, goes on with what it left half done, then takes what is new.
 * @throws PermanentError `mails_failed` when all was done but some mails could not be saved; what filing threw, after the rest was saved
 */
export async function lookThrough(looking: LookingThrough, folder: string): Promise<void> {
  try {
    await lookAndSave(looking, folder)
  } finally {
    // What is under way has its own connection of the mailbox and its own files open.
    await settle(looking).catch(() => {})
  }
}

async function lookAndSave(looking: LookingThrough, folder: string): Promise<void> {
  const { context, mailbox, ledger, rules, tally, now } = looking
  await fileLeftOvers(looking)
  await takeAgain(looking, await ledger.toTake())
  const look = await mailbox.look(folder, { since: ledger.cursor, notBefore: oldest(rules, now) })
  if (look.startedAnew !== null) context.log(`The folder is searched anew: ${look.startedAnew}`, { folder }, { level: 'warning' })
  const rulesKey = keyOf(rules)
  const isAnew = ledger.rulesKey !== rulesKey
  // A file may have taken the name of another: there the name says nothing.
  const arrived = looking.connection.kind === 'folder' ? look.refs : await ledger.unknown(look.refs)
  const again = isAnew ? await ledger.unmatched(look.cursor.uidValidity, oldest(rules, now)) : []
  const refs = again.length === 0 ? arrived : unique([...again, ...arrived])
  for await (const heads of headsOf(looking, refs)) {
    await lookAt(looking, folder, heads, isAnew)
    context.progress(tally.looked / refs.length, `${tally.looked.toLocaleString('en')} mails looked at, ${tally.saved} taken`)
  }
  await settle(looking)
  await fileLeftOvers(looking)
  if (looking.filingFailed !== null) throw looking.filingFailed.error
  await ledger.end({ account: mailbox.account, cursor: look.cursor, rulesKey, startedAnew: look.startedAnew })
  for (const left of looking.staging.values()) await rm(left, { recursive: true, force: true })
  if (tally.failed > 0) throw mailsFailed(tally.failed)
}

/** Batch by batch; the next one is on its way while one is judged and written down. */
async function* headsOf({ context, mailbox, tally }: LookingThrough, refs: MessageRef[]): AsyncGenerator<MessageHead[]> {
  const batches = [...batchesOf(refs, lookedAtTogether)]
  const fetch = (batch: MessageRef[] | undefined): Promise<MessageHead[]> => {
    const heads = batch === undefined ? Promise.resolve([]) : Array.fromAsync(mailbox.heads(batch))
    // Whoever stops before is not told what becomes of the next one.
    heads.catch(() => {})
    return heads
  }
  let coming = fetch(batches[0])
  for (const [index, batch] of batches.entries()) {
    context.signal.throwIfAborted()
    const heads = await coming
    coming = fetch(batches[index + 1])
    yield heads
    tally.looked += batch.length
  }
}

async function fileLeftOvers(looking: LookingThrough): Promise<void> {
  const left = await looking.ledger.toFile()
  await fileSafely(
    looking,
    left.flatMap(({ messageId, folder, uidValidity, uid, action, filedTo }) =>
      uid === null || action === null ? [] : [{ messageId, ref: { folder, uidValidity, uid }, action, filedTo }],
    ),
  )
  await looking.filing.end()
}

/** Tells mails that are new from those that the ledger knows. */
async function lookAt(looking: LookingThrough, folder: string, heads: MessageHead[], isAnew: boolean): Promise<void> {
  const { ledger } = looking
  const known = await knownOf(looking, heads)
  const met = new Set<string>()
  const copies: SeenMail[] = []
  const moved: { messageId: number; ref: MessageRef }[] = []
  const twice: MessageHead[] = []
  const toJudge: { head: MessageHead; messageId: number | null }[] = []
  for (const head of heads) {
    const standing = standingOf(head, known.get(head.messageKey) ?? [], folder, isAnew)
    if (standing.kind === 'copy') copies.push(copyOf(head, standing.of))
    else if (standing.kind === 'relocate') moved.push({ messageId: standing.messageId, ref: head.ref })
    else if (standing.kind === 'judge') {
      if (met.has(head.messageKey)) twice.push(head)
      else toJudge.push({ head, messageId: standing.messageId })
      met.add(head.messageKey)
    }
  }
  if (copies.length > 0) await ledger.record(copies)
  if (moved.length > 0) await ledger.relocate(moved)
  await judgeAndTake(looking, toJudge)
  // What the ledger knows now decides about the second one of the same fingerprint.
  if (twice.length > 0) await lookAt(looking, folder, twice, isAnew)
}

/** What the ledger knows of mails, by fingerprint. */
async function knownOf(looking: LookingThrough, heads: MessageHead[]): Promise<Map<string, KnownMail[]>> {
  const { ledger, recording } = looking
  const fingerprints = [...new Set(heads.map(({ messageKey }) => messageKey))]
  // One of them may be on its way into the ledger.
  if (fingerprints.some((fingerprint) => looking.unwritten.has(fingerprint))) await recording.end()
  let found = await ledger.byFingerprint(fingerprints)
  if (found.some(({ state }) => state === 'saving')) {
    // A copy is none when the other turns out to be gone.
    await settle(looking)
    found = await ledger.byFingerprint(fingerprints)
  }
  return Map.groupBy(found, ({ fingerprint }) => fingerprint)
}

function copyOf(head: MessageHead, { messageId, state }: KnownMail): SeenMail {
  const reason = `the same mail as ${messageId}, which is ${state}; to have it looked at again, set the state of that one to retry`
  return {
    head,
    messageId: null,
    state: 'duplicate',
    reason,
    errorCode: null,
    takenBy: null,
    action: null,
    filedTo: null,
    attachments: null,
    decisions: [],
  }
}

/** Mails that are too old for every rule are written down as that, but not those of years ago. */
const alsoToldMs = 366 * 86_400_000

/** Older mails are not looked at; null: all are. */
function oldest(rules: Asked[], now: Date): Date | null {
  const ages = rules.map(({ settings }) => settings.rule.maxAgeSeconds)
  const known = ages.filter((age) => age !== null)
  return known.length < ages.length || known.length === 0 ? null : new Date(now.getTime() - Math.max(...known) * 1000 - alsoToldMs)
}

function keyOf(rules: Asked[]): string {
  const deciding = rules.map(({ settings: { ruleOrder, rule, maxFileBytes } }) => ({ ruleOrder, rule, maxFileBytes }))
  return createHash('sha256').update(JSON.stringify(deciding)).digest('hex')
}

function unique(refs: MessageRef[]): MessageRef[] {
  return [...new Map(refs.map((ref) => [placeOf(ref), ref])).values()]
}

function mailsFailed(count: number): PermanentError {
  return new PermanentError('mails_failed', `${count} ${count === 1 ? 'mail' : 'mails'} could not be saved; all others were dealt with`, {
    hint: "See select * from dba.message where state = 'failed'; set state = 'retry' to have one looked at again, or 'dismissed'.",
  })
}
