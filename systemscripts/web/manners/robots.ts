import { createRequire } from 'node:module'
import { JobError, PermanentError } from '../../errors.ts'

/** What a site's robots.txt said, kept so that it is not asked for before every page. */
export interface RobotsRecord {
  /** `file`: its text counts. `open`: there is none, all is allowed. `away`: the server failed, nothing is allowed for now. */
  kind: 'file' | 'open' | 'away'
  text: string
  /** Milliseconds since 1970 UTC. */
  fetchedAt: number
}

/** Where records are kept between calls, by origin (`https://host`). */
export interface RobotsCache {
  get(origin: string): Promise<RobotsRecord | null>
  put(origin: string, record: RobotsRecord): Promise<void>
}

export interface Robots {
  /**
   * What the site asks for. `crawlDelaySeconds` is 0 when it asks for none.
   * @throws PermanentError `robots_disallowed`; JobError `robots_unreachable`; what fetching robots.txt throws
   */
  check(url: URL, userAgent: string, signal: AbortSignal): Promise<{ crawlDelaySeconds: number }>
}

/** Fetches one robots.txt as RFC 9309 says; throws only what no retry mends, or an abort. */
export type FetchRobots = (url: URL, signal: AbortSignal) => Promise<Omit<RobotsRecord, 'fetchedAt'>>

interface Rules {
  isAllowed(url: string, userAgent: string): boolean | undefined
  /** From 1. */
  getMatchingLineNumber(url: string, userAgent: string): number
  getCrawlDelay(userAgent: string): number | undefined
}

/** RFC 9309, 2.4: not longer than 24 hours. */
const FRESH_MS = 24 * 60 * 60_000
/** A server that failed is asked again sooner. */
const AWAY_MS = 5 * 60_000
/** Nobody is kept off longer than this by a crawl-delay. */
const LONGEST_DELAY_SECONDS = 300

/** Obeys robots.txt (RFC 9309): asked for once per site and day, however many pages are fetched at once. */
export function createRobots(fetchRobots: FetchRobots, cache: RobotsCache, now: () => number = Date.now): Robots {
  // Its types promise a default export, which the module does not have.
  const robotsParser: (address: string, text: string) => Rules = createRequire(import.meta.url)('robots-parser')
  const known = new Map<string, { record: RobotsRecord; rules: Rules }>()
  const coming = new Map<string, Promise<RobotsRecord>>()

  return {
    async check(url, userAgent, signal) {
      const { record, rules } = await siteOf(url.origin, signal)
      if (record.kind === 'open') return { crawlDelaySeconds: 0 }
      if (record.kind === 'away') throw unreachable(url)
      if (rules.isAllowed(url.href, userAgent) === false) throw disallowed(url, rules.getMatchingLineNumber(url.href, userAgent))
      const delay = rules.getCrawlDelay(userAgent) ?? 0
      return { crawlDelaySeconds: Math.min(Math.max(delay, 0), LONGEST_DELAY_SECONDS) }
    },
  }

  async function siteOf(origin: string, signal: AbortSignal): Promise<{ record: RobotsRecord; rules: Rules }> {
    const kept = known.get(origin)
    if (kept !== undefined && isFresh(kept.record)) return kept
    const record = await recordOf(origin, signal)
    const site = { record, rules: robotsParser(`${origin}/robots.txt`, record.text) }
    known.set(origin, site)
    return site
  }

  function isFresh({ kind, fetchedAt }: RobotsRecord): boolean {
    return now() - fetchedAt < (kind === 'away' ? AWAY_MS : FRESH_MS)
  }

  function recordOf(origin: string, signal: AbortSignal): Promise<RobotsRecord> {
    const underWay = coming.get(origin)
    if (underWay !== undefined) return underWay
    const fetching = freshRecord(origin, signal).finally(() => coming.delete(origin))
    coming.set(origin, fetching)
    return fetching
  }

  async function freshRecord(origin: string, signal: AbortSignal): Promise<RobotsRecord> {
    const kept = await cache.get(origin)
    if (kept !== null && isFresh(kept)) return kept
    const record = { ...(await fetchRobots(new URL('/robots.txt', origin), signal)), fetchedAt: now() }
    await cache.put(origin, record)
    return record
  }
}

export function memoryRobotsCache(): RobotsCache {
  const records = new Map<string, RobotsRecord>()
  return {
    get: async (origin) => records.get(origin) ?? null,
    put: async (origin, record) => {
      records.set(origin, record)
    },
  }
}

function disallowed(url: URL, line: number): PermanentError {
  return new PermanentError('robots_disallowed', `robots.txt of "${url.host}" does not allow ${url.pathname}`, {
    detail: `Line ${line} of ${url.origin}/robots.txt forbids it.`,
    hint: 'Ask the site for leave; with it, set obey_robots to false for the host in dba.scrapehost and say why in its description.',
  })
}

function unreachable(url: URL): JobError {
  return new JobError('robots_unreachable', `robots.txt of "${url.host}" cannot be read, so its pages are left alone`, {
    detail: `${url.origin}/robots.txt failed on the server's side. RFC 9309 then forbids everything.`,
    hint: 'Nothing: it is asked again after five minutes.',
  })
}
