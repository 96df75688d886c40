import type { CopyPlan, OutputColumn } from '../copy-plan.ts'
import type { LoadHost, TablesLoad } from './load.ts'
import type { Meeting } from './meet.ts'
import { EXTRA_COLUMN, STAGED_LINE, STAGED_TABLE, type TargetTable } from './target.ts'

/** What the reading thread is to write, and the columns that it is for, in the same order. */
export interface ColumnPlan {
  names: string[]
  columns: OutputColumn[]
}

/** A column that carries the same value in every row of the load. */
export interface ConstantColumn {
  column: string
  value: string
}

/** Straight into the target. */
export function planForTarget(load: TablesLoad, host: LoadHost, target: TargetTable, meeting: Meeting): ColumnPlan {
  const constants = constantColumns(load, host, target, meeting)
  const line = linesAreWanted(target, meeting)
  return {
    names: [...fileNames(meeting), ...constants.map(({ column }) => column), ...(line ? ['source_row'] : [])],
    columns: [
      ...fileColumns(meeting),
      ...constants.map(({ value }): OutputColumn => ({ from: 'constant', value })),
      ...(line ? [{ from: 'line' } as const] : []),
    ],
  }
}

/** Into a staging table: the file's columns only, with the table's number and the line. */
export function planForStaging(meeting: Meeting, tableNumber: number): ColumnPlan {
  return {
    names: [STAGED_TABLE, STAGED_LINE, ...fileNames(meeting)],
    columns: [{ from: 'constant', value: String(tableNumber) }, { from: 'line' }, ...fileColumns(meeting)],
  }
}

export function copyPlan(load: TablesLoad, host: LoadHost, { columns }: ColumnPlan, toldRejects: number): CopyPlan {
  return { columns, output: 'copy', emptyWhen: load.emptyWhen?.source ?? null, toldRejects, corrections: host.corrections }
}

/** What every row carries beside the file's values: the dataset, and what Rota fills where the target has it and the file does not. */
export function constantColumns(load: TablesLoad, host: LoadHost, target: TargetTable, meeting: Meeting): ConstantColumn[] {
  const values = { source_file: load.fileName, metadata_label: load.label, event_date: load.date }
  const own = new Set([...meeting.columns, ...meeting.defaults].map(({ column }) => column))
  const filled = target.filled.flatMap((column) => (column === 'source_row' || own.has(column) ? [] : [{ column, value: values[column] }]))
  return [{ column: target.datasetColumn ?? load.datasetColumn, value: String(host.datasetId) }, ...filled]
}

export function linesAreWanted(target: TargetTable, meeting: Meeting): boolean {
  return target.filled.includes('source_row') && !meeting.columns.some(({ column }) => column === 'source_row')
}

/** Columns of the target that get values of the file. */
export function fileNames(meeting: Meeting): string[] {
  const extra = meeting.extra.length > 0 ? [EXTRA_COLUMN] : []
  return [...meeting.columns.map(({ column }) => column), ...meeting.defaults.map(({ column }) => column), ...extra]
}

function fileColumns(meeting: Meeting): OutputColumn[] {
  return [
    ...meeting.columns.map(({ index, rule }): OutputColumn => ({ from: 'file', index, rule })),
    ...meeting.defaults.map(({ value }): OutputColumn => ({ from: 'constant', value })),
    ...(meeting.extra.length > 0 ? [{ from: 'extra', values: meeting.extra } as const] : []),
  ]
}
