import type { CellType, GridRow, TypedCell } from '../grid.ts'
import type { NumberKind } from './cell-values.ts'

/** What a number of that kind is, by its text: a date that no calendar has is a number. */
export function typeOfNumber(kind: NumberKind, text: string): CellType {
  if (kind === 'duration') return text.includes(':') ? 'duration' : 'number'
  if (kind !== 'date' && kind !== 'time') return 'number'
  if (/^\d{4}-\d\d-\d\d/.test(text)) return 'date'
  return /^\d\d:\d\d/.test(text) ? 'time' : 'number'
}

/** Whether a cell of that type has a value beside its text. */
export function isTypedCell(type: CellType): boolean {
  return type !== 'text' && type !== 'error'
}

/** The filled cells of rows; texts where the rows were not read with their types. */
export function typedCells(sheet: string | null, rows: GridRow[], skipHidden: boolean): TypedCell[] {
  const wanted = skipHidden ? rows.filter(({ isHidden }) => isHidden !== true) : rows
  return wanted.flatMap(({ line, cells, types }) =>
    cells.flatMap((text, column): TypedCell[] => {
      if (text == null) return []
      const type = types?.[column] ?? 'text'
      return [{ sheet, row: line, column: column + 1, type, value: cellValue(type, text), text }]
    }),
  )
}

function cellValue(type: CellType, text: string): TypedCell['value'] {
  if (type === 'boolean') return text === 'true'
  if (type !== 'number') return text
  // A code such as 123-45-6789 is the number of its digits.
  return Number(/^-?\d+(\.\d+)?$/.test(text) ? text : text.replace(/\D/g, ''))
}
