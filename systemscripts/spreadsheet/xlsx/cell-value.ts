import type { TypedCell } from '../../grid.ts'
import { numberText } from '../cell-values.ts'
import { typeOfNumber } from '../typed-cells.ts'
import type { CellStyle } from './styles.ts'

/** What is known of a cell beside its text, for its shown text and its type. */
export interface CellFact {
  /** From 0. */
  column: number
  type: 'text' | 'number' | 'boolean' | 'error' | 'moment'
  style: CellStyle
  text: string
  /** Of a number. */
  number: number
}

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i
/** The number in `<v>`; NaN when it is none. */
export function numberOf(raw: string): number {
  const written = raw.trim()
  return NUMBER.test(written) ? Number(written) : Number.NaN
}

/** A whole number stays as it is written: writers other than Excel write ids that are longer than what a double holds. */
const WHOLE = /^-?[1-9]\d*$/
const ISO = /^(?:(\d{4}-\d\d-\d\d)(?:T|$))?(?:(\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?Z?$/

/** The text of a cell that holds a number; what is no number stays as it is written, and nothing is null. */
export function numericText(raw: string, style: CellStyle, is1904: boolean): string | null {
  const written = raw.trim()
  if (written === '') return null
  if (!NUMBER.test(written)) return written
  if (style.kind === 'number' && WHOLE.test(written)) return written
  return numberText(Number(written), style.kind, style.format, is1904) ?? written
}

/** Dates written as ISO 8601 (`t="d"`), as those that are written as numbers; what is no date stays as it is written. */
export function isoText(raw: string): string | null {
  const written = raw.trim()
  if (written === '') return null
  const [, day, minutes, seconds = '00', fraction = ''] = ISO.exec(written) ?? []
  if (day === undefined && minutes === undefined) return written
  const milliseconds = fraction.padEnd(3, '0').slice(0, 3)
  const time = `${minutes ?? '00:00'}:${seconds}${milliseconds === '000' ? '' : `.${milliseconds}`}`
  if (day === undefined) return time
  return time === '00:00:00' ? day : `${day} ${time}`
}

export function booleanText(raw: string): string | null {
  const written = raw.trim()
  if (written === '1' || written === 'true') return 'true'
  if (written === '0' || written === 'false') return 'false'
  return written === '' ? null : written
}

/** The cell as users of the library get it. */
export function typedCell(sheet: string, row: number, fact: CellFact): TypedCell {
  const { text, style } = fact
  const base = { sheet, row, column: fact.column + 1, text }
  switch (fact.type) {
    case 'boolean':
      return { ...base, type: 'boolean', value: text === 'true' }
    case 'moment':
      return { ...base, type: momentType(text), value: text }
    case 'number': {
      if (Number.isNaN(fact.number)) return { ...base, type: 'text', value: text }
      const type = typeOfNumber(style.kind, text)
      return { ...base, type, value: type === 'number' ? fact.number : text }
    }
    default:
      return { ...base, type: fact.type, value: text }
  }
}

export function momentType(text: string): 'date' | 'time' | 'text' {
  if (/^\d{4}-\d\d-\d\d/.test(text)) return 'date'
  return /^\d\d:\d\d/.test(text) ? 'time' : 'text'
}
