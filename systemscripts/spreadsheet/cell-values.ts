/*
 * The texts of a workbook's cells, exact: what the cell holds, not how it is decorated. Shared by all readers of workbooks, so that a sheet gives
 * the same texts whichever kind of file it is saved as.
 *
 * - text stays as it is: `00123`, `1E5`, `TRUE`, `NA`; a text cell with nothing in it is empty, since that is what people see;
 * - numbers are the shortest decimal that means the same number (1234.5, not `1,234.50`; 12 % is 0.12; never an exponent), save that a
 *   format of zeros only (`00000`, `000-00-0000`) is kept as shown, since such a number is a code;
 * - dates, known by the number format, are `yyyy-mm-dd`, with ` hh:mm:ss` when there is a time of day (and `.fff` when it has
 *   milliseconds); times `hh:mm:ss`; durations such as `[h]:mm` count hours beyond 24. Both epochs; 1900-02-29 is a day, as in Excel;
 * - `true`, `false`; errors as `#N/A`; formulas by the value that was stored with them.
 */

/** What the number in a cell means, told by its format. */
export type NumberKind = 'number' | 'date' | 'time' | 'duration' | 'code'

const MS_PER_DAY = 86_400_000
/** 9999-12-31 in the 1900 system, the last day that Excel knows. */
const LAST_DAY = 2_958_465
const DAYS_FROM_1900_TO_1904 = 1462
const TWO_DIGITS = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'))
const THREE_DIGITS = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'))

/** Excel's own end at 255 characters; in a longer one there is nothing to be read but an attack on who reads it. */
export const LONGEST_FORMAT = 1000

/** What a number in this format is: told by the letters of the format, as Excel tells it. */
export function numberKind(format: string): NumberKind {
  if (format.length > LONGEST_FORMAT) return 'number'
  if (/^(?=0*00)[0 ()\\-]+$/.test(format)) return 'code'
  const sections = withoutLiterals(format).split(';')
  const section = sections.find(isOfTime)
  if (section === undefined) return 'number'
  if (/\[(h+|m+|s+)\]/i.test(section)) return 'duration'
  const tokens = section.replace(/\[[^\]]*\]|am\/pm|a\/p/gi, '')
  const hasTime = /[hs]/i.test(tokens)
  return /[yde]/i.test(tokens) || !hasTime ? 'date' : 'time'
}

/** The text of a number of that kind; null when it is not finite. */
export function numberText(value: number, kind: NumberKind, format: string, is1904: boolean): string | null {
  switch (kind) {
    case 'date':
      return momentText(value, is1904)
    case 'time':
      return momentText(value, is1904 && value >= 1)
    case 'duration':
      return durationText(value)
    case 'code':
      return Number.isSafeInteger(value) && value >= 0 ? codeText(format, value) : decimalText(value)
    default:
      return decimalText(value)
  }
}

/** The shortest decimal text that is the same number, without an exponent. */
export function decimalText(value: number): string | null {
  if (!Number.isFinite(value)) return null
  const text = String(Object.is(value, -0) ? 0 : value)
  if (!text.includes('e')) return text
  const [, sign = '', whole = '', fraction = '', exponent] = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? []
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return sign + digits.padEnd(point, '0')
}

/** Serial numbers of days since 1900 (or 1904): `yyyy-mm-dd`, `yyyy-mm-dd hh:mm:ss[.fff]`, and on day 0 `hh:mm:ss[.fff]`. */
export function momentText(serial: number, is1904: boolean): string | null {
  const milliseconds = Math.round(serial * MS_PER_DAY)
  const days = Math.floor(milliseconds / MS_PER_DAY)
  const day = days + (is1904 ? DAYS_FROM_1900_TO_1904 : 0)
  // A value that is no number fails both comparisons.
  if (!(serial >= 0 && day <= LAST_DAY)) return decimalText(serial)
  const sinceMidnight = milliseconds - days * MS_PER_DAY
  if (day === 0) return timeText(sinceMidnight)
  return sinceMidnight === 0 ? dayText(day) : `${dayText(day)} ${timeText(sinceMidnight)}`
}

export function durationText(days: number): string | null {
  const milliseconds = Math.round(Math.abs(days) * MS_PER_DAY)
  if (!Number.isSafeInteger(milliseconds)) return decimalText(days)
  return (days < 0 && milliseconds > 0 ? '-' : '') + timeText(milliseconds)
}

/**
 * Quoted and escaped letters mean nothing, nor does what a format says about width, filling and the text of text cells; nor General, which Chinese,
 * Japanese and Korean programs write in their language.
 */
function withoutLiterals(format: string): string {
  return format.replace(/"[^"]*"?|\\.|_.|\*.|@|general|g\/(通用格式|標準|표준)/gi, '')
}

/** Whether a section shows a day or a time: letters of them, and no digits but fractions of a second. */
function isOfTime(section: string): boolean {
  if (/\[[hms\u0e0a\u0e19\u0e17]+\]/i.test(section)) return true
  const tokens = section.replace(/\[[^\]]*\]/g, '').replace(/(s)[.,]0+/gi, '$1')
  if (/[0#?]/.test(tokens)) return false
  return /[dmyhsegb\u0e27\u0e14\u0e1b\u0e0a\u0e19\u0e17]|a\/p|am\/pm/i.test(tokens)
}

/** Digits fill the zeros from the right; what is left of them stands before the first. */
function codeText(format: string, value: number): string {
  const digits = String(value)
  let left = digits.length
  const signs = [...format.replaceAll('\\', '')].reverse().map((sign) => {
    if (sign !== '0') return sign
    left -= 1
    return digits[left] ?? '0'
  })
  const text = signs.reverse().join('')
  return left > 0 ? digits.slice(0, left) + text : text
}

const dayTexts = new Map<number, string>()
const KEPT_DAYS = 20_000

/** Day 1 is 1900-01-01, and day 60 the 29th of February that 1900 did not have: so Excel counts, and Lotus 1-2-3 before it. */
function dayText(day: number): string {
  const known = dayTexts.get(day)
  if (known !== undefined) return known
  const daysSinceEpoch = day - (day > 60 ? 25_569 : 25_568)
  const text = day === 60 ? '1900-02-29' : new Date(daysSinceEpoch * MS_PER_DAY).toISOString().slice(0, 10)
  if (dayTexts.size === KEPT_DAYS) dayTexts.clear()
  dayTexts.set(day, text)
  return text
}

/** `hh:mm:ss`, with `.fff` when there are milliseconds; hours may pass 24. */
function timeText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const fraction = milliseconds - seconds * 1000
  const text = `${TWO_DIGITS[hours] ?? hours}:${TWO_DIGITS[minutes - hours * 60]}:${TWO_DIGITS[seconds - minutes * 60]}`
  return fraction === 0 ? text : `${text}.${THREE_DIGITS[fraction]}`
}
