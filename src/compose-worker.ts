/** A worker with everything it stands on: pools, secrets, log, queue, listener, watch. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { PermanentError } from '../systemscripts/errors.ts'
import { createRedactor } from '../systemscripts/redact.ts'
import type { RunLine, RunningWorker, WorkerOptions } from './cli/deps.ts'
import { answerConnections } from './control-plane/check-connections.ts'
import { createConnections } from './control-plane/connections.ts'
import { createMailRoutes } from './control-plane/outbox/routes.ts'
import type { ClaimedRun } from './control-plane/runs.ts'
import { createSecrets, openSecretKey } from './control-plane/secrets.ts'
import { prepareDatabase } from './control-plane/workers.ts'
import { codeVersion } from './db/migration-files.ts'
import { openPool } from './db/open.ts'
import { compareJobs, loadJobs } from './load-jobs.ts'
import { startAlertWatch } from './worker/alert-watch.ts'
import { createScheduleAnswers } from './worker/answer.ts'
import { createContext, folderOf } from './worker/context.ts'
import type { EndedAttempt } from './worker/execute.ts'
import { type LastResort, startLastResort } from './worker/last-resort.ts'
import { openListener } from './worker/listen.ts'
import { startOutboxSender } from './worker/outbox-sender.ts'
import { openQueue, type Queue } from './worker/queue.ts'
import { startWatch } from './worker/watch.ts'
import { startWorker as startTakingRuns } from './worker/worker.ts'
import { openWorkerLog } from './worker/worker-log.ts'

/** Starts a worker; `rota up` and `rota worker` call it. */
export async function startWorker({ config, url, log, onRunEnd }: WorkerOptions): Promise<RunningWorker> {
  const jobs = await loadJobs()
  const redactor = createRedactor()
  if (config.secretKey !== undefined) redactor.learn(config.secretKey)
  redactor.learn(decodeURIComponent(new URL(url).password))
  if (config.lastResort?.server.login) redactor.learn(config.lastResort.server.login.password)
  const open = (applicationName: string, max: number, options = '') =>
    openPool(withOptions(url, options), { role: 'rota_worker', applicationName, max })
  const control = open('rota worker', 4)
  const work = open('rota job', config.concurrency + 2)
  // A log line may be lost with the server's power; it stands in the file as well.
  const logs = open('rota log', 1, '-c synchronous_commit=off')
  const workerLog = openWorkerLog({ pool: logs, config, redactor, tell: log })
  const { say } = workerLog

  let opened: Queue | undefined
  try {
    await prepareDatabase(control)
    const differences = await compareJobs(jobs, async (text, values) => (await control.query<Record<string, unknown>>(text, values)).rows)
    for (const difference of differences) say('warning', difference)
    const secrets = createSecrets({ db: control, key: await openSecretKey(config), redactor, dataDir: config.dataDir })
    const connections = createConnections({ db: control, secrets, url })
    const routes = createMailRoutes({ connections, folder: (path) => folderOf(config, path) })
    const queue = await openQueue(url, (error) => say('warning', 'The queue has trouble with its connection', error))
    opened = queue
    const closing = new AbortController()

    const sayUnanswered = (error: unknown): void => {
      if (!closing.signal.aborted) say('warning', 'A row could not be answered; it is looked at again', error)
    }
    const answerSchedules = createScheduleAnswers({
      control,
      jobs,
      lanes: config.lanes,
      config,
      connections,
      redact: redactor.text,
      onError: sayUnanswered,
    })
    const connectionChecks = {
      connections,
      folder: (path: string) => folderOf(config, path),
      redact: redactor.text,
      host: hostname(),
      signal: closing.signal,
    }
    const answer = async (): Promise<void> => {
      // Beside: a connection that hangs holds up no schedule.
      answerConnections(control, config.lanes, connectionChecks).catch(sayUnanswered)
      await answerSchedules()
    }
    const worker = await startTakingRuns({
      control,
      queue,
      jobs,
      lanes: config.lanes,
      concurrency: config.concurrency,
      redactor,
      version,
      schemaVersion: await codeVersion(),
      createContext: (claimed, lease, signal) =>
        createContext(
          { pool: work, config, connections, routes, writeLog: workerLog.write, flushLog: workerLog.flush, redact: redactor.text },
          claimed,
          lease,
          signal,
        ),
      onRunStart: workerLog.runStarted,
      onRunEnd(claimed, ended) {
        workerLog.runEnded(claimed, ended)
        onRunEnd?.(runLine(claimed, ended))
      },
      answer,
      say,
    })
    workerLog.speakAs(worker.name)
    const sender = startOutboxSender({
      pool: work,
      routes,
      lanes: config.lanes,
      worker: worker.name,
      maySend: worker.mayTake,
      redact: redactor.text,
      onError: (error) => say('warning', 'Mails could not be sent; it is tried again', error),
    })
    const alerts = startAlertWatch({
      pool: control,
      connections,
      worker: worker.name,
      dataDir: config.dataDir,
      mayWatch: worker.mayTake,
      redact: redactor.text,
      onError: (error) => say('warning', 'Alerts could not be looked after; it is tried again', error),
    })
    const { host, pathname } = new URL(url)
    const lastResort: LastResort | undefined =
      config.lastResort &&
      startLastResort({
        mail: config.lastResort,
        dataDir: config.dataDir,
        probe: () => control.query('select 1'),
        place: `${host}${pathname}`,
        say,
      })
    const listener = openListener(url, {
      onNotify(channel, payload) {
        if (channel !== 'rota') return watch.notified(channel, payload)
        if (payload === 'outbox') return sender.wake()
        if (!quietWords.has(payload)) watch.refresh()
        worker.notified(payload)
      },
      onConnect() {
        watch.reconnected()
        worker.lookAgain()
        sender.wake()
      },
      onLost: (error) => say('warning', 'Notifications are not heard until the connection is back; every 30 s all is looked at', error),
    })
    const watch = startWatch({
      control,
      listener,
      lanes: config.lanes,
      dataDir: config.dataDir,
      mayFire: worker.mayTake,
      onFire: () => worker.notified('ended'),
      say,
    })

    let stopped: Promise<void> | undefined
    return {
      worker: worker.name,
      lanes: config.lanes,
      failed: new Promise<never>(() => undefined),
      async stop(limitSeconds) {
        const drained = worker.stop(limitSeconds)
        stopped ??= (async () => {
          closing.abort()
          await Promise.all([watch.stop(), sender.stop(limitSeconds), alerts.stop(), lastResort?.stop()])
          await drained
          await routes.close()
          await listener.close().catch(() => undefined)
          await queue.close().catch(() => undefined)
          await workerLog.close()
          await Promise.all([control.end(), work.end(), logs.end()])
        })()
        await stopped
      },
    }
  } catch (error) {
    // what stays open would keep the process from ending
    await opened?.close().catch(() => undefined)
    await workerLog.close()
    await Promise.all([control.end(), work.end(), logs.end()])
    throw error
  }
}

const version = readVersion()
/** Notifications that say nothing about schedules. */
const quietWords = new Set(['queued', 'ended', 'cancel', 'run'])

function runLine({ scheduleName }: ClaimedRun, { end, state, seconds }: EndedAttempt): RunLine {
  return {
    at: new Date(),
    scheduleName,
    state: state ?? 'lost',
    seconds,
    note: end.outcome === 'succeeded' ? (end.facts.note ?? null) : end.outcome === 'cancelled' ? end.reason : null,
    error: end.outcome === 'failed' ? end.error : null,
  }
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest && typeof manifest.version === 'string')
    return manifest.version
  throw new PermanentError('installation_broken', 'package.json of Rota says no version', { hint: 'Install Rota again: npm ci' })
}

function withOptions(url: string, options: string): string {
  if (options === '') return url
  const address = new URL(url)
  address.searchParams.set('options', [address.searchParams.get('options'), options].filter((part) => part !== null).join(' '))
  return address.href
}
