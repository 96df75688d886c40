import type { CellSink } from '../../cell-sink.ts'
import type { CellPlace } from '../../grid.ts'
import { numberText } from '../cell-values.ts'
import { booleanText, type CellFact, isoText, momentType, numberOf, numericText } from './cell-value.ts'
import { createMomentBytes } from './moment-bytes.ts'
import { createSheetRows, type SheetRows } from './sheet-rows.ts'
import type { StringStore } from './string-store.ts'
import { type CellStyle, GENERAL } from './styles.ts'
import { decodeEscapes } from './xml-text.ts'
import { XmlError } from './xml-tokens.ts'
import type { XmlWindow } from './xml-window.ts'

export interface SheetContext {
  strings: StringStore
  styles: CellStyle[]
  is1904: boolean
  /** Up to this row facts of cells are kept. */
  factsUntilLine: number
  /** Asked before each row: where it goes instead of `rows`. */
  sink: () => CellSink | null
  /** Gets the places of formulas without a value; null or missing: nobody asks. */
  emptyFormulas?: CellPlace[] | null
}

/** Makes rows of cells as they are found: of what is written in a cell its text, or the bytes of it. Places are those of SheetRows. */
export interface RowBuilder extends SheetRows {
  putNothing(column: number, row: number): void
  /** A formula without a value. */
  putFormula(column: number, row: number): void
  putShared(column: number, row: number, index: number): void
  putNumber(column: number, row: number, raw: string, style: number): void
  /** Puts a number whose text lies in the window as `number` says, which is filled in before. */
  putDigits(column: number, row: number, style: number, window: XmlWindow): void
  readonly number: WrittenNumber
  /** Cells of the types `str`, `inlineStr`, `b`, `e`, `d`; false for a type that nobody knows. */
  putTyped(type: string, column: number, row: number, written: string): boolean
  /** A text of ASCII that means what it says, between two places of the window. */
  putAscii(column: number, row: number, window: XmlWindow, from: number, to: number): void
}

/** Decimal digits between two places, perhaps with sign and point. */
export interface WrittenNumber {
  from: number
  to: number
  /** NaN where there are more digits than can be told at a glance. */
  value: number
  /** The digits are the shortest text of their number. */
  isShortest: boolean
}

export function createRowBuilder({ strings, styles, is1904, factsUntilLine, sink, emptyFormulas }: SheetContext): RowBuilder {
  const rows = createSheetRows(factsUntilLine, sink)
  const moments = createMomentBytes()
  const number: WrittenNumber = { from: 0, to: 0, value: Number.NaN, isShortest: false }
  return Object.assign(rows, { putNothing, putFormula, putShared, putNumber, putDigits, number, putTyped, putAscii })

  function putNothing(column: number, row: number): void {
    rows.put(column, row, null, false)
  }

  function putFormula(column: number, row: number): void {
    rows.put(column, row, null, false)
    emptyFormulas?.push({ line: rows.line, column })
  }

  function putShared(column: number, row: number, index: number): void {
    if (rows.sink !== null && strings.find(index)) {
      const { bytes, from, to } = strings.found
      rows.putBytes(column, row, bytes, from, to, false)
      return
    }
    const text = strings.at(index)
    if (text === undefined) throw new XmlError(`a cell of row ${rows.line} names text ${index} of ${strings.count}`)
    rows.put(column, row, text, false)
    if (rows.keepsFacts) keepFact(column, 'text')
  }

  function putNumber(column: number, row: number, raw: string, style: number): void {
    const cellStyle = styles[style] ?? GENERAL
    const number = numberOf(raw)
    rows.put(column, row, numericText(raw, cellStyle, is1904), !Number.isNaN(number))
    if (rows.keepsFacts) rows.keepFact({ column, type: 'number', style: cellStyle, number })
  }

  function putDigits(column: number, row: number, style: number, window: XmlWindow): void {
    const { kind, format } = styles[style] ?? GENERAL
    const { from, to, isShortest } = number
    if (isShortest && kind === 'number' && !rows.keepsFacts) {
      if (rows.sink === null) rows.put(column, row, window.text.slice(from, to), true)
      else rows.putBytes(column, row, window.bytes, from, to, true)
      return
    }
    if (rows.keepsFacts || (Number.isNaN(number.value) && kind !== 'date')) {
      putNumber(column, row, window.bytes.toString('latin1', from, to), style)
      return
    }
    const value = Number.isNaN(number.value) ? Number(window.bytes.toString('latin1', from, to)) : number.value
    if (rows.sink !== null && kind === 'date' && moments.write(value, is1904))
      rows.putBytes(column, row, moments.bytes, 0, moments.length, true)
    else rows.put(column, row, numberText(value, kind, format, is1904) ?? window.bytes.toString('latin1', from, to), true)
  }

  function putAscii(column: number, row: number, window: XmlWindow, from: number, to: number): void {
    if (rows.sink !== null) rows.putBytes(column, row, window.bytes, from, to, false)
    else rows.put(column, row, window.text.slice(from, to), false)
    if (rows.keepsFacts) keepFact(column, 'text')
  }

  function putTyped(type: string, column: number, row: number, written: string): boolean {
    const text = typedText(type, written)
    if (text === undefined) return false
    rows.put(column, row, text, isTypedText(type, text))
    if (rows.keepsFacts) keepFact(column, FACTS[type] ?? 'text')
    return true
  }

  function keepFact(column: number, type: CellFact['type']): void {
    rows.keepFact({ column, type, style: GENERAL, number: Number.NaN })
  }
}

/** Undefined: of a type that nobody knows. */
function typedText(type: string, written: string): string | null | undefined {
  switch (type) {
    case 'inlineStr':
      return written
    case 'str':
      return decodeEscapes(written)
    case 'b':
      return booleanText(written)
    case 'e':
      return written.trim()
    case 'd':
      return isoText(written)
    default:
      return undefined
  }
}

/** What is no truth value and no moment stays the text that it is. */
function isTypedText(type: string, text: string | null): boolean {
  if (type === 'b') return text === 'true' || text === 'false'
  return type === 'd' && text !== null && momentType(text) !== 'text'
}

const FACTS: Record<string, CellFact['type']> = { b: 'boolean', e: 'error', d: 'moment' }
