import type { JobContext } from '../../src/job/define-job.ts'
import type { EarlierFile, MailEnd, MailLedger, PlannedFile } from '../../src/job/mails.ts'
import { JobError } from '../../systemscripts/errors.ts'
import { safeFileName } from '../../systemscripts/mail/file-name.ts'
import type { Mailbox } from '../../systemscripts/mail/mailbox.ts'
import type { MessagePart } from '../../systemscripts/mail/message-part.ts'
import type { StagedFile } from '../../systemscripts/mail/stage-file.ts'
import { filingFor } from './file-mails.ts'
import type { Judged } from './judge.ts'
import { type ByteRefusal, findEarlier, freePath, publishFile, stageJudged, syncFolders } from './save-files.ts'
import { prefixFor, rawName } from './saved-name.ts'
import type { InboxRequest, InboxSettings } from './settings.ts'

export type InboxContext = JobContext<InboxRequest>

/** What the taking of mails works with. */
export interface Taking {
  context: InboxContext
  mailbox: Mailbox
  ledger: MailLedger
  connection: { kind: string; isReadOnly: boolean }
  /** Absolute folder of each rule's files, by config_name. */
  folders: Map<string, string>
  /** Where they lie before they get their names. */
  staging: Map<string, string>
  now: Date
}

/** A mail that stands in the ledger as `saving`. */
export interface MailToTake {
  messageId: number
  judged: Judged
}

/** One file of a mail for one rule. */
interface Want {
  mail: MailToTake
  settings: InboxSettings
  /** Null: the whole mail. */
  part: MessagePart | null
  partId: string
  name: string
  staged: StagedFile | null
  /** Where it is, once it has its name. */
  path: string | null
}

/** What came out while the bytes were fetched. */
interface Findings {
  gone: Set<MailToTake>
  refusals: { mail: MailToTake; configName: string; refusal: ByteRefusal }[]
}

/**
 * Saves the files of mails: first all of them hidden, on the disk; then they are written down; then each gets its name; then the mails are
 * `saved`. An interruption anywhere leaves what the next run goes on with. A rule whose limits a file breaks gets no file of that mail.
 *
 * @returns how it ended, in the order given
 */
export async function takeMails(taking: Taking, mails: MailToTake[]): Promise<MailEnd[]> {
  const wants = mails.flatMap(wantsOf)
  const findings: Findings = { gone: new Set(), refusals: [] }
  try {
    await recoverEarlier(wants, await taking.ledger.earlierFiles(mails.map(({ messageId }) => messageId)))
    await stageParts(taking, wants, findings)
    for (const want of wants) if (want.part === null && want.path === null) await stageRaw(taking, want, findings)
    const kept = wants.filter((want) => !isLeft(want, findings))
    await publishAll(taking, kept)
    const ends = mails.map((mail) => endOf(taking, mail, kept, findings))
    await taking.ledger.endMails(ends)
    return ends
  } finally {
    for (const { staged } of wants) await staged?.discard()
  }
}

function wantsOf(mail: MailToTake): Want[] {
  const { head, verdicts } = mail.judged
  return verdicts.flatMap(({ settings, decision }) => {
    if (decision.kind !== 'matched') return []
    const want = { mail, settings, staged: null, path: null }
    const files: Want[] = decision.attachments.map(({ part, name }) => ({ ...want, part, partId: part.partId || '1', name }))
    return settings.saveRaw ? [...files, { ...want, part: null, partId: 'eml', name: rawName(head) }] : files
  })
}

async function recoverEarlier(wants: Want[], earlier: EarlierFile[]): Promise<void> {
  for (const file of earlier) {
    const want = wants.find(
      ({ mail, settings, partId }) => mail.messageId === file.messageId && settings.configName === file.configName && partId === file.part,
    )
    if (want !== undefined) want.path = await findEarlier(file)
  }
}

