import type { ClientBase } from 'pg'
import { copyRows } from '../copy-rows.ts'
import type { TableRow } from '../table.ts'
import type { Drift } from './drift.ts'
import type { FilledColumn, TableName } from './target.ts'

export interface FileCopy {
  name: TableName
  /** The file's columns by their final names. */
  columns: string[]
  drift: Drift
  datasetColumn: string
  datasetId: number
  /** Columns of the target that Rota fills. */
  filled: FilledColumn[]
  fileName: string
  label: string
  date: string
  emptyWhen?: RegExp | null
  signal?: AbortSignal
  onRows?: (rowsRead: number) => void
}

/** Thrown when the first column says that there is nothing in the file; the message says where. */
export class EmptyFile extends Error {
  override name = 'EmptyFile'
}

/**
 * Copies the rows, the file's values and the columns that Rota fills.
 *
 * @param first the first batch, which has been read already
 * @param rest the batches after it
 * @throws EmptyFile; those of copyRows and of the reader
 */
export async function copyFile(
  client: ClientBase,
  copy: FileCopy,
  first: TableRow[],
  rest: AsyncIterator<TableRow[]>,
): Promise<{ rowsRead: number; rowsWritten: number }> {
  let rowsRead = 0
  const filled = copy.filled.filter((column) => !copy.columns.includes(column))
  const lineColumn = filled.includes('source_row') ? ['source_row'] : []
  const constants = constantColumns(copy, filled)
  const columns = [...copy.drift.loaded.map(({ column }) => column), ...constants.map(([column]) => column), ...lineColumn]
  const valuesOf = rowWriter(
    copy,
    constants.map(([, value]) => value),
    lineColumn.length > 0,
  )
  const { rows } = await copyRows(client, { ...copy.name, columns }, batches(), copy.signal)
  return { rowsRead, rowsWritten: rows }

  async function* batches(): AsyncGenerator<(string | null)[][]> {
    try {
      for (let batch: IteratorResult<TableRow[]> = { value: first }; !batch.done; batch = await rest.next()) {
        for (const row of batch.value) refuseEmptyMark(copy.emptyWhen, row.values[0], row.line)
        rowsRead += batch.value.length
        yield batch.value.map(valuesOf)
        copy.onRows?.(rowsRead)
      }
    } finally {
      await rest.return?.()
    }
  }
}

function constantColumns({ datasetColumn, datasetId, fileName, label, date }: FileCopy, filled: FilledColumn[]): [string, string][] {
  const values: Record<string, string> = { source_file: fileName, metadata_label: label, event_date: date }
  return [
    [datasetColumn, String(datasetId)],
    ...filled.flatMap((column): [string, string][] => (column in values ? [[column, values[column] ?? '']] : [])),
  ]
}

function rowWriter({ columns, drift }: FileCopy, constants: string[], hasLine: boolean): (row: TableRow) => (string | null)[] {
  const indexes = drift.loaded.map(({ index }) => index)
  const isWhole = indexes.length === columns.length
  return ({ values, line }) => {
    // Appending to the row that came is a third faster than making another one.
    const written = isWhole ? values : indexes.map((index) => values[index] ?? null)
    written.push(...constants)
    if (hasLine) written.push(String(line))
    return written
  }
}

/** @throws EmptyFile */
export function refuseEmptyMark(emptyWhen: RegExp | null | undefined, value: string | null | undefined, line: number): void {
  if (emptyWhen && value != null && emptyWhen.test(value))
    throw new EmptyFile(`The first column says "${value.slice(0, 200)}" in line ${line}.`)
}
