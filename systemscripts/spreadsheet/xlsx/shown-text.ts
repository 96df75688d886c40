import { createRequire } from 'node:module'
import type { GridRow } from '../../grid.ts'
import { LONGEST_FORMAT } from '../cell-values.ts'
import type { CellFact } from './cell-value.ts'

/**
 * Gives the rows `shown` where a number is shown otherwise than it is loaded: `Jan-24` for 2024-01-01. It is worked out when it is asked for:
 * SheetJS, which knows how formats show numbers, takes 20 MB, and of all rows only the header's are asked.
 */
export function addShown(rows: GridRow[], facts: (CellFact[] | null)[], is1904: boolean): void {
  for (const [at, row] of rows.entries()) {
    const formatted = facts[at]?.filter(
      ({ type, style, number }) =>
        type === 'number' && !Number.isNaN(number) && style.format !== 'General' && style.format.length <= LONGEST_FORMAT,
    )
    if (formatted === undefined || formatted.length === 0) continue
    Object.defineProperty(row, 'shown', { enumerable: true, get: () => shownCells(row.cells, formatted, is1904) })
  }
}

function shownCells(cells: GridRow['cells'], formatted: CellFact[], is1904: boolean): GridRow['cells'] {
  const shown = [...cells]
  for (const fact of formatted) shown[fact.column] = shownNumber(fact, is1904)
  return shown
}

function shownNumber({ style, number, text }: CellFact, is1904: boolean): string {
  // An import would have to be waited for.
  const { SSF }: typeof import('xlsx') = createRequire(import.meta.url)('xlsx')
  try {
    const shown: string = SSF.format(style.format, number, { date1904: is1904 })
    return shown.trim() || text
  } catch {
    // A format that SheetJS cannot read shows the number as it is loaded.
    return text
  }
}
