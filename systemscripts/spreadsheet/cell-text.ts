import { type CellObject, SSF } from 'xlsx'

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

type NumberKind = 'number' | 'date' | 'time' | 'duration' | 'code'

const MS_PER_DAY = 86_400_000
/** 9999-12-31 in the 1900 system, the last day that Excel knows. */
const LAST_DAY = 2_958_465
const DAYS_FROM_1900_TO_1904 = 1462

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
        return typeof cell.v === 'number' ? numberText(cell.v, formatOf(cell)) : null
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

  function numberText(value: number, format: string): string | null {
    switch (kindOf(format)) {
      case 'date':
        return momentText(value, is1904)
      case 'time':
        return momentText(value, is1904 && value >= 1)
      case 'duration':
        return durationText(value)
      case 'code':
        return Number.isInteger(value) && value >= 0 ? String(SSF.format(format, value)) : decimalText(value)
      default:
        return decimalText(value)
    }
  }

  function kindOf(format: string): NumberKind {
    const known = kinds.get(format)
    if (known !== undefined) return known
    const kind = numberKind(format)
    kinds.set(format, kind)
    return kind
  }
}

/** The shortest decimal text that is the same number, without an exponent. */
export function decimalText(value: number): string | null {
  if (!Number.isFinite(value)) return null
  const text = String(Object.is(value, -0) ? 0 : value)
  const [, sign = '', whole = '', fraction = '', exponent] = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? []
  if (exponent === undefined) return text
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return sign + digits.padEnd(point, '0')
}

function formatOf(cell: CellObject): string {
  return typeof cell.z === 'string' ? cell.z : 'General'
}

function numberKind(format: string): NumberKind {
  if (/^(?=0*00)[0 ()\\-]+$/.test(format)) return 'code'
  if (!SSF.is_date(format)) return 'number'
  if (/\[(h+|m+|s+)\]/i.test(format)) return 'duration'
  const tokens = format.replace(/"[^"]*"|\\.|_.|\[[^\]]*\]|am\/pm|a\/p/gi, '')
  const hasTime = /[hs]/i.test(tokens)
  return /[yde]/i.test(tokens) || !hasTime ? 'date' : 'time'
}

function momentText(serial: number, is1904: boolean): string | null {
  const milliseconds = Math.round(serial * MS_PER_DAY)
  const day = Math.floor(milliseconds / MS_PER_DAY) + (is1904 ? DAYS_FROM_1900_TO_1904 : 0)
  const time = timeText(milliseconds % MS_PER_DAY)
  if (serial < 0 || day > LAST_DAY) return decimalText(serial)
  if (day === 0) return time
  return milliseconds % MS_PER_DAY === 0 ? dayText(day) : `${dayText(day)} ${time}`
}

/** Day 1 is 1900-01-01, and day 60 the 29th of February that 1900 did not have: so Excel counts, and Lotus 1-2-3 before it. */
function dayText(day: number): string {
  if (day === 60) return '1900-02-29'
  const daysSinceEpoch = day - (day > 60 ? 25_569 : 25_568)
  return new Date(daysSinceEpoch * MS_PER_DAY).toISOString().slice(0, 10)
}

function durationText(days: number): string {
  const milliseconds = Math.round(Math.abs(days) * MS_PER_DAY)
  return (days < 0 && milliseconds > 0 ? '-' : '') + timeText(milliseconds)
}

/** `hh:mm:ss`, with `.fff` when there are milliseconds; hours may pass 24. */
function timeText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  const fraction = milliseconds % 1000
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const text = parts.map((part) => String(part).padStart(2, '0')).join(':')
  return fraction === 0 ? text : `${text}.${String(fraction).padStart(3, '0')}`
}
