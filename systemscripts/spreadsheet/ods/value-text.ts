import type { CellType } from '../../grid.ts'
import { decimalText, durationText } from '../cell-values.ts'
import { typeOfNumber } from '../typed-cells.ts'
import type { Attributes } from '../xml-walk.ts'
import type { OdsNumberKind } from './number-styles.ts'

const DAY_MS = 86_400_000
const FIRST_DAY = Date.parse('0001-01-01')
const BEYOND_LAST_DAY = Date.UTC(10_000, 0, 1)

/**
 * The exact text of a cell of an OpenDocument sheet, by the rules of cell-values.ts, from what stands in its attributes (ODF 1.3 part 3, 19.385).
 * @param shown the cell's paragraphs
 * @param kind what its format makes of a number
 * @param nullDate the day from which dates that are numbers count, in milliseconds since 1970
 */
export function odsValueText(attributes: Attributes, shown: string, kind: OdsNumberKind, nullDate: number): string | null {
  const type = attributes('office:value-type')
  // LibreOffice writes an error as a text, and what it is beside it.
  if (attributes('calcext:value-type') === 'error') return shown === '' ? null : shown
  switch (type) {
    case 'float':
    case 'percentage':
    case 'currency':
      return numberText(attributes, shown, kind, nullDate)
    case 'date':
      return momentText(attributes('office:date-value') || shown)
    case 'time':
      return spanText(attributes('office:time-value') || shown)
    case 'boolean':
      // Some writers state `True`, some nothing.
      return /^\s*(true|1)\s*$/i.test(attributes('office:boolean-value') || shown) ? 'true' : 'false'
    case 'string':
      // Stated where a format shows the text with more around it, or where it has what paragraphs cannot have.
      return attributes('office:string-value') || shown || null
    default:
      return shown || null
  }
}

/** What a cell is whose text is that. */
export function odsValueType(attributes: Attributes, text: string, kind: OdsNumberKind): CellType {
  if (attributes('calcext:value-type') === 'error') return 'error'
  if (text === 'true' || text === 'false') return attributes('office:value-type') === 'string' ? 'text' : 'boolean'
  switch (attributes('office:value-type')) {
    case 'float':
    case 'percentage':
    case 'currency':
      return typeOfNumber(kind, text)
    case 'date':
      return /^\d{4}-/.test(text) ? 'date' : 'text'
    case 'time':
      return /^[01]\d:|^2[0-3]:/.test(text) ? 'time' : text.includes(':') ? 'duration' : 'text'
    default:
      return 'text'
  }
}

function numberText(attributes: Attributes, shown: string, kind: OdsNumberKind, nullDate: number): string | null {
  const stated = attributes('office:value') ?? ''
  // So LibreOffice keeps the truth values of other workbooks.
  const truth = /^of:=(TRUE|FALSE)\(\)$/.exec(attributes('table:formula') ?? '')?.[1]
  if (truth !== undefined) return truth.toLowerCase()
  if (stated.trim() === '') return shown || null
  const value = Number(stated)
  if (kind === 'code' && value >= 0 && /^[\d ()-]+$/.test(shown)) return shown
  if (kind === 'duration' || (kind === 'time' && value >= 0 && value < 1)) return durationText(value)
  if (kind === 'date' || kind === 'time') return dayCountText(value, nullDate)
  return decimalText(value) ?? (shown || stated)
}

function dayCountText(days: number, nullDate: number): string | null {
  const milliseconds = nullDate + Math.round(days * DAY_MS)
  if (!(milliseconds >= FIRST_DAY && milliseconds < BEYOND_LAST_DAY)) return decimalText(days)
  const ofDay = ((milliseconds % DAY_MS) + DAY_MS) % DAY_MS
  const day = new Date(milliseconds - ofDay).toISOString().slice(0, 10)
  return ofDay === 0 ? day : `${day} ${durationText(ofDay / DAY_MS)}`
}

/** `2024-01-31`, `2024-01-31T12:30:00.250000000`, perhaps with a zone, which is kept. */
function momentText(stated: string): string | null {
  const parts = /^(\d{4}-\d\d-\d\d)(?:T(\d\d):(\d\d):(\d\d)([.,]\d+)?)?(.*)$/.exec(stated)
  if (parts === null) return stated || null
  const [, day = '', hours = '0', minutes = '0', seconds = '0', fraction = '', zone = ''] = parts
  const milliseconds = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + fractionMs(fraction)
  // Fractions are rounded, and may so reach the next day.
  const whole = milliseconds >= DAY_MS ? new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10) : day
  const rest = milliseconds % DAY_MS
  return (rest === 0 && zone === '' ? whole : `${whole} ${durationText(rest / DAY_MS)}`) + zone
}

/** `PT37H30M15.25S`; also with days, and below zero. */
function spanText(stated: string): string | null {
  const parts = /^(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)([.,]\d+)?S)?)?$/.exec(stated)
  if (parts === null) return stated || null
  const [, sign = '', days = '0', hours = '0', minutes = '0', seconds = '0', fraction = ''] = parts
  const whole = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)
  const milliseconds = whole * 1000 + fractionMs(fraction)
  if (!Number.isSafeInteger(milliseconds)) return stated
  return durationText((sign === '-' ? -milliseconds : milliseconds) / DAY_MS)
}

function fractionMs(fraction: string): number {
  return fraction === '' ? 0 : Math.round(Number(`0.${fraction.slice(1)}`) * 1000)
}
