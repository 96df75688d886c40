import type { ProblemRow } from '../../db/row-types.ts'
import { type Command, jsonOption } from '../command.ts'
import { momentText, zoneHere } from '../moments.ts'
import { type Database, withDatabase } from '../open-database.ts'
import type { Output } from '../output.ts'
import { formatTable, plain } from '../print-table.ts'

export const problems: Command = {
  name: 'problems',
  summary: 'What is wrong now, and the SQL that mends it.',
  description: 'Reads the view dba.problem, the worst first.',
  options: { json: jsonOption },
  async run(call) {
    const rows = await withDatabase(call, readProblems)
    if (call.has('json')) call.out.line(JSON.stringify(rows, null, 2))
    else printProblems(call.out, rows)
    return 0
  },
}

/** The worst first. */
export function readProblems({ query }: Database): Promise<ProblemRow[]> {
  return query<ProblemRow>(`select * from dba.problem order by array_position('{severe,warning,notice}', severity), since, subject`)
}

/** Two lines each: what is wrong, and below it what to type. */
export function printProblems(out: Output, problems: readonly ProblemRow[]): void {
  if (problems.length === 0) {
    out.line('Nothing is wrong.')
    return
  }
  const [titles = '', ...lines] = formatTable(problems, [
    { title: 'severity', text: ({ severity }) => severity },
    { title: `since (${zoneHere()})`, text: ({ since }) => momentText(since) },
    { title: 'subject', text: ({ subject }) => subject },
    { title: 'message', text: ({ message }) => message },
  ])
  out.line(titles)
  for (const [index, line] of lines.entries()) {
    out.line(line)
    const fix = problems[index]?.fix
    if (fix) out.line(`          ${plain(fix)}`)
  }
}
