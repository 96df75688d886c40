/** One attempt of job inbox without a worker: all that a worker hands it, on a pool whose commits can be watched. Also run by inbox-victim.ts. */
import type { ClientBase, Pool } from 'pg'
import inbox from '../../jobs/inbox.ts'
import { readConfig } from '../../src/config.ts'
import { createConnections } from '../../src/control-plane/connections.ts'
import { createMailRoutes } from '../../src/control-plane/outbox/routes.ts'
import { readSettings } from '../../src/control-plane/settings.ts'
import type { Outcome } from '../../src/job/outcome.ts'
import { createContext } from '../../src/worker/context.ts'
import { workerSecrets } from '../helpers/worker-process.ts'

export interface InboxAttempt {
  pool: Pool
  url: string
  dataDir: string
  runId: string
  config?: string
  signal?: AbortSignal
  /** Called before and after each commit, counted from 1. */
  beforeCommit?: (commit: number) => Promise<void> | void
  afterCommit?: (commit: number) => Promise<void> | void
}

/** For one mail with a file the commits are: mailbox, decision, plan, lease, saved, lease, filed, cursor. */
export async function attemptInbox(attempt: InboxAttempt): Promise<Outcome> {
  const { url, dataDir, runId, config = 'prices', signal = new AbortController().signal } = attempt
  const pool = watched(attempt)
  const secrets = await workerSecrets({ pool: attempt.pool, dataDir })
  const settings = await readSettings(attempt.pool, { job: 'inbox', configName: config, configVersion: null, args: {} })
  const connections = createConnections({ db: attempt.pool, secrets, url })
  const { context, close } = createContext(
    {
      pool,
      config: readConfig({ ROTA_DATA_DIR: dataDir }),
      connections,
      routes: createMailRoutes({ connections, folder: (path) => path }),
      writeLog: () => {},
      flushLog: async () => {},
      redact: (text) => text,
    },
    {
      runId,
      scheduleId: 1,
      scheduleName: 'test',
      job: 'inbox',
      configName: config,
      configVersion: null,
      args: {},
      attempt: 1,
      trigger: 'request',
      scheduledFor: new Date(),
      timeoutSeconds: null,
      maxAttempts: 1,
      dueAt: new Date(),
      startedAt: new Date(),
    },
    { runId, attempt: 1, worker: 'test' },
    signal,
  )
  try {
    return await inbox.prepare(settings).run(context)
  } finally {
    await close()
  }
}

/** The same pool; its clients tell of their commits. */
function watched({ pool, beforeCommit, afterCommit }: InboxAttempt): Pool {
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
