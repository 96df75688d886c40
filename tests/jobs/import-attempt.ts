/** One attempt of job import without a worker: the real ledgers, a real fence on dba.run. Also run by import-victim.ts, in a process that dies. */
import { isAbsolute, join } from 'node:path'
import type { Pool } from 'pg'
import importJob from '../../jobs/import.ts'
import { createDatasets } from '../../src/control-plane/datasets.ts'
import { createFileLedger } from '../../src/control-plane/files.ts'
import { createHosts } from '../../src/control-plane/hosts.ts'
import { createMails } from '../../src/control-plane/mails.ts'
import { createReports } from '../../src/control-plane/reports.ts'
import { createScans } from '../../src/control-plane/scans.ts'
import { inTransaction } from '../../src/control-plane/transaction.ts'
import type { Job } from '../../src/job/define-job.ts'
import type { Outcome } from '../../src/job/outcome.ts'
import { JobError } from '../../systemscripts/errors.ts'

export interface Attempt {
  pool: Pool
  dataDir: string
  runId: string
  config: string
  args?: Record<string, unknown>
  /** Default: `request`. */
  trigger?: string
  signal?: AbortSignal
  /** Called before and after each commit, counted from 1. */
  beforeCommit?: (commit: number) => Promise<void> | void
  afterCommit?: (commit: number) => Promise<void> | void
  onLog?: (line: LogLine) => void
  /** Address of the database as rota_job. */
  jobDatabaseUrl?: string
}

export interface LogLine {
  message: string
  level: string
  data: Record<string, unknown>
}

/** For one file the commits are: claim, hash, dataset, load (or: failed, duplicate). */
export async function attemptImport(attempt: Attempt): Promise<Outcome> {
  const { pool, dataDir, runId, config, args = {}, signal = new AbortController().signal } = attempt
  const { rows } = await pool.query<{ row: Record<string, unknown> }>(`select dba.settings_of('import', $1) as row`, [config])
  const deps = {
    pool,
    runId,
    job: 'import',
    configName: config,
    signal,
    log: (message: string, data: Record<string, unknown> = {}, { level = 'info' }: { level?: string } = {}) =>
      attempt.onLog?.({ message, level, data }),
    transaction: fenced(attempt),
  }
  return await importer.prepare({ ...rows[0]?.row, ...args }).run({
    ...deps,
    run: {
      runId,
      scheduleName: 'test',
      configName: config,
      attempt: 1,
      trigger: attempt.trigger ?? 'request',
      scheduledFor: new Date(),
      args,
    },
    progress: () => {},
    stillMine: async () => {},
    bookmarks: { read: notForImports, move: notForImports, confirmed: notForImports },
    connections: {
      get: notForImports,
      jobDatabaseUrl: async () => attempt.jobDatabaseUrl ?? (await notForImports()),
      queryDatabaseUrl: notForImports,
    },
    files: createFileLedger(deps),
    datasets: createDatasets(deps),
    scans: createScans(deps),
    hosts: createHosts(pool, runId),
    mails: createMails(deps),
    outbox: {
      dkimKey: notForImports,
      store: notForImports,
      known: notForImports,
      ofRuns: notForImports,
      takeOver: notForImports,
      send: notForImports,
    },
    reports: createReports({ pool, runId: attempt.runId, configName: 'prices' }),
    folder: (path) => (isAbsolute(path) ? path : join(dataDir, path)),
    programDir: null,
    chromium: null,
  })
}

export const importer: Job = importJob

export async function notForImports(): Promise<never> {
  throw new Error('an import has no use for this')
}

function fenced({ pool, runId, signal, beforeCommit, afterCommit }: Attempt) {
  let commits = 0
  return async <T>(work: Parameters<typeof inTransaction<T>>[1]): Promise<T> => {
    const result = await inTransaction(
      pool,
      async (client) => {
        const worked = await work(client)
        commits += 1
        await beforeCommit?.(commits)
        const { rowCount } = await client.query(`select from dba.run where run_id = $1 and state = 'running' for no key update`, [runId])
        if (rowCount !== 1) throw new JobError('lease_lost', 'The run belongs to another attempt')
        return worked
      },
      signal,
    )
    await afterCommit?.(commits)
    return result
  }
}
