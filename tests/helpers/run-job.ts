import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { ConnectionFacts, Connections } from '../../src/job/connections.ts'
import type { CheckResult, Job, LogLevel } from '../../src/job/define-job.ts'
import type { Outcome } from '../../src/job/outcome.ts'

export interface JobOptions {
  connections?: Connections
  programDir?: string | null
  signal?: AbortSignal
  /** What `stillMine` answers. Default: yes. */
  stillMine?: () => Promise<void>
  dataDir?: string
}

export interface LogLine {
  message: string
  data: Record<string, unknown>
  level: LogLevel
  step: string | undefined
}

/** Runs a job that has no settings table with these args, as an attempt would; `log` is filled while it runs. */
export async function runJob(job: Job, args: Record<string, unknown>, options: JobOptions = {}, log: LogLine[] = []): Promise<Outcome> {
  return job.prepare(args).run({
    ...sharedContext(options),
    run: {
      runId: randomUUID(),
      scheduleName: 'a schedule',
      configName: null,
      attempt: 1,
      trigger: 'request',
      scheduledFor: new Date(),
      args,
    },
    log: (message, data = {}, { level = 'info', step } = {}) => void log.push({ message, data, level, step }),
    progress: () => {},
    stillMine: options.stillMine ?? (async () => {}),
    transaction: () => notHere('transaction'),
    bookmarks: absent('bookmarks'),
    files: absent('files'),
    datasets: absent('datasets'),
    scans: absent('scans'),
    hosts: absent('hosts'),
    mails: absent('mails'),
    outbox: absent('outbox'),
    reports: absent('reports'),
  })
}

/** What the job answers when it is only looked at. */
export async function checkJob(job: Job, args: Record<string, unknown>, options: JobOptions = {}): Promise<CheckResult> {
  const { check } = job.prepare(args)
  if (check === null) throw new Error(`job ${job.name} has no check`)
  return check({ ...sharedContext(options), args, query: async () => [], hosts: absent('hosts'), host: 'test-host' })
}

function sharedContext({
  connections = noConnections,
  programDir = null,
  signal = new AbortController().signal,
  dataDir = '/',
}: JobOptions) {
  return { connections, programDir, chromium: null, signal, folder: (path: string) => resolve(join(dataDir, path)) }
}

const noConnections: Connections = {
  get: (name: string): Promise<ConnectionFacts> => notHere(`connection ${name}`),
  jobDatabaseUrl: () => notHere('this database'),
  queryDatabaseUrl: () => notHere('this database'),
}

/** Throws as soon as the job wants something of it. */
function absent<T extends object>(what: string): T {
  return new Proxy<T>(Object.create(null), { get: () => notHere(what) })
}

function notHere(what: string): never {
  throw new Error(`this test gives the job no ${what}`)
}
