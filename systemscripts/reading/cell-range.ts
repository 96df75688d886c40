import { PermanentError } from '../errors.ts'

/** Lines count from 1, columns from 0; infinite where nothing is stated. */
export interface CellRange {
  firstLine: number
  lastLine: number
  firstColumn: number
  lastColumn: number
}

/**
 * A part of a sheet as people write it: `B3:K200`, whole columns `B:K`, whole rows `3:200`, open at the end `B3:` or `B3:K`. Case and `$` do
 * not count.
 *
 * @throws PermanentError `cell_range_invalid`
 */
export function parseCellRange(text: string): CellRange {
  const match = /^\s*([a-z]{1,3})?([1-9]\d{0,8})?\s*:\s*([a-z]{1,3})?([1-9]\d{0,8})?\s*$/i.exec(text.replaceAll('$', ''))
  if (match === null || match.slice(1).every((part) => part === undefined)) throw cellRangeInvalid(text)
  const [, fromColumn, fromLine, toColumn, toLine] = match
  const range = {
    firstLine: fromLine === undefined ? 1 : Number(fromLine),
    lastLine: toLine === undefined ? Number.POSITIVE_INFINITY : Number(toLine),
    firstColumn: fromColumn === undefined ? 0 : columnNumber(fromColumn),
    lastColumn: toColumn === undefined ? Number.POSITIVE_INFINITY : columnNumber(toColumn),
  }
  if (range.firstLine > range.lastLine || range.firstColumn > range.lastColumn) throw cellRangeInvalid(text)
  return range
}

/** From 0: A is 0, Z is 25, AA is 26. */
function columnNumber(letters: string): number {
  return [...letters.toUpperCase()].reduce((number, letter) => number * 26 + letter.charCodeAt(0) - 64, 0) - 1
}

function cellRangeInvalid(text: string): PermanentError {
  return new PermanentError('cell_range_invalid', `cell_range "${text}" is no range of cells`, {
    hint: "Write it as in a spreadsheet: 'B3:K200', columns 'B:K', rows '3:200', or 'B3:' for everything from there on.",
  })
}
