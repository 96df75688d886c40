/** A worker that carries out a test's own jobs: the real engine on a real database, only the folder jobs/ is left out. */
import { join } from 'node:path'
import { readConfig } from '../../src/config.ts'
import { openLogBook } from '../../src/control-plane/log.ts'
import { createMailRoutes } from '../../src/control-plane/outbox/routes.ts'
import { codeVersion } from '../../src/db/migration-files.ts'
import { openPool } from '../../src/db/open.ts'
import type { Job } from '../../src/job/define-job.ts'
import { createContext } from '../../src/worker/context.ts'
import { openListener } from '../../src/worker/listen.ts'
import { installQueue, openQueue } from '../../src/worker/queue.ts'
import { startWorker } from '../../src/worker/worker.ts'
import { createRedactor } from '../../systemscripts/redact.ts'
import type { Query } from './database.ts'

export interface OwnWorkerOptions {
  url: string
  dataDir: string
  jobs: Job[]
  /** Default: `default`. */
  lanes?: string[]
  /** Default: 4. */
  concurrency?: number
  /** False: it hears no notifications and finds everything by looking. Default: true. */
  isListening?: boolean
}

export interface OwnWorker {
  name: string
  /** What it would have told a person. */
  said: string[]
  /** As Worker.stop; a second call waits for the first. */
  stop(limitSeconds: number): Promise<void>
}

/** Makes the rows of dba.job that a test's own jobs need; `args`: the keys that their schedules may set. */
export async function declareJobs(query: Query, jobs: Job[], args: string[] = []): Promise<void> {
  for (const { name } of jobs)
    await query('insert into dba.job (job, description, args_allowed) values ($1, $2, $3)', [name, `Job ${name} of a test.`, args])
}

/** Starts it; the caller stops it. */
export async function startOwnWorker(options: OwnWorkerOptions): Promise<OwnWorker> {
  const { url, dataDir, jobs, lanes = ['default'], concurrency = 4, isListening = true } = options
  await installQueue(url)
  const said: string[] = []
  const redactor = createRedactor()
  const open = (max: number) => openPool(url, { role: 'rota_worker', applicationName: 'rota test worker', max })
  const control = open(4)
  const work = open(concurrency + 2)
  const logs = open(1)
  const logBook = openLogBook(logs)
  const queue = await openQueue(url, (error) => said.push(error.message))
  const worker = await startWorker({
    control,
    queue,
    redactor,
    jobs: new Map(jobs.map((job) => [job.name, job])),
    lanes,
    concurrency,
    version: 'test',
    schemaVersion: await codeVersion(),
    createContext: (claimed, lease, signal) =>
      createContext(
        {
          pool: work,
          config: readConfig({ ROTA_DATA_DIR: dataDir }),
          connections: { get: noConnections, jobDatabaseUrl: noConnections, queryDatabaseUrl: noConnections },
          routes: createMailRoutes({
            connections: { get: noConnections, jobDatabaseUrl: noConnections, queryDatabaseUrl: noConnections },
            folder: (path) => join(dataDir, path),
          }),
          writeLog: logBook.write,
          flushLog: () => logBook.flush(2),
          redact: redactor.text,
        },
        claimed,
        lease,
        signal,
      ),
    onRunStart: () => undefined,
    onRunEnd: () => undefined,
    answer: async () => undefined,
    say: (level, message, error) => said.push(`${level}: ${message}${error instanceof Error ? `: ${error.message}` : ''}`),
  })
  const listener = isListening
    ? openListener(url, {
        onNotify: (_channel, payload) => worker.notified(payload),
        onConnect: worker.lookAgain,
        onLost: (error) => said.push(error.message),
      })
    : undefined
  let stopped: Promise<void> | undefined
  async function stop(limitSeconds: number): Promise<void> {
    await worker.stop(limitSeconds)
    await listener?.close()
    await queue.close()
    await logBook.close()
    await Promise.all([control.end(), work.end(), logs.end()])
  }
  return {
    name: worker.name,
    said,
    async stop(limitSeconds) {
      stopped ??= stop(limitSeconds)
      await stopped
    },
  }
}

async function noConnections(): Promise<never> {
  throw new Error('jobs of tests have no connections')
}
