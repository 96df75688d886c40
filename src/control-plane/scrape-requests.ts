import type { Reader } from './overview.ts'

export interface ScrapeRequest {
  config: string
  /** Kept pages are read again, nothing is fetched. */
  isReplay: boolean
  reason: string | null
}

/** Has a config scraped, at once. @returns the run */
export async function requestScrape({ query }: Reader, { config, isReplay, reason }: ScrapeRequest): Promise<string> {
  const [row] = await query<{ run_id: string }>('select dba.request_scrape($1, $2, $3) as run_id', [config, isReplay, reason])
  return row?.run_id ?? ''
}
