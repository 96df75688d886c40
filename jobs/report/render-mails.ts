/** Asks the queries of a report and makes its mails: one for the fixed lists, or one per recipient of a recipient query. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { JobContext } from '../../src/job/define-job.ts'
import type { Freshness, SourceTable } from '../../src/job/reports.ts'
import { eachRow } from '../../systemscripts/documents/row-source.ts'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import { type BoundStatement, bindNamed, namesUsed } from '../../systemscripts/query-session/named-parameters.ts'
import type { QuerySession } from '../../systemscripts/query-session.ts'
import { type Answer, ofQuery, readAnswer, rowsToAsk } from './answers.ts'
import { footOf } from './foot.ts'
import { type Addressed, findRecipients } from './recipients.ts'
import { isTry, type ReportQuery, type ReportSettings } from './settings.ts'
import { fillTemplate } from './template.ts'
import { type MadeMail, toMail } from './to-mail.ts'
import { wordsFor } from './words.ts'
import { writeDelayNote } from './write-mail.ts'

export type ReportContext = JobContext<ReportSettings>

/** A draft of null: the conditions say that this mail is not to go out. */
export type RenderedMail = MadeMail & {
  /** That were read for it; rows that several mails show are counted once. */
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
  const asOf = fireOf(context)
  const bind = (text: string, values: ReadonlyMap<string, string | null> = new Map()): BoundStatement =>
    bindNamed(text, new Map([...values, ['as_of', asOf.toISOString()]]), new Map([['as_of', 'timestamptz']]))
  const why = isTry(settings) ? null : await whyNot(settings, session, bind)
  if (why !== null) {
    yield { recipient: '', draft: null, why, told: [], rowsRead: 0 }
    return
  }
  const addressed = await findRecipients(settings, session, bind)
  const tables = await readSources(rendering, bind, addressed[0])
  const names = tables.map(({ tableName }) => tableName)
  const findings = settings.showFindings ? await reports.findings(names) : []
  const stale = freshness.stale.map(({ name }) => name)
  const foot = await footOf(context, freshness.dataAt ?? (await reports.dataAt(names)))
  const shared = new Map<string, Answer>()
  let made = 0
  for (const one of addressed) {
    made += 1
    if (rendering.isDone(one.recipient)) continue
    context.signal.throwIfAborted()
    const words = wordsFor(asOf, settings.timeZone, one.values)
    if (stale.length > 0 && settings.whenStale === 'note') {
      const draft = writeDelayNote({ settings, sender: rendering.sender, addressed: one, words, foot }, stale)
      yield { recipient: one.recipient, draft, told: [], rowsRead: 0 }
      if (isTry(settings)) return
      continue
    }
    const folder = join(rendering.folder, String(made))
    await mkdir(folder, { recursive: true })
    const { answers, rowsRead } = await answerAll({ rendering, shared, addressed: one, words, folder, bind })
    const making = { context, sender: rendering.sender, freshness, addressed: one, answers, words, foot, findings, stale }
    yield { ...(await toMail(making)), rowsRead }
    await rm(folder, { recursive: true, force: true })
    context.progress(made / addressed.length, `${made} of ${addressed.length} mails`)
    if (isTry(settings)) return
  }
}

/** The moment that the mails speak of: a rerun stands for the fire that it repeats. */
function fireOf({ run }: ReportContext): Date {
  const { as_of: asOf } = run.args
  const said = typeof asOf === 'string' ? new Date(asOf) : null
  return said === null || Number.isNaN(said.getTime()) ? run.scheduledFor : said
}

async function whyNot(
  { thresholdQuery }: ReportSettings,
  session: QuerySession,
  bind: (text: string) => BoundStatement,
): Promise<string | null> {
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
  if (!isTry(settings)) await reports.recordSources(sources, new Date())
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

async function answerAll({ rendering, shared, addressed, words, folder, bind }: Asking): Promise<{ answers: Answer[]; rowsRead: number }> {
  const { context, session, folder: sharedFolder } = rendering
  const { config: settings, signal } = context
  const answers: Answer[] = []
  let rowsRead = 0
  for (const query of settings.queries) {
    const known = shared.get(query.queryName)
    if (known !== undefined) {
      answers.push(known)
      continue
    }
    // What hangs on the recipient is his columns, in the query or in the name of the file.
    const isOwn =
      addressed.recipient !== '' &&
      (namesUsed(query.text, addressed.values.keys()).size > 0 ||
        [...addressed.values.keys()].some((name) => query.fileName?.includes(`{${name}}`)))
    const place = { folder: isOwn ? folder : sharedFolder, fileName: fileNameOf(query, words), maxBytes: settings.maxBytes, signal }
    const answer = await readAnswer(query, () => session.ask(bind(query.text, addressed.values), rowsToAsk(query)), place)
    context.log(`Query "${query.queryName}" answered ${answer.rows} rows`, { shown_as: query.shownAs }, { step: query.queryName })
    if (!isOwn) shared.set(query.queryName, answer)
    rowsRead += answer.rows
    answers.push(answer)
  }
  return { answers, rowsRead }
}

function fileNameOf({ queryName, fileName, shownAs }: ReportQuery, words: ReadonlyMap<string, string>): string {
  const template = fileName ?? `${queryName}_{timestamp}.${shownAs}`
  return fillTemplate(template, 'file_name', { places: new Map(), words, write: (word) => word.replace(/[/\\:*?"<>|\p{Cc}]/gu, '_') })
}
