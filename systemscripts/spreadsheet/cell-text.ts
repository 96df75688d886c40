import { type CellObject, SSF } from 'xlsx'
import { type NumberKind, numberKind, numberText } from './cell-values.ts'

/**
 * Text of a workbook's cells, exact: what the cell holds, not how it is decorated.
 *
 * - text stays as it is: `00123`, `1E5`, `TRUE`, `NA`; a text cell with nothing in it is empty, since that is what people see;
 * - numbers are the shortest decimal that means the same number (1234.5, not `1,234.50`; 12 % is 0.12; never an exponent), save that a
 *   format of zeros only (`00000`, `000-00-0000`) is kept as shown, since such a number is a code;
 * - dates, known by the number format, are `yyyy-mm-dd`, with ` hh:mm:ss` when there is a time of day (and `.fff` when it has
 *   milliseconds); times `hh:mm:ss`; durations such as `[h]:mm` count hours beyond 24. Both epochs; 1900-02-29 is a day, as in Excel;
 * - `true`, `false`; errors as `#N/A`; formulas by the value that was stored with them.
 */
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
    const shown: string = SSF.format(formatOf(cell), cell.v, { date1904: is1904 })
    return shown.trim()
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
