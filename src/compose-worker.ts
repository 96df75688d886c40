/** A worker with everything it stands on: pools, secrets, log, queue, listener, watch. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { PermanentError } from '../systemscripts/errors.ts'
import { openLogFile } from '../systemscripts/log-file.ts'
import { createRedactor } from '../systemscripts/redact.ts'
import type { RunningWorker, WorkerOptions } from './cli/deps.ts'
import { answerConnections } from './control-plane/check-connections.ts'
import { createConnections } from './control-plane/connections.ts'
import { type LogEntry, openLogBook } from './control-plane/log.ts'
import { createSecrets, openSecretKey } from './control-plane/secrets.ts'
import { prepareDatabase } from './control-plane/workers.ts'
import { explainError } from './db/explain-error.ts'
import { codeVersion } from './db/migration-files.ts'
import { openPool } from './db/open.ts'
import { compareJobs, loadJobs } from './load-jobs.ts'
import { createScheduleAnswers } from './worker/answer.ts'
import { createContext, folderOf } from './worker/context.ts'
import { openListener } from './worker/listen.ts'
import { openQueue, type Queue } from './worker/queue.ts'
import { startWatch } from './worker/watch.ts'
import { startWorker as startTakingRuns } from './worker/worker.ts'

/** Starts a worker; `rota up` and `rota worker` call it. */
export async function startWorker({ config, url, log, onRunEnd }: WorkerOptions): Promise<RunningWorker> {
  const jobs = await loadJobs()
  const redactor = createRedactor()
  if (config.secretKey !== undefined) redactor.learn(config.secretKey)
  redactor.learn(decodeURIComponent(new URL(url).password))
  const open = (applicationName: string, max: number, options = '') =>
    openPool(withOptions(url, options), { role: 'rota_worker', applicationName, max })
  const control = open('rota worker', 4)
  const work = open('rota job', config.concurrency + 2)
  // A log line may be lost with the server's power; it stands in the file as well.
  const logs = open('rota log', 1, '-c synchronous_commit=off')
  const logFile = openLogFile({ folder: join(config.dataDir, 'logs'), level: config.logLevel, redact: redactor.text })
  const logBook = openLogBook(logs)

  let workerName = hostname()
  const writeLog = (entry: LogEntry): void => {
    const masked = { ...entry, message: redactor.text(entry.message), data: toRecord(redactor.data(entry.data)) }
    const { loggedAt: at, level, runId, scheduleName: schedule, message, data } = masked
    logFile.write({ at, level, worker: workerName, runId, schedule, message, ...(data === null ? {} : { data }) })
    if (levels.indexOf(entry.level) >= levels.indexOf(config.logLevel)) logBook.write(masked)
  }
  const say = (level: 'info' | 'warning' | 'error', message: string, error?: unknown): void => {
    const data = error === undefined ? null : { ...explainError(error) }
    writeLog({ ...ownLine, loggedAt: new Date(), level, message, data })
    if (level !== 'info') log(redactor.text(data === null ? message : `${message}: ${data.message}`))
  }

  let opened: Queue | undefined
  try {
    await prepareDatabase(control)
    const differences = await compareJobs(jobs, async (text, values) => (await control.query<Record<string, unknown>>(text, values)).rows)
    for (const difference of differences) say('warning', difference)
    const secrets = createSecrets({ db: control, key: await openSecretKey(config), redactor, dataDir: config.dataDir })
    const connections = createConnections({ db: control, secrets, url })
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
      underway: new Set<string>(),
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
          { pool: work, config, connections, writeLog, flushLog: () => logBook.flush(2), redact: redactor.text },
          claimed,
          lease,
          signal,
        ),
      onRunStart: (claimed) => writeLog(startLine(claimed)),
      onRunEnd(claimed, ended) {
        const { end, state, seconds } = ended
        const note = end.outcome === 'succeeded' ? (end.facts.note ?? null) : null
        writeLog(endLine(claimed, state, seconds, note))
        onRunEnd?.({
          at: new Date(),
          scheduleName: claimed.scheduleName,
          state: state ?? 'lost',
          seconds,
          note: note ?? (end.outcome === 'cancelled' ? end.reason : null),
          error: end.outcome === 'failed' ? end.error : null,
        })
      },
      answer,
      say,
    })
    workerName = worker.name
    const listener = openListener(url, {
      onNotify(channel, payload) {
        if (channel !== 'rota') return watch.notified(channel, payload)
        if (!quietWords.has(payload)) watch.refresh()
        worker.notified(payload)
      },
      onConnect() {
        watch.reconnected()
        worker.lookAgain()
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
          await watch.stop()
          await drained
          await listener.close().catch(() => undefined)
          await queue.close().catch(() => undefined)
          await logBook.close()
          await logFile.close()
          await Promise.all([control.end(), work.end(), logs.end()])
        })()
        await stopped
      },
    }
  } catch (error) {
    // what stays open would keep the process from ending
    await opened?.close().catch(() => undefined)
    await logBook.close()
    await Promise.all([control.end(), work.end(), logs.end(), logFile.close()])
    throw error
  }
}

const version = readVersion()
const levels = ['debug', 'info', 'warning', 'error']
const ownLine = { runId: null, attempt: null, scheduleName: null, step: null, stepSeconds: null, totalSeconds: null }
/** Notifications that say nothing about schedules. */
const quietWords = new Set(['queued', 'ended', 'cancel', 'run'])

type Claimed = Parameters<typeof createContext>[1]

function startLine(claimed: Claimed): LogEntry {
  const again = claimed.attempt > 1 ? ` (attempt ${claimed.attempt} of ${claimed.maxAttempts})` : ''
  return { ...lineOf(claimed), level: 'debug', message: `Started${again}`, data: null, stepSeconds: 0, totalSeconds: 0 }
}

function endLine(claimed: Claimed, state: string | null, seconds: number, note: string | null): LogEntry {
  const message = `${state === null ? 'No longer ours' : state.charAt(0).toUpperCase() + state.slice(1)}${note === null ? '' : `: ${note}`}`
  return { ...lineOf(claimed), level: 'info', message, data: null, stepSeconds: null, totalSeconds: seconds }
}

function lineOf(claimed: Claimed) {
  return { loggedAt: new Date(), runId: claimed.runId, attempt: claimed.attempt, scheduleName: claimed.scheduleName, step: null }
}

function toRecord(data: unknown): Record<string, unknown> | null {
  return typeof data === 'object' && data !== null ? { ...data } : null
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