async function stageParts({ context, mailbox, staging }: Taking, wants: Want[], { gone, refusals }: Findings): Promise<void> {
  const open = wants.flatMap((want) => (want.part === null || want.path !== null ? [] : [{ want, part: want.part }]))
  if (open.length === 0) return
  const wanted = open.map(({ want, part }) => ({ ref: want.mail.judged.head.ref, part }))
  const waiting = new Set(open)
  for await (const { part, content } of mailbox.read(wanted)) {
    const one = open.find((each) => each.part === part && waiting.has(each))
    if (one === undefined) continue
    waiting.delete(one)
    const { want } = one
    const staged = await stageJudged(content, staging.get(want.settings.configName) ?? '', want.name, want.settings, context.signal)
    if ('path' in staged) want.staged = staged
    else refusals.push({ mail: want.mail, configName: want.settings.configName, refusal: staged })
  }
  for (const { want } of waiting) gone.add(want.mail)
}

/** The limit is one of files; a whole mail holds them encoded, and its macros cannot run. */
async function stageRaw({ context, mailbox, staging }: Taking, want: Want, { gone }: Findings): Promise<void> {
  if (gone.has(want.mail)) return
  const { configName, rule } = want.settings
  const limits = { maxFileBytes: null, rule: { ...rule, blockedTypes: [] } }
  try {
    const content = mailbox.raw(want.mail.judged.head.ref)
    const staged = await stageJudged(content, staging.get(configName) ?? '', want.name, limits, context.signal)
    if ('path' in staged) want.staged = staged
  } catch (error) {
    if (!(error instanceof JobError && error.code === 'message_gone')) throw error
    gone.add(want.mail)
  }
}

function isLeft({ mail, settings }: Want, { gone, refusals }: Findings): boolean {
  return gone.has(mail) || refusals.some((each) => each.mail === mail && each.configName === settings.configName)
}

async function publishAll({ context, ledger, folders, now }: Taking, wants: Want[]): Promise<void> {
  const paths = new Set<string>()
  const planned: { want: Want; file: PlannedFile }[] = []
  for (const want of wants) {
    const { mail, settings, staged, partId, name } = want
    if (staged === null) continue
    const prefix = prefixFor(settings.namePrefix, mail.judged.head, now, ledger.timeZone)
    const savedPath = await freePath(folders.get(settings.configName) ?? '', safeFileName(name, prefix), paths)
    const { path: stagedPath, sizeBytes, sha256 } = staged
    planned.push({
      want,
      file: {
        messageId: mail.messageId,
        part: partId,
        configName: settings.configName,
        fileName: name,
        savedPath,
        stagedPath,
        sizeBytes,
        sha256,
      },
    })
  }
  if (planned.length > 0) await ledger.planFiles(planned.map(({ file }) => file))
  await context.stillMine()
  for (const { want, file } of planned) want.path = await publishFile(file)
  await syncFolders(wants.flatMap(({ path }) => path ?? []))
}

function endOf({ connection }: Taking, mail: MailToTake, kept: Want[], { gone, refusals }: Findings): MailEnd {
  const refused = refusals.filter((each) => each.mail === mail)
  const takers = mail.judged.verdicts.filter(
    ({ settings, decision }) => decision.kind === 'matched' && !refused.some(({ configName }) => configName === settings.configName),
  )
  const common = {
    messageId: mail.messageId,
    refusals: refused.map(({ configName, refusal }) => ({ configName, ...refusal })),
    files: kept.flatMap(({ mail: of, partId, settings, path }) =>
      of === mail && path !== null ? [{ part: partId, configName: settings.configName, savedPath: path }] : [],
    ),
  }
  if (gone.has(mail)) {
    const reason = 'it vanished from its folder before it could be saved'
    return { ...common, state: 'gone', reason, errorCode: 'message_gone', takenBy: null, action: null, filedTo: null, files: [] }
  }
  const [taker] = takers
  if (taker !== undefined) {
    const filing = filingFor(taker.settings, 'taken', connection)
    const state = filing.action === 'leave' ? 'filed' : 'saved'
    return { ...common, state, reason: null, errorCode: null, takenBy: taker.settings.configName, ...filing }
  }
  const [first] = refused
  const refuser = mail.judged.verdicts.find(({ settings }) => settings.configName === first?.configName)?.settings
  const filing = refuser === undefined ? { action: null, filedTo: null } : filingFor(refuser, 'refused', connection)
  const { detail: reason = null, failedOn: errorCode = null } = first?.refusal ?? {}
  return { ...common, state: 'refused', reason, errorCode, takenBy: refuser?.configName ?? null, ...filing }
}
