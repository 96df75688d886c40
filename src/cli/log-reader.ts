import type { RunLogRow } from '../db/row-types.ts'
import { momentText } from './moments.ts'
import type { Database } from './open-database.ts'
import { plain } from './print-table.ts'

/** A line of dba.run_log. */
export type LogLine = Pick<
  RunLogRow,
  'log_id' | 'logged_at' | 'level' | 'schedule_name' | 'run_id' | 'attempt' | 'step' | 'message' | 'step_seconds' | 'total_seconds'
> & { data: Record<string, unknown> | null }

export interface LogFilter {
  runId: string | null
  scheduleName: string | null
  /** The least that is shown. */
  level: string
  since: Date | null
}

export interface LogReader {
  /** The newest lines, oldest of them first; what was said before them is passed over from then on. */
  latest(limit: number): Promise<LogLine[]>
  /** What was said since the last call (at first: within the last seconds), each line once, in order of time. */
  fresh(): Promise<LogLine[]>
}

export const levels = ['debug', 'info', 'warning', 'error']

/**
 * Reads the log as it grows. Lines of several workers become visible in another order than they were said in, so each look goes a few
 * seconds back and leaves out what it has given already.
 */
export function createLogReader({ query }: Database, { runId, scheduleName, level, since }: LogFilter): LogReader {
  const shownLevels = levels.slice(Math.max(0, levels.indexOf(level)))
  const seen = new Map<number, number>()
  let newest: Date | null = null

  const read = (from: Date | null, limit: number) =>
    query<LogLine>(
      `select log_id, logged_at, level, schedule_name, run_id, attempt, step, message, data, step_seconds, total_seconds
       from dba.run_log
       where ($1::uuid is null or run_id = $1)
         and ($2::text is null or schedule_name = $2)
         and level = any ($3::text[])
         and ($4::timestamptz is null or logged_at >= $4)
       order by logged_at desc, log_id desc
       limit $5`,
      [runId, scheduleName, shownLevels, from, limit],
    )
  const take = (lines: LogLine[]): LogLine[] => {
    const unseen = lines.filter(({ log_id }) => !seen.has(log_id)).reverse()
    for (const { log_id, logged_at } of unseen) {
      seen.set(log_id, logged_at.getTime())
      if (newest === null || logged_at > newest) newest = logged_at
    }
    const horizon = (newest?.getTime() ?? 0) - 2 * lookBackMillis
    for (const [id, at] of seen) if (at < horizon) seen.delete(id)
    return unseen
  }
  return {
    async latest(limit) {
      const lines = limit === 0 ? [] : take(await read(since, limit))
      // what is older than these is not to come up again as new
      newest ??= await clock(query)
      take(await read(new Date(newest.getTime() - lookBackMillis), mostAtOnce))
      return lines
    },
    async fresh() {
      newest ??= await clock(query)
      return take(await read(new Date(newest.getTime() - lookBackMillis), mostAtOnce))
    },
  }
}

/** `2026-12-24 06:20:03  info     meetmax import  Reading file  file=a.csv size_bytes=120` */
export function logText({ logged_at, level, schedule_name, step, message, data }: LogLine): string {
  const said = step === null ? message : `${step}: ${message}`
  return plain([momentText(logged_at) ?? '', level.padEnd(7), schedule_name ?? '(worker)', said, factsText(data)].join('  ').trimEnd())
}

/** `file=a.csv size_bytes=120` */
export function factsText(data: Record<string, unknown> | null): string {
  return Object.entries(data ?? {})
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value)}`)
    .join(' ')
}

const lookBackMillis = 5000
const mostAtOnce = 10_000

async function clock(query: Database['query']): Promise<Date> {
  const [row] = await query<{ now: Date }>('select clock_timestamp() as now')
  return row?.now ?? new Date()
}
