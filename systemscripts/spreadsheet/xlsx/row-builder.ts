import type { GridRow } from '../../grid.ts'
import { booleanText, type CellFact, isoText, numberOf, numericText } from './cell-value.ts'
import type { StringStore } from './string-store.ts'
import { type CellStyle, GENERAL } from './styles.ts'
import { decodeEscapes } from './xml-text.ts'
import { XmlError } from './xml-tokens.ts'

export interface SheetContext {
  strings: StringStore
  styles: CellStyle[]
  is1904: boolean
  /** Up to this row facts of cells are kept. */
  factsUntilLine: number
}

/**
 * Makes rows of cells as they are found. Columns count from 0; `row` is the number of the row that a cell says it stands in, 0 when it says
 * nothing. What cannot be is thrown as XmlError: a row behind a later one, a cell of another row, a place beyond XFD1048576.
 */
export interface RowBuilder {
  /** Whoever takes the rows puts empty lists in place of both. */
  rows: GridRow[]
  /** Of each row what is known of its cells; null beyond factsUntilLine. */
  facts: (CellFact[] | null)[]
  readonly isInRow: boolean
  /** Where a cell stands that does not say it. */
  readonly nextColumn: number
  isFull(): boolean
  /** `number` is 0 when the row does not say it. */
  startRow(number: number, isHidden: boolean): void
  endRow(): void
  putNothing(column: number, row: number): void
  putShared(column: number, row: number, index: number): void
  /** `isText`: known to be the shortest text of its number already. */
  putNumber(column: number, row: number, raw: string, style: number, isText: boolean): void
  /** Cells of the types `str`, `inlineStr`, `b`, `e`, `d`; false for a type that nobody knows. */
  putTyped(type: string, column: number, row: number, written: string): boolean
}

const ROWS_IN_BATCH = 1000
/** Of long texts fewer rows make a batch, so that memory stays bounded. */
const CHARACTERS_IN_BATCH = 4 * 1024 * 1024
const LONGEST_ROW = 256 * 1024 * 1024
const LAST_ROW = 1_048_576
const LAST_COLUMN = 16_383
/** A wider gap stays a hole: a row may hold only A and XFD. */
const WIDEST_FILLED_GAP = 64

export function createRowBuilder({ strings, styles, is1904, factsUntilLine }: SheetContext): RowBuilder {
  let line = 0
  let lastLine = 0
  let isLineKnown = false
  let isInRow = false
  let isHidden = false
  let keepsFacts = factsUntilLine > 0
  let cells: (string | null)[] = []
  let cellFacts: CellFact[] = []
  let nextColumn = 0
  let rowCharacters = 0
  let batchCharacters = 0

  const builder: RowBuilder = {
    rows: [],
    facts: [],
    get isInRow() {
      return isInRow
    },
    get nextColumn() {
      return nextColumn
    },
    isFull,
    startRow,
    endRow,
    putNothing,
    putShared,
    putNumber,
    putTyped,
  }
  return builder

  function isFull(): boolean {
    if (builder.rows.length === 0) batchCharacters = 0
    return builder.rows.length >= ROWS_IN_BATCH || batchCharacters > CHARACTERS_IN_BATCH
  }

  function startRow(number: number, hidden: boolean): void {
    isInRow = true
    isLineKnown = number > 0
    line = isLineKnown ? number : lastLine + 1
    isHidden = hidden
    cells = []
    cellFacts = []
    nextColumn = 0
    rowCharacters = 0
  }

  function endRow(): void {
    isInRow = false
    if (line <= lastLine) throw new XmlError(`row ${line} stands behind row ${lastLine}`)
    if (line > LAST_ROW) throw new XmlError(`row ${line} is beyond the last row of a sheet, ${LAST_ROW}`)
    lastLine = line
    if (cells.length === 0) return
    batchCharacters += rowCharacters
    builder.rows.push(isHidden ? { line, cells, isHidden: true } : { line, cells })
    builder.facts.push(line <= factsUntilLine ? cellFacts : null)
    keepsFacts = line < factsUntilLine
  }

  function putNothing(column: number, row: number): void {
    put(column, row, null)
  }

  function putShared(column: number, row: number, index: number): void {
    const text = strings.at(index)
    if (text === undefined) throw new XmlError(`a cell of row ${line} names text ${index} of ${strings.count}`)
    put(column, row, text)
    if (keepsFacts) keepFact(column, 'text')
  }

  function putNumber(column: number, row: number, raw: string, style: number, isText: boolean): void {
    const cellStyle = styles[style] ?? GENERAL
    put(column, row, isText && cellStyle.kind === 'number' ? raw : numericText(raw, cellStyle, is1904))
    if (keepsFacts) keepFact(column, 'number', cellStyle, numberOf(raw))
  }

  function putTyped(type: string, column: number, row: number, written: string): boolean {
    switch (type) {
      case 'inlineStr':
        put(column, row, written)
        break
      case 'str':
        put(column, row, decodeEscapes(written))
        break
      case 'b':
        put(column, row, booleanText(written))
        break
      case 'e':
        put(column, row, written.trim())
        break
      case 'd':
        put(column, row, isoText(written))
        break
      default:
        return false
    }
    if (keepsFacts) keepFact(column, FACTS[type])
    return true
  }

  function put(column: number, row: number, text: string | null): void {
    if (row !== 0 && row !== line) moveRow(row, text === null || text === '')
    if (column > LAST_COLUMN)
      throw new XmlError(`a cell of row ${line} stands in column ${column + 1}; the last is XFD, ${LAST_COLUMN + 1}`)
    nextColumn = column + 1
    if (text === null || text === '') return
    rowCharacters += text.length
    if (rowCharacters > LONGEST_ROW) throw new XmlError(`row ${line} holds more than ${LONGEST_ROW} characters`)
    const gap = column - cells.length
    if (gap === 0) cells.push(text)
    else if (gap > 0 && gap <= WIDEST_FILLED_GAP) {
      for (let index = 0; index < gap; index += 1) cells.push(null)
      cells.push(text)
    } else cells[column] = text
  }

  /** A row that does not say its number has that of its first cell. */
  function moveRow(row: number, isBlank: boolean): void {
    if ((isLineKnown || nextColumn > 0) && isBlank) return
    if (isLineKnown || nextColumn > 0) throw new XmlError(`a cell of row ${row} stands in row ${line}`)
    line = row
    isLineKnown = true
  }

  function keepFact(column: number, type: CellFact['type'] = 'text', style = GENERAL, number = Number.NaN): void {
    const text = cells[column]
    if (text != null) cellFacts.push({ column, type, style, text, number })
  }
}

const FACTS: Record<string, CellFact['type']> = { b: 'boolean', e: 'error', d: 'moment' }
