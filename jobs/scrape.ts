// jobs/scrape.ts: a second run fetches again and replaces its own dataset; an attempt after an interruption goes on at the page where it stood.
import { type CheckContext, type CheckResult, defineJob } from '../src/job/define-job.ts'
import type { Outcome } from '../src/job/outcome.ts'
import type { Count, Scan, ScanTally } from '../src/job/scans.ts'
import { JobError, PermanentError } from '../systemscripts/errors.ts'
import type { PageRules } from '../systemscripts/web/page/rules.ts'
import { compilePageRules } from '../systemscripts/web/read-page.ts'
import { openPageSource } from './scrape/ask-page.ts'
import { countIds, idSource } from './scrape/ids.ts'
import { bandChecks, loadScan, type ScrapeContext, takeFile } from './scrape/load-scan.ts'
import { ownName } from './scrape/own-fields.ts'
import { readSettings, type ScrapeSettings } from './scrape/settings.ts'
import { visitPage } from './scrape/visit-page.ts'
import { walk } from './scrape/walk.ts'

/** Pages that are read at a time; how many a host bears is said in dba.scrapehost. */
const parallel = 16
const browserPages = 2
const mostToldAtOnce = 20

export default defineJob({
  name: 'scrape',
  config: readSettings,
  check: lookAhead,
  async run(context) {
    const { config: settings, files, scans } = context
    for (const file of await files.toRetry()) await takeFile(context, file, settings.label, [])
    const scan = await scans.open()
    const tally = await visitAll(context, scan)
    const usual = await scan.usual()
    const low = lowCounts(settings, await scan.counts(), usual)
    if (settings.targetTable !== null) await loadScan(context, scan, bandChecks(settings, usual))
    return await outcomeOf(context, scan, tally, low)
  },
})

/** @throws JobError `pages_failed` when too many pages stay unread, after all others were visited */
async function visitAll(context: ScrapeContext, scan: Scan): Promise<ScanTally> {
  const { config: settings, log, progress, signal } = context
  const reader = compilePageRules(pageRules(settings))
  const all = await countIds(context)
  const refill = await idSource(context, scan)
  await using ask = await openPageSource(context, scan)
  await scan.retryFailed()
  const before = await scan.tally()
  if (before.done > 0) log(`The scan goes on behind ${before.done.toLocaleString('en')} pages of an earlier attempt`)
  let visited = before.done + before.skipped
  await walk({
    scan,
    parallel: settings.render === 'browser' ? browserPages : parallel,
    most: settings.maxPages === null ? null : Math.max(0, settings.maxPages - visited),
    refill,
    visitPage: (visit) => visitPage({ settings, reader, ask }, visit),
    signal,
    onRecorded(ends) {
      visited += ends.length
      for (const { error, position } of ends.slice(0, mostToldAtOnce)) {
        if (error !== null) log(error.message, { code: error.code, position }, { level: 'warning' })
      }
      progress(all === null ? null : visited / all, `${visited.toLocaleString('en')} pages`)
    },
  })
  const tally = await scan.tally()
  const share = (100 * tally.failed) / Math.max(1, tally.done + tally.failed + tally.skipped)
  if (share > settings.maxFailedPercent) throw await pagesFailed(scan, tally)
  return tally
}

async function pagesFailed(scan: Scan, { failed, done }: ScanTally): Promise<JobError> {
  const first = await scan.firstFailure()
  return new JobError('pages_failed', `${failed} of ${failed + done} pages could not be read`, {
    detail: first === null ? '' : `The first: ${first.url}: ${first.message} (${first.code}).`,
    hint: 'The next attempt asks for these pages alone. To load without them: max_failed_percent of dba.scrapeconfig.',
  })
}

async function outcomeOf(context: ScrapeContext, scan: Scan, tally: ScanTally, low: string | null): Promise<Outcome> {
  const { files } = context
  const counts = await scan.counts()
  const of = (subject: string): number => counts.find((count) => count.subject === subject)?.matched ?? 0
  const note = `${tally.done.toLocaleString('en')} pages read, ${of('rows').toLocaleString('en')} rows, ${of('files').toLocaleString('en')} files.`
  const facts = { pages: tally.done, pages_failed: tally.failed, pages_skipped: tally.skipped, files_saved: of('files') }
  if (low !== null) {
    await scan.end(counts, false)
    throw new PermanentError('quarantined', low, {
      detail: note,
      hint: "See what the selectors found: select * from dba.scrapecount order by counted_at desc. Correct dba.scrapefield, or release the dataset: update dba.dataset set state = 'active'.",
    })
  }
  const outcome = await files.outcome(note)
  await scan.end(counts, true)
  return { ...outcome, note, result: { ...outcome.result, ...facts } }
}

/** Of what is counted for a whole scan: less than the usual share says that the pages have changed. @returns the sentence, or null */
function lowCounts(
  { lowBandPercent, targetTable, fileSelector }: ScrapeSettings,
  counts: Count[],
  usual: Map<string, Count>,
): string | null {
  if (lowBandPercent === null) return null
  const subjects = [...(targetTable === null ? [] : ['rows']), ...(fileSelector === null ? [] : ['file_selector'])]
  for (const subject of subjects) {
    const before = usual.get(subject)?.matched ?? 0
    const now = counts.find((count) => count.subject === subject)?.matched ?? 0
    if (now < (before * lowBandPercent) / 100)
      return `The pages gave ${now} ${subject === 'rows' ? 'rows' : 'links to files'}, ${before} are usual`
  }
  return null
}

function pageRules({ fields, ...settings }: ScrapeSettings): PageRules {
  return {
    ...settings,
    fields: fields
      .filter((field) => ownName(field) === null)
      .map(({ isPageText: pageText, statusCodes, headers, ...field }) => ({
        ...field,
        pageText,
        headers: headers.length > 0 ? headers : null,
        statusCodes: statusCodes.length > 0 ? statusCodes : null,
      })),
  }
}

/** Asks for the first page and says what the rules find there. */
async function lookAhead(context: CheckContext<ScrapeSettings>): Promise<CheckResult> {
  const { config: settings } = context
  compilePageRules(pageRules(settings))
  const ids = await countIds(context)
  return {
    isOk: true,
    message: ids === null ? 'ready' : `ready: ${ids.toLocaleString('en')} ${ids === 1 ? 'page' : 'pages'} to begin with`,
  }
}
