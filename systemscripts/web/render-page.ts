import type { BrowserContext } from 'playwright-core'
import { webAddress } from './address/web-address.ts'
import { explainRender } from './browser/explain-render.ts'
import { type GuardProxy, openGuardProxy } from './browser/guard-proxy.ts'
import { keepDownload, type SavedDownload } from './browser/keep-download.ts'
import { click, contentOf, openAddress, untilReady } from './browser/page-steps.ts'
import { lendCookies, takeCookies } from './browser/share-cookies.ts'
import { deadline } from './http/deadline.ts'
import { asksForTime, refusedStatus } from './http/judge-status.ts'
import { wallHeadLength } from './manners/challenge.ts'
import type { Browser } from './open-browser.ts'
import { pageTooLarge } from './refusals.ts'
import { takeTurn } from './take-turn.ts'
import { type Attempt, tryAgain } from './try-again.ts'
import type { WebClient } from './web-client.ts'

export interface RenderOptions {
  signal: AbortSignal
  /** The page is ready when this is in it. Default: when it has loaded and the network has been quiet for half a second, or five have passed. */
  waitSelector?: string | null
  /** Clicked when the page is ready, where it is there. */
  clickSelector?: string | null
  /** Where the file goes that the click brings. Default: the click brings none, it changes the page. */
  downloadFolder?: string | null
  /** Makes the file's name from the one that the page gives, which is safe already; the result must be safe, too. Default: that one. */
  nameOf?: ((stated: string) => string) | null
  /** As in fetchPage. Default none beside 2xx. */
  acceptStatuses?: number[]
  /** Of all that the page loads, download included, as it comes over the network. Default 50 MiB. */
  maxBytes?: number
  /** For the selector to appear, and for the download to begin. Default 30. */
  waitSeconds?: number
  /** Default 120. */
  wholeSeconds?: number
}

export interface RenderedPage {
  url: string
  status: number
  /** The page as scripts have made it. */
  text: string
  /** Null: nothing to click was there, or the click brought no file. */
  download: SavedDownload | null
  wasClicked: boolean
  /** Hosts that the page wanted and that were not reached, inner networks' among them. */
  unreachedHosts: string[]
}

/**
 * Opens a page in the browser, with the client's manners, cookies and limits. A login with user and password is sent to its origin, a
 * bearer token is not. Its own requests to other hosts count against the size only. All
 * traffic goes through a proxy of ours (browser/guard-proxy.ts), so that no script, frame or redirect leads inwards. The page is closed in the end,
 * also when it fails or the signal ends.
 *
 * @throws PermanentError `browser_missing`, `page_too_large`, `private_address`, `certificate_invalid`, `page_is_a_file` and what a status means in
 * fetchPage; JobError `browser_failed`, `page_timeout`, `page_not_ready`, `download_missing`, `download_failed`; HostWaitError; the signal's reason
 */
export function renderPage(browser: Browser, address: string, options: RenderOptions): Promise<RenderedPage> {
  const url = webAddress(address)
  return tryAgain(browser.client, { signal: options.signal }, (attempt) => once(browser, url, options, attempt))
}

async function once(browser: Browser, url: URL, options: RenderOptions, attempt: Attempt): Promise<RenderedPage> {
  const { client } = browser
  const { signal, wholeSeconds = 120, maxBytes = 50 * 1024 * 1024 } = options
  const turn = await takeTurn(client, url, { signal, latest: attempt.latest })
  const limit = deadline(signal, wholeSeconds)
  const guard = await openGuardProxy(client, maxBytes)
  let context: BrowserContext | null = null
  // What waits in the browser ends when its page does.
  const end = (): void => void context?.close().catch(() => {})
  limit.signal.addEventListener('abort', end)
  try {
    context = await (await browser.running()).newContext(contextOptions(client, url, guard))
    if (limit.signal.aborted) throw limit.signal.reason
    context.setDefaultTimeout(wholeSeconds * 1000)
    await lendCookies(client.jar, context)
    const rendered = await show(client, context, url, options, guard, attempt)
    if (guard.isOverLimit()) throw pageTooLarge(url.href, maxBytes, 'With all that it loads it goes on beyond that')
    await takeCookies(client.jar, context)
    return rendered
  } catch (error) {
    throw explainRender(error, { url, options: { signal, wholeSeconds, maxBytes }, client, limit, guard })
  } finally {
    limit.signal.removeEventListener('abort', end)
    limit.end()
    await context?.close().catch(() => {})
    await guard.close()
    await turn.release()
  }
}

function contextOptions(client: WebClient, url: URL, { server, username, password }: GuardProxy) {
  const { authorization } = client
  const login =
    authorization?.credentials.kind === 'basic'
      ? { username: authorization.credentials.user, password: authorization.credentials.password, origin: authorization.origin }
      : null
  return {
    proxy: { server, username, password },
    userAgent: client.userAgentFor(url.host),
    acceptDownloads: true,
    serviceWorkers: 'block' as const,
    ...(client.acceptLanguage === null ? {} : { extraHTTPHeaders: { 'accept-language': client.acceptLanguage } }),
    ...(login === null ? {} : { httpCredentials: login }),
  }
}

async function show(
  client: WebClient,
  context: BrowserContext,
  url: URL,
  options: RenderOptions,
  guard: GuardProxy,
  { failures }: Attempt,
): Promise<RenderedPage> {
  const { waitSelector = null, clickSelector = null, downloadFolder = null, nameOf = null, acceptStatuses = [], waitSeconds = 30 } = options
  const page = await context.newPage()
  const { response, isEmpty, refuseLost } = await openAddress(page, url.href, guard)
  const status = response.status()
  const judged = { url: new URL(response.url()), status, header: (name: string) => response.headers()[name] ?? null }
  const head = isEmpty ? '' : (await contentOf(page)).slice(0, wallHeadLength)
  const wait = asksForTime({
    response: judged,
    head,
    isWhole: true,
    failures,
    patience: client.patience,
    random: Math.random(),
    now: new Date(),
  })
  if (wait !== null && !(status === 429 && acceptStatuses.includes(429))) throw wait
  if (status >= 300 && !acceptStatuses.includes(status)) throw refusedStatus(judged)
  const facts = { url: response.url(), status, unreachedHosts: [...guard.failures.keys()] }
  if (isEmpty) return { ...facts, text: '', download: null, wasClicked: false }
  await untilReady(page, waitSelector, waitSeconds).finally(refuseLost)
  const clicked = await click(page, clickSelector, downloadFolder !== null, waitSeconds)
  const download =
    clicked.download === null || downloadFolder === null ? null : await keepDownload(clicked.download, downloadFolder, nameOf)
  const text = await contentOf(page).finally(refuseLost)
  return {
    ...facts,
    url: page.url(),
    text,
    download,
    wasClicked: clicked.wasClicked,
    unreachedHosts: [...guard.failures.keys()],
  }
}
