import { type CellObject, SSF } from 'xlsx'
import { type NumberKind, numberKind, numberText } from '../../systemscripts/spreadsheet/cell-values.ts'

/** What is expected of cells as SheetJS has them, by the rules of cell-values.ts. */
export interface CellReader {
  text(cell: CellObject | undefined): string | null
  /** As a person sees the cell: for names of columns, where `Jan-24` is meant rather than 2024-01-01. */
  shownText(cell: CellObject | undefined): string | null
}

const ERRORS: Record<number, string> = {
  0: '#NULL!',
  7: '#DIV/0!',
  15: '#VALUE!',
  23: '#REF!',
  29: '#NAME?',
  36: '#NUM!',
  42: '#N/A',
  43: '#GETTING_DATA',
}

export function createCellReader(is1904: boolean): CellReader {
  const kinds = new Map<string, NumberKind>()
  return { text, shownText }

  function text(cell: CellObject | undefined): string | null {
    switch (cell?.t) {
      case 's':
        return typeof cell.v === 'string' && cell.v !== '' ? cell.v : null
      case 'n':
        return typeof cell.v === 'number' ? textOf(cell.v, formatOf(cell)) : null
      case 'b':
        return cell.v ? 'true' : 'false'
      case 'e':
        return cell.w ?? ERRORS[Number(cell.v)] ?? '#ERROR!'
      default:
        return null
    }
  }

  function shownText(cell: CellObject | undefined): string | null {
    if (cell?.t !== 'n' || typeof cell.v !== 'number' || formatOf(cell) === 'General') return text(cell)
    try {
      const shown: string = SSF.format(formatOf(cell), cell.v, { date1904: is1904 })
      return shown.trim() || text(cell)
    } catch {
      // A format that SheetJS cannot read shows the number as it is loaded.
      return text(cell)
    }
  }

  function textOf(value: number, format: string): string | null {
    return numberText(value, kindOf(format), format, is1904)
  }

  function kindOf(format: string): NumberKind {
    const known = kinds.get(format)
    if (known !== undefined) return known
    const kind = numberKind(format)
    kinds.set(format, kind)
    return kind
  }
}

function formatOf(cell: CellObject): string {
  return typeof cell.z === 'string' ? cell.z : 'General'
}
