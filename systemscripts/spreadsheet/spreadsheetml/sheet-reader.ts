import type { CellPlace, CellType, GridRow, Typed } from '../../grid.ts'
import { type NumberKind, numberKind, numberText } from '../cell-values.ts'
import { workbookBroken } from '../refusals.ts'
import type { ShownNumber } from '../shown-numbers.ts'
import { isTypedCell, typeOfNumber } from '../typed-cells.ts'
import type { Attributes, XmlReader } from '../xml-walk.ts'
import { serialOf } from './serial-of.ts'
import { attribute } from './sheet-list.ts'

export interface XmlRow extends GridRow {
  /** Numbers that are shown otherwise than they are loaded. */
  formatted: ShownNumber[]
  typed: Typed
}

export interface SheetReader extends XmlReader {
  /** Rows gathered since the last time. */
  take(): XmlRow[]
  isDone(): boolean
}

const MOST_ROWS = 1_048_576
const MOST_COLUMNS = 16_384
const SHOWN_ROWS = 2000

export interface SheetSource {
  fileName: string
  /** Number format by style. */
  styles: Map<string, string>
  is1904: boolean
  hasTypes: boolean
  /** Gets the places of formulas without a value. */
  emptyFormulas: CellPlace[]
}

/** Reads the rows of one of a workbook's sheets, counted from 0. */
export function createSheetReader(index: number, { fileName, styles, is1904, hasTypes, emptyFormulas }: SheetSource): SheetReader {
  const state: { now: 'before' | 'sheet' | 'table' | 'row' | 'cell' | 'data' | 'done' } = { now: 'before' }
  const columnStyles = new Map<number, string>()
  let rows: XmlRow[] = []
  let sheets = -1
  /** Elements open inside what is passed over, or inside the data (texts with formats are HTML). */
  let depth = 0
  let tableStyle: string | null = null
  let nextColumnElement = 1
  let line = 0
  let nextLine = 1
  let row: XmlRow = { line: 0, cells: [], formatted: [], typed: [] }
  let rowStyle: string | null = null
  let column = 0
  let nextColumn = 1
  let cellStyle: string | null = null
  let type = ''
  let text = ''
  /** The cell is a formula of which no value has been met. */
  let isEmptyFormula = false
  /** Of the number in the cell; null: it holds none. */
  let kind: NumberKind | null = null
  const reader: SheetReader = { open, close, text: null, take, isDone: () => state.now === 'done' }
  return reader

  function open(name: string, attributes: Attributes): void {
    if (depth > 0 || state.now === 'data') depth += 1
    else if (state.now === 'before') beginSheet(name)
    else if (state.now === 'sheet' && name === 'Table') {
      tableStyle = attribute(attributes, 'ss:StyleID')
      state.now = 'table'
    } else if (state.now === 'table' && name === 'Column') addColumn(attributes)
    else if (state.now === 'table' && name === 'Row') beginRow(attributes)
    else if (state.now === 'row' && name === 'Cell') beginCell(attributes)
    else if (state.now === 'cell' && name === 'Data') beginData(attributes)
    else depth = 1
  }

  function beginSheet(name: string): void {
    if (name !== 'Worksheet') return
    sheets += 1
    if (sheets === index) state.now = 'sheet'
    else depth = 1
  }

  function addColumn(attributes: Attributes): void {
    const from = placeOf(attribute(attributes, 'ss:Index')) ?? nextColumnElement
    const span = placeOf(attribute(attributes, 'ss:Span')) ?? 0
    const style = attribute(attributes, 'ss:StyleID')
    depth = 1
    nextColumnElement = Math.min(from + span + 1, MOST_COLUMNS + 1)
    if (style !== null) for (let at = from; at < nextColumnElement; at += 1) columnStyles.set(at, style)
  }

  function beginRow(attributes: Attributes): void {
    const stated = placeOf(attribute(attributes, 'ss:Index'))
    if (stated !== null && stated < nextLine) throw workbookBroken(fileName, `Row ${stated} stands behind a later one.`)
    line = stated ?? nextLine
    nextLine = line + 1 + (placeOf(attribute(attributes, 'ss:Span')) ?? 0)
    row = { line, cells: [], formatted: [], typed: [], ...(attribute(attributes, 'ss:Hidden') === '1' ? { isHidden: true } : {}) }
    if (hasTypes) row.types = []
    rowStyle = attribute(attributes, 'ss:StyleID')
    nextColumn = 1
    state.now = 'row'
  }

  function beginCell(attributes: Attributes): void {
    column = placeOf(attribute(attributes, 'ss:Index')) ?? nextColumn
    nextColumn = column + 1 + (placeOf(attribute(attributes, 'ss:MergeAcross')) ?? 0)
    cellStyle = attribute(attributes, 'ss:StyleID')
    isEmptyFormula = attribute(attributes, 'ss:Formula') !== null
    state.now = 'cell'
  }

  function beginData(attributes: Attributes): void {
    type = attribute(attributes, 'ss:Type') ?? 'String'
    text = ''
    state.now = 'data'
    reader.text = (more) => {
      text += more
    }
  }

  function close(): void {
    if (depth > 0) depth -= 1
    else if (state.now === 'data') {
      reader.text = null
      state.now = 'cell'
      setCell()
    } else if (state.now === 'cell') {
      state.now = 'row'
      if (isEmptyFormula) emptyFormulas.push({ line, column: column - 1 })
    } else if (state.now === 'row') {
      state.now = 'table'
      if (row.cells.length > 0) rows.push(row)
    } else if (state.now === 'table' || state.now === 'sheet') state.now = 'done'
  }

  function setCell(): void {
    const value = valueText()
    if (value !== null || type === 'String') isEmptyFormula = false
    if (value === null) return
    if (column > MOST_COLUMNS || line > MOST_ROWS) throw workbookBroken(fileName, `A cell stands in row ${line}, column ${column}.`)
    row.cells[column - 1] = value
    const found = typeOf(value)
    row.typed[column - 1] = isTypedCell(found)
    if (row.types !== undefined) row.types[column - 1] = found
  }

  function typeOf(value: string): CellType {
    if (type === 'Boolean') return 'boolean'
    if (type === 'Error') return 'error'
    // What is no number stays the text that it is.
    return kind === null ? 'text' : typeOfNumber(kind, value)
  }

  function valueText(): string | null {
    kind = null
    switch (type) {
      case 'Number':
        return formattedText(Number(text), 'General')
      case 'DateTime':
        return formattedText(serialOf(text, is1904), 'yyyy-mm-dd hh:mm:ss')
      case 'Boolean':
        return /^\s*(1|true)\s*$/i.test(text) ? 'true' : 'false'
      default:
        return text === '' ? null : text.replace(/\r\n?/g, '\n')
    }
  }

  /** What is no number stays the text that it is. */
  function formattedText(value: number, without: string): string | null {
    if (Number.isNaN(value) || text.trim() === '') return text.trim() === '' ? null : text
    const style = cellStyle ?? rowStyle ?? columnStyles.get(column) ?? tableStyle ?? 'Default'
    const stated = styles.get(style) ?? 'General'
    const format = stated === 'General' ? without : stated
    if (line <= SHOWN_ROWS && format !== 'General') row.formatted.push({ column: column - 1, format, value })
    kind = numberKind(format)
    return numberText(value, kind, format, is1904)
  }

  function take(): XmlRow[] {
    const taken = rows
    rows = []
    return taken
  }
}

function placeOf(attribute: string | null): number | null {
  const place = Number(attribute ?? Number.NaN)
  return Number.isSafeInteger(place) && place >= 0 ? place : null
}
