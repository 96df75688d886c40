import type { Count, PageCounts } from '../../src/job/scans.ts'
import type { ScrapeSettings } from './settings.ts'

/** What a scan has found, and what the last good ones found. */
export interface Found {
  counts: Count[]
  usual: Map<string, Count>
}

/**
 * Why the numbers of a whole scan are not to be trusted, each in a sentence: fewer rows, files or values than the usual share, or no row at all.
 * Nothing is said where nothing was asked for, and of a frontier that nobody has gone beyond before.
 */
export function lowCounts(settings: ScrapeSettings, { counts, usual }: Found): string[] {
  const { lowBandPercent, targetTable, fileConfig, idsFrom } = settings
  if (lowBandPercent === null) return []
  const rows = matchedOf(counts, 'rows')
  const before = usual.get('rows')
  const mayBeNone = before === undefined ? idsFrom === 'frontier' || matchedOf(counts, 'pages') === 0 : before.matched === 0
  if (targetTable !== null && rows === 0 && !mayBeNone)
    return [`The pages gave no row${before === undefined ? '' : `, ${shown(before.matched)} are usual`}`]
  const wholes = [...(targetTable === null ? [] : ['rows']), ...(fileConfig === null ? [] : ['files'])].flatMap((subject) => {
    const least = ((usual.get(subject)?.matched ?? 0) * lowBandPercent) / 100
    const now = matchedOf(counts, subject)
    return now < least ? [`The pages gave ${shown(now)} ${subject}, ${shown(usual.get(subject)?.matched ?? 0)} are usual`] : []
  })
  return [...wholes, ...lowFields(settings, { counts, usual })]
}

/** Of parts of a scan, too: columns that are filled less than is usual. */
export function lowFields({ lowBandPercent, fields, targetTable }: ScrapeSettings, { counts, usual }: Found): string[] {
  if (lowBandPercent === null || targetTable === null) return []
  return fields.flatMap(({ columnName, stateWord }) => {
    const now = counts.find(({ subject }) => subject === `field:${columnName}`)
    const before = usual.get(`field:${columnName}`)
    if (stateWord !== null || now === undefined || now.pages === 0 || before === undefined || before.pages === 0) return []
    const share = (100 * now.matched) / now.pages
    const usualShare = (100 * before.matched) / before.pages
    if (share >= (usualShare * lowBandPercent) / 100) return []
    return [`Column "${columnName}" has a value in ${shown(share)} % of the rows, ${shown(usualShare)} % are usual`]
  })
}

/** What is seen of a page when it is decided whether its bytes are kept. */
export interface SeenPage {
  counts: PageCounts
  rows: number
  /** It came with an ETag or Last-Modified: with its bytes at hand the next run asks whether it has changed. */
  hasValidator: boolean
}

/** Pages are kept that gave no row, or none of the values that most rows have; and those of which the server can say that they did not change. */
export function pagesToKeep({ fields, targetTable }: ScrapeSettings, usual: Map<string, Count>): (seen: SeenPage) => boolean {
  const expected = fields.flatMap(({ columnName, stateWord }) => {
    const before = usual.get(`field:${columnName}`)
    return stateWord === null && before !== undefined && before.matched > before.pages / 2 ? [columnName] : []
  })
  const left = { broken: mostBroken, unbroken: mostUnbroken }
  return ({ counts, rows, hasValidator }) => {
    const isBroken = targetTable !== null && (rows === 0 || expected.some((name) => counts.fields[name] === 0))
    if (!isBroken && !hasValidator) return false
    const kind = isBroken ? 'broken' : 'unbroken'
    left[kind] -= 1
    return left[kind] >= 0
  }
}

/** Of one attempt. */
const mostBroken = 100
const mostUnbroken = 1000

export function matchedOf(counts: Count[], subject: string): number {
  return counts.find((count) => count.subject === subject)?.matched ?? 0
}

function shown(number: number): string {
  return number.toLocaleString('en', { maximumFractionDigits: 1 })
}
