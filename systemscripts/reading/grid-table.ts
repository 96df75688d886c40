import type { CopyPiece, CopyPlan } from '../copy-plan.ts'
import type { Grid, GridRow } from '../grid.ts'
import { HEADER_SAMPLE_ROWS } from '../header-row.ts'
import type { TableFacts, TableRow } from '../table.ts'
import { createCellCopier } from './cell-copier.ts'
import { countFormulas } from './count-formulas.ts'
import { rowHasTooManyFields } from './refusals.ts'
import { createRowEncoder, type RowEncoder } from './row-encoder.ts'
import { ROWS_PER_BATCH, type SourceTable } from './source-table.ts'
import { endsBefore, type FittedRow, findShape, fitRow, type ShapeOptions, type TableShape } from './table-shape.ts'

/**
 * The table in a grid: header found or stated, the rows below it, and of the columns those that have a name or, in the first rows, a value.
 * @param open gives the grid, the same each time
 * @param known further columns of the table. Default: none
 * @throws PermanentError `header_row_missing`, and whatever the grid throws
 */
export async function tableOfGrid(
  open: () => Grid | Promise<Grid>,
  options: ShapeOptions,
  fileName: string,
  known?: ReadonlySet<number>,
): Promise<SourceTable> {
  const grid = await open()
  const batches = iteratorOf(grid.rows)
  const sample = await takeSample(batches, options)
  const shape = findShape(
    sample.rows.slice(0, HEADER_SAMPLE_ROWS + options.headerRows),
    { ...options, names: grid.names, width: 'as rows', ...(known === undefined ? {} : { known }) },
    fileName,
  )
  const { headers, headerLine } = shape
  const formulas = countFormulas(grid.emptyFormulas ?? [], shape)
  const first = fitted(sample.rows, shape)
  formulas.take(first.end)
  const facts: TableFacts = {
    kind: grid.kind,
    sheet: grid.sheet,
    headers,
    headerLine,
    sample: first.rows.slice(0, HEADER_SAMPLE_ROWS).map(plainRow),
    ...(formulas.found().length === 0 ? {} : { emptyFormulas: formulas.found() }),
  }
  return { facts, rows, copy, withAllColumns, emptyFormulas: formulas.found }

  async function* walk(): AsyncGenerator<FittedRow[]> {
    try {
      yield first.rows
      if (first.end !== null || sample.isEnd) return
      for (let next = await batches.next(); !next.done; next = await batches.next()) {
        const { rows, end } = fitted(next.value, shape)
        formulas.take(end)
        yield rows
        if (end !== null) return
      }
      formulas.take(null)
    } finally {
      await batches.return?.()
    }
  }

  async function* rows(): AsyncGenerator<TableRow[]> {
    for await (const batch of walk()) {
      for (const { line, strays, values } of batch) if (strays[0]) throw rowHasTooManyFields(fileName, line, strays[0], values.length)
      for (let from = 0; from < batch.length; from += ROWS_PER_BATCH) yield batch.slice(from, from + ROWS_PER_BATCH).map(plainRow)
    }
  }

  async function* copy(plan: CopyPlan): AsyncGenerator<CopyPiece> {
    const encoder = await createRowEncoder(plan, facts)
    const sink = grid.divert === undefined ? null : createCellCopier(plan, shape, encoder)
    if (sink !== null) grid.divert?.(sink)
    for await (const batch of walk()) {
      for (const { line, values, strays, typed } of batch) {
        encoder.add(line, values, strays, typed)
        if (encoder.isFull()) yield* taken(encoder)
      }
      if (encoder.isFull()) yield* taken(encoder)
    }
    yield* taken(encoder)
  }

  async function withAllColumns(): Promise<SourceTable> {
    await batches.return?.()
    const found = new Set(known)
    const whole = await open()
    for await (const batch of whole.rows) {
      if (whole.emptyFormulas) whole.emptyFormulas.length = 0
      const { rows, end } = fitted(batch, shape)
      for (const { strays } of rows) for (const { column } of strays) found.add(column)
      if (end !== null) break
    }
    return tableOfGrid(open, options, fileName, found)
  }
}

function* taken(encoder: RowEncoder): Generator<CopyPiece> {
  const piece = encoder.take()
  if (piece !== null) yield piece
}

type Batches = Iterator<GridRow[]> | AsyncIterator<GridRow[]>

function iteratorOf(rows: Grid['rows']): Batches {
  return Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]()
}

/** The rows that tell where the table lies: the first ones, of the range when one is stated, and on to the header row that is stated. */
async function takeSample(batches: Batches, options: ShapeOptions): Promise<{ rows: GridRow[]; isEnd: boolean }> {
  const { range, headerRow, headerRows, skipHidden } = options
  const enough = HEADER_SAMPLE_ROWS + headerRows
  const from = Math.max(range?.firstLine ?? 1, headerRow ?? 1)
  let rows: GridRow[] = []
  for (let next = await batches.next(); !next.done; next = await batches.next()) {
    rows = rows.concat(next.value.filter((row) => row.line >= from && !(skipHidden && row.isHidden === true)))
    if (rows.length >= enough) return { rows, isEnd: false }
  }
  return { rows, isEnd: true }
}

/** `end`: the first line behind the table; null when it goes on. */
function fitted(batch: GridRow[], shape: TableShape): { rows: FittedRow[]; end: number | null } {
  const rows: FittedRow[] = []
  for (const row of batch) {
    const fit = fitRow(shape, row)
    if (fit === null) continue
    if (endsBefore(shape, row.line, fit.values[0])) return { rows, end: row.line }
    if (fit.strays.length > 0 || hasValue(fit.values)) rows.push(fit)
  }
  const { range } = shape
  return { rows, end: range !== null && (batch.at(-1)?.line ?? 0) >= range.lastLine ? range.lastLine + 1 : null }
}

function hasValue(values: (string | null)[]): boolean {
  for (let index = 0; index < values.length; index += 1) if (values[index] !== null) return true
  return false
}

function plainRow({ line, values, typed }: FittedRow): TableRow {
  return typed === undefined ? { line, values } : { line, values, typed }
}
