import { type Download, errors, type Page, type Request, type Response } from 'playwright-core'
import { JobError } from '../../errors.ts'
import type { GuardProxy } from './guard-proxy.ts'

/** After this long a page that is never quiet counts as ready. */
const RESTLESS_MS = 5000

export interface OpenedPage {
  response: Response
  isEmpty: boolean
  /** @throws why the page that a script or a click went on to since was not reached */
  refuseLost(): void
}

/**
 * Opens an address and gives the answer that the page came with in the end. An error without a body, which the browser shows a page of its own
 * for, is an answer like any other; where our proxy answered because a host was not reached, that is thrown.
 */
export async function openAddress(page: Page, address: string, { failures }: GuardProxy): Promise<OpenedPage> {
  let last: Response | null = null
  let lost: unknown
  let isEmpty = false
  const isOfPage = (request: Request): boolean => request.isNavigationRequest() && request.frame() === page.mainFrame()
  const failureAt = (url: string): unknown => failures.get(new URL(url).hostname.replace(/^\[|\]$/g, ''))
  page.on('response', (response) => {
    if (!isOfPage(response.request())) return
    last = response
    lost = response.status() === 502 ? failureAt(response.url()) : undefined
  })
  page.on('requestfailed', (request) => {
    if (isOfPage(request)) lost = failureAt(request.url())
  })
  const response = await page.goto(address, { waitUntil: 'domcontentloaded' }).catch((error: unknown) => {
    isEmpty = error instanceof Error && error.message.includes('ERR_HTTP_RESPONSE_CODE_FAILURE')
    if (isEmpty) return last
    throw error
  })
  if (response === null) throw new Error('net::ERR_ABORTED: no answer')
  const refuseLost = (): void => {
    if (lost !== undefined) throw lost
  }
  const failure = response.status() === 502 ? failureAt(response.url()) : undefined
  if (failure !== undefined) throw failure
  return { response, isEmpty, refuseLost }
}

/** The page as it is now; one that goes on to another at the moment is waited for. */
export async function contentOf(page: Page): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await page.content()
    } catch (error) {
      if (tries === 5 || !(error instanceof Error && error.message.includes('navigating'))) throw error
      await page.waitForLoadState('load')
    }
  }
}

/** @throws JobError `page_not_ready` */
export async function untilReady(page: Page, selector: string | null, waitSeconds: number): Promise<void> {
  if (selector === null) {
    await page.waitForLoadState('load', { timeout: waitSeconds * 1000 }).catch(ignoreTimeout)
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
