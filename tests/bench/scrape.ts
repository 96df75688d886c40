/**
 * A scan of 25,000 event pages of a local site: in which state each is, its title, how many companies it lists; one row a page, through job scrape
 * into a table: fetched, parsed, written down, loaded. Beside it the loop that it replaces, in Python: one page after the other, a new session for
 * each, BeautifulSoup with html.parser, which loads nothing. No gap between requests. In turns, since the machine's speed varies.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Bench, type BenchDatabase, type BenchServer, type Measurement, startBenchWorker } from './bench-server.ts'

const PAGES = 25_000
const LOOP_PAGES = 500
const ROUNDS = 4
const PYTHON = '/usr/bin/python3'

/** The way of the predecessor; without its packages the standard library does what it can. */
const LOOP = `
import sys, time, re
origin, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
try:
    import requests
    from bs4 import BeautifulSoup
    def fetch(url):
        session = requests.Session()
        session.headers.update({'User-Agent': 'Mozilla/5.0', 'Accept': 'text/html'})
        response = session.get(url, timeout=10)
        return response.status_code, response.text
    def read(text):
        soup = BeautifulSoup(text, 'html.parser')
        words = soup.get_text()
        table = soup.find('table')
        companies = len([row for row in table.find_all('tr') if row.find_all('td')]) if table else 0
        state = 'AccessDenied' if 'access denied' in words.lower() else 'Invalid' if 'Invalid Event ID' in words else 'Active' if companies else 'Empty'
        return state, soup.title.string, companies
    what = 'requests and BeautifulSoup'
except ImportError:
    import urllib.request
    def fetch(url):
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read().decode()
    def read(text):
        companies = len(re.findall('(?s)<tr[^>]*>\\s*<td', text))
        return 'Invalid' if 'Invalid Event ID' in text else 'Active' if companies else 'Empty', re.search('<title>(.*?)</title>', text)[1], companies
    what = 'urllib and regular expressions'
begun, used, rows = time.time(), time.process_time(), []
for id in range(first, first + count):
    status, text = fetch(origin + '/event_%d' % id)
    rows.append((id, status) + read(text))
print(what, time.process_time() - used, time.time() - begun, sep='|')
`

export const scrape: Bench = async (server, say) => {
  const site = await startSite()
  try {
    const loops: number[] = []
    let what = ''
    const rates: number[] = []
    const memory: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const loop = await runLoop(site.origin)
      what = loop.what
      loops.push(loop.rate)
      const scan = await runScan(server, site.origin, PAGES / ROUNDS, memory)
      rates.push(scan)
      say(`round ${round + 1}: ${Math.round(scan)} pages/s; ${what}: ${Math.round(loop.rate)} pages/s`)
    }
    const used = process.cpuUsage()
    const whole = await runScan(server, site.origin, PAGES, memory)
    const { user, system } = process.cpuUsage(used)
    const cpuMs = (user + system) / 1000 / PAGES
    const last = await runLoop(site.origin)
    const loop = mean([...loops, last.rate])
    return [
      { what: `${PAGES} pages into a table`, value: `${Math.round(whole)} pages/s`, ratio: `${(whole / loop).toFixed(1)} times ${what}` },
      {
        what: `${ROUNDS} scans of ${PAGES / ROUNDS} pages, in turns with the loop`,
        value: `${Math.round(mean(rates))} pages/s`,
        ratio: `${(mean(rates) / mean(loops)).toFixed(1)} times`,
      },
      { what, value: `${Math.round(loop)} pages/s` },
      {
        what: 'processor time of a page',
        value: `${cpuMs.toFixed(2)} ms`,
        ratio: `${last.cpuMs.toFixed(2)} ms in the loop, ${(last.cpuMs / cpuMs).toFixed(1)} times`,
      },
      memoryOf(memory),
    ]
  } finally {
    site.stop()
  }
}

async function startSite(): Promise<{ origin: string; stop(): void }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('scrape-site.ts', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return { origin: JSON.parse(String(line)).origin, stop: () => child.kill() }
}

async function runLoop(origin: string): Promise<{ what: string; rate: number; cpuMs: number }> {
  const { stdout } = await promisify(execFile)(PYTHON, ['-c', LOOP, origin, '1', String(LOOP_PAGES)])
  const [what = '', cpuSeconds = '', seconds = ''] = stdout.trim().split('|')
  return { what, rate: LOOP_PAGES / Number(seconds), cpuMs: (1000 * Number(cpuSeconds)) / LOOP_PAGES }
}

/** @returns pages a second, from the start of the run to its end */
async function runScan(server: BenchServer, origin: string, pages: number, memory: number[]): Promise<number> {
  const database = await server.migrated()
  await database.pool.query(`update dba.scrapehost set min_gap = '0', parallel = 16 where host = '*'`)
  await database.pool.query(
    `insert into dba.scrapeconfig (config_name, start_url, ids_from, ids_spec, target_table, allow_private_hosts)
     values ('scan', $1, 'range', $2, 'feeds.urlscan', true)`,
    [`${origin}/event_{id}`, `1..${pages}`],
  )
  await database.pool.query(
    `insert into dba.scrapefield (config_name, column_name, position, selector, page_text, pattern, is_count, state_word)
     values ('scan', 'id', 1, null, false, null, false, null), ('scan', 'url', 2, null, false, null, false, null), ('scan', 'status_code', 3, null, false, null, false, null),
       ('scan', 'state', 4, null, false, null, false, null), ('scan', 'title', 5, null, false, null, false, null),
       ('scan', 'num_companies', 6, 'table:first tr:has(td)', false, null, true, null),
       ('scan', 'says forbidden', 7, null, true, '[Aa]ccess [Dd]enied', false, 'AccessDenied'), ('scan', 'says invalid', 8, null, true, 'Invalid Event ID', false, 'Invalid'),
       ('scan', 'has companies', 9, 'table:first tr:has(td)', false, null, false, 'Active'), ('scan', 'has none', 10, null, true, '^', false, 'Empty')`,
  )
  const worker = await startBenchWorker(database, 2)
  const watch = setInterval(() => memory.push(process.memoryUsage.rss()), 1000)
  try {
    const [run] = (await database.pool.query<{ run_id: string }>(`select dba.request_scrape('scan') as run_id`)).rows
    return pages / (await untilEnded(database, run?.run_id ?? ''))
  } finally {
    clearInterval(watch)
    await worker.stop(10)
  }
}

async function untilEnded({ pool }: BenchDatabase, runId: string): Promise<number> {
  for (;;) {
    const { rows } = await pool.query<{ state: string; error: string | null; seconds: number }>(
      `select state, error_message as error, extract(epoch from finished_at - started_at)::float8 as seconds from dba.run where run_id = $1`,
      [runId],
    )
    const { state = '', error = null, seconds = 0 } = rows[0] ?? {}
    if (state === 'succeeded') return seconds
    if (state === 'failed') throw new Error(error ?? 'the run failed')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Memory of the whole process over the long scan: its last third beside its first. */
function memoryOf(memory: number[]): Measurement {
  const third = Math.floor(memory.length / 3)
  const [early, late] = [memory.slice(third, 2 * third), memory.slice(-third)].map((part) => Math.max(...part) / 2 ** 20)
  return {
    what: 'memory of the worker',
    value: `${Math.round(late ?? 0)} MiB at most`,
    ratio: `${((late ?? 0) / (early ?? 1)).toFixed(2)} of what it was a third before`,
  }
}

function mean(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}
