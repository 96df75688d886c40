import { sheetNotFound, workbookBroken } from '../spreadsheet/refusals.ts'
import { betweenSlashes, sheetTest } from './patterns.ts'

export interface SheetName {
  name: string
  isHidden: boolean
  /** False of charts and macro sheets. Default: true. */
  hasCells?: boolean
}

/**
 * The sheets that are asked for, as places from 0, in the workbook's order: null is the first that is visible, `*` all that are, `/…/` those
 * whose name matches, hidden ones too. Names compare as in Excel, without case. A name of digits is tried as a name first, then as a number.
 *
 * @throws PermanentError `sheet_not_found`, `sheet_pattern_invalid`, `workbook_broken` when there is no sheet at all
 */
export function chooseSheets(sheets: SheetName[], wanted: string | number | null, fileName: string): number[] {
  const names = sheets.map(({ name }) => name)
  const withCells = sheets.flatMap(({ hasCells = true }, index) => (hasCells ? [index] : []))
  const visible = withCells.filter((index) => sheets[index]?.isHidden === false)
  const [first] = withCells
  if (first === undefined && sheets.length === 0) throw workbookBroken(fileName, 'It has no sheet.')
  if (wanted === null) return [visible[0] ?? first ?? 0]
  if (wanted === '*') return visible.length > 0 ? visible : [first ?? 0]
  const pattern = betweenSlashes(wanted)
  if (pattern !== null) {
    const name = sheetTest(pattern)
    const found = withCells.filter((index) => name.test(names[index] ?? ''))
    if (found.length === 0) throw sheetNotFound(fileName, wanted, names)
    return found
  }
  const byName = names.findIndex((name) => name.toLowerCase() === String(wanted).toLowerCase())
  if (typeof wanted === 'string' && byName !== -1) return [byName]
  const number = Number(wanted)
  if (Number.isInteger(number) && number >= 1 && number <= names.length) return [number - 1]
  throw sheetNotFound(fileName, wanted, names)
}
