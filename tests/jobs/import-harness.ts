/** A database, a data folder, and runs of job import in them. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHosts } from '../../src/control-plane/hosts.ts'
import type { CheckResult } from '../../src/job/define-job.ts'
import type { Outcome } from '../../src/job/outcome.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { type Attempt, attemptImport, importer, type LogLine, notForImports } from './import-attempt.ts'

export interface ImportBench extends TestDatabase {
  /** Inserts a row of dba.importconfig; least settings are filled in, `settle` is nothing. */
  configure(settings?: Record<string, unknown>): Promise<void>
  /** Writes a file below the data folder and gives its path. */
  put(path: string, content: string | Uint8Array, modifiedAt?: Date): Promise<string>
  /** A run from its claim to its end, as a worker would make it; the state of dba.run follows. */
  run(options?: Partial<Attempt>): Promise<Outcome>
  /** A run in a process that is killed at that seam (see import-victim.ts); the run stays open. Gives its run_id. */
  runKilled(seam: string): Promise<string>
  /** What a worker answers at the row. */
  check(settings?: Record<string, unknown>): Promise<CheckResult>
  /** Names of the files below a folder, in order. */
  names(folder: string): Promise<string[]>
  log: LogLine[]
}

export async function importBench(t: { after(end: () => Promise<void>): void }): Promise<ImportBench> {
  const database = await freshDatabase(t)
  const { query, pool, dataDir, url } = database
  const log: LogLine[] = []
  const folder = (path: string) => (isAbsolute(path) ? path : join(dataDir, path))
  await mkdir(folder('inbox'))
  return { ...database, configure, put, run, runKilled, check, names, log }

  async function configure(settings: Record<string, unknown> = {}): Promise<void> {
    const row = { config_name: 'prices', source_folder: 'inbox', file_pattern: '*', target_table: 'feeds.price', settle: '0', ...settings }
    const places = Object.keys(row).map((_, index) => `$${index + 1}`)
    await query(`insert into dba.importconfig (${Object.keys(row).join(', ')}) values (${places.join(', ')})`, Object.values(row))
  }

  async function put(path: string, content: string | Uint8Array, modifiedAt?: Date): Promise<string> {
    await mkdir(dirname(folder(path)), { recursive: true })
    await writeFile(folder(path), content)
    if (modifiedAt) await utimes(folder(path), modifiedAt, modifiedAt)
    return folder(path)
  }

  async function run(options: Partial<Attempt> = {}): Promise<Outcome> {
    const config = options.config ?? 'prices'
    const runId = options.runId ?? (await openRun(config))
    let state = 'failed'
    try {
      const outcome = await attemptImport({
        pool,
        dataDir,
        onLog: (line) => log.push(line),
        jobDatabaseUrl: database.urlAs('rota_job'),
        ...options,
        config,
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

  async function runKilled(seam: string): Promise<string> {
    const runId = await openRun('prices')
    const victim = fileURLToPath(new URL('import-victim.ts', import.meta.url))
    const process_ = spawn(process.execPath, [victim, url, dataDir, runId, seam], { stdio: ['ignore', 'inherit', 'inherit'] })
    const [, signal] = await once(process_, 'exit')
    if (signal !== 'SIGKILL') throw new Error(`The victim came past "${seam}"`)
    return runId
  }

  async function openRun(config: string): Promise<string> {
    const { rows } = await pool.query<{ run_id: string }>(
      `insert into dba.run (schedule_id, schedule_name, job, config_name, fire_key, due_at, state, attempt, worker)
       values (1, 'test', 'import', $1, gen_random_uuid()::text, clock_timestamp(), 'running', 1, 'test')
       returning run_id`,
      [config],
    )
    return rows[0]?.run_id ?? ''
  }

  async function check(settings: Record<string, unknown> = {}): Promise<CheckResult> {
    const [row] = await query<{ row: Record<string, unknown> }>(`select dba.settings_of('import', 'prices') as row`)
    const { check: look } = importer.prepare({ ...row?.row, ...settings })
    if (look === null) throw new Error('job import has a check')
    return await look({
      args: {},
      connections: { get: notForImports, jobDatabaseUrl: notForImports, queryDatabaseUrl: notForImports },
      hosts: createHosts(pool, randomUUID()),
      query: async (text, values) => (await pool.query<Record<string, unknown>>(text, values)).rows,
      folder,
      programDir: null,
      chromium: null,
      host: 'here',
      signal: new AbortController().signal,
    })
  }

  async function names(path: string): Promise<string[]> {
    const entries = await readdir(folder(path), { recursive: true, withFileTypes: true }).catch(() => [])
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort()
  }
}
