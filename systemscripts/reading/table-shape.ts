import type { GridRow } from '../grid.ts'
import { findHeaderRow, looksLikeData, type SampleRow } from '../header-row.ts'
import type { TableRow } from '../table.ts'
import type { TextTest } from '../values/safe-pattern.ts'
import type { CellRange } from './cell-range.ts'
import { joinedNames, strayKey } from './header-lines.ts'

export interface ShapeOptions {
  /** The first of the header lines, from 1; null: found. */
  headerRow: number | null
  /** How many lines the header has. */
  headerRows: number
  range: CellRange | null
  /** Leave out rows that are hidden in the workbook. */
  skipHidden: boolean
  /** The table ends before the row whose first value matches. */
  endsWhen: TextTest | null
}

/** Where in a grid its table lies. */
export interface TableShape {
  headers: string[]
  /** Of the last header line; 0: the file states names by itself. */
  headerLine: number
  /** For each header the place of its cell in a row, from 0; ascending. */
  columns: number[]
  range: CellRange | null
  skipHidden: boolean
  endsWhen: TextTest | null
}

/** A row as the table has it, and what stands where the table has no column. */
export interface FittedRow extends TableRow {
  strays: Stray[]
}

export interface Stray {
  /** Place of the cell, from 0. */
  column: number
  value: string
}

/**
 * Finds the table in the first rows of a grid: header line or lines, and of the columns those that have a name or, in these rows, a value.
 *
 * @param sample the first rows, blank ones left out; those of the range, when one is stated
 * @param known places of further columns, from 0: where the header is blank they are called by their place
 * @param width no column lies beyond this many cells, whatever stands there; null: any may
 * @throws PermanentError `header_row_missing`
 */
export function findShape(
  sample: GridRow[],
  options: ShapeOptions & { names: string[] | null; width: 'as header' | 'as rows'; known?: ReadonlySet<number> },
  fileName: string,
): TableShape {
  const { range, skipHidden, endsWhen, names } = options
  const shape = { range, skipHidden, endsWhen }
  if (names !== null) return { ...shape, headers: names.map(showable), headerLine: 0, columns: names.map((_, column) => column) }
  const rows = sample.filter((row) => isInside(row, shape)).map((row) => ({ ...clipped(row, range), row }))
  const stated = options.headerRow ?? null
  const found = findHeaderRow(withRangeStart(rows, stated, range), stated, fileName)
  const header = headerLines(rows, found, options)
  const last = header.at(-1) ?? found
  const below = rows.filter((row) => row.line > last.line)
  const shown = header.map(({ row }) => clippedCells(row.shown ?? [], row.cells, range))
  const texts = joinedNames(shown)
  const widest = options.width === 'as header' ? Math.max(...header.map(({ values }) => values.length)) : Number.POSITIVE_INFINITY
  const columns = usedColumns(texts, below, widest, options.known ?? new Set())
  const headers = columns.map((column) => texts[column] ?? '')
  return {
    ...shape,
    headers: options.known === undefined ? headers : placesNamed(headers, columns, options.known),
    headerLine: last.line,
    columns,
  }
}

/** With names for those of the known places that have none. */
function placesNamed(headers: string[], columns: number[], known: ReadonlySet<number>): string[] {
  const taken = new Set(headers)
  return headers.map((header, index) => {
    const column = columns[index] ?? -1
    if (header.trim() !== '' || !known.has(column)) return header
    let name = strayKey(column)
    for (let copy = 2; taken.has(name); copy += 1) name = `${strayKey(column)}_${copy}`
    taken.add(name)
    return name
  })
}

/** Names that a file states may hold what no text of Postgres does. */
function showable(name: string): string {
  return name.replaceAll('\0', '\u2400').toWellFormed()
}

/** The row as the table has it; null for a row that is none of its own: a header line, one outside the range, a blank or hidden one. */
export function fitRow(shape: TableShape, row: GridRow): FittedRow | null {
  if (!isInside(row, shape) || row.line <= shape.headerLine) return null
  const { columns } = shape
  const { cells } = row
  const { typed } = row
  if (isWhole(cells, columns)) return { line: row.line, values: cells, ...(typed === undefined ? {} : { typed }), strays: NO_STRAYS }
  const values: (string | null)[] = []
  for (let index = 0; index < columns.length; index += 1) values.push(cells[columns[index] ?? -1] ?? null)
  const strays = straysOf(shape, cells)
  return typed === undefined
    ? { line: row.line, values, strays }
    : { line: row.line, values, typed: columns.map((column) => typed[column]), strays }
}

/** Whether the cells are the values of the table already, none beside them and none left out: as mostly, and then they need not be copied. */
function isWhole(cells: GridRow['cells'], columns: number[]): cells is (string | null)[] {
  if (cells.length !== columns.length || columns[columns.length - 1] !== columns.length - 1) return false
  for (let index = 0; index < cells.length; index += 1) if (cells[index] === undefined) return false
  return true
}

