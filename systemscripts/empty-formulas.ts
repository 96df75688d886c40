import type { TableFacts } from './table.ts'

/** So many columns are named one by one. */
const NAMED = 10

/**
 * What whoever loads or converts tables says of formulas that hold no value, a sentence for each column: programs that write workbooks without
 * calculating leave them so, and their cells are null.
 *
 * @param tables those of one file, their rows walked to the end
 */
export function emptyFormulasInWords(tables: Pick<TableFacts, 'sheet' | 'emptyFormulas'>[]): string[] {
  const all = tables.flatMap(({ sheet, emptyFormulas = [] }) => emptyFormulas.map((one) => ({ ...one, sheet })))
  const named = all.slice(0, NAMED).map(({ header, count, first, sheet }) => {
    const column = header === null ? `column ${first.replace(/\d+$/, '')}` : `column "${header}"`
    const cell = tables.length > 1 && sheet !== null ? `${first} of sheet "${sheet}"` : first
    return count === 1
      ? `1 formula of ${column} holds no value, in ${cell}: ${CURE}`
      : `${count.toLocaleString('en')} formulas of ${column} hold no value, first in ${cell}: ${CURE}`
  })
  const others = all.slice(NAMED)
  if (others.length === 0) return named
  const count = others.reduce((sum, one) => sum + one.count, 0)
  return [...named, `So do ${count.toLocaleString('en')} formulas of ${others.length} other columns.`]
}

const CURE = 'open the workbook in a spreadsheet program and save it.'
