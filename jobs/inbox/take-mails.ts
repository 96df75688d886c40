import type { EarlierFile, MailEnd, PlannedFile } from '../../src/job/mails.ts'
import { safeFileName } from '../../systemscripts/safe-file-name.ts'
import { atOnce } from './at-once.ts'
import { filingFor, strongest } from './file-mails.ts'
import { findEarlier, freePath, publishFile, syncFolders } from './save-files.ts'
import { prefixFor } from './saved-name.ts'
import { type Findings, type MailToTake, stageWants, type Want, wantsOf } from './stage-mails.ts'
import type { Taking } from './taking.ts'

const namedAtOnce = 8

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
    await stageWants(taking, wants, findings)
    const kept = wants.filter((want) => !isLeft(want, findings))
    await publishAll(taking, kept)
    const ends = mails.map((mail) => endOf(taking, mail, kept, findings))
    await taking.ledger.endMails(ends)
    return ends
  } finally {
    for (const { staged, path } of wants) if (path === null) await staged?.discard()
  }
}

async function recoverEarlier(wants: Want[], earlier: EarlierFile[]): Promise<void> {
  for (const file of earlier) {
    const want = wants.find(
      ({ mail, settings, partId }) => mail.messageId === file.messageId && settings.configName === file.configName && partId === file.part,
    )
    if (want !== undefined) want.path = await findEarlier(file)
  }
}

function isLeft({ mail, settings }: Want, { gone, refusals }: Findings): boolean {
  return gone.has(mail) || refusals.some((each) => each.mail === mail && each.configName === settings.configName)
}

async function publishAll({ context, ledger, folders, now, claimed }: Taking, wants: Want[]): Promise<void> {
  const planned: { want: Want; file: PlannedFile }[] = []
  for (const want of wants) {
    const { mail, settings, staged, partId, name } = want
    if (staged === null) continue
    const prefix = prefixFor(settings.namePrefix, mail.judged.head, now, ledger.timeZone)
    const savedPath = await freePath(folders.get(settings.configName) ?? '', safeFileName(name, prefix), claimed)
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
  const naming = atOnce(namedAtOnce)
  try {
    for (const { want, file } of planned) {
      await naming.add(async () => {
        want.path = await publishFile(file)
      })
    }
  } finally {
    await naming.end()
    for (const { file } of planned) claimed.delete(file.savedPath)
  }
  await syncFolders(wants.flatMap(({ path }) => path ?? []))
}

function endOf({ connection }: Taking, mail: MailToTake, kept: Want[], { gone, refusals }: Findings): MailEnd {
  const refused = refusals.filter((each) => each.mail === mail)
  const takers = mail.judged.verdicts.flatMap(({ settings, decision }) =>
    decision.kind === 'matched' && !refused.some(({ configName }) => configName === settings.configName) ? [settings] : [],
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
  const filer = strongest(takers)
  if (filer !== undefined) {
    const filing = filingFor(filer, 'taken', connection)
    const state = filing.action === 'leave' ? 'filed' : 'saved'
    return { ...common, state, reason: null, errorCode: null, takenBy: takers[0]?.configName ?? null, ...filing }
  }
  const [first] = refused
  const refuser = mail.judged.verdicts.find(({ settings }) => settings.configName === first?.configName)?.settings
  const filing = refuser === undefined ? { action: null, filedTo: null } : filingFor(refuser, 'refused', connection)
  const { detail: reason = null, failedOn: errorCode = null } = first?.refusal ?? {}
  return { ...common, state: 'refused', reason, errorCode, takenBy: refuser?.configName ?? null, ...filing }
}
