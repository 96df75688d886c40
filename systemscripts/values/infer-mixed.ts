import { datePatternsFor } from './infer-dates.ts'
import { numberFormatFor } from './infer-numbers.ts'

/**
 * A type for a column in which cells that a workbook holds as numbers or dates stand beside texts of one form: numbers beside `1.234,56`, dates beside
 * `31.12.2024`. Only the texts tell the form.
 *
 * @returns null when both are not of one kind, or nobody can tell the form
 */
export function proposeMixed(texts: string[], typed: string[]): { type: string; format: string; reason: string } | null {
  if (typed.every((text) => NUMBER.test(text))) return mixedNumbers(texts, typed)
  return typed.every((text) => MOMENT.test(text)) ? mixedMoments(texts, typed) : null
}

/** As cells of numbers are written, codes such as 00123 apart. */
const NUMBER = /^-?(?!0\d)\d+(\.\d+)?$/
const MOMENT = /^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d+)?)?$/

function mixedNumbers(texts: string[], typed: string[]) {
  if (texts.some((text) => text.startsWith('+'))) return null
  const found = numberFormatFor(texts)
  if (found === null || typeof found === 'string') return null
  const type = found.type === 'numeric' || typed.some((text) => text.includes('.')) ? 'numeric' : widerOf(found.type, typed)
  return { type, format: found.format, reason: reasonFor(typed, 'numbers', texts, found.format) }
}

function widerOf(type: string, typed: string[]): string {
  return typed.some((text) => text.length > 18) ? 'numeric' : typed.some((text) => text.length > 9) ? 'bigint' : type
}

function mixedMoments(texts: string[], typed: string[]) {
  const [format, other] = datePatternsFor(texts)
  if (format === undefined || other !== undefined) return null
  const type = /[hH]/.test(format) || typed.some((text) => text.includes(':')) ? 'timestamp without time zone' : 'date'
  return { type, format, reason: reasonFor(typed, 'dates', texts, format) }
}

function reasonFor(typed: string[], what: string, texts: string[], format: string): string {
  return `${typed.length} different values are cells of ${what}, the other ${texts.length} texts of the form ${format}, and of no other.`
}
