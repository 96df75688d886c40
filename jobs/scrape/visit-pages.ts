import { mkdir, rm } from 'node:fs/promises'
import type { Count, Scan } from '../../src/job/scans.ts'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import { countIds, idSource } from './ids.ts'
import type { ScrapeContext } from './load-scan.ts'
import { openClient } from './open-client.ts'
import { openDownloads } from './open-downloads.ts'
import { openPages } from './open-pages.ts'
import { openReader } from './open-reader.ts'
import { pageRules } from './page-rules.ts'
import { pagesToKeep } from './usual.ts'
import { type Visited, visitPage } from './visit-page.ts'
import { walk } from './walk.ts'

/** Pages that are read at a time; how many a host bears is said in dba.scrapehost. */
const parallel = 16
const browserPages = 2
const mostToldAtOnce = 20
/** What a host asks for is waited for in the run; the schedule's timeout is the limit. */
const patience = { longestWaitSeconds: 6 * 3600 }

export interface PagesToVisit {
  scan: Scan
  usual: Map<string, Count>
  /** Where downloads come in. */
  spool: string
}

/**
 * Visits all pages of a scan that are not read yet.
 * @returns why it is not whole: what another attempt, or a person, has to mend; null: it is, as far as max_failed_percent asks
 * @throws the signal's reason; what is no fault of a page or a host
 */
export async function visitPages(context: ScrapeContext, visit: PagesToVisit): Promise<JobError | null> {
  const { scan } = visit
  const { config: settings, hosts, log, signal } = context
  let first: JobError | null = null
  try {
    await scan.retryFailed()
    const { isGivenUp } = await walkAll(context, visit, (error) => {
      first ??= error
    })
    return await judge(isGivenUp)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof JobError)) throw error
    return error
  } finally {
    await hosts.close().catch(() => {})
    await rm(visit.spool, { recursive: true, force: true })
  }

  async function judge(isGivenUp: boolean): Promise<JobError | null> {
    const { done, failed, mayPass, skipped, waiting } = await scan.tally()
    const share = (100 * failed) / Math.max(1, done + failed + skipped)
    if (!isGivenUp && share <= settings.maxFailedPercent) {
      if (failed > 0) log(`${failed} pages could not be read, which max_failed_percent allows`, {}, { level: 'warning' })
      return null
    }
    // One reason for all of them is the reason of the run.
    if (done === 0 && first !== null && !isGivenUp) return first
    const failure = await scan.firstFailure()
    const Kind = mayPass > 0 || isGivenUp ? JobError : PermanentError
    return new Kind('pages_failed', `${failed} of ${failed + done} pages could not be read${isGivenUp ? '; the rest was not tried' : ''}`, {
      detail: `${failure === null ? '' : `The first: ${failure.message} (${failure.code}).`}${isGivenUp ? ` ${waiting} pages wait: one after the other failed.` : ''}`,
      hint: 'Another attempt, or select dba.rerun(run_id), asks for these pages alone. To load without them: max_failed_percent of dba.scrapeconfig.',
    })
  }
}

async function walkAll(context: ScrapeContext, { scan, usual, spool }: PagesToVisit, onFailure: (error: JobError) => void) {
  const { config: settings, folder, log, progress, scans, signal } = context
  const all = countIds(settings)
  const refill = await idSource(context, scan, scans.highestEver)
  const fileFolder = settings.fileConfig === null ? null : folder(await scans.importFolder(settings.fileConfig))
  await rm(spool, { recursive: true, force: true })
  await mkdir(spool, { recursive: true })
  await using client = await openClient(context, patience)
  const downloadFolder = fileFolder === null || settings.clickSelector === null ? null : spool
  await using pages = openPages({ client, settings, chromium: context.chromium, downloadFolder, keptBody: scan.keptBody, signal })
  const download = fileFolder === null ? null : openDownloads({ client, settings, scan, folder: fileFolder, spool, signal })
  await using reader = openReader(pageRules(settings))
  const visitor = { settings, reader, pages, download, isWorthKeeping: pagesToKeep(settings, usual) }
  const before = await scan.tally()
  if (before.done > 0) log(`The scan goes on behind ${before.done.toLocaleString('en')} pages that were read before`)
  let visited = before.done + before.skipped
  return await walk({
    scan,
    parallel: settings.render === 'browser' ? browserPages : parallel,
    most: settings.maxPages === null ? null : Math.max(0, settings.maxPages - visited),
    refill,
    visitPage: (visit) => visitPage(visitor, visit),
    signal,
    onRecorded(ends) {
      visited += ends.length
      tellFailures(ends)
      progress(all === null ? null : visited / all, `${visited.toLocaleString('en')} pages`)
    },
  })

  function tellFailures(ends: Visited[]): void {
    const failed = ends.flatMap(({ cause }) => (cause === null ? [] : [cause]))
    if (failed[0] !== undefined) onFailure(failed[0])
    for (const { code, message, detail } of failed.slice(0, mostToldAtOnce)) log(message, { code, detail }, { level: 'warning' })
  }
}
