import type { MailEnd, SeenMail } from '../../src/job/mails.ts'
import { JobError } from '../../systemscripts/errors.ts'
import type { MessageHead } from '../../systemscripts/mail/message-head.ts'
import type { AtOnce } from './at-once.ts'
import { batchesOf } from './batches.ts'
import { fileMails, filingFor, type MailToFile, strongest } from './file-mails.ts'
import { type Asked, type Judged, judgeMails, placeOf } from './judge.ts'
import type { MailToTake } from './stage-mails.ts'
import { takeMails } from './take-mails.ts'
import type { Taking } from './taking.ts'

/** What a run did. */
export interface Tally {
  looked: number
  saved: number
  refused: number
  failed: number
  files: number
}

/** A mailbox that is looked through by rules. */
export interface LookingThrough extends Taking {
  rules: Asked[]
  tally: Tally
  /** Mails that are judged are written down, one group after the other, while the next are judged. */
  recording: AtOnce
  /** Fingerprints of those that are not written down yet. */
  unwritten: Set<string>
  /** Mails that are written down are saved, one group after the other, while the next are looked at. */
  saving: AtOnce
  /** The mailbox takes one command that changes it after the other. */
  filing: AtOnce
  /** The first error of filing; files go on being saved. */
  filingFailed: { error: unknown } | null
}

const takenTogether = 100

/**
 * Judges mails, and begins to write down what came of it, to save what a rule means and to file away what is dealt with: `settle` waits for that.
 * @param mails with their rows; null: new ones
 */
export async function judgeAndTake(looking: LookingThrough, mails: { head: MessageHead; messageId: number | null }[]): Promise<void> {
  if (mails.length === 0) return
  const { mailbox, rules, now, unwritten } = looking
  const heads = mails.map(({ head }) => head)
  for (const { messageKey } of heads) unwritten.add(messageKey)
  const rowOf = new Map(mails.map(({ head, messageId }) => [placeOf(head.ref), messageId]))
  const judged = await judgeMails(mailbox, rules, heads, now)
  await looking.recording.add(async () => {
    await recordAndTake(looking, judged, rowOf)
    for (const { messageKey } of heads) unwritten.delete(messageKey)
  })
}

/** Waits until all that was judged is written down, saved and filed. @throws the first error of it */
export async function settle({ recording, saving, filing }: LookingThrough): Promise<void> {
  const ends = []
  // Each may begin work of the next.
  for (const stage of [recording, saving, filing]) ends.push(...(await Promise.allSettled([stage.end()])))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

async function recordAndTake(looking: LookingThrough, judged: Judged[], rowOf: Map<string, number | null>): Promise<void> {
  const { ledger, tally } = looking
  const seen = judged.map((each) => seenMail(looking, each, rowOf.get(placeOf(each.head.ref)) ?? null))
  const ids = await ledger.record(seen)
  const toTake: MailToTake[] = []
  const toFile: MailToFile[] = []
  for (const [index, { state, head, action, filedTo, reason }] of seen.entries()) {
    const messageId = ids[index]
    const judgedMail = judged[index]
    if (messageId === undefined || judgedMail === undefined) continue
    if (state === 'saving') toTake.push({ messageId, judged: judgedMail })
    if (state !== 'refused') continue
    tally.refused += 1
    tellRefused(looking, head, reason)
    if (action !== null && action !== 'leave') toFile.push({ messageId, ref: head.ref, action, filedTo })
  }
  if (toTake.length + toFile.length === 0) return
  await looking.saving.add(async () => {
    await fileSafely(looking, toFile)
    for (const batch of batchesOf(toTake, takenTogether)) await takeBatch(looking, batch)
  })
}

async function takeBatch(looking: LookingThrough, batch: MailToTake[]): Promise<void> {
  const { tally } = looking
  const ends = await takeOrForgive(looking, batch)
  const toFile: MailToFile[] = []
  for (const [index, { messageId, state, action, filedTo, files, reason }] of ends.entries()) {
    const head = batch[index]?.judged.head
    if (head === undefined || state === 'gone') continue
    if (state === 'refused') {
      tally.refused += 1
      tellRefused(looking, head, reason)
    } else {
      tally.saved += 1
      tally.files += files.length
    }
    if (action !== null && action !== 'leave') toFile.push({ messageId, ref: head.ref, action, filedTo })
  }
  await fileSafely(looking, toFile)
}

async function takeOrForgive(looking: LookingThrough, batch: MailToTake[]): Promise<MailEnd[]> {
  try {
    return await takeMails(looking, batch)
  } catch (error) {
    // After an abort nothing can be written any more.
    if (!mayBeOfTheMail(error) && !looking.context.signal.aborted) {
      await looking.ledger.forgive(batch.map(({ messageId }) => messageId)).catch(() => {})
    }
    throw error
  }
}

/** A full disk or a lost connection is not: every mail would meet it. */
function mayBeOfTheMail(error: unknown): boolean {
  if (error instanceof JobError) return error.code === 'mail_server_failed'
  return !(error instanceof Error && 'code' in error)
}

/** Files mails away. A mailbox that cannot be changed keeps nobody from saving what is in it; the run fails when that is done. */
export async function fileSafely(looking: LookingThrough, mails: MailToFile[]): Promise<void> {
  if (mails.length === 0) return
  const { context, mailbox, ledger, filing } = looking
  await filing.add(async () => {
    if (looking.filingFailed !== null) return
    try {
      await fileMails({ mailbox, ledger, stillMine: context.stillMine }, mails)
    } catch (error) {
      context.signal.throwIfAborted()
      looking.filingFailed = { error }
    }
  })
}

function seenMail(looking: LookingThrough, { head, attachments, verdicts }: Judged, messageId: number | null): SeenMail {
  const decisions = verdicts.map(({ settings: { configName, ruleOrder }, decision }) => ({
    configName,
    ruleOrder,
    decision: decision.kind,
    failedOn: 'filter' in decision ? decision.filter : null,
    detail: 'reason' in decision ? decision.reason : null,
  }))
  const common = { head, messageId, attachments: attachments?.length ?? null, decisions, reason: null, errorCode: null }
  const takers = verdicts.flatMap(({ settings, decision }) => (decision.kind === 'matched' ? [settings] : []))
  const filer = strongest(takers)
  if (filer !== undefined) {
    const filing = filingFor(filer, 'taken', looking.connection)
    return { ...common, state: 'saving', takenBy: takers[0]?.configName ?? null, ...filing }
  }
  const refuser = verdicts.find(({ decision }) => decision.kind === 'refused')
  if (refuser === undefined) return { ...common, state: 'unmatched', takenBy: null, action: null, filedTo: null }
  const { settings, decision } = refuser
  const why = decision.kind === 'refused' ? { reason: decision.reason, errorCode: decision.filter } : {}
  return { ...common, ...why, state: 'refused', takenBy: settings.configName, ...filingFor(settings, 'refused', looking.connection) }
}

function tellRefused({ context }: LookingThrough, head: MessageHead, reason: string | null): void {
  const from = head.from[0]?.address ?? 'nobody'
  context.log(
    `Mail "${head.subject}" from ${from} was refused: ${reason ?? 'no reason given'}`,
    {},
    { level: 'warning', step: head.ref.uid },
  )
}
