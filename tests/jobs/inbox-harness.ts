/** A database with a worker on it, and mailboxes that job inbox looks through. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freshDatabase, type Query, type TestDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'

export interface InboxBench {
  database: TestDatabase
  /** As rota_dba. */
  dba: Query
  dataDir: string
  /** A connection "drop" of kind folder, and the folder of its .eml files. */
  drop: string
  /** Puts a mail into the drop box. */
  put(name: string, raw: Buffer): Promise<void>
  /** Inserts a rule; least settings are filled in. */
  rule(settings?: Record<string, unknown>): Promise<void>
  /** Asks for a run of a rule and waits for its end; gives its row. */
  run(config?: string): Promise<RunEnd>
  /** Names below a folder of the data folder that are not hidden, in order. */
  names(folder: string): Promise<string[]>
  read(path: string): Promise<string>
}

export interface RunEnd extends Record<string, unknown> {
  run_id: string
  state: string
  note: string | null
  files: number | null
  error_code: string | null
  error_message: string | null
  error_detail: string | null
}

/** @param options.noWorker runs are carried out by nobody */
export async function inboxBench(
  t: { after(end: () => Promise<void>): void },
  options: { noWorker?: boolean; environment?: Record<string, string> } = {},
): Promise<InboxBench> {
  const database = await freshDatabase(t)
  const { dataDir } = database
  const drop = join(dataDir, 'drop')
  await mkdir(drop)
  if (options.noWorker !== true) await workerOn(t, database, options.environment)
  const { query: dba } = await database.as('rota_dba')
  await dba(`insert into dba.connection (connection_name, kind, database_name) values ('drop', 'folder', 'drop')`)
  return {
    database,
    dba,
    dataDir,
    drop,
    put: (name, raw) => writeFile(join(drop, name), raw),
    rule,
    run,
    names,
    read: (path) => readFile(join(dataDir, path), 'utf8'),
  }

  async function rule(settings: Record<string, unknown> = {}): Promise<void> {
    const place = 'import_config' in settings ? {} : { save_to: 'saved' }
    const row = { config_name: 'prices', connection_name: 'drop', subject_pattern: '^Prices', ...place, ...settings }
    const places = Object.keys(row).map((_, index) => `$${index + 1}`)
    await dba(`insert into dba.inboxconfig (${Object.keys(row).join(', ')}) values (${places.join(', ')})`, Object.values(row))
    await dba(`insert into dba.scheduler (schedule_name, job, config_name, max_attempts) values ($1, 'inbox', $1, 1)`, [row.config_name])
  }

  async function run(config = 'prices'): Promise<RunEnd> {
    const [asked] = await dba<{ run_id: string }>(`insert into dba.run (schedule_name) values ($1) returning run_id`, [config])
    const [end] = await eventually(() =>
      dba<RunEnd>(
        `select run_id, state, note, files, error_code, error_message, error_detail from dba.run
         where run_id = $1 and state in ('succeeded', 'failed', 'cancelled', 'skipped')`,
        [asked?.run_id],
      ),
    )
    if (end === undefined) throw new Error('the run has no row')
    return end
  }

  async function names(folder: string): Promise<string[]> {
    const entries = await readdir(join(dataDir, folder), { withFileTypes: true }).catch(() => [])
    return entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort()
  }
}
