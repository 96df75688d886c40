import { type ListedLane, type ListedWorker, readLanes, readWorkers } from '../../control-plane/overview.ts'
import type { NextRunRow, ProblemRow } from '../../db/row-types.ts'
import { type Command, jsonOption } from '../command.ts'
import { momentText, zoneHere } from '../moments.ts'
import { type Database, withDatabase } from '../open-database.ts'
import type { Output } from '../output.ts'
import { formatTable } from '../print-table.ts'
import { nextColumns } from './next.ts'
import { printProblems, readProblems } from './problems.ts'

export const status: Command = {
  name: 'status',
  summary: 'How the house is doing; exit code 1 when a problem is severe.',
  description: 'Workers of the last day, lanes, runs by state, the next runs and the problems.',
  options: { json: jsonOption },
  async run(call) {
    const state = await withDatabase(call, readStatus)
    if (call.has('json')) call.out.line(JSON.stringify(state, null, 2))
    else print(call.out, state)
    return state.problems.some(({ severity }) => severity === 'severe') ? 1 : 0
  },
}

interface Status {
  workers: ListedWorker[]
  lanes: ListedLane[]
  counts: Count[]
  next: NextRunRow[]
  problems: ProblemRow[]
}

interface Count {
  state: string
  /** Open now. */
  now: number
  /** Ended within 24 hours. */
  last_24_hours: number
}

async function readStatus(database: Database): Promise<Status> {
  return {
    workers: await readWorkers(database),
    lanes: await readLanes(database),
    counts: await readCounts(database),
    next: await database.query<NextRunRow>('select * from dba.next_run limit 5'),
    problems: await readProblems(database),
  }
}

function readCounts({ query }: Database): Promise<Count[]> {
  return query<Count & Record<string, unknown>>(
    `with open as (
       select state from dba.next_run
       union all
       select state from dba.recent_run where state = 'running'
     ), ended as (
       select state from dba.recent_run where state <> 'running' and happened_at > now() - interval '24 hours'
     )
     select state, sum(now)::integer as now, sum(ended)::integer as last_24_hours
     from (select state, 1 as now, 0 as ended from open union all select state, 0, 1 from ended) each
     group by state
     order by array_position('{planned,waiting,queued,running,succeeded,failed,cancelled,skipped,missed}', state)`,
  )
}

function print(out: Output, { workers, lanes, counts, next, problems }: Status): void {
  section(out, 'Workers', 'None in the last day. Start one: npm start, or npx rota worker.', workers.length, () =>
    formatTable(
      workers,
      [
        { title: 'worker', text: ({ worker }) => worker },
        { title: 'state', text: ({ state, is_live }) => (state === 'running' && !is_live ? 'silent' : state) },
        { title: 'lanes', text: ({ lanes }) => lanes.join(',') },
        { title: 'runs', text: ({ running_runs }) => String(running_runs), align: 'right' },
        { title: 'last sign', text: ({ last_sign }) => last_sign },
        { title: `since (${zoneHere()})`, text: ({ started_at }) => momentText(started_at) },
        { title: 'message', text: ({ message }) => message },
      ],
      out.width,
    ),
  )
  section(out, 'Lanes', 'None.', lanes.length, () =>
    formatTable(
      lanes,
      [
        { title: 'lane', text: ({ lane }) => lane },
        { title: 'worker', text: ({ has_live_worker }) => (has_live_worker ? 'live' : 'none') },
        { title: 'schedules', text: ({ active_schedules }) => String(active_schedules), align: 'right' },
        { title: 'paused', text: pauseText },
      ],
      out.width,
    ),
  )
  section(out, 'Runs', 'None.', counts.length, () =>
    formatTable(counts, [
      { title: 'state', text: ({ state }) => state },
      { title: 'now', text: ({ now }) => String(now), align: 'right' },
      { title: 'last 24 h', text: ({ last_24_hours }) => String(last_24_hours), align: 'right' },
    ]),
  )
  section(out, 'Next', 'Nothing is planned.', next.length, () => formatTable(next, nextColumns(), out.width))
  out.line('Problems')
  printProblems(out, problems)
}

function section(out: Output, title: string, whenEmpty: string, count: number, lines: () => string[]): void {
  out.line(title)
  for (const line of count === 0 ? [whenEmpty] : lines()) out.line(line)
  out.line()
}

function pauseText({ paused_until, paused_by, pause_reason }: ListedLane): string | null {
  if (paused_until === null) return null
  const until = paused_until === 'infinity' ? 'until resumed' : `until ${paused_until}`
  return [until, paused_by === null ? '' : ` by ${paused_by}`, pause_reason === null ? '' : `: ${pause_reason}`].join('')
}
