import type { RecentRunRow } from '../../db/row-types.ts'
import { type Call, type Command, countIn, jsonOption, WrongCommandLine } from '../command.ts'
import { shortId } from '../find-run.ts'
import { durationText, momentText, zoneHere } from '../moments.ts'
import { nearestWord } from '../nearest-word.ts'
import { type Database, withDatabase } from '../open-database.ts'
import { printRows } from '../print-rows.ts'
import { sinceMoment } from '../since.ts'

export const runs: Command = {
  name: 'runs',
  summary: 'What ran lately, newest first.',
  description: 'Reads the view dba.recent_run. The log of one run: rota logs --run <run>',
  options: {
    schedule: { value: 'name', summary: 'Only this schedule.' },
    state: { value: 'state', summary: 'Only running, succeeded, failed, cancelled, skipped or missed; several with commas.' },
    since: { value: 'when', summary: 'Not older than: "2 hours", "06:20", "2026-12-24 06:20".' },
    limit: { value: 'number', summary: 'Lines at most (default 20).' },
    json: jsonOption,
  },
  async run(call) {
    const limit = countIn(call, 'limit', { least: 1, most: 100_000 }) ?? 20
    const states = statesIn(call)
    const rows = await withDatabase(call, (database) => readRuns(database, call, states, limit))
    printRows(
      call,
      rows,
      [
        { title: `at (${zoneHere()})`, text: ({ happened_at }) => momentText(happened_at) },
        { title: 'state', text: ({ state }) => state },
        { title: 'run', text: ({ run_id }) => shortId(run_id) },
        { title: 'schedule', text: ({ schedule_name }) => schedule_name },
        { title: 'took', text: ({ seconds }) => (seconds === null ? null : durationText(seconds)), align: 'right' },
        { title: 'rows', text: ({ rows }) => (rows === null ? null : String(rows)), align: 'right' },
        { title: 'message', text: ({ error_code, message }) => (error_code === null ? message : `${error_code}: ${message ?? ''}`) },
      ],
      'No run.',
    )
    return 0
  },
}

type RecentRun = RecentRunRow & { seconds: number | null }

async function readRuns(database: Database, call: Call, states: string[] | null, limit: number): Promise<RecentRun[]> {
  const since = await sinceMoment(database, call.text('since'))
  return database.query<RecentRun>(
    `select *, extract(epoch from duration)::float8 as seconds
     from dba.recent_run
     where ($1::text is null or schedule_name = $1)
       and ($2::text[] is null or state = any ($2))
       and ($3::timestamptz is null or happened_at >= $3)
     order by happened_at desc, run_id
     limit $4`,
    [call.text('schedule') ?? null, states, since, limit],
  )
}

const knownStates = ['running', 'succeeded', 'failed', 'cancelled', 'skipped', 'missed']

function statesIn(call: Call): string[] | null {
  const text = call.text('state')
  if (text === undefined) return null
  const states = text.split(',').map((state) => state.trim())
  const wrong = states.find((state) => !knownStates.includes(state))
  if (wrong === undefined) return states
  const near = nearestWord(wrong, knownStates)
  throw new WrongCommandLine('wrong_words', `No run is "${wrong}"`, {
    detail: `A run is ${knownStates.join(', ')}. What is still to come: rota next.`,
    hint: near === null ? 'Write one of these, or several with commas.' : `Did you mean "${near}"?`,
  })
}
