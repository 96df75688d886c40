// jobs/scrape.ts: a second run fetches again and replaces its own dataset; an attempt after an interruption goes on at the page where it stood.
import { join } from 'node:path'
import { defineJob } from '../src/job/define-job.ts'
import type { Outcome } from '../src/job/outcome.ts'
import type { Count, Scan } from '../src/job/scans.ts'
import { PermanentError } from '../systemscripts/errors.ts'
import { compilePageRules } from '../systemscripts/web/read-page.ts'
import { joinCorrections, keepingOf, loadScan, type ScrapeContext, spoolFolder, takeFile } from './scrape/load-scan.ts'
import { lookAhead } from './scrape/look-ahead.ts'
import { pageRules } from './scrape/page-rules.ts'
import { replay } from './scrape/replay.ts'
import { readSettings } from './scrape/settings.ts'
import { type Found, lowCounts, lowFields, matchedOf } from './scrape/usual.ts'
import { visitPages } from './scrape/visit-pages.ts'

export default defineJob({
  name: 'scrape',
  config: readSettings,
  check: lookAhead,
  async run(context) {
    const { config: settings, datasets, files, scans } = context
    if (settings.isReplay) return await replay(context, compilePageRules(pageRules(settings)))
    await files.finishEarlier(() => keepingOf(context))
    for (const file of await files.toRetry()) await takeFile(context, file)
    for (const fixed of await datasets.fixedRows()) await joinCorrections(context, fixed)
    if (settings.isForRetries) return await files.outcome('There was nothing to load again.')
    const scan = await scans.open()
    const usual = await scan.usual()
    const counts = scan.ended ?? (await readAndLoad(context, scan, usual))
    return await endScan(context, scan, { counts, usual })
  },
})

/** What was found in all pages. @throws what keeps the scan from being whole, when the rest is loaded as far as it stands for itself */
async function readAndLoad(context: ScrapeContext, scan: Scan, usual: Map<string, Count>): Promise<Count[]> {
  const { config: settings } = context
  const failure = await visitPages(context, { scan, usual, spool: join(spoolFolder(context), scan.scanId) })
  const found = { counts: await scan.counts(), usual }
  const doubts = failure === null ? lowCounts(settings, found) : lowFields(settings, found)
  if (settings.targetTable !== null) await loadScan(context, scan, doubts, failure === null)
  if (failure !== null) throw failure
  return found.counts
}

/** Writes the counts down and says how it went. @throws PermanentError `quarantined`, `files_failed` */
async function endScan({ config: settings, files, scans }: ScrapeContext, scan: Scan, found: Found): Promise<Outcome> {
  const { counts, usual } = found
  const of = (subject: string): number => matchedOf(counts, subject)
  const saved = of('files saved')
  const note = [
    `${shown(of('pages'), 'page')} read`,
    ...(settings.targetTable === null ? [] : [shown(of('rows'), 'row')]),
    ...(settings.fileConfig === null ? [] : [`${shown(saved, 'file')} saved, ${of('files') - saved} unchanged`]),
    ...(of('pages failed') > 0 ? [`${shown(of('pages failed'), 'page')} could not be read`] : []),
    ...(of('pages skipped') > 0 ? [`${shown(of('pages skipped'), 'page')} left alone (robots.txt, address inside)`] : []),
  ].join('; ')
  let outcome: Outcome
  try {
    outcome = await files.outcome('')
  } catch (error) {
    // Another attempt goes on with what is there; after a final failure nobody does.
    if (error instanceof PermanentError) await scan.end(counts, usual, false)
    throw error
  }
  const doubts = lowCounts(settings, found)
  await scan.end(counts, usual, doubts.length === 0)
  await scans.forgetBodies(settings.replayDays)
  if (doubts.length > 0) throw quarantined(doubts, note)
  const facts = {
    pages: of('pages'),
    pages_failed: of('pages failed'),
    pages_skipped: of('pages skipped'),
    rows_found: of('rows'),
    files_saved: saved,
  }
  return { ...outcome, note: `${note}.`, result: { ...outcome.result, ...facts } }
}

function quarantined(doubts: string[], note: string): PermanentError {
  return new PermanentError('quarantined', doubts.join('. '), {
    detail: `${note}. What was found stands in dba.scrapecount, run by run; what was usual before counts.`,
    hint: "Correct dba.scrapefield and try it: rota scrape <config> --replay. Where the numbers are right: update dba.dataset set state = 'active' where state = 'quarantined' and …; or another low_band_percent, null for none.",
  })
}

function shown(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`
}
