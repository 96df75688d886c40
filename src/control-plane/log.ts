/** Lines for dba.logentry: collected, written in batches, kept while the database is away. A log never fails a run. */
import type { Pool } from 'pg'
import type { LogLevel } from '../job/define-job.ts'

export interface LogEntry {
  loggedAt: Date
  /** Null: the worker itself speaks. */
  runId: string | null
  attempt: number | null
  scheduleName: string | null
  level: LogLevel
  step: string | null
  message: string
  data: Record<string, unknown> | null
  /** Seconds since the line before it in the attempt; null for the worker's own lines. */
  stepSeconds: number | null
  /** Seconds since the attempt began. */
  totalSeconds: number | null
}

export interface LogBook {
  write(entry: LogEntry): void
  /** Resolves when everything written so far stands in the table, or when the database did not take it within `limitSeconds`; then it is tried again later. */
  flush(limitSeconds: number): Promise<void>
  /** Flushes for at most 2 s and stops. */
  close(): Promise<void>
}

const batchLines = 1000
const pauseMs = 200
const retryMs = 1000
/** Lines kept while the database is away; beyond that the oldest go, and a line says how many. The log file has them all. */
const keptLines = 50_000

export function openLogBook(pool: Pool): LogBook {
  let lines: LogEntry[] = []
  let dropped = 0
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<boolean> | undefined
  let isClosed = false

  function plan(delay: number): void {
    if (timer === undefined && !isClosed) timer = setTimeout(() => void writeAll(), delay)
  }

  /** Writes what there is; false when the database did not take it. */
  async function writeAll(): Promise<boolean> {
    clearTimeout(timer)
    timer = undefined
    writing ??= drain().finally(() => {
      writing = undefined
    })
    const isWritten = await writing
    if (lines.length > 0) plan(isWritten ? 0 : retryMs)
    return isWritten
  }

  async function drain(): Promise<boolean> {
    while (lines.length > 0) {
      const batch = lines.slice(0, batchLines)
      try {
        await insertLines(pool, batch)
      } catch {
        // The file has these lines; the table gets them when the database is back.
        return false
      }
      lines = lines.slice(batch.length)
      if (dropped > 0) {
        const message = `${dropped} lines were dropped while the database was away; the log file has them`
        dropped = 0
        lines.unshift({ ...plainLine, loggedAt: new Date(), level: 'warning', message })
      }
    }
    return true
  }

  return {
    write(entry) {
      if (isClosed) return
      lines.push(entry)
      if (lines.length > keptLines) {
        lines.shift()
        dropped++
      }
      plan(pauseMs)
    },
    async flush(limitSeconds) {
      const limit = AbortSignal.timeout(limitSeconds * 1000)
      const over = new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve(), { once: true }))
      await Promise.race([over, writeAll()])
    },
    async close() {
      await this.flush(2)
      isClosed = true
      clearTimeout(timer)
    },
  }
}

const plainLine = { runId: null, attempt: null, scheduleName: null, step: null, data: null, stepSeconds: null, totalSeconds: null }

async function insertLines(pool: Pool, batch: LogEntry[]): Promise<void> {
  await pool.query({
    name: 'insert-log-lines',
    text: `
      insert into dba.logentry (logged_at, run_id, attempt, level, step, message, data, step_seconds, total_seconds)
      select least(l.logged_at, clock_timestamp()), l.run_id, l.attempt, l.level, l.step, l.message, l.data, l.step_seconds, l.total_seconds
      from jsonb_to_recordset($1) as l
        (logged_at timestamptz, run_id uuid, attempt integer, level text, step text, message text, data jsonb, step_seconds real, total_seconds real)`,
    values: [
      JSON.stringify(
        batch.map((line) => ({
          logged_at: line.loggedAt,
          run_id: line.runId,
          attempt: line.attempt,
          level: line.level,
          step: line.step,
          message: line.message,
          data: line.data,
          step_seconds: line.stepSeconds,
          total_seconds: line.totalSeconds,
        })),
        // Postgres's jsonb takes no NUL, and a text that a job logs may hold one.
      ).replaceAll('\\u0000', '\\ufffd'),
    ],
  })
}
