import * as XLSX from 'xlsx'
import type { DemoEvent } from './events.ts'
import { htmlTable, listCells } from './pages.ts'

/** The list of an event as a file that is called .xls: a workbook of Excel 97, or what some sites send instead. */
export function listFile(event: DemoEvent): Buffer {
  const cells = listCells(event, event.companies)
  if (event.kind === 'html_file')
    return Buffer.from(`<html><head><meta charset="utf-8"></head><body>\n${htmlTable(cells)}\n</body></html>\n`)
  const book = XLSX.utils.book_new()
  XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet(cells), 'Companies')
  return Buffer.from(XLSX.write(book, { type: 'buffer', bookType: 'biff8' }))
}
