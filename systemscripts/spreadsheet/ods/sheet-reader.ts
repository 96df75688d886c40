import type { CellPlace, CellType, GridRow, Typed } from '../../grid.ts'
import { workbookBroken, workbookTooLarge } from '../refusals.ts'
import { isTypedCell } from '../typed-cells.ts'
import type { Attributes, XmlReader } from '../xml-walk.ts'
import { createCellParagraphs } from './cell-paragraphs.ts'
import type { NumberStyles, OdsNumberKind } from './number-styles.ts'
import { odsValueText, odsValueType } from './value-text.ts'

export interface SheetReader extends XmlReader {
  /** Rows gathered since the last time. */
  takeBatches(): Generator<GridRow[]>
  isDone(): boolean
}

interface RowState {
  line: number
  repeated: number
  isHidden: boolean
  style: string | null
  cells: string[]
  shown: string[]
  typed: Typed
  types: CellType[]
}

const MOST_ROWS = 1_048_576
const MOST_COLUMNS = 16_384
/** Cells that stand for many others are the only way in which a small file holds a large sheet. */
const MOST_REPEATED_CELLS = 20_000_000
const SHOWN_ROWS = 2000
const ROWS_PER_BATCH = 500
/** Elements between a table and its rows or columns. */
const GROUPS = /^table-(rows|row-group|header-rows|columns|column-group|header-columns)$/

export interface SheetSource {
  fileName: string
  /** The table among all of the document, from 0. */
  place: number
  styles: NumberStyles
  /** The one of the document's list of tables. */
  nullDate: number
  hasTypes: boolean
  /** Gets the places of formulas without a value. */
  emptyFormulas: CellPlace[]
}

/**
 * Reads the rows of one of a document's tables. Rows and cells that are repeated are given as often as they stand for, blank ones
 * left out.
 */
export function createSheetReader({ place, styles, nullDate, fileName, hasTypes, emptyFormulas }: SheetSource): SheetReader {
  const paragraphs = createCellParagraphs()
  const columnStyles: { until: number; style: string | null }[] = []
  const state: { now: 'before' | 'table' | 'row' | 'cell' | 'done' } = { now: 'before' }
  let rows: RowState[] = []
  let tables = -1
  /** Elements open inside the cell, or inside what is passed over. */
  let depth = 0
  let line = 1
  let row: RowState = newRow(1, () => null)
  let column = 0
  let cell: Attributes = () => null
  let repeatedCells = 0
  const reader: SheetReader = { open, close, text: null, takeBatches, isDone: () => state.now === 'done' }
  return reader

  function open(name: string, attributes: Attributes): void {
    if (depth > 0 || state.now === 'cell') depth += 1
    if (state.now === 'cell') paragraphs.open(name, attributes)
    else if (depth > 0) return
    else if (state.now === 'before' && name === 'table') {
      tables += 1
      if (tables === place) state.now = 'table'
      else depth = 1
    } else if (state.now === 'table') openInTable(name, attributes)
    else if (state.now === 'row') openInRow(name, attributes)
  }

  function openInTable(name: string, attributes: Attributes): void {
    if (name === 'table-row') {
      row = newRow(line, attributes)
      column = 0
      state.now = 'row'
    } else if (name === 'table-column') {
      const until = (columnStyles.at(-1)?.until ?? 0) + countOf(attributes('table:number-columns-repeated'))
      columnStyles.push({ until, style: attributes('table:default-cell-style-name') })
    } else if (!GROUPS.test(name)) depth = 1
  }

  function openInRow(name: string, attributes: Attributes): void {
    if (name !== 'table-cell' && name !== 'covered-table-cell') {
      depth = 1
      return
    }
    cell = attributes
    state.now = 'cell'
    reader.text = paragraphs.text
  }

  function close(name: string): void {
    if (depth > 0) {
      depth -= 1
      if (state.now === 'cell') paragraphs.close(name)
    } else if (state.now === 'cell') endCell()
    else if (state.now === 'row') endRow()
    else if (state.now === 'table' && name === 'table') state.now = 'done'
  }

  function endCell(): void {
    state.now = 'row'
    reader.text = null
    const repeated = countOf(cell('table:number-columns-repeated'))
    const paragraphsText = paragraphs.take()
    const kind = kindOfNumber()
    const text = odsValueText(cell, paragraphsText, kind, nullDate)
    if (text === null && isEmptyFormula(cell)) emptyFormulas.push({ line, column })
    if (text !== null) {
      if (column + repeated > MOST_COLUMNS) throw workbookBroken(fileName, `Row ${line} has more than ${MOST_COLUMNS} columns.`)
      countRepeated(repeated - 1)
      const type = odsValueType(cell, text, kind)
      const isTyped = isTypedCell(type)
      for (let at = column; at < column + repeated; at += 1) {
        row.cells[at] = text
        row.typed[at] = isTyped
        if (hasTypes) row.types[at] = type
        if (line <= SHOWN_ROWS) row.shown[at] = paragraphsText || text
      }
    }
    column += repeated
  }

  /** Formats matter for numbers only. */
  function kindOfNumber(): OdsNumberKind {
    if (cell('office:value-type') !== 'float') return 'number'
    const own = cell('table:style-name') ?? row.style ?? columnStyles.find(({ until }) => column < until)?.style ?? null
    return styles.kindOf(own)
  }

  function endRow(): void {
    state.now = 'table'
    if (row.cells.length > 0) {
      if (line + row.repeated - 1 > MOST_ROWS) throw workbookBroken(fileName, `It has more than ${MOST_ROWS} rows.`)
      countRepeated((row.repeated - 1) * row.cells.length)
      rows.push(row)
    }
    line += row.repeated
  }

  function countRepeated(more: number): void {
    repeatedCells += more
    if (repeatedCells > MOST_REPEATED_CELLS) {
      throw workbookTooLarge(fileName, `More than ${MOST_REPEATED_CELLS} of its cells only repeat others.`)
    }
  }

  function* takeBatches(): Generator<GridRow[]> {
    const taken = rows
    rows = []
    let batch: GridRow[] = []
    for (const row of taken) {
      for (let at = row.line; at < row.line + row.repeated; at += 1) {
        batch.push(gridRow(row, at))
        if (batch.length < ROWS_PER_BATCH) continue
        yield batch
        batch = []
      }
    }
    if (batch.length > 0) yield batch
  }
}

function gridRow({ cells, shown, typed, types, isHidden }: RowState, line: number): GridRow {
  const row: GridRow = { line, cells: [...cells], typed, ...(isHidden ? { isHidden } : {}) }
  if (shown.length > 0) row.shown = [...shown]
  if (types.length > 0) row.types = [...types]
  return row
}

function newRow(line: number, attributes: Attributes): RowState {
  return {
    line,
    repeated: countOf(attributes('table:number-rows-repeated')),
    isHidden: /^(collapse|filter)$/.test(attributes('table:visibility') ?? ''),
    style: attributes('table:default-cell-style-name'),
    cells: [],
    shown: [],
    typed: [],
    types: [],
  }
}

/** An empty text is a value, and stated to be one. */
function isEmptyFormula(cell: Attributes): boolean {
  return cell('table:formula') !== null && cell('office:value-type') !== 'string'
}

function countOf(attribute: string | null): number {
  const count = Number(attribute ?? 1)
  return Number.isSafeInteger(count) && count >= 1 ? count : 1
}
