import type { PageBody, Visit } from '../../src/job/scans.ts'
import { fetchPage } from '../../systemscripts/web/fetch-page.ts'
import { openBrowser } from '../../systemscripts/web/open-browser.ts'
import { pageText } from '../../systemscripts/web/page/page-text.ts'
import { renderPage } from '../../systemscripts/web/render-page.ts'
import type { WebClient } from '../../systemscripts/web/web-client.ts'
import type { ScrapeSettings } from './settings.ts'

/** A page as it was answered, or as it was kept when it has not changed since. */
export interface AskedPage extends PageBody {
  /** Where it came from in the end. */
  url: string
  /** Null: it is no text. */
  text: string | null
  etag: string | null
  lastModified: string | null
  fetchedAt: Date
  /** What a click brought. */
  download: { path: string; statedName: string; url: string; sizeBytes: number; sha256: string } | null
}

/** Where pages come from. */
export interface PageSource extends AsyncDisposable {
  /** @throws as fetchPage and renderPage */
  page(visit: Pick<Visit, 'url' | 'item' | 'depth' | 'part' | 'kept'>): Promise<AskedPage>
}

export interface PageSourceOptions {
  client: WebClient
  settings: ScrapeSettings
  /** As the environment names it; null: one of the usual places. */
  chromium: string | null
  /** Where a click's file goes; null: nothing is clicked. */
  downloadFolder: string | null
  /** Bytes that were kept of a page. */
  keptBody(url: string): Promise<PageBody | null>
  signal: AbortSignal
}

/** By plain requests, or by the browser where the settings say so. */
export function openPages(options: PageSourceOptions): PageSource {
  return options.settings.render === 'browser' ? openRenderedPages(options) : openFetchedPages(options)
}

function openFetchedPages({ client, settings, keptBody, signal }: PageSourceOptions): PageSource {
  return { page, [Symbol.asyncDispose]: async () => {} }

  async function page(visit: Parameters<PageSource['page']>[0]): Promise<AskedPage> {
    const fetchedAt = new Date()
    const fetched = await fetchPage(client, visit.url, {
      signal,
      acceptStatuses: acceptedStatuses(settings, visit),
      wholeSeconds: settings.pageSeconds,
      maxBytes: settings.maxPageBytes,
      ...visit.kept,
    })
    const { url, status, text, body: bytes, contentType: type, etag, lastModified, isUnchanged } = fetched
    const facts = { url, etag, lastModified, fetchedAt, download: null }
    if (!isUnchanged) return { ...facts, status, text, bytes, type }
    const kept = await keptBody(visit.url)
    // Its bytes have been forgotten meanwhile.
    if (kept === null) return await page({ ...visit, kept: null })
    return { ...facts, ...kept, text: (await pageText(kept.bytes, kept.type)).text }
  }
}

function openRenderedPages({ client, settings, chromium, downloadFolder, signal }: PageSourceOptions): PageSource {
  const browser = openBrowser(client, chromium)
  return {
    async page(visit) {
      const fetchedAt = new Date()
      const { url, status, text, download } = await renderPage(browser, visit.url, {
        signal,
        acceptStatuses: acceptedStatuses(settings, visit),
        wholeSeconds: settings.pageSeconds,
        waitSeconds: settings.pageSeconds,
        maxBytes: downloadFolder === null ? settings.maxPageBytes : Math.max(settings.maxPageBytes, settings.maxFileBytes),
        waitSelector: settings.waitSelector,
        clickSelector: downloadFolder === null ? null : settings.clickSelector,
        downloadFolder,
      })
      return {
        url,
        status,
        text,
        bytes: Buffer.from(text),
        type: 'text/html; charset=utf-8',
        etag: null,
        lastModified: null,
        fetchedAt,
        // Of what the page made itself nobody knows the address again.
        download: download === null ? null : { ...download, url: /^https?:/.test(download.url) ? download.url : visit.url },
      }
    },
    [Symbol.asyncDispose]: () => browser.close(),
  }
}

/** Of an id that is not there this is an answer; of the one page that is to be read it is an error. */
function acceptedStatuses(settings: ScrapeSettings, { item, depth, part }: Pick<Visit, 'item' | 'depth' | 'part'>): number[] {
  const isOneOfMany = item !== null || depth > 0 || part > 1
  const stated = settings.fields.flatMap(({ stateWord, statusCodes }) => (stateWord === null ? [] : statusCodes))
  return [...new Set([...(isOneOfMany ? [404, 410] : []), ...stated])]
}
