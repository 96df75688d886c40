/** Asks the queries of a report and makes its mails: one for the fixed lists, or one per recipient of a recipient query. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { JobContext } from '../../src/job/define-job.ts'
import type { Freshness, Snapshot, SourceTable, Told } from '../../src/job/reports.ts'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import { eachRow } from '../../systemscripts/documents/row-source.ts'
import type { MailDraft } from '../../systemscripts/outgoing-mail/composed-mail.ts'
import type { QuerySession } from '../../systemscripts/query-session.ts'
import { type BoundStatement, bindNamed, namesUsed } from '../../systemscripts/query-session/named-parameters.ts'
import { type Answer, ofQuery, readAnswer, rowsToAsk } from './answers.ts'
import { type ChangeBlock, findChanges } from './changes.ts'
import { type Addressed, findRecipients } from './recipients.ts'
import { isAttached, type ReportQuery, type ReportSettings } from './settings.ts'
import { fillTemplate } from './template.ts'
import { localMoment, wordsFor } from './words.ts'
import { writeDelayNote, writeMail } from './write-mail.ts'

export type ReportContext = JobContext<ReportSettings>

export interface RenderedMail {
  recipient: string
  /** Null: the conditions say that this mail is not to go out; `why` says which. */
  draft: MailDraft | null
  why: string | null
  /** For the next mail. */
  told: Told[]
  rowsRead: number
}

export interface Rendering {
  context: ReportContext
  session: QuerySession
  freshness: Freshness
  sender: string
  /** For files; each mail's own lie in one below it. */
  folder: string
  /** Recipients whose mail is stored already. */
  isDone: (recipient: string) => boolean
}

/**
 * Makes the mails, each when it is asked for. Answers that are the same for all recipients are asked once.
 *
 * @throws PermanentError `report_query_failed`, `threshold_not_boolean`, `place_not_filled`, `data_not_fresh`, those of findRecipients
 */
export async function* renderMails(rendering: Rendering): AsyncGenerator<RenderedMail> {
  const { context, session, freshness } = rendering
  const { config: settings, reports } = context
  const asOf = context.run.scheduledFor
  const bind = (text: string, values: ReadonlyMap<string, string | null> = new Map()): BoundStatement =>
    bindNamed(text, new Map([...values, ['as_of', asOf.toISOString()]]), new Map([['as_of', 'timestamptz']]))
  const why = await whyNot(settings, session, bind)
  if (why !== null) {
    yield { recipient: '', draft: null, why, told: [], rowsRead: 0 }
    return
  }
  const addressed = await findRecipients(settings, session, bind)
  const tables = await readSources(rendering, bind, addressed[0])
  const findings = settings.showFindings ? await reports.findings(tables.map(({ tableName }) => tableName)) : []
  const stale = freshness.stale.length > 0 && !settings.isPreview ? freshness.stale : []
  const foot = await footOf(context, freshness)
  const shared = new Map<string, Answer>()
  let made = 0
  for (const one of addressed) {
    made += 1
    if (rendering.isDone(one.recipient)) continue
    context.signal.throwIfAborted()
    const words = wordsFor(asOf, settings.timeZone, one.values)
    if (stale.length > 0 && settings.whenStale === 'note') {
      const draft = writeDelayNote({ settings, sender: rendering.sender, addressed: one, words, foot }, stale)
      yield { recipient: one.recipient, draft, why: null, told: [], rowsRead: 0 }
      continue
    }
    const folder = join(rendering.folder, String(made))
    await mkdir(folder, { recursive: true })
    const answers = await answerAll({ rendering, shared, addressed: one, words, folder, bind })
    yield await toMail({ rendering, addressed: one, answers, words, foot, findings, stale })
    await rm(folder, { recursive: true, force: true })
    context.progress(made / addressed.length, `${made} of ${addressed.length} mails`)
    if (settings.isPreview || settings.testTo !== null) return
  }
}

async function whyNot({ thresholdQuery }: ReportSettings, session: QuerySession, bind: (text: string) => BoundStatement): Promise<string | null> {
  if (thresholdQuery === null) return null
  try {
    const answer = await session.ask(bind(thresholdQuery), 2)
    const rows = []
    for await (const row of eachRow(answer)) rows.push(row)
    if (answer.columns.length !== 1 || answer.columns[0]?.typeOid !== 16 || rows.length > 1) {
      throw new PermanentError('threshold_not_boolean', 'threshold_query does not answer true or false', {
        detail: `It answers ${rows.length} rows of ${answer.columns.length} columns.`,
        hint: 'Let it answer one boolean: select count(*) > 10 from feeds.order where open.',
      })
    }
    return rows[0]?.[0] === 't' ? null : 'threshold_query does not say true'
  } catch (error) {
    throw error instanceof JobError && error.code === 'threshold_not_boolean' ? error : ofQuery({ queryName: 'threshold_query' }, error)
  }
}

