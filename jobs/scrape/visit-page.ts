import { createHash } from 'node:crypto'
import type { Link, PageCounts, Visit, VisitEnd } from '../../src/job/scans.ts'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import type { PageReading, PageSource as ReadablePage } from '../../systemscripts/web/page/rules.ts'
import { HostWaitError } from '../../systemscripts/web/refusals.ts'
import type { DownloadFiles } from './open-downloads.ts'
import type { AskedPage, PageSource } from './open-pages.ts'
import type { ScanReader } from './open-reader.ts'
import { factOf, type PageFacts } from './own-fields.ts'
import type { ScrapeSettings } from './settings.ts'
import { labelOf } from './templates.ts'
import type { SeenPage } from './usual.ts'

export interface Visitor {
  settings: ScrapeSettings
  reader: ScanReader
  pages: PageSource
  /** Null: none are wanted. */
  download: DownloadFiles | null
  /** Whether a page is worth keeping, where not all or none are kept. */
  isWorthKeeping(seen: SeenPage): boolean
}

/** A visit's end, and the error as it was thrown. */
export type Visited = VisitEnd & { cause: JobError | null }

/** Asks for one page and reads it. @throws what ends the run: the signal's reason, a host that wants to be left alone, a rule that cannot be read */
export async function visitPage(visitor: Visitor, visit: Visit): Promise<Visited> {
  const { settings, reader, pages, download } = visitor
  let page: AskedPage
  let reading: PageReading
  try {
    page = await pages.page(visit)
    reading = await reader.read(sourceOf(page))
  } catch (error) {
    return unreadEnd(visit, error)
  }
  const end = endOf(visitor, visit, page, reading)
  if (download === null || !leadsOn(settings, page, reading)) return { ...end, cause: null }
  try {
    const { found, saved } = await download(visit, page, reading, { title: reading.title, ...rowsOf(settings, visit, page, reading)[0] })
    return { ...end, files: saved, counts: { ...end.counts, files: found }, cause: null }
  } catch (error) {
    const { state, error: said, cause } = unreadEnd(visit, error)
    return { ...end, state, error: said, found: [], body: settings.keepPages === 'none' ? null : page, cause }
  }
}

/** A page as the rules are put to it. */
export function sourceOf({ text, url, status }: Pick<AskedPage, 'text' | 'url' | 'status'>): ReadablePage {
  return { html: text ?? '', url, status }
}

/** What came of a page, as it was read: pure, so that a page that was kept can be read again. */
export function endOf(
  { settings, isWorthKeeping }: Pick<Visitor, 'settings' | 'isWorthKeeping'>,
  visit: Link & { position: number },
  page: AskedPage,
  reading: PageReading,
): VisitEnd {
  const isRead = leadsOn(settings, page, reading)
  const givesRows = settings.targetTable !== null && !isLeftOut(settings, reading) && (isGood(page) || reading.state !== null)
  const rows = givesRows ? rowsOf(settings, visit, page, reading) : []
  const counts = countsOf(settings, reading, rows)
  const hasValidator = page.etag !== null || page.lastModified !== null
  const isKept =
    settings.keepPages === 'all' ||
    (settings.keepPages === 'broken' && isRead && isWorthKeeping({ counts, rows: rows.length, hasValidator }))
  return {
    position: visit.position,
    state: 'done',
    statusCode: page.status,
    stateWord: reading.state,
    title: reading.title,
    isThere: isThere(settings, page, reading),
    // What was not read well is no empty list.
    label:
      isRead || rows.length > 0 ? labelOf(settings, { id: visit.item, url: visit.url, title: reading.title, state: reading.state }) : null,
    rows,
    files: [],
    counts,
    etag: page.etag,
    lastModified: page.lastModified,
    sha256: hashOf(page.bytes),
    fingerprint: fingerprintOf(page, reading),
    body: isKept ? { bytes: page.bytes, type: page.type, status: page.status } : null,
    error: null,
    found: isRead ? linksOf(settings, visit, page, reading) : [],
  }
}

function isGood({ status }: AskedPage): boolean {
  return status >= 200 && status < 300
}

function isLeftOut({ skipStates }: ScrapeSettings, { state }: PageReading): boolean {
  return state !== null && skipStates.includes(state)
}

