import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { JobError, PermanentError } from '../errors.ts'
import { webAddress } from './address/web-address.ts'
import { webBody } from './http/body.ts'
import { type Deadline, deadline } from './http/deadline.ts'
import { explainFailure } from './http/explain-failure.ts'
import { headerText } from './http/header-text.ts'
import { asksForTime, type Judgement, refusedStatus } from './http/judge-status.ts'
import { keepCookies } from './http/keep-cookies.ts'
import { send, type WebResponse } from './http/send.ts'
import { wallHeadLength } from './manners/challenge.ts'
import { HostWaitError, pageTimeout } from './refusals.ts'
import { requestHeaders } from './request-headers.ts'
import { takeTurn } from './take-turn.ts'
import { type Attempt, tryAgain } from './try-again.ts'
import type { WebClient } from './web-client.ts'

/** So much of an error page is read. */
const ERROR_PAGE_BYTES = 2 * 1024 * 1024

export interface Visit {
  url: URL
  method: 'GET' | 'POST'
  /** Go to the first address's own origin only. */
  headers?: Record<string, string>
  /** Of a POST, as a form sends it. */
  body?: string
  etag?: string | null
  lastModified?: string | null
  /** Statuses that are taken as they come, beside 2xx. */
  accepts(status: number): boolean
  /** robots.txt itself: not checked against itself, tried once, no challenge looked for. */
  isRobots?: boolean
  /** From the turn at the host to the end of the body, for each address on the way. */
  wholeSeconds: number
  signal: AbortSignal
}

/** Where a visit came to in the end. */
export interface Landing {
  response: WebResponse
  /** Addresses that sent it on, in order; the last one is not among them. */
  redirectedFrom: string[]
  /** Ends with the deadline or the run. */
  signal: AbortSignal
  /** For who reads a page that came as a good one: throws HostWaitError when it is a challenge page after all. */
  refuseWall(head: string, isWhole: boolean): void
}

/**
 * Asks for an address with all manners: robots.txt, the host's budget, cookies, redirects each checked like a first address, waits that the
 * host asks for, back-off after failures. `consume` reads the body; when that fails it counts as a failure of the try and comes again with
 * the next one. A POST that may have arrived is not sent again.
 *
 * @throws PermanentError, JobError: reading `http/judge-status.ts`, `http/explain-failure.ts` and `refusals.ts` tells all of them; HostWaitError
 * when the host must be left alone for longer than the client's patience
 */
export async function visit<T>(client: WebClient, wanted: Visit, consume: (landing: Landing) => Promise<T>): Promise<T> {
  const { signal } = wanted
  const mayRepeat = (error: JobError): boolean =>
    wanted.method === 'GET' || error instanceof HostWaitError || error.code === 'host_unreachable'
  const attempts = wanted.isRobots ? { attempts: 1 } : {}
  return tryAgain(client, { signal, mayRepeat, ...attempts }, (attempt) => once(client, wanted, attempt, consume))
}

async function once<T>(client: WebClient, wanted: Visit, attempt: Attempt, consume: (landing: Landing) => Promise<T>): Promise<T> {
  const redirectedFrom: string[] = []
  let request = { url: wanted.url, method: wanted.method, body: wanted.body ?? null }
  for (;;) {
    const hop = await stepTo(client, wanted, request, attempt, redirectedFrom, consume)
    if ('result' in hop) return hop.result
    redirectedFrom.push(request.url.href)
    if (redirectedFrom.length > client.maxRedirects) throw tooManyRedirects(wanted.url, redirectedFrom)
    request = hop.next
  }
}

type Request = { url: URL; method: 'GET' | 'POST'; body: string | null }
type Hop<T> = { result: T } | { next: Request }

