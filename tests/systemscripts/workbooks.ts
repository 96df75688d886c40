/** Workbooks made for tests, read back, or refused. */
import type { TestContext } from 'node:test'
import * as XLSX from 'xlsx'
import { PermanentError } from '../../systemscripts/errors.ts'
import { type ReadTableOptions, readTable } from '../../systemscripts/read-table.ts'
import { allRows, allValues, temporaryFile } from './test-files.ts'

export type Sheets = Record<string, (XLSX.CellObject | string | number | boolean | null)[][]>
export type BookType = 'xlsx' | 'biff8' | 'biff5'

export function number(value: number, format?: string): XLSX.CellObject {
  return format === undefined ? { t: 'n', v: value } : { t: 'n', v: value, z: format }
}

export function numbered(rows: number): Sheets {
  return { Data: [['id', 'code', 'price'], ...Array.from({ length: rows }, (_, row) => [row, `text ${row}`, row / 7])] }
}

export function workbook(sheets: Sheets, bookType: BookType, properties: XLSX.WBProps = {}): Buffer {
  const book = XLSX.utils.book_new()
  for (const [name, rows] of Object.entries(sheets))
    XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet(rows, { dense: true }), name)
  book.Workbook = properties
  return Buffer.from(XLSX.write(book, { type: 'buffer', bookType, compression: true }))
}

export async function readBook(t: TestContext, sheets: Sheets) {
  return readTable(await temporaryFile(t, 'book.xlsx', workbook(sheets, 'xlsx')), { kind: 'xlsx' })
}

/** The texts of these cells, which stand under each other beside a column of names. */
export async function valuesOf(t: TestContext, bookType: BookType, cells: (XLSX.CellObject | string)[], properties: XLSX.WBProps = {}) {
  const rows = [['name', 'value'], ...cells.map((cell, index) => [`name ${index}`, cell])]
  const path = await temporaryFile(t, 'book', workbook({ Data: rows }, bookType, properties))
  const values = await allValues(await readTable(path, { kind: bookType === 'xlsx' ? 'xlsx' : 'xls' }))
  return values.map((row) => row[1] ?? null)
}

export async function refusal(path: string, options: ReadTableOptions): Promise<PermanentError> {
  try {
    await allRows(await readTable(path, options))
  } catch (error) {
    if (error instanceof PermanentError) return error
    throw error
  }
  throw new Error('it was not refused')
}
