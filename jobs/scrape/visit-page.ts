import { createHash } from 'node:crypto'
import type { Link, Visit, VisitEnd } from '../../src/job/scans.ts'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import { fillText } from '../../systemscripts/web/ids/fill-template.ts'
import type { PageReading } from '../../systemscripts/web/page/rules.ts'
import type { PageReader } from '../../systemscripts/web/read-page.ts'
import { HostWaitError } from '../../systemscripts/web/refusals.ts'
import type { AskedPage, PageSourceOfScan } from './ask-page.ts'
import { ownName, type PageFacts } from './own-fields.ts'
import type { ScrapeSettings } from './settings.ts'

export interface Visitor {
  settings: ScrapeSettings
  reader: PageReader
  /** Fetches a page and the files it leads to. */
  ask: PageSourceOfScan
}

/** Asks for one page and reads it. @throws what ends the run: the signal's reason, a host that wants to be left alone, a rule that cannot be read */
export async function visitPage(visitor: Visitor, visit: Visit): Promise<VisitEnd> {
  const { ask } = visitor
  let page: AskedPage
  try {
    page = await ask.page(visit)
  } catch (error) {
    return unreadEnd(visitor.settings, visit, error)
  }
  const end = readEnd(visitor, visit, page)
  try {
    return { ...end, files: await ask.files(visit, page, end) }
  } catch (error) {
    const { state, error: said } = unreadEnd(visitor.settings, visit, error)
    return { ...end, state, error: said, body: keptBody(visitor.settings, page, true) }
  }
}

/** What the rules make of a page: pure, so that a page that was kept can be read again. */
export function readEnd(
  { settings, reader }: Visitor,
  visit: Link & { position: number },
  page: AskedPage,
): VisitEnd & { reading: PageReading } {
  const reading = reader.read({ html: page.text ?? '', url: page.url, status: page.status })
  const isGood = page.status >= 200 && page.status < 300
  const isLeftOut = reading.state !== null && settings.skipStates.includes(reading.state)
  const givesRows = settings.targetTable !== null && !isLeftOut && (isGood || reading.state !== null)
  const facts: PageFacts = {
    id: visit.item,
    url: visit.url,
    final_url: page.url,
    status_code: String(page.status),
    state: reading.state,
    title: reading.title,
    row_count: String(settings.rowSelector === null ? 1 : reading.rows.length),
    fetched_at: page.fetchedAt.toISOString(),
  }
  const isThere = isGood && !isLeftOut
  const rows = givesRows ? reading.rows.map((row) => rowOf(settings, row, facts, reading)) : []
  return {
    reading,
    position: visit.position,
    state: 'done',
    statusCode: page.status,
    stateWord: reading.state,
    title: reading.title,
    isThere,
    label: fillText(settings.label, { id: visit.item ?? '', url: visit.url, title: reading.title ?? '', state: reading.state ?? '' }),
    rows,
    files: [],
    counts: { ...countsOf(reading), rows: rows.length },
    etag: page.etag,
    lastModified: page.lastModified,
    sha256: createHash('sha256').update(page.body).digest('hex'),
    body: keptBody(settings, page, isThere && rows.length === 0 && settings.targetTable !== null),
    error: null,
    found: isThere ? linksOf(settings, visit, page, reading) : [],
  }
}

function rowOf(
  settings: ScrapeSettings,
  row: Record<string, string | null>,
  facts: PageFacts,
  { statistics }: PageReading,
): Record<string, string | null> {
  const values: Record<string, string | null> = {}
  for (const field of settings.fields) {
    if (field.stateWord !== null) continue
    const own = ownName(field)
    if (own !== null) values[field.columnName] = facts[own]
    else if (field.isCount) values[field.columnName] = String(statistics.find(({ name }) => name === field.columnName)?.matched ?? 0)
    else values[field.columnName] = row[field.columnName] ?? null
  }
  return values
}

function countsOf({ statistics }: PageReading): Record<string, number> {
  return Object.fromEntries(statistics.map(({ name, filled }) => [name, filled]))
}

function linksOf(settings: ScrapeSettings, visit: Link, page: AskedPage, reading: PageReading): Link[] {
  const { item, depth, part } = visit
  const next = reading.next === null || reading.next === page.url ? [] : [{ url: reading.next, item, depth, part: part + 1 }]
  if (depth >= settings.maxDepth) return next
  const host = new URL(settings.startUrl.replaceAll('{id}', '0')).host
  const follow = reading.follow.filter((url) => !settings.sameHost || new URL(url).host === host)
  return [...next, ...follow.map((url) => ({ url, item: null, depth: depth + 1, part: 1 }))]
}

function keptBody({ keepPages }: ScrapeSettings, { body, contentType }: AskedPage, isBroken: boolean): VisitEnd['body'] {
  return keepPages === 'all' || (keepPages === 'broken' && isBroken) ? { bytes: body, type: contentType } : null
}

/** A page that could not be read. */
function unreadEnd({ configName }: ScrapeSettings, visit: Visit, error: unknown): VisitEnd {
  if (error instanceof HostWaitError || !(error instanceof JobError)) throw error
  if (endsRun.has(error.code)) throw error
  const isSkipped = error.code === 'robots_disallowed' || error.code === 'private_address'
  return {
    position: visit.position,
    state: isSkipped ? 'skipped' : 'failed',
    statusCode: null,
    stateWord: null,
    title: null,
    isThere: null,
    label: configName,
    rows: [],
    files: [],
    counts: {},
    etag: null,
    lastModified: null,
    sha256: null,
    body: null,
    error: { code: error.code, message: error instanceof PermanentError ? error.message : `${error.message} (may pass)` },
    found: [],
  }
}

/** Errors that every other page would meet, too. */
const endsRun = new Set(['browser_missing', 'pattern_too_slow', 'place_unknown', 'login_failed', 'login_form_not_found'])
