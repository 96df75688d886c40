/** One attempt of job scrape without a worker: the context that a worker makes, a real fence on dba.run. Also run by scrape-victim.ts, which dies. */
import type { Pool } from 'pg'
import scrapeJob from '../../jobs/scrape.ts'
import { readConfig } from '../../src/config.ts'
import { createHosts } from '../../src/control-plane/hosts.ts'
import { createMailRoutes } from '../../src/control-plane/outbox/routes.ts'
import { readSettings } from '../../src/control-plane/settings.ts'
import type { Connections } from '../../src/job/connections.ts'
import type { CheckResult, Job } from '../../src/job/define-job.ts'
import type { Outcome } from '../../src/job/outcome.ts'
import { createContext } from '../../src/worker/context.ts'

export interface Attempt {
  pool: Pool
  dataDir: string
  runId: string
  config: string
  args?: Record<string, unknown>
  attempt?: number
  signal?: AbortSignal
  connections?: Connections
  onLog?: (line: LogLine) => void
  chromium?: string
}

export interface LogLine {
  message: string
  level: string
  data: Record<string, unknown>
}

const scraper: Job = scrapeJob

export async function attemptScrape(given: Attempt): Promise<Outcome> {
  const { pool, runId, config: configName, args = {}, attempt = 1, signal = new AbortController().signal } = given
  const claimed = {
    runId,
    scheduleId: 1,
    scheduleName: 'test',
    job: 'scrape',
    configName,
    configVersion: null,
    args,
    trigger: 'request' as const,
    attempt,
    maxAttempts: 3,
    scheduledFor: new Date(),
    timeoutSeconds: null,
    dueAt: new Date(),
    startedAt: new Date(),
  }
  const { context, close } = createContext(depsOf(given), claimed, { runId, attempt, worker: 'test' }, signal)
  try {
    return await scraper.prepare(await readSettings(pool, claimed)).run(context)
  } finally {
    await close()
  }
}

/** What a worker answers at the row. */
export async function checkScrape(given: Omit<Attempt, 'runId'>): Promise<CheckResult> {
  const { pool, config: configName, args = {}, signal = new AbortController().signal } = given
  const row = await readSettings(pool, { job: 'scrape', configName, configVersion: null, args })
  const { check } = scraper.prepare(row)
  if (check === null) throw new Error('job scrape has a check')
  return await check({
    args,
    connections: given.connections ?? noConnections,
    hosts: createHosts(pool, '00000000-0000-4000-8000-000000000000'),
    query: async (text, values) => (await pool.query<Record<string, unknown>>(text, values)).rows,
    folder: (path) => path,
    programDir: null,
    chromium: null,
    host: 'here',
    signal,
  })
}

function depsOf({ pool, dataDir, connections = noConnections, onLog, chromium }: Attempt) {
  return {
    pool,
    config: readConfig({ ROTA_DATA_DIR: dataDir, ...(chromium === undefined ? {} : { ROTA_CHROMIUM: chromium }) }),
    connections,
    routes: createMailRoutes({ connections, folder: (path) => path }),
    writeLog: ({ message, level, data }: { message: string; level: string; data: Record<string, unknown> | null }) =>
      onLog?.({ message, level, data: data ?? {} }),
    flushLog: async () => {},
    redact: (text: string) => text,
  }
}

const noConnections: Connections = {
  get: async (name) => {
    throw new Error(`this test has no connection "${name}"`)
  },
  jobDatabaseUrl: async () => {
    throw new Error('this test has no login rota_job')
  },
  queryDatabaseUrl: async () => {
    throw new Error('this test has no login rota_job')
  },
}
