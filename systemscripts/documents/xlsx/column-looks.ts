import { displayWidth } from '../display-width.ts'
import type { Row, RowSource } from '../row-source.ts'
import { shownHeader, shownValue } from '../shown-value.ts'
import { isNumber, type ValueKind, valueKind } from '../value-kind.ts'

/** How a column looks in a sheet, told by the first rows. */
export interface ColumnLook {
  header: string
  kind: ValueKind
  /** As Excel writes it; undefined: General. */
  format: string | undefined
  /** In characters. */
  width: number
}

const NARROWEST = 8
const WIDEST = 60
/** Room for the button of the filter. */
const BUTTON = 3
/** Decimals beyond that come from a division and mean nothing in a column of numbers. */
const MOST_DECIMALS = 10

export function columnLooks({ columns, timeZone }: RowSource, sample: readonly Row[]): ColumnLook[] {
  return columns.map((column, at) => {
    const kind = valueKind(column.typeOid)
    const header = shownHeader(column, timeZone)
    const values = sample.flatMap((row) => row[at] ?? [])
    const width = Math.max(displayWidth(header) + BUTTON, ...values.map((value) => widestLine(shownValue(value, kind)) + 2))
    return { header, kind, format: numberFormat(kind, values), width: Math.min(WIDEST, Math.max(NARROWEST, width)) }
  })
}

function widestLine(text: string): number {
  return text.length > 1000 ? WIDEST : Math.max(...text.split('\n').map(displayWidth))
}

function numberFormat(kind: ValueKind, values: readonly string[]): string | undefined {
  const decimals = Math.max(0, ...values.map((value) => fractionDigits(value)))
  switch (kind) {
    case 'integer':
      return '0'
    case 'numeric':
      return decimals > MOST_DECIMALS ? undefined : decimals === 0 ? '0' : `0.${'0'.repeat(decimals)}`
    case 'date':
      return 'yyyy\\-mm\\-dd'
    case 'timestamp':
    case 'timestamptz':
      return decimals === 0 ? 'yyyy\\-mm\\-dd\\ hh:mm:ss' : 'yyyy\\-mm\\-dd\\ hh:mm:ss.000'
    case 'time':
      return decimals === 0 ? 'hh:mm:ss' : 'hh:mm:ss.000'
    case 'interval':
      return decimals === 0 ? '[h]:mm:ss' : '[h]:mm:ss.000'
    default:
      return undefined
  }
}

function fractionDigits(value: string): number {
  return /\.(\d+)/.exec(value)?.[1]?.length ?? 0
}

/** Whether a cell of the column that is no number for Excel still stands where the numbers stand. */
export function alignsRight(kind: ValueKind): boolean {
  return isNumber(kind) || kind === 'interval'
}
