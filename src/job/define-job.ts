/**
 * The contract between the engine and the jobs. A job is one file in jobs/ whose default export is `defineJob({ … })`; the file's name is
 * the job's name, its row in dba.job and, with `config` appended, its settings table. Imports nothing of the engine.
 */
import type { ClientBase } from 'pg'
import type { Bookmarks } from './bookmarks.ts'
import type { Connections } from './connections.ts'
import type { Hosts } from './hosts.ts'
import type { Datasets, FileLedger } from './ledgers.ts'
import type { Mails } from './mails.ts'
import type { Outbox } from './outbox.ts'
import type { Outcome } from './outcome.ts'
import type { Reports } from './reports.ts'
import type { Scans } from './scans.ts'

export type LogLevel = 'debug' | 'info' | 'warning' | 'error'

/** Says what happens, to dba.logentry and the log file. `step` names the file, page or statement it is about. Never throws, never waits. */
export type Log = (message: string, data?: Record<string, unknown>, options?: { level?: LogLevel; step?: string }) => void

/** The run as the job may know it; frozen when it was queued. */
export interface RunFacts {
  runId: string
  scheduleName: string
  configName: string | null
  /** Counted from 1. */
  attempt: number
  trigger: string
  /** The nominal fire. */
  scheduledFor: Date
  /** Overrides of the schedule and of the request, with `file`, `payload` and `as_of` where Rota added them. */
  args: Record<string, unknown>
}

export interface JobContext<Config> {
  run: RunFacts
  /** Settings row with the run's args laid over it. */
  config: Config
  /** Aborted by a cancel, the timeout, a lost lease or a stopping worker; `reason` is then a JobError. */
  signal: AbortSignal
  log: Log
  /** `fraction` from 0 to 1, or null when unknown; written at most once a second. */
  progress(fraction: number | null, note?: string): void
  /**
   * One transaction on the control database in which cursor, dataset, load and ledger commit together. Just before the commit the run's row
   * is locked and must still belong to this attempt; else everything is rolled back and `lease_lost` is thrown.
   */
  transaction<T>(work: (client: ClientBase) => Promise<T>): Promise<T>
  /** Proves that the run still belongs to this attempt; to be called before an effect outside the database. @throws lease_lost */
  stillMine(): Promise<void>
  bookmarks: Bookmarks
  connections: Connections
  files: FileLedger
  datasets: Datasets
  /** Scans over web pages. */
  scans: Scans
  /** How web hosts are treated, by all workers together. */
  hosts: Hosts
  /** Mails of mailboxes. */
  mails: Mails
  /** Mails that go out. */
  outbox: Outbox
  /** What reports know of their data and told their readers. */
  reports: Reports
  /** Absolute path of a folder as a settings row names it: absolute, or relative to ROTA_DATA_DIR. */
  folder(path: string): string
  /** ROTA_PROGRAM_DIR; null when it is not set. */
  programDir: string | null
  /** ROTA_CHROMIUM; null when it is not set. */
  chromium: string | null
}

/** What a worker finds when it looks at a config without running it: the text of dba.scheduler.config_message. */
export interface CheckResult {
  isOk: boolean
  message: string
}

/** What a check may use: no run, no transaction, nothing is changed. */
export interface CheckContext<Config> {
  config: Config
  args: Record<string, unknown>
  connections: Connections
  hosts: Hosts
  /** Reads from the control database as rota_worker. */
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  folder(path: string): string
  programDir: string | null
  chromium: string | null
  /** Name of this machine, for messages. */
  host: string
  signal: AbortSignal
}

export interface JobDefinition<Config> {
  name: string
  /**
   * Turns the settings row (database spelling, args laid over it) into the job's typed settings; for a job without settings table it gets the
   * args alone. @throws PermanentError when they cannot be right.
   */
  config(row: Record<string, unknown>): Config
  /** Answers at the row: is the folder there, is the target ours. Left out: the settings are all there is to check. */
  check?(context: CheckContext<Config>): Promise<CheckResult>
  /** Does the work. Every job may run twice: twice equals once. */
  run(context: JobContext<Config>): Promise<Outcome>
}

/** A job with its settings read: what the worker runs. */
export interface PreparedJob {
  /** Null: there is nothing to look at before a run. */
  check: ((context: Omit<CheckContext<unknown>, 'config'>) => Promise<CheckResult>) | null
  run(context: Omit<JobContext<unknown>, 'config'>): Promise<Outcome>
}

/** A job whose settings type is known only to itself; what load-jobs hands to the worker. */
export interface Job {
  name: string
  /** Reads the settings. @throws PermanentError when they cannot be right */
  prepare(row: Record<string, unknown>): PreparedJob
}

/** Declares a job: `export default defineJob({ … })`. Nothing is registered; load-jobs reads the folder. */
export function defineJob<Config>(definition: JobDefinition<Config>): Job {
  return {
    name: definition.name,
    prepare(row) {
      const config = definition.config(row)
      const { check } = definition
      return {
        check: check ? (context) => check({ ...context, config }) : null,
        run: (context) => definition.run({ ...context, config }),
      }
    },
  }
}
