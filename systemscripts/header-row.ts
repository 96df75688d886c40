import { PermanentError } from './errors.ts'

/** So many rows are looked at to find the header. */
export const HEADER_SAMPLE_ROWS = 200

/** A row as the file has it; `values` may have holes. */
export interface SampleRow {
  line: number
  values: (string | null)[]
}

/**
 * The row that holds the column names.
 *
 * Stated: the row with that line number. Not stated: the first row of the sample in which more than half of the table's columns hold
 * something and most of that is words rather than numbers or dates; where no row is like that, or the first one wide enough names years or
 * months, the first one wide enough. The table's columns
 * are counted in the fullest row, so a title block, which fills one or two cells, is passed over. A block of several cells is told from a
 * header by two things together: it ends short of the rows below, and a later row does not, while it has words where those below have data.
 *
 * @param sample the file's first rows, blank ones left out, titles included
 * @throws PermanentError `header_row_missing` the stated row is blank or beyond the end, or nothing stands in the file
 */
export function findHeaderRow<Row extends SampleRow>(sample: Row[], stated: number | null, fileName: string): Row {
  if (stated !== null) {
    const row = sample.find((candidate) => candidate.line === stated)
    if (row && countFilled(row) > 0) return row
    throw headerRowMissing(fileName, `Row ${stated}, stated as the row of column names, is blank or beyond the end of the file.`)
  }
  const columns = Math.max(0, ...sample.map(countFilled))
  const wideEnough = sample.filter((row) => countFilled(row) * 2 > columns || isPairWithoutFirstName(row, columns))
  const wordy = wideEnough.filter((row) => countWords(row) * 2 >= countFilled(row))
  const first = namesPeriods(wideEnough[0], columns) ? wideEnough[0] : (wordy[0] ?? wideEnough[0])
  if (first === undefined || columns === 0) throw headerRowMissing(fileName, 'No row holds anything.')
  if (!endsShort(first, rowsBelow(sample, first))) return first
  return wordy.find((row) => !endsShort(row, rowsBelow(sample, row)) && namesData(row, rowsBelow(sample, row))) ?? first
}

/** Whether the row is as wide as the table and names years or months, each once, as `country, 2021, 2022, 2023` does: no row of data repeats none. */
function namesPeriods(row: SampleRow | undefined, columns: number): boolean {
  const names = row?.values.filter(isFilled) ?? []
  const periods = names.filter((name) =>
    /^\s*((19|20)\d\d([-/.](0?[1-9]|1[0-2]|Q[1-4]))?([-/.]01)?|(0?[1-9]|1[0-2])[-/.](19|20)\d\d)\s*$/.test(name),
  )
  return periods.length >= 2 && names.length - periods.length <= 2 && names.length + 1 >= columns && new Set(names).size === names.length
}

function rowsBelow<Row extends SampleRow>(sample: Row[], row: Row): Row[] {
  return sample.slice(sample.indexOf(row) + 1)
}

/** Whether its last filled cell stands before that of most rows below. */
function endsShort(row: SampleRow, below: SampleRow[]): boolean {
  return below.filter((other) => lastFilled(other) > lastFilled(row)).length * 2 > below.length
}

/** Whether some column has a word here and mostly numbers or dates below. */
function namesData(row: SampleRow, below: SampleRow[]): boolean {
  return row.values.some((name, column) => {
    if (!isFilled(name) || looksLikeData(name)) return false
    const values = below.map((other) => other.values[column]).filter(isFilled)
    return values.length > 0 && values.filter(looksLikeData).length * 2 > values.length
  })
}

function countFilled(row: SampleRow): number {
  return row.values.reduce((filled, value) => filled + (isFilled(value) ? 1 : 0), 0)
}

function countWords(row: SampleRow): number {
  return row.values.reduce((words, value) => words + (isFilled(value) && !looksLikeData(value) ? 1 : 0), 0)
}

function lastFilled(row: SampleRow): number {
  return row.values.reduce((last, value, column) => (isFilled(value) ? column : last), -1)
}

function isFilled(value: string | null | undefined): value is string {
  return value != null && value.trim() !== ''
}

/** Numbers, dates and times: they start with a digit or a sign and hold no letter but an exponent's or a date's T and Z. */
export function looksLikeData(value: string): boolean {
  return /^\s*[-+(.,]?\d[\d\s.,:/+()%eETZ-]*$/.test(value)
}

function isPairWithoutFirstName(row: SampleRow, columns: number): boolean {
  return columns === 2 && !isFilled(row.values[0]) && isFilled(row.values[1])
}

function headerRowMissing(fileName: string, detail: string): PermanentError {
  return new PermanentError('header_row_missing', `File "${fileName}" has no row of column names`, {
    detail,
    hint: 'Correct header_row in the settings (counted from 1), or ask the sender for a file with column names.',
  })
}
