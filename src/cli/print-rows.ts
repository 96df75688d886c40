import type { Call } from './command.ts'
import { type Column, formatTable } from './print-table.ts'

/** The rows of a list: columns for eyes, with --json one array of objects whose keys are the columns of the view. */
export function printRows<Row>(call: Call, rows: readonly Row[], columns: readonly Column<Row>[], whenEmpty: string): void {
  if (call.has('json')) call.out.line(JSON.stringify(rows, null, 2))
  else if (rows.length === 0) call.out.line(whenEmpty)
  else for (const line of formatTable(rows, columns, call.out.width)) call.out.line(line)
}

/** What was done, in a sentence; with --json an object that holds it as `message`, beside further facts. */
export function printMessage(call: Call, message: string, facts: Record<string, unknown> = {}): void {
  call.out.line(call.has('json') ? JSON.stringify({ ...facts, message }) : message)
}
