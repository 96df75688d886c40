/** Workbooks of the kinds that readWorkbook reads, made for tests and read back. */
import type { TestContext } from 'node:test'
import * as XLSX from 'xlsx'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { Grid, GridRow } from '../../systemscripts/grid.ts'
import { readWorkbook, type WorkbookSource } from '../../systemscripts/spreadsheet/read-workbook.ts'
import { temporaryFile } from './test-files.ts'

export type Cell = XLSX.CellObject | string | number | boolean | null

export async function rowsOf(grid: Grid): Promise<GridRow[]> {
  const rows: GridRow[] = []
  for await (const batch of grid.rows) rows.push(...batch)
  return rows
}

export async function readRows(t: TestContext, kind: WorkbookSource['kind'], content: string | Uint8Array, sheet = 0): Promise<GridRow[]> {
  const workbook = await readWorkbook({ path: await temporaryFile(t, `book.${kind}`, content), kind })
  return rowsOf(workbook.grid(sheet))
}

/** The texts of cells that SheetJS writes under each other. */
export async function textsOf(t: TestContext, bookType: XLSX.BookType, cells: Cell[], properties: XLSX.WBProps = {}) {
  const kind = bookType.startsWith('biff') ? 'xls' : 'xlsb'
  const rows = await readRows(t, kind, written(bookType, { Data: cells.map((cell) => ['x', cell]) }, properties))
  return rows.map(({ cells }) => cells[1] ?? null)
}

/** SheetJS writes two kinds more than its types say. */
export function written(
  bookType: XLSX.BookType | 'biff3' | 'biff4',
  sheets: Record<string, Cell[][]>,
  properties: XLSX.WBProps = {},
): Buffer {
  const book = XLSX.utils.book_new()
  for (const [name, rows] of Object.entries(sheets)) {
    XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet(rows, { dense: true }), name)
  }
  book.Workbook = properties
  const options: XLSX.WritingOptions = { type: /^(xlml|fods)$/.test(bookType) ? 'string' : 'buffer' }
  const content: string | Uint8Array = XLSX.write(book, Object.assign(options, { bookType }))
  return Buffer.from(content)
}

export async function refusalOf(reading: Promise<unknown>): Promise<PermanentError> {
  try {
    await reading
  } catch (error) {
    if (error instanceof PermanentError) return error
    throw error
  }
  throw new Error('it was not refused')
}
