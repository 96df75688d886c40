import { type Download, errors, type Page, type Response } from 'playwright-core'
import { JobError } from '../../errors.ts'
import type { GuardProxy } from './guard-proxy.ts'

/** After this long a page that is never quiet counts as ready. */
const RESTLESS_MS = 5000

/** The answer's status; throws why there is none, when our proxy answered in the place of a host that was not reached. */
export async function statusOf(page: Page, response: Response | null, { failures }: GuardProxy): Promise<number> {
  const status = response?.status() ?? 200
  const failure = status === 502 ? failures.get(new URL(page.url()).hostname.replace(/^\[|\]$/g, '')) : undefined
  if (failure !== undefined) throw failure
  return status
}

/** @throws JobError `page_not_ready` */
export async function untilReady(page: Page, selector: string | null, waitSeconds: number): Promise<void> {
  if (selector === null) {
    await page.waitForLoadState('networkidle', { timeout: RESTLESS_MS }).catch(ignoreTimeout)
    return
  }
  try {
    await page.waitForSelector(`css=${selector}`, { state: 'attached', timeout: waitSeconds * 1000 })
  } catch (cause) {
    if (!(cause instanceof errors.TimeoutError)) throw cause
    throw new JobError('page_not_ready', `"${selector}" did not appear on ${page.url()}`, {
      detail: `Waited ${waitSeconds} s; the page's title is "${await page.title()}".`,
      hint: 'Correct wait_selector in dba.scrapeconfig, or see whether the page has changed.',
      cause,
    })
  }
}

/** Clicks what the selector finds, if anything, and gives the download that this begins. @throws JobError `download_missing` */
export async function click(
  page: Page,
  selector: string | null,
  bringsFile: boolean,
  waitSeconds: number,
): Promise<{ wasClicked: boolean; download: Download | null }> {
  if (selector === null || (await page.locator(`css=${selector}`).count()) === 0) return { wasClicked: false, download: null }
  const button = page.locator(`css=${selector}`).first()
  if (!bringsFile) {
    await button.click({ timeout: waitSeconds * 1000 })
    await page.waitForLoadState('networkidle', { timeout: RESTLESS_MS }).catch(ignoreTimeout)
    return { wasClicked: true, download: null }
  }
  const beginning = page.waitForEvent('download', { timeout: waitSeconds * 1000 })
  // When the click fails nobody waits for the download any more.
  beginning.catch(() => {})
  await button.click({ timeout: waitSeconds * 1000 })
  try {
    return { wasClicked: true, download: await beginning }
  } catch (cause) {
    if (!(cause instanceof errors.TimeoutError)) throw cause
    throw new JobError('download_missing', `Clicking "${selector}" on ${page.url()} brought no file`, {
      detail: `Waited ${waitSeconds} s for a download.`,
      hint: 'Correct click_selector in dba.scrapeconfig, or see in a browser what the click does.',
      cause,
    })
  }
}

function ignoreTimeout(error: unknown): void {
  if (!(error instanceof errors.TimeoutError)) throw error
}
