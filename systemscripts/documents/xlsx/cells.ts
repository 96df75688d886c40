import { STARTS_A_FORMULA } from '../csv-document.ts'
import { grouped } from '../row-source.ts'
import { alignsRight, type ColumnLook } from './column-looks.ts'
import { dateSerial, durationSerial, momentSerial, timeSerial } from './serial.ts'
import type { StringTable } from './string-table.ts'
import type { Styles } from './styles.ts'

/** Excel's own end, in UTF-16 units. */
const LONGEST_TEXT = 32_767

/** Cells that are not what the query said, counted over the workbook. */
export interface Departures {
  cutTexts: number
  roundedNumbers: number
  numbersAsText: number
}

/** The XML of one cell. @param at its place, `A5` */
export type PutCell = (value: string, at: string) => string

/** How the cells of a column are written. */
export function cellWriter({ kind, format }: ColumnLook, strings: StringTable, styles: Styles, departures: Departures): PutCell {
  const style = styleAttribute(styles.number(format === undefined ? {} : { format }))
  const right = alignsRight(kind)
  const text = textWriter(strings, styles, departures, right)
  const serialOf = SERIALS[kind]
  if (serialOf !== undefined) {
    return (value, at) => {
      const serial = serialOf(value)
      return serial === null ? text(value, at) : `<c r="${at}"${style}><v>${serial}</v></c>`
    }
  }
  switch (kind) {
    case 'boolean':
      return (value, at) => `<c r="${at}" t="b"><v>${value === 't' ? 1 : 0}</v></c>`
    case 'float':
      return (value, at) => (FINITE.test(value) ? `<c r="${at}"${style}><v>${value}</v></c>` : text(value, at))
    case 'integer':
    case 'numeric':
      return (value, at) => {
        const fits = value.length <= 15 ? FINITE.test(value) : fitsExcel(value, departures)
        return fits ? `<c r="${at}"${style}><v>${value}</v></c>` : text(value, at)
      }
    default:
      return text
  }
}

const SERIALS: Partial<Record<ColumnLook['kind'], (text: string) => number | null>> = {
  date: dateSerial,
  timestamp: momentSerial,
  timestamptz: momentSerial,
  time: timeSerial,
  interval: durationSerial,
}

const FINITE = /^[-+]?\d/

/** Excel holds 15 significant digits. More of them in a fraction that is longer than any price are those of a division and may go. */
function fitsExcel(value: string, departures: Departures): boolean {
  if (!FINITE.test(value)) return false
  const [, whole = '', fraction = ''] = /^-?0*(\d*)(?:\.(\d*))?$/.exec(value) ?? []
  const significant = `${whole}${fraction.replace(/0+$/, '')}`.replace(/^0+/, '')
  const digits = fraction === '' ? significant.replace(/0+$/, '') : significant
  if (digits.length <= 15) return true
  if (fraction.length > 10 && whole.length <= 15) {
    departures.roundedNumbers += 1
    return true
  }
  departures.numbersAsText += 1
  return false
}

function textWriter(strings: StringTable, styles: Styles, departures: Departures, right: boolean): PutCell {
  const plain = styleAttribute(styles.number(right ? { right } : {}))
  const wrapped = styleAttribute(styles.number({ wraps: true }))
  const kept = styleAttribute(styles.number({ keepsText: true }))
  const keptAndWrapped = styleAttribute(styles.number({ keepsText: true, wraps: true }))
  return (value, at) => {
    const isHarmless = right || !STARTS_A_FORMULA.test(value)
    const hasLines = value.includes('\n')
    const style = isHarmless ? (hasLines ? wrapped : plain) : hasLines ? keptAndWrapped : kept
    const shown = value.length > LONGEST_TEXT ? cut(value, departures) : value
    return `<c r="${at}"${style} t="s"><v>${strings.add(shown)}</v></c>`
  }
}

function cut(value: string, departures: Departures): string {
  departures.cutTexts += 1
  const end = `… [cut: ${grouped(value.length)} characters]`
  return value.slice(0, LONGEST_TEXT - end.length).replace(/[\uD800-\uDBFF]$/, '') + end
}

function styleAttribute(number: number): string {
  return number === 0 ? '' : ` s="${number}"`
}
