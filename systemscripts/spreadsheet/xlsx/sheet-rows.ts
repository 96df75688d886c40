import type { CellSink } from '../../cell-sink.ts'
import type { GridRow, Typed } from '../../grid.ts'
import type { CellFact } from './cell-value.ts'
import { XmlError } from './xml-tokens.ts'

/**
 * Rows as they are found in a sheet, and their cells in their places. Columns count from 0; `row` is the number of the row that a cell says it
 * stands in, 0 when it says nothing. What cannot be is thrown as XmlError: a row behind a later one, a cell of another row, a place beyond
 * XFD1048576.
 */
export interface SheetRows {
  /** Whoever takes the rows puts empty lists in place of both. */
  rows: GridRow[]
  /** Of each row what is known of its cells; null beyond factsUntilLine. */
  facts: (CellFact[] | null)[]
  readonly isInRow: boolean
  /** Number of the row, as far as it is known. */
  readonly line: number
  /** Where a cell stands that does not say it. */
  readonly nextColumn: number
  /** Cells of this row go to it, and not to `rows`. */
  readonly sink: CellSink | null
  readonly keepsFacts: boolean
  isFull(): boolean
  /** `stated` is 0 when the row does not say its number. */
  startRow(stated: number, isHidden: boolean): void
  endRow(): void
  put(column: number, row: number, text: string | null, isTyped: boolean): void
  /** Where there is a sink only. */
  putBytes(column: number, row: number, bytes: Uint8Array, from: number, to: number, isTyped: boolean): void
  keepFact(fact: Omit<CellFact, 'text'>): void
}

const ROWS_IN_BATCH = 1000
/** Of long texts fewer rows make a batch, so that memory stays bounded. */
const CHARACTERS_IN_BATCH = 4 * 1024 * 1024
const LONGEST_ROW = 256 * 1024 * 1024
const LAST_ROW = 1_048_576
const LAST_COLUMN = 16_383
/** A wider gap stays a hole: a row may hold only A and XFD. */
const WIDEST_FILLED_GAP = 64

/**
 * @param factsUntilLine up to this row facts of cells are kept
 * @param sinkOfRow asked before each row: where it goes instead of `rows`
 */
export function createSheetRows(factsUntilLine: number, sinkOfRow: () => CellSink | null): SheetRows {
  let lastLine = 0
  let isLineKnown = false
  let isHidden = false
  let cells: (string | null)[] = []
  let typed: Typed = []
  let cellFacts: CellFact[] = []
  let rowCharacters = 0
  let batchCharacters = 0
  /** The sink knows of the row. */
  let isStarted = false

  const state: { -readonly [Key in keyof SheetRows]: SheetRows[Key] } = {
    rows: [],
    facts: [],
    isInRow: false,
    line: 0,
    nextColumn: 0,
    sink: null,
    keepsFacts: factsUntilLine > 0,
    isFull,
    startRow,
    endRow,
    put,
    putBytes,
    keepFact,
  }
  return state

  function isFull(): boolean {
    if (state.isInRow) return false
    const next = sinkOfRow()
    // Rows that were gathered before there was a sink go first.
    if (next !== null) return state.rows.length > 0 || next.isFull()
    if (state.rows.length === 0) batchCharacters = 0
    return state.rows.length >= ROWS_IN_BATCH || batchCharacters > CHARACTERS_IN_BATCH
  }

  function startRow(stated: number, hidden: boolean): void {
    state.isInRow = true
    isLineKnown = stated > 0
    state.line = isLineKnown ? stated : lastLine + 1
    isHidden = hidden
    cells = []
    typed = []
    cellFacts = []
    state.nextColumn = 0
    rowCharacters = 0
    state.sink = sinkOfRow()
    state.keepsFacts = state.sink === null && lastLine < factsUntilLine
    isStarted = false
  }

  function endRow(): void {
    const { line, sink } = state
    state.isInRow = false
    if (line <= lastLine) throw new XmlError(`row ${line} stands behind row ${lastLine}`)
    if (line > LAST_ROW) throw new XmlError(`row ${line} is beyond the last row of a sheet, ${LAST_ROW}`)
    lastLine = line
    if (isStarted) sink?.endRow()
    if (cells.length === 0) return
    batchCharacters += rowCharacters
    state.rows.push(isHidden ? { line, cells, typed, isHidden: true } : { line, cells, typed })
    state.facts.push(line <= factsUntilLine ? cellFacts : null)
  }

  function put(column: number, row: number, text: string | null, isTyped: boolean): void {
    if (!stand(column, row, text?.length ?? 0) || text === null) return
    if (state.sink !== null) {
      state.sink.putText(column, text, isTyped)
      return
    }
    typed[column] = isTyped
    const gap = column - cells.length
    if (gap === 0) cells.push(text)
    else if (gap > 0 && gap <= WIDEST_FILLED_GAP) {
      for (let index = 0; index < gap; index += 1) cells.push(null)
      cells.push(text)
    } else cells[column] = text
  }

  function putBytes(column: number, row: number, bytes: Uint8Array, from: number, to: number, isTyped: boolean): void {
    if (stand(column, row, to - from)) state.sink?.putBytes(column, bytes, from, to, isTyped)
  }

  /** Whether something stands in the cell; a place that cannot be is refused. */
  function stand(column: number, row: number, length: number): boolean {
    if (row !== 0 && row !== state.line) moveRow(row, length === 0)
    if (column > LAST_COLUMN)
      throw new XmlError(`a cell of row ${state.line} stands in column ${column + 1}; the last is XFD, ${LAST_COLUMN + 1}`)
    state.nextColumn = column + 1
    rowCharacters += length
    if (rowCharacters > LONGEST_ROW) throw new XmlError(`row ${state.line} holds more than ${LONGEST_ROW} characters`)
    if (length === 0) return false
    if (!isStarted) {
      state.sink?.startRow(state.line, isHidden)
      isStarted = true
    }
    return true
  }

  /** A row that does not say its number has that of its first cell. */
  function moveRow(row: number, isBlank: boolean): void {
    if ((isLineKnown || state.nextColumn > 0) && isBlank) return
    if (isLineKnown || state.nextColumn > 0) throw new XmlError(`a cell of row ${row} stands in row ${state.line}`)
    state.line = row
    isLineKnown = true
  }

  function keepFact(fact: Omit<CellFact, 'text'>): void {
    const text = cells[fact.column]
    if (text != null) cellFacts.push({ ...fact, text })
  }
}
