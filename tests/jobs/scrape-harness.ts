/** A database, a data folder, a web site, and runs of job scrape. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CheckResult } from '../../src/job/define-job.ts'
import type { Outcome } from '../../src/job/outcome.ts'
import type { Ending } from '../helpers/after-everything.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { type Launched, launch } from '../helpers/launch.ts'
import { type Attempt, attemptScrape, checkScrape, type LogLine } from './scrape-attempt.ts'
import { type Answer, openSite, type Site } from './scrape-site.ts'

export interface ScrapeBench extends TestDatabase {
  site: Site
  /** Inserts a row of dba.scrapeconfig named `pages`, and its fields; the site may be asked without a gap. */
  configure(settings: Record<string, unknown>, fields: Record<string, unknown>[]): Promise<void>
  /** A run from its claim to its end, as a worker would make it; the state of dba.run follows. */
  run(options?: Partial<Attempt>): Promise<Outcome>
  /** A run that is open, for attempts to come. @returns its run_id */
  openRun(facts?: { rerunOf?: string }): Promise<string>
  /** An attempt in a process of its own. */
  victim(runId: string): Promise<Launched>
  check(args?: Record<string, unknown>): Promise<CheckResult>
  /** Names of the files below a folder, in order. */
  names(folder: string): Promise<string[]>
  /** The texts of those files. */
  texts(folder: string): Promise<string[]>
  log: LogLine[]
}

export async function scrapeBench(t: Ending, answer: Answer): Promise<ScrapeBench> {
  const database = await freshDatabase(t)
  const { query, pool, dataDir, url } = database
  const site = await openSite(t, answer)
  const log: LogLine[] = []
  await query(`update dba.scrapehost set min_gap = '0', parallel = 8 where host = '*'`)
  const connections = {
    get: async (name: string) => {
      throw new Error(`this test has no connection "${name}"`)
    },
    jobDatabaseUrl: async () => database.urlAs('rota_job'),
    queryDatabaseUrl: async () => database.urlAs('rota_job'),
  }
  return { ...database, site, configure, run, openRun, victim, check, names, texts, log }

  async function configure(settings: Record<string, unknown>, fields: Record<string, unknown>[]): Promise<void> {
    await insert('scrapeconfig', { config_name: 'pages', allow_private_hosts: true, target_table: 'feeds.page', ...settings })
    for (const field of fields) await insert('scrapefield', { config_name: 'pages', ...field })
  }

  async function insert(table: string, row: Record<string, unknown>): Promise<void> {
    const places = Object.keys(row).map((_, index) => `$${index + 1}`)
    await query(`insert into dba.${table} (${Object.keys(row).join(', ')}) values (${places.join(', ')})`, Object.values(row))
  }

  async function run(options: Partial<Attempt> = {}): Promise<Outcome> {
    const runId = options.runId ?? (await openRun())
    await pool.query(
      `update dba.run set state = 'running', finished_at = null, error_code = null, error_message = null where run_id = $1 and state <> 'running'`,
      [runId],
    )
    let state = 'failed'
    try {
      const outcome = await attemptScrape({
        pool,
        dataDir,
        connections,
        onLog: (line) => log.push(line),
        config: 'pages',
        ...options,
        runId,
      })
      state = 'succeeded'
      return outcome
    } finally {
      await pool.query(
        `update dba.run set state = $2, finished_at = clock_timestamp(), error_code = 'failed', error_message = 'failed' where run_id = $1`,
        [runId, state],
      )
    }
  }

  async function openRun({ rerunOf = null }: { rerunOf?: string | null } = {}): Promise<string> {
    const { rows } = await pool.query<{ run_id: string }>(
      `insert into dba.run (schedule_id, schedule_name, job, config_name, config_version, fire_key, due_at, state, attempt, worker, rerun_of)
       select 1, 'test', 'scrape', config_name, version, gen_random_uuid()::text, clock_timestamp(), 'running', 1, 'test', $1::uuid from dba.scrapeconfig
       returning run_id`,
      [rerunOf],
    )
    return rows[0]?.run_id ?? ''
  }

  function victim(runId: string): Promise<Launched> {
    return launch(t, fileURLToPath(new URL('scrape-victim.ts', import.meta.url)), [url, dataDir, runId, 'pages'])
  }

  function check(args: Record<string, unknown> = {}): Promise<CheckResult> {
    return checkScrape({ pool, dataDir, connections, config: 'pages', args })
  }

  async function files(folder: string) {
    const entries = await readdir(join(dataDir, folder), { recursive: true, withFileTypes: true }).catch(() => [])
    return entries.filter((entry) => entry.isFile()).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async function names(folder: string): Promise<string[]> {
    return (await files(folder)).map(({ name }) => name)
  }

  async function texts(folder: string): Promise<string[]> {
    return await Promise.all((await files(folder)).map((file) => readFile(join(file.parentPath, file.name), 'utf8')))
  }
}