/** By its state, where the settings say which states are misses. */
function isThere(settings: ScrapeSettings, page: AskedPage, reading: PageReading): boolean {
  const { missStates } = settings
  if (missStates !== null && reading.state !== null) return !missStates.includes(reading.state)
  return isGood(page) && !isLeftOut(settings, reading)
}

/** Its links and files are wanted. */
function leadsOn(settings: ScrapeSettings, page: AskedPage, reading: PageReading): boolean {
  return isGood(page) && !isLeftOut(settings, reading) && isThere(settings, page, reading)
}

/** Of what was read, whatever else the page says. What stands behind a semicolon in an address is mostly the session's. */
function fingerprintOf({ text, bytes }: AskedPage, { state, title, rows, follow, next, files, statistics }: PageReading): string {
  if (text === null) return hashOf(bytes)
  const links = [...follow, next ?? '', ...files.map(({ url }) => url)].map((url) => url.replaceAll(/;[^/?#]*/g, ''))
  const found = statistics.map(({ matched }) => matched)
  return hashOf(JSON.stringify([state, title, rows, links, found]))
}

function hashOf(what: Buffer | string): string {
  return createHash('sha256').update(what).digest('hex')
}

type Row = Record<string, string | null>

/** Rows without any value are none. */
function rowsOf(settings: ScrapeSettings, visit: Link, page: AskedPage, reading: PageReading): Row[] {
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
  const matched = new Map(reading.statistics.map(({ name, matched: times }) => [name, times]))
  const columns = settings.fields.filter(({ stateWord }) => stateWord === null)
  const valueIn = (row: Row, field: ScrapeSettings['fields'][number]): string | null => {
    const fact = factOf(field)
    if (fact !== null) return facts[fact]
    return field.isCount ? String(matched.get(field.columnName) ?? 0) : (row[field.columnName] ?? null)
  }
  return reading.rows
    .map((row) => Object.fromEntries(columns.map((field) => [field.columnName, valueIn(row, field)])))
    .filter((row) => Object.values(row).some((value) => value !== null))
}

function countsOf({ fields }: ScrapeSettings, { statistics }: PageReading, rows: Row[]): PageCounts {
  const columns = fields.filter(({ stateWord }) => stateWord === null).map(({ columnName }) => columnName)
  const others = statistics.filter(({ name }) => !columns.includes(name))
  return {
    files: 0,
    fields: Object.fromEntries(columns.map((name) => [name, rows.filter((row) => row[name] !== null).length])),
    selectors: Object.fromEntries(others.map(({ name, matched, filled }) => [name, Math.max(matched, filled)])),
  }
}

function linksOf(settings: ScrapeSettings, { item, depth, part }: Link, page: AskedPage, reading: PageReading): Link[] {
  const next = reading.next === null || reading.next === page.url ? [] : [{ url: reading.next, item, depth, part: part + 1 }]
  if (depth >= settings.maxDepth) return next
  const host = new URL(settings.startUrl.replaceAll('{id}', '0')).host
  const follow = reading.follow.filter((url) => !settings.sameHost || new URL(url).host === host)
  return [...next, ...follow.map((url) => ({ url, item, depth: depth + 1, part: 1 }))]
}

/** Errors that every other page would meet, too. */
const endsRun = new Set(['browser_missing', 'pattern_too_slow', 'place_unknown', 'login_failed', 'login_form_not_found', 'lease_lost'])

/** A page that could not be read. What a link led to may be forbidden; an address that a person wrote may not. */
function unreadEnd(visit: Visit, error: unknown): Visited {
  if (error instanceof HostWaitError || !(error instanceof JobError) || endsRun.has(error.code)) throw error
  const isForbidden = error.code === 'robots_disallowed' || error.code === 'private_address'
  return {
    position: visit.position,
    state: isForbidden && visit.depth > 0 ? 'skipped' : 'failed',
    statusCode: null,
    stateWord: null,
    title: null,
    isThere: null,
    label: null,
    rows: [],
    files: [],
    counts: { files: 0, fields: {}, selectors: {} },
    etag: null,
    lastModified: null,
    sha256: null,
    fingerprint: null,
    body: null,
    error: { code: error.code, message: error.message, mayPass: !(error instanceof PermanentError) },
    found: [],
    cause: error,
  }
}
