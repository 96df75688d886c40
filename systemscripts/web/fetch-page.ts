import { webAddress } from './address/web-address.ts'
import { webBody } from './http/body.ts'
import { wallHeadLength } from './manners/challenge.ts'
import { isTextual, pageText } from './page/page-text.ts'
import { type Landing, visit } from './visit.ts'
import type { WebClient } from './web-client.ts'

export interface FetchOptions {
  signal: AbortSignal
  /** From the last fetch: the page comes only when it has changed. */
  etag?: string | null
  lastModified?: string | null
  /** For the address's own origin only. */
  headers?: Record<string, string>
  /** Fields of a form: sends it as a POST. */
  form?: Record<string, string> | [string, string][]
  /** Statuses that are an answer like any other, such as 403 and 404 in a scan. Default none beside 2xx. */
  acceptStatuses?: number[]
  /** Default 10 MiB, unpacked; a page is held in memory. */
  maxBytes?: number
  /** From the turn at the host to the end of the body. Default 120. */
  wholeSeconds?: number
}

export interface FetchedPage {
  /** Where it came from in the end. */
  url: string
  /** Addresses that sent it on, in order. */
  redirectedFrom: string[]
  status: number
  /** 304: it is as it was; body and text are empty. */
  isUnchanged: boolean
  contentType: string | null
  etag: string | null
  lastModified: string | null
  body: Buffer
  /** Null for what is no text. */
  text: string | null
  encoding: string | null
  header(name: string): string | null
}

/**
 * Fetches one page with the client's manners (visit.ts).
 *
 * @throws PermanentError `page_too_large`, `address_invalid`, `scheme_refused`, `private_address`, `page_not_found`, `page_gone`,
 * `access_denied`, `login_required`, `http_refused`, `robots_disallowed`, `certificate_invalid`, `too_many_redirects`,
 * `content_encoding_unknown`, `request_invalid`; JobError `server_failed`, `page_timeout`, `host_not_found`, `host_unreachable`,
 * `connection_lost`, `tls_failed`, `body_broken`, `robots_unreachable`; HostWaitError `rate_limited`, `challenge_page`, `host_busy`; the signal's reason
 */
export async function fetchPage(client: WebClient, address: string, options: FetchOptions): Promise<FetchedPage> {
  const {
    signal,
    etag = null,
    lastModified = null,
    headers,
    form,
    acceptStatuses = [],
    maxBytes = LARGEST_PAGE,
    wholeSeconds = 120,
  } = options
  const url = webAddress(address)
  const wanted = { url, signal, etag, lastModified, wholeSeconds, accepts: (status: number) => acceptStatuses.includes(status) }
  const read = (landing: Landing): Promise<FetchedPage> => readLanding(landing, maxBytes)
  const more = headers === undefined ? {} : { headers }
  if (form === undefined) return visit(client, { ...wanted, ...more, method: 'GET' }, read)
  return visit(client, { ...wanted, ...more, method: 'POST', body: new URLSearchParams(form).toString() }, read)
}

const LARGEST_PAGE = 10 * 1024 * 1024

async function readLanding({ response, redirectedFrom, refuseWall }: Landing, maxBytes: number): Promise<FetchedPage> {
  const contentType = response.header('content-type')
  const body = await webBody(response, maxBytes, 'refuse')
  const { text, encoding } = isTextual(contentType) ? await pageText(body, contentType) : { text: null, encoding: null }
  if (text !== null) refuseWall(text.slice(0, wallHeadLength), text.length <= wallHeadLength)
  return {
    url: response.url.href,
    redirectedFrom,
    status: response.status,
    isUnchanged: response.status === 304,
    contentType,
    etag: response.header('etag'),
    lastModified: response.header('last-modified'),
    body,
    text,
    encoding,
    header: response.header,
  }
}
