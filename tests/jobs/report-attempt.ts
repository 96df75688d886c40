/** One attempt of job report without a worker, on a pool whose commits can be watched. Also run by report-victim.ts. */
import { join } from 'node:path'
import type { ClientBase, Pool } from 'pg'
import report from '../../jobs/report.ts'
import { readConfig } from '../../src/config.ts'
import { createConnections } from '../../src/control-plane/connections.ts'
import { createMailRoutes } from '../../src/control-plane/outbox/routes.ts'
import { readSettings } from '../../src/control-plane/settings.ts'
import type { Outcome } from '../../src/job/outcome.ts'
import { createContext } from '../../src/worker/context.ts'
import { workerSecrets } from '../helpers/worker-process.ts'

export interface ReportAttempt {
  pool: Pool
  url: string
  dataDir: string
  runId: string
  attempt?: number
  /** Called before and after each commit of the run's own transactions, counted from 1. */
  beforeCommit?: (commit: number) => Promise<void> | void
  afterCommit?: (commit: number) => Promise<void> | void
}

/** Of a report of one mail the commits are: stored, sending. */
export async function attemptReport(attempt: ReportAttempt): Promise<Outcome> {
  const { url, dataDir, runId, attempt: number = 1 } = attempt
  const pool = watched(attempt)
  const secrets = await workerSecrets({ pool: attempt.pool, dataDir })
  const settings = await readSettings(attempt.pool, { job: 'report', configName: 'orders', configVersion: null, args: {} })
  const connections = createConnections({ db: attempt.pool, secrets, url })
  const routes = createMailRoutes({ connections, folder: (path) => join(dataDir, path) })
  const { context, close } = createContext(
    {
      pool,
      config: readConfig({ ROTA_DATA_DIR: dataDir }),
      connections,
      routes,
      writeLog: () => {},
      flushLog: async () => {},
      redact: (text) => text,
    },
    {
      runId,
      scheduleId: 1,
      scheduleName: 'ask orders',
      job: 'report',
      configName: 'orders',
      configVersion: null,
      args: {},
      attempt: number,
      trigger: 'request',
      scheduledFor: new Date(),
      timeoutSeconds: null,
      maxAttempts: 9,
      dueAt: new Date(),
      startedAt: new Date(),
    },
    { runId, attempt: number, worker: 'test' },
    new AbortController().signal,
  )
  try {
    return await report.prepare(settings).run(context)
  } finally {
    await close()
    await routes.close()
  }
}

/** The same pool; its clients tell of their commits. */
function watched({ pool, beforeCommit, afterCommit }: ReportAttempt): Pool {
  let commits = 0
  const watchClient = (client: ClientBase): ClientBase =>
    new Proxy(client, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property)
        if (typeof value !== 'function') return value
        if (property !== 'query') return value.bind(target)
        return async (...given: unknown[]) => {
          if (given[0] !== 'commit') return await value.apply(target, given)
          commits += 1
          await beforeCommit?.(commits)
          const result: unknown = await value.apply(target, given)
          await afterCommit?.(commits)
          return result
        }
      },
    })
  return new Proxy(pool, {
    get(target, property) {
      if (property === 'connect') return async () => watchClient(await target.connect())
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
