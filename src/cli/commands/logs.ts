import { setTimeout as pause } from 'node:timers/promises'
import { type Call, type Command, countIn, WrongCommandLine } from '../command.ts'
import { findRun } from '../find-run.ts'
import { createLogReader, type LogLine, levels, logText } from '../log-reader.ts'
import { withDatabase } from '../open-database.ts'
import { sinceMoment } from '../since.ts'
import { listenForStop } from '../stop-signals.ts'

export const logs: Command = {
  name: 'logs',
  summary: 'What runs and workers said, oldest first.',
  description: 'Reads the view dba.run_log. The same lines, also from while the database was away, stand in <data folder>/logs.',
  options: {
    follow: { short: 'f', summary: 'Go on with what is said from now on, until Ctrl-C.' },
    run: { value: 'run', summary: 'Only this run: its id or at least the first eight characters.' },
    schedule: { value: 'name', summary: 'Only this schedule.' },
    level: { value: 'level', summary: 'The least to show: debug, info (default), warning or error.' },
    since: { value: 'when', summary: 'Not older than: "2 hours", "06:20", "2026-12-24 06:20".' },
    limit: { value: 'number', summary: 'Lines at most (default 100), the newest ones.' },
    json: { summary: 'Print one JSON object a line.' },
  },
  async run(call) {
    const limit = countIn(call, 'limit', { least: 0, most: 1_000_000 }) ?? 100
    const level = levelIn(call)
    return withDatabase(call, async (database) => {
      const runWord = call.text('run')
      const reader = createLogReader(database, {
        runId: runWord === undefined ? null : await findRun(database, runWord),
        scheduleName: call.text('schedule') ?? null,
        level,
        since: await sinceMoment(database, call.text('since')),
      })
      print(call, await reader.latest(limit))
      if (call.has('follow')) await untilStopped(call, async () => print(call, await reader.fresh()))
      return 0
    })
  },
}

function print(call: Call, lines: LogLine[]): void {
  for (const line of lines) call.out.line(call.has('json') ? JSON.stringify(line) : logText(line))
}

async function untilStopped(call: Call, look: () => Promise<void>): Promise<void> {
  const signals = listenForStop(call.deps.env)
  const stopping = new AbortController()
  signals.first.then(() => stopping.abort())
  const stopped = AbortSignal.any([stopping.signal, call.out.closed])
  try {
    while (!stopped.aborted) {
      await look()
      await pause(500, undefined, { signal: stopped }).catch(() => {})
    }
  } finally {
    signals.release()
  }
}

function levelIn(call: Call): string {
  const level = call.text('level') ?? 'info'
  if (levels.includes(level)) return level
  throw new WrongCommandLine('wrong_words', `There is no level "${level}"`, { hint: `Write one of ${levels.join(', ')}.` })
}
