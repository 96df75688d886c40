import type { JobContext } from '../../src/job/define-job.ts'
import type { Outcome } from '../../src/job/outcome.ts'
import type { KeptPage } from '../../src/job/scans.ts'
import { JobError } from '../../systemscripts/errors.ts'
import { pageText } from '../../systemscripts/web/page/page-text.ts'
import type { PageReader } from '../../systemscripts/web/read-page.ts'
import type { ScrapeSettings } from './settings.ts'
import { endOf, sourceOf } from './visit-page.ts'

/** So many pages are told one by one. */
const mostTold = 500

/** Reads the kept pages by the present rules and says, page by page, what would be found. Nothing is fetched, recorded or loaded. */
export async function replay(context: JobContext<ScrapeSettings>, reader: PageReader): Promise<Outcome> {
  const { config: settings, scans, log, progress, signal } = context
  const sums = { pages: 0, rows: 0, withRows: 0, unread: 0 }
  const fields = new Map<string, number>()
  for await (const kept of scans.keptPages()) {
    signal.throwIfAborted()
    const found = await readKept(settings, reader, kept)
    sums.pages += 1
    sums.rows += found.rows
    sums.withRows += found.rows > 0 ? 1 : 0
    sums.unread += found.error === null ? 0 : 1
    for (const [name, filled] of Object.entries(found.fields)) fields.set(name, (fields.get(name) ?? 0) + filled)
    const { error, ...facts } = found
    const level = error === null ? 'info' : 'warning'
    if (sums.pages <= mostTold) log(`Page ${kept.url}`, error === null ? facts : { error }, { step: kept.item ?? kept.url, level })
    progress(null, `${sums.pages.toLocaleString('en')} pages`)
  }
  const filled = [...fields].map(([name, count]) => `${name} ${count} of ${sums.rows}`)
  return {
    note: `${sums.pages} kept pages read again: ${sums.rows} rows in ${sums.withRows} of them${filled.length > 0 ? ` (${filled.join(', ')})` : ''}. Nothing was fetched or loaded.`,
    result: {
      replay: true,
      pages: sums.pages,
      rows: sums.rows,
      pages_with_rows: sums.withRows,
      pages_unread: sums.unread,
      fields: Object.fromEntries(fields),
    },
  }
}

interface FoundAgain {
  state: string | null
  rows: number
  rows_before: number | null
  fields: Record<string, number>
  selectors: Record<string, number>
  first_row: Record<string, string | null> | null
  error: string | null
}

async function readKept(settings: ScrapeSettings, reader: PageReader, kept: KeptPage): Promise<FoundAgain> {
  const { text } = await pageText(kept.bytes, kept.type)
  const page = { ...kept, text, etag: null, lastModified: null, fetchedAt: new Date(), download: null }
  const visit = { url: kept.url, item: kept.item, depth: 0, part: 1, position: 0 }
  try {
    const { stateWord: state, rows, counts } = endOf({ settings, isWorthKeeping: () => false }, visit, page, reader.read(sourceOf(page)))
    return {
      state,
      rows: rows.length,
      rows_before: kept.rowsBefore,
      fields: counts.fields,
      selectors: counts.selectors,
      first_row: rows[0] ?? null,
      error: null,
    }
  } catch (error) {
    if (!(error instanceof JobError)) throw error
    return {
      state: null,
      rows: 0,
      rows_before: kept.rowsBefore,
      fields: {},
      selectors: {},
      first_row: null,
      error: `${error.message} (${error.code})`,
    }
  }
}
