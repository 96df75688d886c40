import { decimalText, durationText } from '../cell-values.ts'
import type { Attributes } from '../xml-walk.ts'

/**
 * The exact text of a cell of an OpenDocument sheet, by the rules of cell-text.ts, from what stands in its attributes (ODF 1.3 part 3, 19.385).
 * @param shown the cell's paragraphs
 * @param isCode whether its format shows a whole number as digits with leading zeros
 */
export function odsValueText(attributes: Attributes, shown: string, isCode: boolean): string | null {
  const type = attributes('office:value-type')
  // LibreOffice writes an error as a text, and what it is beside it.
  if (attributes('calcext:value-type') === 'error') return shown === '' ? null : shown
  switch (type) {
    case 'float':
    case 'percentage':
    case 'currency':
      return numberText(attributes, shown, isCode)
    case 'date':
      return momentText(attributes('office:date-value') ?? shown)
    case 'time':
      return spanText(attributes('office:time-value') ?? shown)
    case 'boolean':
      return attributes('office:boolean-value') === 'true' ? 'true' : 'false'
    case 'string':
      return shown || attributes('office:string-value') || null
    default:
      return shown || null
  }
}

function numberText(attributes: Attributes, shown: string, isCode: boolean): string | null {
  const stated = attributes('office:value') ?? ''
  // So LibreOffice keeps the truth values of other workbooks.
  const truth = /^of:=(TRUE|FALSE)\(\)$/.exec(attributes('table:formula') ?? '')?.[1]
  if (truth !== undefined) return truth.toLowerCase()
  if (stated.trim() === '') return shown || null
  const value = Number(stated)
  if (isCode && value >= 0 && /^[\d ()-]+$/.test(shown)) return shown
  return decimalText(value) ?? (shown || stated)
}

/** `2024-01-31`, `2024-01-31T12:30:00.250000000`, perhaps with a zone, which is kept. */
function momentText(stated: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)(?:T(\d\d):(\d\d):(\d\d)([.,]\d+)?)?(.*)$/.exec(stated)
  if (parts === null) return stated
  const [, day = '', hours = '0', minutes = '0', seconds = '0', fraction = '', zone = ''] = parts
  const milliseconds = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + fractionMs(fraction)
  // Fractions are rounded, and may so reach the next day.
  const dayMs = 86_400_000
  const whole = milliseconds >= dayMs ? new Date(Date.parse(day) + dayMs).toISOString().slice(0, 10) : day
  const rest = milliseconds % dayMs
  return (rest === 0 && zone === '' ? whole : `${whole} ${durationText(rest / dayMs)}`) + zone
}

/** `PT37H30M15.25S`; also with days, and below zero. */
function spanText(stated: string): string | null {
  const parts = /^(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)([.,]\d+)?S)?)?$/.exec(stated)
  if (parts === null) return stated
  const [, sign = '', days = '0', hours = '0', minutes = '0', seconds = '0', fraction = ''] = parts
  const whole = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)
  const milliseconds = whole * 1000 + fractionMs(fraction)
  if (!Number.isSafeInteger(milliseconds)) return stated
  return durationText((sign === '-' ? -milliseconds : milliseconds) / 86_400_000)
}

function fractionMs(fraction: string): number {
  return fraction === '' ? 0 : Math.round(Number(`0.${fraction.slice(1)}`) * 1000)
}
