import type { JobContext } from '../../src/job/define-job.ts'
import type { Freshness, Snapshot, Told } from '../../src/job/reports.ts'
import type { MailDraft } from '../../systemscripts/outgoing-mail/composed-mail.ts'
import { type Answer, ofQuery } from './answers.ts'
import { type ChangeBlock, findChanges } from './changes.ts'
import type { Addressed } from './recipients.ts'
import { isTry, type ReportSettings } from './settings.ts'
import { localMoment } from './words.ts'
import { writeMail } from './write-mail.ts'

export interface Making {
  context: JobContext<ReportSettings>
  sender: string
  freshness: Freshness
  addressed: Addressed
  answers: Answer[]
  words: ReadonlyMap<string, string>
  foot: string[]
  findings: string[]
  /** Names of what is not up to date. */
  stale: string[]
}

export type MadeMail = { recipient: string; told: Told[] } & ({ draft: MailDraft } | { draft: null; why: string })

/**
 * Makes a mail of the answers for one recipient, with what changed since the last one; or says why none is to go out.
 *
 * @throws PermanentError `report_query_failed`, `place_not_filled`
 */
export async function toMail({ context, sender, freshness, addressed, answers, words, foot, findings, stale }: Making): Promise<MadeMail> {
  const { config: settings, reports } = context
  const { recipient } = addressed
  const needsLast = settings.onlyIfChanged || answers.some(({ compared }) => compared !== null)
  const last = needsLast ? await reports.lastTold(recipient) : new Map<string, Snapshot>()
  const changes = new Map<string, ChangeBlock>()
  const told: Told[] = [{ queryName: '', fingerprint: answers.map(({ fingerprint }) => fingerprint).join(' '), content: null }]
  for (const { query, compared, fingerprint } of answers) {
    if (compared === null) continue
    const former = last.get(query.queryName) ?? null
    const since = former === null ? '' : localMoment(former.takenAt, settings.timeZone)
    try {
      const block = await findChanges(compared, query.changeKeys, former, since)
      changes.set(query.queryName, block)
      told.push({ queryName: query.queryName, fingerprint, content: block.content })
    } catch (error) {
      throw ofQuery(query, error)
    }
  }
  const why = isTry(settings) ? null : conditionNotMet(settings, { answers, told, last })
  if (why !== null) return { recipient, draft: null, why, told: [] }
  const banner =
    stale.length === 0
      ? null
      : `Data as of ${freshness.dataAt === null ? 'an unknown time' : localMoment(freshness.dataAt, settings.timeZone)}. Not up to date: ${stale.join(', ')}.`
  const draft = await writeMail({ settings, sender, addressed, answers, changes, words, banner, findings, foot })
  return { recipient, draft, told }
}

function conditionNotMet(
  { skipIfEmpty, onlyIfChanged }: ReportSettings,
  { answers, told, last }: { answers: Answer[]; told: Told[]; last: ReadonlyMap<string, Snapshot> },
): string | null {
  if (skipIfEmpty && isEmpty(answers)) return 'its queries have no rows'
  if (onlyIfChanged && last.get('')?.fingerprint === told[0]?.fingerprint) return 'nothing changed since the last mail'
  return null
}

/** A count of nothing is a row too, so values say nothing where there is more than values. */
function isEmpty(answers: Answer[]): boolean {
  const lists = answers.filter(({ query }) => query.shownAs !== 'value')
  return lists.length === 0 ? answers.every(({ text }) => text === '') : lists.every(({ rows }) => rows === 0)
}
