/** What a worker and its runs say: to the log file, to dba.logentry and, where a person should know it, to the terminal; secrets masked. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { openLogFile } from '../../systemscripts/log-file.ts'
import type { Redactor } from '../../systemscripts/redact.ts'
import type { Config } from '../config.ts'
import { type LogEntry, openLogBook } from '../control-plane/log.ts'
import type { ClaimedRun } from '../control-plane/runs.ts'
import { explainError } from '../db/explain-error.ts'
import type { EndedAttempt } from './execute.ts'

export interface WorkerLog {
  write(entry: LogEntry): void
  /** The worker's own words. */
  say(level: 'info' | 'warning' | 'error', message: string, error?: unknown): void
  runStarted(claimed: ClaimedRun): void
  runEnded(claimed: ClaimedRun, ended: EndedAttempt): void
  /** The name that lines carry from now on; until then it is the host's. */
  speakAs(worker: string): void
  /** Waits until all lines stand in the table, for 2 s at most. */
  flush(): Promise<void>
  close(): Promise<void>
}

interface WorkerLogOptions {
  /** For the table alone. */
  pool: Pool
  config: Config
  redactor: Redactor
  /** Told what a person should know. */
  tell(line: string): void
}

export function openWorkerLog({ pool, config, redactor, tell }: WorkerLogOptions): WorkerLog {
  const logFile = openLogFile({ folder: join(config.dataDir, 'logs'), level: config.logLevel, redact: redactor.text })
  const logBook = openLogBook(pool)
  let worker = hostname()

  function write(entry: LogEntry): void {
    const masked = { ...entry, message: redactor.text(entry.message), data: toRecord(redactor.data(entry.data)) }
    const { loggedAt: at, level, runId, scheduleName: schedule, message, data } = masked
    logFile.write({ at, level, worker, runId, schedule, message, ...(data === null ? {} : { data }) })
    if (levels.indexOf(entry.level) >= levels.indexOf(config.logLevel)) logBook.write(masked)
  }

  return {
    write,
    say(level, message, error) {
      const data = error === undefined ? null : { ...explainError(error) }
      write({ ...ownLine, loggedAt: new Date(), level, message, data })
      if (level !== 'info') tell(redactor.text(data === null ? message : `${message}: ${data.message}`))
    },
    runStarted: (claimed) => write(startLine(claimed)),
    runEnded: (claimed, ended) => write(endLine(claimed, ended)),
    speakAs(name) {
      worker = name
    },
    flush: () => logBook.flush(2),
    async close() {
      await logBook.close()
      await logFile.close()
    },
  }
}

const levels = ['debug', 'info', 'warning', 'error']
const ownLine = { runId: null, attempt: null, scheduleName: null, step: null, stepSeconds: null, totalSeconds: null }

function startLine(claimed: ClaimedRun): LogEntry {
  const again = claimed.attempt > 1 ? ` (attempt ${claimed.attempt} of ${claimed.maxAttempts})` : ''
  return { ...lineOf(claimed), level: 'debug', message: `Started${again}`, data: null, stepSeconds: 0, totalSeconds: 0 }
}

function endLine(claimed: ClaimedRun, { end, state, seconds }: EndedAttempt): LogEntry {
  const note = end.outcome === 'succeeded' ? (end.facts.note ?? null) : null
  const message = `${state === null ? 'No longer ours' : state.charAt(0).toUpperCase() + state.slice(1)}${note === null ? '' : `: ${note}`}`
  return { ...lineOf(claimed), level: 'info', message, data: null, stepSeconds: null, totalSeconds: seconds }
}

function lineOf(claimed: ClaimedRun) {
  return { loggedAt: new Date(), runId: claimed.runId, attempt: claimed.attempt, scheduleName: claimed.scheduleName, step: null }
}

function toRecord(data: unknown): Record<string, unknown> | null {
  return typeof data === 'object' && data !== null ? { ...data } : null
}
