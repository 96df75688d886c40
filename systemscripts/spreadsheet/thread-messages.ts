import type { FourFields } from '../errors.ts'
import type { TableRow } from '../table.ts'

/** What the thread is asked to read. */
export interface SheetRequest {
  path: string
  kind: 'xlsx' | 'xls' | 'html'
  sheet: string | number | null
  headerRow: number | null
  encoding: string | null
  maxUnpackedBytes: number
  maxCells: number
}

/** What the thread answers: the table first, then one `rows` or `end` for each `more` that it is sent. */
export type SheetMessage =
  | { type: 'table'; sheet: string | null; headers: string[]; headerLine: number }
  | { type: 'rows'; rows: TableRow[] }
  | { type: 'end' }
  | { type: 'refused'; error: FourFields }
