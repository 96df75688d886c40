import { setTimeout as pause } from 'node:timers/promises'
import type { RecentRunRow } from '../db/row-types.ts'
import type { Call } from './command.ts'
import { createLogReader, logText } from './log-reader.ts'
import type { Database } from './open-database.ts'
import { createProgressBar } from './progress-bar.ts'

/** How a run stands, from dba.next_run or dba.recent_run. */
export type RunState = Pick<
  RecentRunRow,
  'run_id' | 'schedule_name' | 'state' | 'progress' | 'rows' | 'error_code' | 'error_detail' | 'error_hint'
> & {
  /** The outcome, the error, or what it waits for. */
  message: string | null
  seconds: number | null
}

/**
 * Follows a run until it has ended: its log on the standard output, its progress below, what it waits for on the standard error.
 *
 * @param stopped ends the wait early.
 * @returns how it stood last.
 */
export async function followRun(call: Call, database: Database, runId: string, stopped: AbortSignal): Promise<RunState> {
  const reader = createLogReader(database, { runId, scheduleName: null, level: 'info', since: null })
  const bar = createProgressBar(call.err)
  const tell = createTeller(call, database)
  let isLogShown = call.has('json')
  for (;;) {
    const run = await readRun(database, runId)
    const isOver = endStates.includes(run.state) || stopped.aborted
    // the log is written apart from the run, a moment later
    if (isOver && !stopped.aborted) await pause(logDelayMillis)
    let lines = call.has('json') ? [] : await reader.fresh()
    for (let looks = 0; isOver && !isLogShown && lines.length === 0 && looks < moreLooks; looks += 1) {
      await pause(logDelayMillis)
      lines = await reader.fresh()
    }
    isLogShown ||= lines.length > 0
    if (lines.length > 0) bar.clear()
    for (const line of lines) call.out.line(logText(line))
    if (isOver) {
      bar.clear()
      return run
    }
    await tell(run)
    if (run.state === 'running') bar.show(run.progress, run.message)
    await pause(lookEveryMillis, undefined, { signal: stopped }).catch(() => {})
  }
}

const endStates = ['succeeded', 'failed', 'cancelled', 'skipped', 'missed']
const lookEveryMillis = 250
const logDelayMillis = 400
/** Where no line has been seen at all: a busy database takes its time. */
const moreLooks = 5

async function readRun({ query }: Database, runId: string): Promise<RunState> {
  const [run] = await query<RunState>(
    `select run_id, schedule_name, state, message, progress, rows, extract(epoch from duration)::float8 as seconds,
            error_code, error_detail, error_hint
     from dba.recent_run where run_id = $1
     union all
     select run_id, schedule_name, state, reason, null, null, null, null, null, null
     from dba.next_run where run_id = $1
     limit 1`,
    [runId],
  )
  if (run !== undefined) return run
  // taken out of the ledger while it was followed
  return { ...gone, run_id: runId }
}

const gone: RunState = {
  run_id: '',
  schedule_name: '',
  state: 'cancelled',
  message: 'The run is no longer in dba.run.',
  progress: null,
  rows: null,
  seconds: null,
  error_code: null,
  error_detail: null,
  error_hint: null,
}

/** Says once what a run waits for, and, when it does not begin, what dba.why_not says. */
function createTeller(call: Call, database: Database): (run: RunState) => Promise<void> {
  const begunAt = performance.now()
  let told: string | null = null
  let isExplained = false
  return async ({ schedule_name, state, message }) => {
    if (state === 'waiting' && message !== null && message !== told) {
      told = message
      call.err.line(`Waiting: ${message}`)
    }
    const hasNotBegun = state === 'planned' || state === 'queued'
    if (!hasNotBegun || isExplained || performance.now() - begunAt < patienceMillis) return
    isExplained = true
    const [row] = await database.query<{ said: string | null }>('select dba.why_not($1) as said', [schedule_name])
    if (row?.said) call.err.line(`Not begun: ${row.said}`)
  }
}

const patienceMillis = 5000
