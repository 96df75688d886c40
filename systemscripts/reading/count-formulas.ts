import type { CellPlace } from '../grid.ts'
import type { EmptyFormulas } from '../table.ts'
import type { TableShape } from './table-shape.ts'

export interface FormulaCount {
  /** Counts what has been gathered since the last time. @param end the first line that is no more of the table; null: none */
  take(end: number | null): void
  /** By column, in the order in which they were met. */
  found(): EmptyFormulas[]
}

/** Counts the formulas without a value that stand in a table: in its header line or below, and within its range. */
export function countFormulas(places: CellPlace[], { headers, headerLine, columns, range }: TableShape): FormulaCount {
  const counts = new Map<number, EmptyFormulas>()
  return { take, found: () => [...counts.values()] }

  function take(end: number | null): void {
    for (const { line, column } of places) if (isInside(line, column) && line < (end ?? Number.POSITIVE_INFINITY)) count(line, column)
    places.length = 0
  }

  function count(line: number, column: number): void {
    const known = counts.get(column)
    if (known !== undefined) known.count += 1
    else counts.set(column, { header: headers[columns.indexOf(column)]?.trim() || null, count: 1, first: `${lettersOf(column)}${line}` })
  }

  function isInside(line: number, column: number): boolean {
    if (line < headerLine) return false
    if (range === null) return true
    return line >= range.firstLine && line <= range.lastLine && column >= range.firstColumn && column <= range.lastColumn
  }
}

/** 0 is A, 26 is AA. */
function lettersOf(column: number): string {
  const before = column < 26 ? '' : lettersOf(Math.floor(column / 26) - 1)
  return before + String.fromCharCode(0x41 + (column % 26))
}
