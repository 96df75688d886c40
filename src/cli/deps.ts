import type { Config } from '../config.ts'

/** What the command line is handed by the composition root: the world around it, and the neighbours it may not visit. */
export interface Deps {
  env: NodeJS.ProcessEnv
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  /** Starts a worker in this process. Resolves once it takes runs. */
  startWorker(options: WorkerOptions): Promise<RunningWorker>
  /** Makes or updates the schema of the message queue; a second call changes nothing. `url`: the login that migrates. */
  installQueue(url: string): Promise<void>
  /** How the files in jobs/ and the rows of dba.job differ, one sentence each; empty when they agree. `query` reads the control database. */
  compareJobs(query: (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>): Promise<string[]>
}

export interface WorkerOptions {
  config: Config
  /** Address of the control database; the login can become rota_worker. */
  url: string
  /** Told each time a run of this worker ends. */
  onRunEnd?: (line: RunLine) => void
  /** Told what a person should know. */
  log: (line: string) => void
}

export interface RunningWorker {
  /** Its name in dba.worker. */
  worker: string
  lanes: string[]
  /** Takes no more runs, waits for those that go on up to the limit, hands the rest back. May be called again with a shorter limit. */
  stop(limitSeconds: number): Promise<void>
  /** Rejects when the worker cannot go on; never resolves. */
  failed: Promise<never>
}

/** How a run of this worker ended, for one line of text. */
export interface RunLine {
  at: Date
  scheduleName: string
  state: string
  seconds: number
  note?: string | null
  error?: { code: string; message: string; detail?: string | null; hint?: string | null } | null
}