/** What the mails stand on, by the plans of the queries as they are for the first recipient. */
async function readSources({ context, session }: Rendering, bind: Binding, first: Addressed | undefined): Promise<SourceTable[]> {
  const { config: settings, reports } = context
  if (settings.queryConnection !== null) return []
  const found = new Map<string, string[]>()
  for (const query of settings.queries) {
    const tables = await tablesOf(query)
    for (const table of tables) found.set(table, [...(found.get(table) ?? []), query.queryName])
  }
  const sources = [...found].map(([tableName, queryNames]) => ({ tableName, queryNames }))
  if (!settings.isPreview && settings.testTo === null) await reports.recordSources(sources, new Date())
  return sources

  async function tablesOf(query: ReportQuery): Promise<string[]> {
    try {
      const plan = await session.plan(bind(query.text, first?.values))
      return [...new Set([...plan.tables, ...(await reports.tablesBehind(plan.functions))])]
    } catch (error) {
      context.signal.throwIfAborted()
      throw ofQuery(query, error)
    }
  }
}

type Binding = (text: string, values?: ReadonlyMap<string, string | null>) => BoundStatement

interface Asking {
  rendering: Rendering
  /** Answers that do not depend on the recipient. */
  shared: Map<string, Answer>
  addressed: Addressed
  words: ReadonlyMap<string, string>
  folder: string
  bind: Binding
}

async function answerAll({ rendering, shared, addressed, words, folder, bind }: Asking): Promise<Answer[]> {
  const { context, session, folder: sharedFolder } = rendering
  const { config: settings, signal } = context
  const answers: Answer[] = []
  for (const query of settings.queries) {
    const known = shared.get(query.queryName)
    if (known !== undefined) {
      answers.push(known)
      continue
    }
    // What hangs on the recipient is his columns, in the query or in the name of the file.
    const isOwn =
      addressed.recipient !== '' && (namesUsed(query.text, addressed.values.keys()).size > 0 || [...addressed.values.keys()].some((name) => query.fileName?.includes(`{${name}}`)))
    const place = { folder: isOwn ? folder : sharedFolder, fileName: fileNameOf(query, words), maxBytes: settings.maxBytes, signal }
    const answer = await readAnswer(query, () => session.ask(bind(query.text, addressed.values), rowsToAsk(query)), place)
    context.log(`Query "${query.queryName}" answered ${answer.rows} rows`, { shown_as: query.shownAs }, { step: query.queryName })
    if (!isOwn) shared.set(query.queryName, answer)
    answers.push(answer)
  }
  return answers
}

function fileNameOf({ queryName, fileName, shownAs }: ReportQuery, words: ReadonlyMap<string, string>): string {
  const template = fileName ?? `${queryName}_{timestamp}.${shownAs}`
  return fillTemplate(template, 'file_name', { places: new Map(), words, write: (word) => word.replace(/[/\\:*?"<>|\p{Cc}]/gu, '_') })
}

interface Making {
  rendering: Rendering
  addressed: Addressed
  answers: Answer[]
  words: ReadonlyMap<string, string>
  foot: string[]
  findings: string[]
  stale: string[]
}

async function toMail({ rendering, addressed, answers, words, foot, findings, stale }: Making): Promise<RenderedMail> {
  const { context, sender, freshness } = rendering
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
  const rowsRead = answers.reduce((sum, { rows }) => sum + rows, 0)
  const isTry = settings.isPreview || settings.testTo !== null
  const why = isTry ? null : conditionNotMet(settings, { rowsRead, told, last })
  if (why !== null) return { recipient, draft: null, why, told: [], rowsRead }
  const banner = stale.length === 0 ? null : `Data as of ${freshness.dataAt === null ? 'an unknown time' : localMoment(freshness.dataAt, settings.timeZone)}: ${stale.join('; ')}`
  const draft = await writeMail({ settings, sender, addressed, answers, changes, words, banner, findings, foot })
  return { recipient, draft, why: null, told, rowsRead }
}

function conditionNotMet(
  { skipIfEmpty, onlyIfChanged }: ReportSettings,
  { rowsRead, told, last }: { rowsRead: number; told: Told[]; last: ReadonlyMap<string, Snapshot> },
): string | null {
  if (skipIfEmpty && rowsRead === 0) return 'no query has a row'
  if (onlyIfChanged && last.get('')?.fingerprint === told[0]?.fingerprint) return 'nothing changed since the last mail'
  return null
}

async function footOf({ config: settings, reports, run }: ReportContext, { dataAt }: Freshness): Promise<string[]> {
  const schedule = await reports.scheduleInWords()
  const { configName, description, owner, timeZone } = settings
  return [
    `Report "${configName}"${description === null ? '' : `: ${description}`}`,
    `Owner: ${owner ?? 'nobody is named'}. Sent ${schedule === null ? 'on request' : `by its schedule: ${schedule}`}.`,
    `Queries asked ${localMoment(new Date(), timeZone)}${dataAt === null ? '' : `; data as of ${localMoment(dataAt, timeZone)}`}. Run ${run.runId}.`,
  ]
}

/** Whether anything of it becomes a file. */
export function hasFiles({ queries }: ReportSettings): boolean {
  return queries.some(isAttached)
}
