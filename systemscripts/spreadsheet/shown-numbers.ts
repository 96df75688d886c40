import type { GridRow } from '../grid.ts'
import { LONGEST_FORMAT } from './cell-values.ts'

/** A number that is shown otherwise than it is loaded. */
export interface ShownNumber {
  column: number
  format: string
  value: number
}

/** A row with `shown` where it has such numbers. SheetJS, which knows how formats show numbers, is loaded only when there is one. */
export async function withShown(
  { line, cells, isHidden, typed, types }: GridRow,
  numbers: ShownNumber[],
  is1904: boolean,
): Promise<GridRow> {
  const row: GridRow = {
    line,
    cells,
    ...(isHidden ? { isHidden } : {}),
    ...(typed === undefined ? {} : { typed }),
    ...(types === undefined ? {} : { types }),
  }
  if (numbers.length === 0) return row
  const { SSF } = await import('xlsx')
  row.shown = [...cells]
  for (const { column, format, value } of numbers) {
    if (format.length > LONGEST_FORMAT) continue
    try {
      const shown: string = SSF.format(format, value, { date1904: is1904 })
      row.shown[column] = shown.trim() || cells[column]
    } catch {
      // A format that SheetJS cannot read shows the number as it is loaded.
    }
  }
  return row
}
