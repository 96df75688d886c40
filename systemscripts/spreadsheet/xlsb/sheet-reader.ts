import type { CellType, GridRow, Typed } from '../../grid.ts'
import { errorText, shortNumber } from '../biff/cells-of-record.ts'
import { type NumberKind, numberKind, numberText } from '../cell-values.ts'
import { workbookBroken } from '../refusals.ts'
import type { ShownNumber } from '../shown-numbers.ts'
import { isTypedCell, typeOfNumber } from '../typed-cells.ts'
import type { StringStore } from '../xlsx/string-store.ts'
import { type RecordReader, wideString } from './records.ts'

export interface BinaryRow extends GridRow {
  /** Numbers that are shown otherwise than they are loaded. */
  formatted: ShownNumber[]
  typed: Typed
}

export interface SheetSource {
  fileName: string
  texts: StringStore
  formatOf(style: number): string
  is1904: boolean
  hasTypes: boolean
}

const ROW = 0
const ROW_HIDDEN = 0x10
const END_OF_ROWS = 146
/** Records of cells, by what stands in them: [MS-XLSB] 2.4.309 to 2.4.318; formulas keep their value in front. */
const CELLS = new Map<number, 'short number' | 'error' | 'truth' | 'number' | 'text' | 'shared text' | 'rich text'>([
  [2, 'short number'],
  [3, 'error'],
  [4, 'truth'],
  [5, 'number'],
  [6, 'text'],
  [7, 'shared text'],
  [8, 'text'],
  [9, 'number'],
  [10, 'truth'],
  [11, 'error'],
  [62, 'rich text'],
])
/** The same cells, those from 2 to 7, without their column: it is the one behind the cell before. */
const FIRST_SHORT = 12
const LAST_SHORT = 18
const MOST_ROWS = 1_048_576
const MOST_COLUMNS = 16_384
const SHOWN_ROWS = 2000

/** Reads the rows of a sheet, ascending. `isDone`: the end of the rows has come. */
export function createSheetReader(source: SheetSource): { read: RecordReader; take(): BinaryRow[]; isDone(): boolean } {
  const { fileName, texts, formatOf, is1904, hasTypes } = source
  const styles = new Map<number, { format: string; kind: NumberKind }>()
  let rows: BinaryRow[] = []
  let row: BinaryRow = { line: 0, cells: [], formatted: [], typed: [] }
  let column = -1
  let isDone = false
  return { read, take, isDone: () => isDone }

  function read(id: number, data: Buffer): void {
    if (isDone) return
    if (id === ROW) beginRow(data)
    else if (id === END_OF_ROWS) {
      endRow()
      isDone = true
    } else if (id >= FIRST_SHORT && id <= LAST_SHORT) readCell(id - FIRST_SHORT + 1, data, column + 1, 0)
    else if (id <= 11 || id === 62) readCell(id, data, data.readUInt32LE(0), 4)
  }

  function beginRow(data: Buffer): void {
    endRow()
    const line = data.readUInt32LE(0) + 1
    if (line <= row.line || line > MOST_ROWS) throw workbookBroken(fileName, `Row ${line} stands behind row ${row.line}.`)
    row = { line, cells: [], formatted: [], typed: [], ...((data.readUInt8(11) & ROW_HIDDEN) !== 0 ? { isHidden: true } : {}) }
    if (hasTypes) row.types = []
    column = -1
  }

  function endRow(): void {
    if (row.cells.length > 0) rows.push(row)
  }

  /** `at`: where the number of the style stands, with the value behind it. */
  function readCell(id: number, data: Buffer, place: number, at: number): void {
    column = place
    if (place >= MOST_COLUMNS) throw workbookBroken(fileName, `A cell of row ${row.line} stands in column ${place + 1}.`)
    const value = at + 4
    switch (CELLS.get(id)) {
      case 'short number':
        setNumber(shortNumber(data.readInt32LE(value)), data.readUIntLE(at, 3))
        break
      case 'number':
        setNumber(data.readDoubleLE(value), data.readUIntLE(at, 3))
        break
      case 'error':
        set(errorText(data.readUInt8(value)), 'error')
        break
      case 'truth':
        set(data.readUInt8(value) === 0 ? 'false' : 'true', 'boolean')
        break
      case 'text':
        set(wideString(data, value).toWellFormed(), 'text')
        break
      case 'rich text':
        set(wideString(data, value + 1).toWellFormed(), 'text')
        break
      case 'shared text':
        setShared(data.readUInt32LE(value))
    }
  }

  function setShared(index: number): void {
    const text = texts.at(index)
    if (text === undefined) throw workbookBroken(fileName, `A cell of row ${row.line} names text ${index} of ${texts.count}.`)
    set(text, 'text')
  }

  function setNumber(number: number, style: number): void {
    const { format, kind } = styleOf(style)
    const text = numberText(number, kind, format, is1904)
    if (text === null) return
    set(text, typeOfNumber(kind, text))
    if (row.line <= SHOWN_ROWS && format !== 'General') row.formatted.push({ column, format, value: number })
  }

  function set(text: string, type: CellType): void {
    if (text === '') return
    row.cells[column] = text
    row.typed[column] = isTypedCell(type)
    if (row.types !== undefined) row.types[column] = type
  }

  function styleOf(style: number): { format: string; kind: NumberKind } {
    const known = styles.get(style)
    if (known !== undefined) return known
    const format = formatOf(style)
    const found = { format, kind: numberKind(format) }
    styles.set(style, found)
    return found
  }

  function take(): BinaryRow[] {
    const taken = rows
    rows = []
    return taken
  }
}
