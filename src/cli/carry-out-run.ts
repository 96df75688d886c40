import { explainError } from '../db/explain-error.ts'
import type { Call } from './command.ts'
import type { RunningWorker } from './deps.ts'
import { followRun, type RunState } from './follow-run.ts'
import { durationText } from './moments.ts'
import type { Database } from './open-database.ts'
import { errorLines } from './print-error.ts'
import { plain } from './print-table.ts'
import { listenForStop } from './stop-signals.ts'

const stopSeconds = 5

/**
 * Follows a run that was just asked for until it has ended; when no live worker takes part in its lane, one is started here for it alone.
 * Ctrl-C cancels the run; once more leaves it to itself.
 */
export async function carryOutRun(call: Call, database: Database, runId: string): Promise<RunState> {
  const helper = await startHelper(call, database, runId)
  try {
    return await followWithSignals(call, database, runId)
  } finally {
    await helper?.stop(stopSeconds)
  }
}

/** Says how a run ended. @returns the exit code */
export function reportRun(call: Call, ended: RunState): number {
  const { run_id, schedule_name, state, message, rows, seconds, error_code, error_detail, error_hint } = ended
  if (call.has('json')) call.out.line(JSON.stringify(ended))
  else {
    const facts = [
      seconds === null ? null : durationText(seconds),
      rows === null ? null : `${rows} rows`,
      error_code === null ? message : null,
    ]
    call.out.line(plain([`Run ${run_id} of "${schedule_name}": ${state}`, ...facts.filter((fact) => fact !== null)].join(', ')))
    if (error_code !== null) {
      const fields = { code: error_code, message: message ?? '', detail: error_detail, hint: error_hint }
      for (const line of errorLines(fields)) call.err.line(line)
    }
  }
  return state === 'succeeded' ? 0 : 1
}

/** A worker of this process, when the lane of the run has none. */
async function startHelper(call: Call, { query, url }: Database, runId: string): Promise<RunningWorker | null> {
  const [row] = await query<{ lane: string; is_alive: boolean }>(
    `select h.lane, dba.lane_is_alive(h.lane) as is_alive
     from dba.next_run r join dba.schedule_health h using (schedule_name)
     where r.run_id = $1`,
    [runId],
  )
  if (row === undefined || row.is_alive) return null
  call.err.line(`No live worker takes part in lane "${row.lane}": one is started here until this run has ended.`)
  try {
    const config = { ...call.config(), lanes: [row.lane] }
    const helper = await call.deps.startWorker({ config, url, log: (line) => call.err.line(line) })
    helper.failed.catch((error: unknown) => call.err.line(`The worker stopped: ${explainError(error).message}`))
    return helper
  } catch (error) {
    // a person's login may ask for runs and not carry them out
    call.err.line(`It cannot be started here, so the run waits for one: ${explainError(error).message}`)
    return null
  }
}

async function followWithSignals(call: Call, database: Database, runId: string): Promise<RunState> {
  const signals = listenForStop(call.deps.env)
  const leaving = new AbortController()
  signals.first
    .then(async () => {
      call.err.line(`${call.err.isTerminal ? '\n' : ''}Ctrl-C: the run is told to stop. Once more leaves it to itself.`)
      await database.query(`select dba.cancel($1, 'Ctrl-C')`, [runId])
    })
    .catch((error: unknown) => call.err.line(`It cannot be cancelled: ${explainError(error).message}`))
  signals.second.then(() => leaving.abort())
  try {
    return await followRun(call, database, runId, leaving.signal)
  } finally {
    signals.release()
  }
}
