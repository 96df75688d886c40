import { explainError } from '../../db/explain-error.ts'
import { type Call, type Command, jsonOption, WrongCommandLine } from '../command.ts'
import type { RunningWorker } from '../deps.ts'
import { followRun, type RunState } from '../follow-run.ts'
import { durationText } from '../moments.ts'
import { type Database, withDatabase } from '../open-database.ts'
import { errorLines } from '../print-error.ts'
import { plain } from '../print-table.ts'
import { listenForStop } from '../stop-signals.ts'

export const run: Command = {
  name: 'run',
  words: ['<schedule>'],
  summary: 'Run a schedule now and follow it; exit code 0 when it succeeded, else 1.',
  description: [
    'rota run "meetmax import" --args \'{"header_row": 3}\' --reason "corrected file"',
    '',
    'The run goes through the same queue as any other; when no live worker takes part in its lane, one is started here for it alone.',
    'Ctrl-C cancels the run; once more leaves it to itself.',
  ].join('\n'),
  options: {
    args: { value: 'json', summary: 'Overrides for this run, a JSON object.' },
    reason: { value: 'text', summary: 'Why; stands in the run.' },
    json: { ...jsonOption, summary: 'Print the outcome as one JSON object instead of the log.' },
  },
  async run(call) {
    const args = argsIn(call)
    return withDatabase(call, async (database) => {
      const runId = await request(database, call.words[0] ?? '', args, call.text('reason') ?? null)
      const helper = await startHelper(call, database, runId)
      try {
        const ended = await followWithSignals(call, database, runId)
        return report(call, ended)
      } finally {
        await helper?.stop(stopSeconds)
      }
    })
  },
}

const stopSeconds = 5

function argsIn(call: Call): Record<string, unknown> {
  const text = call.text('args')
  if (text === undefined) return {}
  try {
    const args: unknown = JSON.parse(text)
    if (typeof args === 'object' && args !== null && !Array.isArray(args)) return { ...args }
  } catch {
    // said below
  }
  throw new WrongCommandLine('wrong_words', 'Option "--args" is no JSON object', {
    detail: `It is ${text}`,
    hint: `Write it in single quotes: --args '{"header_row": 3}'`,
  })
}

async function request({ query }: Database, schedule: string, args: Record<string, unknown>, reason: string | null): Promise<string> {
  const [row] = await query<{ run_id: string }>('select dba.run_now($1, $2, $3) as run_id', [schedule, JSON.stringify(args), reason])
  return row?.run_id ?? ''
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

function report(call: Call, ended: RunState): number {
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