/** Whether the table ends before this row. */
export function endsBefore(shape: TableShape, line: number, firstValue: string | null | undefined): boolean {
  if (shape.range !== null && line > shape.range.lastLine) return true
  return shape.endsWhen !== null && firstValue != null && shape.endsWhen.test(firstValue)
}

export function straysOf({ columns, range }: TableShape, cells: ArrayLike<string | null | undefined>): Stray[] {
  if (cells.length <= columns.length && columns[cells.length - 1] === cells.length - 1) return NO_STRAYS
  const strays: Stray[] = []
  const end = Math.min(cells.length, (range?.lastColumn ?? Number.POSITIVE_INFINITY) + 1)
  if (end > WIDE) return straysOfWide(columns, cells, range?.firstColumn ?? 0, end)
  let next = columns.findIndex((column) => column >= (range?.firstColumn ?? 0))
  for (let column = range?.firstColumn ?? 0; column < end; column += 1) {
    if (columns[next] === column) next += 1
    else if (cells[column]) strays.push({ column, value: cells[column] ?? '' })
  }
  return strays.length === 0 ? NO_STRAYS : strays
}

/** A row of a sheet may hold only A and XFD: of wide ones only what they hold is looked at. */
function straysOfWide(columns: number[], cells: ArrayLike<string | null | undefined>, first: number, end: number): Stray[] {
  const strays: Stray[] = []
  let next = 0
  for (const key of Object.keys(cells)) {
    const column = Number(key)
    const value = cells[column]
    while ((columns[next] ?? end) < column) next += 1
    if (value && column >= first && column < end && columns[next] !== column) strays.push({ column, value })
  }
  return strays.length === 0 ? NO_STRAYS : strays
}

/** More cells than most tables have columns. */
const WIDE = 1024
const NO_STRAYS: Stray[] = []

function isInside(row: GridRow, { range, skipHidden }: Pick<TableShape, 'range' | 'skipHidden'>): boolean {
  if (skipHidden && row.isHidden === true) return false
  return range === null || (row.line >= range.firstLine && row.line <= range.lastLine)
}

function clipped(row: GridRow, range: CellRange | null): SampleRow {
  return { line: row.line, values: clippedCells(row.cells, row.cells, range) }
}

function clippedCells(
  cells: (string | null | undefined)[],
  otherwise: (string | null | undefined)[],
  range: CellRange | null,
): (string | null)[] {
  const length = Math.min(Math.max(cells.length, otherwise.length), (range?.lastColumn ?? Number.POSITIVE_INFINITY) + 1)
  return Array.from({ length }, (_, column) => (column < (range?.firstColumn ?? 0) ? null : (cells[column] ?? otherwise[column] ?? null)))
}

/** A range that begins at a certain line begins with the header, if anything stands there. */
function withRangeStart<Row extends SampleRow>(rows: Row[], stated: number | null, range: CellRange | null): Row[] {
  if (stated !== null || range === null || range.firstLine === 1) return rows
  const first = rows[0]
  return first?.line === range.firstLine ? [first] : rows
}

/**
 * So many lines as are stated. Beside the one that was found those directly above it that name groups of columns, then those directly below
 * that hold words only, then whatever stands directly above.
 */
function headerLines<Row extends SampleRow>(rows: Row[], found: Row, { headerRow, headerRows }: ShapeOptions): Row[] {
  if (headerRow !== null) return rows.filter(({ line }) => line >= headerRow && line < headerRow + headerRows)
  const at = rows.indexOf(found)
  let first = at
  let last = at
  const isShort = (): boolean => last - first + 1 < headerRows
  const isAdjacent = (upper: number): boolean => rows[upper] !== undefined && rows[upper]?.line === (rows[upper + 1]?.line ?? 0) - 1
  while (isShort() && isAdjacent(first - 1) && filledIn(rows[first - 1]).length > 1) first -= 1
  while (isShort() && isAdjacent(last) && isWordy(rows[last + 1])) last += 1
  while (isShort() && isAdjacent(first - 1)) first -= 1
  return rows.slice(first, last + 1)
}

function isWordy(row: SampleRow | undefined): boolean {
  const filled = filledIn(row)
  return filled.length > 1 && !filled.some(looksLikeData)
}

function filledIn(row: SampleRow | undefined): string[] {
  return row?.values.flatMap((value) => (value?.trim() ? [value] : [])) ?? []
}

function usedColumns(names: (string | null)[], below: SampleRow[], widest: number, known: ReadonlySet<number>): number[] {
  const used = new Set(known)
  names.forEach((name, column) => {
    if (name?.trim()) used.add(column)
  })
  for (const { values } of below) {
    values.forEach((value, column) => {
      if (value && column < widest) used.add(column)
    })
  }
  return [...used].sort((left, right) => left - right)
}
