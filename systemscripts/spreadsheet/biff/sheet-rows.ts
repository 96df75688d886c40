import type { GridRow, Typed } from '../../grid.ts'
import { type NumberKind, numberKind, numberText } from '../cell-values.ts'
import type { ShownNumber } from '../shown-numbers.ts'
import { isTypedCell, typeOfNumber } from '../typed-cells.ts'
import { type BiffCell, CELL_RECORDS, cellsOfRecord } from './cells-of-record.ts'
import type { BiffGlobals, BiffSheet } from './read-globals.ts'
import { BiffError, type BiffRecord, beginningOf, RECORD, recordAt, records } from './records.ts'
import { readString } from './strings.ts'

export interface BiffRow extends GridRow {
  /** Numbers that are shown otherwise than they are loaded. */
  formatted: ShownNumber[]
  typed: Typed
}

const ROW = 0x208
const TEXT_OF_FORMULA = new Set([0x07, 0x207])
const HIDDEN = 0x20
const SHOWN_ROWS = 2000

/**
 * The rows of a sheet, ascending. Charts inside it have records like those of cells; they are passed over. Cells come in the order of their rows
 * in what Excel writes; where they do not, the sheet is gathered first.
 * @throws BiffError
 */
export function* sheetRows(stream: Buffer, { from }: BiffSheet, globals: BiffGlobals, hasTypes: boolean): Generator<BiffRow> {
  const { hidden, isAscending } = outlineOf(stream, from)
  const kinds = new Map<string, NumberKind>()
  if (isAscending) yield* inOrder()
  else yield* [...inOrder()].sort((left, right) => left.line - right.line).reduce(joined, [])

  function* inOrder(): Generator<BiffRow> {
    let row: BiffRow | null = null
    for (const cell of cellsOf(stream, from, globals)) {
      if (row === null || row.line !== cell.row + 1) {
        if (row !== null && row.cells.length > 0) yield row
        row = { line: cell.row + 1, cells: [], formatted: [], typed: [], ...(hidden.has(cell.row) ? { isHidden: true } : {}) }
        if (hasTypes) row.types = []
      }
      setCell(row, cell)
    }
    if (row !== null && row.cells.length > 0) yield row
  }

  function setCell(row: BiffRow, { column, value }: BiffCell): void {
    if (value.type !== 'number') {
      if (value.text === null || value.text === '') return
      row.cells[column] = value.text
      row.typed[column] = isTypedCell(value.type)
      if (row.types !== undefined) row.types[column] = value.type
      return
    }
    const { format } = value
    const kind = kinds.get(format) ?? numberKind(format)
    kinds.set(format, kind)
    const text = numberText(value.number, kind, format, globals.is1904)
    if (text === null) return
    row.cells[column] = text
    row.typed[column] = true
    if (row.types !== undefined) row.types[column] = typeOfNumber(kind, text)
    if (row.line <= SHOWN_ROWS && format !== 'General') row.formatted.push({ column, format, value: value.number })
  }
}

function joined(rows: BiffRow[], row: BiffRow): BiffRow[] {
  const last = rows.at(-1)
  if (last?.line !== row.line) rows.push(row)
  else {
    row.cells.forEach((cell, column) => {
      last.cells[column] = cell
      last.typed[column] = row.typed[column]
      const type = row.types?.[column]
      if (last.types !== undefined && type !== undefined) last.types[column] = type
    })
    last.formatted.push(...row.formatted)
  }
  return rows
}

function* cellsOf(stream: Buffer, from: number, globals: BiffGlobals): Generator<BiffCell> {
  let waiting: BiffCell | null = null
  for (const record of sheetRecords(stream, from)) {
    if (waiting !== null && TEXT_OF_FORMULA.has(record.id)) {
      yield { ...waiting, value: { type: 'text', text: longString(stream, record, globals) } }
      waiting = null
      continue
    }
    for (const cell of cellsOfRecord(record, globals)) {
      if (cell.value.type === 'text' && cell.value.text === null) waiting = cell
      else yield cell
    }
  }
}

/** A text that may go on in further records, each of which says anew how characters are stored. */
function longString(stream: Buffer, record: BiffRecord, { biff, codePage }: BiffGlobals): string {
  const { data } = record
  let text = readString(data, 0, biff === 2 ? 1 : 2, biff, codePage)
  if (biff < 8 || data.length < 3) return text
  const length = data.readUInt16LE(0)
  let end = record.end
  while (text.length < length && end < stream.length) {
    const next = recordAt(stream, end)
    if (next.id !== RECORD.continue || next.data.length < 2) break
    const isWide = ((next.data[0] ?? 0) & 1) === 1
    text += next.data.toString(isWide ? 'utf16le' : 'latin1', 1)
    end = next.end
  }
  return text.slice(0, length)
}

/** Which rows are hidden, and whether cells come in the order of their rows. */
function outlineOf(stream: Buffer, from: number): { hidden: Set<number>; isAscending: boolean } {
  const hidden = new Set<number>()
  let isAscending = true
  let before = -1
  for (const { id, data } of sheetRecords(stream, from)) {
    if (id === ROW && data.length >= 14 && (data.readUInt8(12) & HIDDEN) !== 0) hidden.add(data.readUInt16LE(0))
    if (!CELL_RECORDS.has(id) || data.length < 4) continue
    const row = data.readUInt16LE(0)
    isAscending &&= row >= before
    before = row
  }
  return { hidden, isAscending }
}

/** From the sheet's beginning to its end, without what is embedded in it. */
function* sheetRecords(stream: Buffer, from: number): Generator<BiffRecord> {
  let depth = 0
  for (const record of records(stream, from)) {
    if (beginningOf(record) !== null) depth += 1
    else if (record.id === RECORD.eof) depth -= 1
    else if (depth === 1) yield record
    if (depth === 0) {
      if (record.id === RECORD.eof) return
      throw new BiffError('a sheet does not begin where the list of sheets says')
    }
  }
  throw new BiffError('a sheet has no end')
}
