import { findHeaderRow, HEADER_SAMPLE_ROWS, type SampleRow } from '../header-row.ts'
import type { TableRow } from '../table.ts'
import { workbookTooLarge } from './refusals.ts'

/** One row in which something stands. `cells` may have holes: a sheet may fill columns A and XFD and nothing between. */
export interface GridRow {
  line: number
  cells: (string | null)[]
}

/** A sheet or an HTML table as a grid of texts, before anybody knows where its table begins. */
export interface Grid {
  sheet: string | null
  /** From the top, blank rows left out. May be walked several times. */
  rows(): Iterable<GridRow>
  /** The row as a person sees it: for names of columns. */
  shownRow(line: number): (string | null)[]
}

export interface GridTable {
  sheet: string | null
  headers: string[]
  headerLine: number
  rows: Iterable<TableRow>
}

/**
 * The table in a grid: the header row, the rows below it, and of the columns those that have a name or hold a value.
 * @throws PermanentError `header_row_missing`, `workbook_too_large`
 */
export function tableOfGrid(grid: Grid, headerRow: number | null, maxCells: number, fileName: string): GridTable {
  const header = findHeaderRow(sampleRows(grid, headerRow), headerRow, fileName)
  const names = grid.shownRow(header.line)
  const columns = usedColumns(grid, header.line, names, maxCells, fileName)
  return {
    sheet: grid.sheet,
    headers: columns.map((column) => names[column] ?? ''),
    headerLine: header.line,
    rows: rowsBelow(grid, header.line, columns),
  }
}

function sampleRows(grid: Grid, headerRow: number | null): SampleRow[] {
  const sample: SampleRow[] = []
  for (const { line, cells } of grid.rows()) {
    if (headerRow === null ? sample.length === HEADER_SAMPLE_ROWS : line > headerRow) break
    sample.push({ line, values: cells })
  }
  return sample
}

function usedColumns(grid: Grid, headerLine: number, names: (string | null)[], maxCells: number, fileName: string): number[] {
  const used = new Set<number>()
  names.forEach((name, column) => {
    if (name?.trim()) used.add(column)
  })
  let cellCount = 0
  for (const { line, cells } of grid.rows()) {
    if (line <= headerLine) continue
    cells.forEach((cell, column) => {
      if (cell === null) return
      used.add(column)
      cellCount += 1
    })
    if (cellCount > maxCells) throw workbookTooLarge(fileName, `It holds more than ${maxCells} cells.`)
  }
  return [...used].sort((left, right) => left - right)
}

function* rowsBelow(grid: Grid, headerLine: number, columns: number[]): Generator<TableRow> {
  for (const { line, cells } of grid.rows()) {
    if (line > headerLine) yield { line, values: columns.map((column) => cells[column] ?? null) }
  }
}