async function stepTo<T>(
  client: WebClient,
  wanted: Visit,
  request: Request,
  attempt: Attempt,
  redirectedFrom: string[],
  consume: (landing: Landing) => Promise<T>,
): Promise<Hop<T>> {
  const { url } = request
  const turn = await takeTurn(client, url, { signal: wanted.signal, latest: attempt.latest, isRobots: wanted.isRobots ?? false })
  const limit = deadline(wanted.signal, wanted.wholeSeconds)
  let response: WebResponse | null = null
  try {
    response = await send(client.dispatcher, { ...request, headers: requestHeaders(client, wanted, request), signal: limit.signal })
    keepCookies(client.jar, url, response.setCookies)
    const next = redirectOf(response, request)
    if (next !== null) {
      await response.drain()
      return { next }
    }
    const good = await judged(client, wanted, response, attempt)
    const refuseWall = (head: string, isWhole: boolean): void => {
      // An error that is taken as it comes was looked at already.
      if (good.status < 300) refuse(asksForTime(circumstances(client, good, head, isWhole, attempt)))
    }
    return { result: await consume({ response: good, redirectedFrom, signal: limit.signal, refuseWall }) }
  } catch (error) {
    throw explained(error, client, wanted, url, limit)
  } finally {
    limit.end()
    response?.discard()
    // undici finds a connection free again only after this; else the next request would open another one.
    await setImmediate()
    await turn.release()
  }
}

/** A 303 and, as every browser does it, a 301 or 302 turn a POST into a GET; 307 and 308 do not (RFC 9110, 15.4). */
function redirectOf(response: WebResponse, request: Request): Request | null {
  const location = response.header('location')
  if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return null
  const url = webAddress(headerText(location), request.url)
  return response.status >= 307 ? { ...request, url } : { url, method: 'GET', body: null }
}

/** The answer, when it is what was asked for; else throws. The body of an answer that is an error is read to tell what kind of error. */
async function judged(client: WebClient, wanted: Visit, response: WebResponse, attempt: Attempt): Promise<WebResponse> {
  // A 202 may be a page of a firewall.
  const isGood = response.status >= 200 && response.status < 300 && response.status !== 202
  // That nothing has changed is an answer to who asked whether it has.
  const isUnchanged = response.status === 304 && Boolean(wanted.etag || wanted.lastModified)
  if (isGood || isUnchanged || (wanted.isRobots && wanted.accepts(response.status))) return response
  const read = await readError(response)
  const isTaken = wanted.accepts(response.status)
  const isWhole = read.text.length <= wallHeadLength
  const wait = asksForTime(circumstances(client, response, read.text.slice(0, wallHeadLength), isWhole, attempt))
  if (!(response.status === 429 && isTaken)) refuse(wait)
  if (response.status !== 202 && !isTaken) throw refusedStatus(response)
  return read.response
}

function circumstances(client: WebClient, response: WebResponse, head: string, isWhole: boolean, { failures }: Attempt): Judgement {
  return { response, head, isWhole, failures, patience: client.patience, random: Math.random(), now: new Date() }
}

function refuse(error: Error | null): void {
  if (error !== null) throw error
}

/** The same answer, with its body read and unpacked. */
async function readError(response: WebResponse): Promise<{ response: WebResponse; text: string }> {
  const body = await webBody(response, ERROR_PAGE_BYTES, 'cut').catch((error: unknown) => {
    // What it says weighs less than its status.
    if (error instanceof JobError) return Buffer.alloc(0)
    throw error
  })
  const header = (name: string): string | null => (name === 'content-encoding' || name === 'content-length' ? null : response.header(name))
  const unpacked = { ...response, header, body: Readable.from([body]), drain: async () => {} }
  return { response: unpacked, text: body.toString('latin1') }
}

function explained(error: unknown, client: WebClient, wanted: Visit, url: URL, limit: Deadline): unknown {
  if (wanted.signal.aborted) return wanted.signal.reason
  if (limit.hasPassed()) return pageTimeout(url.href, 'All of it', wanted.wholeSeconds)
  return explainFailure(error, url, { connect: client.connectSeconds, idle: client.idleSeconds })
}

function tooManyRedirects(url: URL, redirectedFrom: string[]): PermanentError {
  return new PermanentError('too_many_redirects', `${url.href} is sent on again and again`, {
    detail: `${redirectedFrom.length} redirects, the last ones from ${redirectedFrom.slice(-3).join(', ')}.`,
    hint: 'See in a browser where it leads; it may want cookies or a login.',
  })
}
