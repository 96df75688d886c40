/** Lines for dba.logentry: collected, written in batches, kept while the database is away. A log never fails a run. */
import { DatabaseError, type Pool } from 'pg'
import type { LogLevel } from '../job/define-job.ts'
import { storableJson } from './storable.ts'

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
  const lines: LogEntry[] = []
  let dropped = 0
  let refused = 0
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<boolean> | undefined
  let isClosed = false

  function plan(delay: number): void {
    if (timer === undefined && !isClosed) timer = setTimeout(() => void writeAll(), delay)
  }

  /** Writes what there is; false when the database did not take it: then it gets it later, and the file has it already. */
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
    for (let most = batchLines; lines.length > 0 || sayWhatIsMissing(); ) {
      const batch = lines.splice(0, most)
      try {
        await insertLines(pool, batch)
        most = batchLines
      } catch (error) {
        // One line that the table cannot hold must not keep the others out: smaller and smaller batches find it.
        if (isRefusal(error) && batch.length === 1) refused++
        else lines.unshift(...batch)
        if (isRefusal(error)) most = Math.ceil(batch.length / 2)
        else if (!(isWithoutPartition(error) && (await makePartitions(pool)))) return false
      }
    }
    return true
  }

  /** True when there is something to say. */
  function sayWhatIsMissing(): boolean {
    const warn = (message: string): unknown => lines.push({ ...plainLine, loggedAt: new Date(), level: 'warning', message })
    if (dropped > 0) warn(`${dropped} lines were dropped while the database was away; the log file has them`)
    if (refused > 0) warn(`${refused} lines were refused by the database; the log file has them`)
    dropped = 0
    refused = 0
    return lines.length > 0
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

/** Data that a column cannot hold, or that is beyond Postgres's limits. */
function isRefusal(error: unknown): boolean {
  return error instanceof DatabaseError && /^(22|54)/.test(error.code ?? '')
}

function isWithoutPartition(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '23514'
}

/** A worker that runs for months comes to a month that has no partition yet. */
async function makePartitions(pool: Pool): Promise<boolean> {
  try {
    const { rows } = await pool.query<{ made: number }>('select dba.make_log_partitions() as made')
    return (rows[0]?.made ?? 0) > 0
  } catch {
    return false
  }
}

async function insertLines(pool: Pool, batch: LogEntry[]): Promise<void> {
  await pool.query({
    name: 'insert-log-lines',
    text: `
      insert into dba.logentry (logged_at, run_id, attempt, level, step, message, data, step_seconds, total_seconds)
      select least(l.logged_at, clock_timestamp()), l.run_id, l.attempt, l.level, l.step, l.message, l.data, l.step_seconds, l.total_seconds
      from jsonb_to_recordset($1) as l
        (logged_at timestamptz, run_id uuid, attempt integer, level text, step text, message text, data jsonb, step_seconds real, total_seconds real)`,
    values: [
      storableJson(
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
      ),
    ],
  })
}
