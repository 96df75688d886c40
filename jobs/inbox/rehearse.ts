import type { ConnectionFacts } from '../../src/job/connections.ts'
import type { RehearsedMail } from '../../src/job/mails.ts'
import type { Outcome } from '../../src/job/outcome.ts'
import type { Mailbox } from '../../systemscripts/mail/mailbox.ts'
import type { MessageHead } from '../../systemscripts/mail/message-head.ts'
import { safeFileName } from '../../systemscripts/safe-file-name.ts'
import { batchesOf } from './batches.ts'
import { filingFor, strongest } from './file-mails.ts'
import { askable, type Judged, judgeMails } from './judge.ts'
import { rulesOf } from './rules-of.ts'
import { prefixFor, rawName } from './saved-name.ts'
import type { InboxSettings } from './settings.ts'
import type { InboxContext } from './taking.ts'

const dayMs = 86_400_000

/** Writes down what the rules would do with the mails of the last days, the newest first. Neither mailbox nor folders are touched. */
export async function rehearse(
  { config: settings, mails, progress }: InboxContext,
  mailbox: Mailbox,
  connection: ConnectionFacts,
  { id, days }: { id: number; days: number },
): Promise<Outcome> {
  const { otherRules, timeZone } = await mails.peek(settings.connectionName, settings.folder)
  const rules = askable(rulesOf(settings, await otherRules()))
  const now = new Date()
  const since = new Date(now.getTime() - days * dayMs)
  const { refs } = await mailbox.look(settings.folder, { since: null, notBefore: since })
  const rehearsed: RehearsedMail[] = []
  let position = 0
  let matched = 0
  for (const batch of batchesOf(refs.toReversed(), 500)) {
    const heads: MessageHead[] = []
    for await (const head of mailbox.heads(batch)) if (head.receivedAt >= since) heads.push(head)
    for (const judged of await judgeMails(mailbox, rules, heads, now)) {
      position += 1
      const rows = rowsOf(judged, position, { connection, now, timeZone })
      matched += rows.some(({ configName, decision }) => configName === settings.configName && decision === 'matched') ? 1 : 0
      rehearsed.push(...rows)
    }
    progress(null, `${position.toLocaleString('en')} mails looked at`)
  }
  const message = `Of ${position.toLocaleString('en')} mails of the last ${days} days "${settings.configName}" would take ${matched.toLocaleString('en')}.`
  await mails.rehearsed(id, { messages: position, matched, message, mails: rehearsed })
  return { note: `${message} See select * from dba.rehearsalmail where rehearsal_id = ${id};`, result: { rehearsal_id: id } }
}

function whereTo(filer: InboxSettings | undefined, refuser: InboxSettings | undefined, connection: ConnectionFacts): string | null {
  if (filer !== undefined) return filingFor(filer, 'taken', connection).filedTo
  return refuser === undefined ? null : filingFor(refuser, 'refused', connection).filedTo
}

function rowsOf(
  { head, verdicts }: Judged,
  position: number,
  { connection, now, timeZone }: { connection: ConnectionFacts; now: Date; timeZone: string },
): RehearsedMail[] {
  const filer = strongest(verdicts.flatMap(({ settings, decision }) => (decision.kind === 'matched' ? [settings] : [])))
  return verdicts.map(({ settings, decision }) => {
    const prefix = prefixFor(settings.namePrefix, head, now, timeZone)
    const names = decision.kind === 'matched' ? decision.attachments.map(({ name }) => name) : []
    if (decision.kind === 'matched' && settings.saveRaw) names.push(rawName(head))
    const refuser = decision.kind === 'refused' && filer === undefined ? settings : undefined
    return {
      position,
      configName: settings.configName,
      ruleOrder: settings.ruleOrder,
      sender: head.from.map(({ address }) => address).join(', '),
      subject: head.subject,
      receivedAt: head.receivedAt,
      decision: decision.kind,
      failedOn: 'filter' in decision ? decision.filter : null,
      detail: 'reason' in decision ? decision.reason : unseenIn(names, settings),
      files: names.map((name) => safeFileName(name, prefix)),
      wouldFileTo: whereTo(decision.kind === 'matched' ? filer : undefined, refuser, connection),
    }
  })
}

/** Contents are judged when they are here, which a rehearsal spares the mailbox. */
function unseenIn(names: string[], { rule }: InboxSettings): string | null {
  const archives = (rule.blockedTypes ?? []).length === 0 ? [] : names.filter((name) => /[.](zip|xlsx|xlsb|xls|docx?|pptx?)$/i.test(name))
  return archives.length === 0 ? null : `what is in ${archives.map((name) => `"${name}"`).join(', ')} is looked at when it is saved`
}
