/** A database with the MeetMax tables and jobs, and lists of events that come in by the real loader. */
import { readFile } from 'node:fs/promises'
import { type ImportBench, importBench } from '../jobs/import-harness.ts'

/** In the order in which people type them. */
export const meetmaxFiles = ['meetmax.sql', 'meetmax-jobs.sql']

export interface MeetmaxBench extends ImportBench {
  /** Loads the list of an event as the nightly scrape leaves it; each company is `name` or `[name, ticker]`. No company: the page said so. */
  list(eventId: string, day: string, companies: (string | [string, string])[], more?: Record<string, unknown>): Promise<void>
  /** Loads what a URL scan found, by event: a state, or a state and a title. */
  scan(day: string, states: Record<string, string | [string, string]>): Promise<void>
  /** Scenario, company and ticker of what f_get_event_changes says of a day, as `120001 removed Acme ACM`, in its order. */
  changes(day: string): Promise<string[]>
}

export async function meetmaxBench(t: { after(end: () => Promise<void>): void }): Promise<MeetmaxBench> {
  const bench = await importBench(t)
  const dba = await bench.as('rota_dba')
  for (const name of meetmaxFiles) await dba.query(await readMeetmaxSql(name))
  const feeds = { lists: ['meetmax.company', 'MeetMaxEventData'], scans: ['meetmax.urlscan', 'MeetMaxURLScan'] }
  for (const [name, [target, type]] of Object.entries(feeds)) {
    await bench.configure({
      config_name: name,
      source_folder: name,
      target_table: target,
      load_mode: 'replace_dataset',
      datasource: 'MeetMax',
      datasettype: type,
      label_spec: '0',
      date_from: 'filename',
      date_spec: '1',
    })
  }
  let files = 0
  return { ...bench, list, scan, changes }

  async function list(
    eventId: string,
    day: string,
    companies: (string | [string, string])[],
    more: Record<string, unknown> = {},
  ): Promise<void> {
    const url = `https://www.meetmax.com/sched/event_${eventId}/__co-list_cp.html`
    const rows = companies.map((company) => {
      const [name, ticker] = typeof company === 'string' ? [company, 'N/A'] : company
      return { company_name: name, tickers: ticker, ticker_header: 'Ticker', url, state: 'Active', ...more }
    })
    const none = { company_name: null, tickers: 'N/A', ticker_header: null, url, state: 'Empty' }
    await load('lists', eventId, day, rows.length > 0 ? rows : [none])
  }

  async function scan(day: string, states: Record<string, string | [string, string]>): Promise<void> {
    const rows = Object.entries(states).map(([id, said]) => {
      const [state, title] = typeof said === 'string' ? [said, `Event ${id}`] : said
      const url = `https://www.meetmax.com/sched/event_${id}/__co-list_cp.html`
      return { url, state, status_code: '200', title, num_companies: '3' }
    })
    await load('scans', 'MeetMaxURLScan', day, rows)
  }

  async function load(config: string, label: string, day: string, rows: Record<string, unknown>[]): Promise<void> {
    files += 1
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
    await bench.put(`${config}/${label}_${day.replaceAll('-', '')}_${files}.ndjson`, lines)
    await bench.run({ config })
  }

  async function changes(day: string): Promise<string[]> {
    const rows = await bench.query<{ text: string }>(
      `select concat_ws(' ', c.eventid, c.scenario, c.company_name, c.ticker) as text
       from meetmax.f_get_event_changes($1) with ordinality as c
       order by c.ordinality`,
      [day],
    )
    return rows.map(({ text }) => text)
  }
}

export async function readMeetmaxSql(name: string): Promise<string> {
  return await readFile(new URL(`../../onboarding/sql/${name}`, import.meta.url), 'utf8')
}
