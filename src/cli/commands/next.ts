import type { NextRunRow } from '../../db/row-types.ts'
import { type Command, countIn, jsonOption } from '../command.ts'
import { shortId } from '../find-run.ts'
import { momentText, zoneHere } from '../moments.ts'
import { withDatabase } from '../open-database.ts'
import { printRows } from '../print-rows.ts'
import type { Column } from '../print-table.ts'

export const next: Command = {
  name: 'next',
  summary: 'What runs next, in order.',
  description: 'Reads the view dba.next_run. Any window of all schedules: rota sql "select * from dba.forecast(now(), now() + \'1 day\')"',
  options: {
    schedule: { value: 'name', summary: 'Only this schedule.' },
    limit: { value: 'number', summary: 'Lines at most (default 20).' },
    json: jsonOption,
  },
  async run(call) {
    const limit = countIn(call, 'limit', { least: 1, most: 100_000 }) ?? 20
    const rows = await withDatabase(call, ({ query }) =>
      query<NextRunRow>('select * from dba.next_run where $1::text is null or schedule_name = $1 limit $2', [
        call.text('schedule') ?? null,
        limit,
      ]),
    )
    printRows(call, rows, nextColumns(), 'Nothing is planned.')
    return 0
  },
}

export function nextColumns(): Column<NextRunRow>[] {
  return [
    { title: `due (${zoneHere()})`, text: ({ due_at }) => momentText(due_at) },
    { title: 'in', text: ({ in_words }) => in_words },
    { title: 'state', text: ({ state }) => state },
    { title: 'run', text: ({ run_id }) => shortId(run_id ?? '') },
    { title: 'schedule', text: ({ schedule_name }) => schedule_name },
    { title: 'lane', text: ({ lane }) => lane },
    { title: 'reason', text: ({ reason }) => reason },
  ]
}
