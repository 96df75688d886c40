import type { DryRun, DryRunSample } from '../control-plane/dry-runs.ts'
import type { Call } from './command.ts'
import type { Output } from './output.ts'
import { formatTable, plain } from './print-table.ts'

/** @returns the exit code: 1 when the file would fail */
export function printDryRun(call: Call, dryRun: DryRun): number {
  if (call.has('json')) call.out.line(JSON.stringify(dryRun))
  else print(call.out, dryRun)
  return dryRun.state === 'done' ? 0 : 1
}

function print(out: Output, dryRun: DryRun): void {
  const { file, state, message, target_table, label, dataset_date, samples } = dryRun
  out.line(plain(`File "${file}": ${message ?? state}`))
  if (target_table !== null) {
    out.line(plain(`  target ${target_table}${dryRun.is_target_new ? ', which would be made' : ''}; label ${label}, date ${dataset_date}`))
  }
  for (const [words, columns] of [
    ['columns to add', columnTexts(dryRun.columns_to_add)],
    ['columns left out', dryRun.columns_ignored ?? []],
    ['columns that stay empty', dryRun.columns_missing ?? []],
  ] as const) {
    if (columns.length > 0) out.line(plain(`  ${words}: ${columns.join(', ')}`))
  }
  if (!dryRun.is_target_new && dryRun.ddl !== null) for (const statement of dryRun.ddl.split('\n')) out.line(plain(`  ${statement}`))
  const counts = [
    ['read', dryRun.rows_read],
    ['insert', dryRun.rows_insert],
    ['update', dryRun.rows_update],
    ['skip', dryRun.rows_skip],
    ['delete', dryRun.rows_delete],
    ['reject', dryRun.rows_reject],
  ] as const
  out.line(`  rows: ${counts.flatMap(([word, count]) => (count === null ? [] : [`${word} ${count}`])).join(', ')}`)
  if (samples.length === 0) return
  out.line('')
  const lines = formatTable(samples, [
    { title: 'what', text: ({ kind }) => kind },
    { title: 'sheet', text: ({ sheet }) => sheet },
    { title: 'line', text: ({ line }) => line?.toString() ?? null, align: 'right' },
    { title: 'row', text: sampleText },
  ])
  for (const line of lines) out.line(line)
}

/** Columns stand there by name alone, or with their type. */
function columnTexts(columns: unknown): string[] {
  if (Array.isArray(columns)) return columns.map(columnText)
  if (typeof columns === 'object' && columns !== null) return Object.entries(columns).map(([name, type]) => `${name} ${String(type)}`)
  return []
}

function columnText(column: unknown): string {
  if (typeof column === 'string') return column
  const isColumn = typeof column === 'object' && column !== null && 'name' in column && 'type' in column
  return isColumn ? `${String(column.name)} ${String(column.type)}` : JSON.stringify(column)
}

function sampleText({ data, former, column_name, message }: DryRunSample): string {
  const row = JSON.stringify(data)
  if (message !== null) return `${column_name === null ? '' : `${column_name}: `}${message} ${row}`
  return former === null ? row : `${JSON.stringify(former)} → ${row}`
}
