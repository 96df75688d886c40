/** Shape of a text as a plain number: `digits`, `.5` `5.` `1.5` (`decimal`), with an exponent, or none at all. A sign may stand in front. */
export type NumberShape = 'none' | 'digits' | 'decimal' | 'exponent'

/** A number taken apart, exactly; zero has neither digits. */
export interface Decimal {
  isNegative: boolean
  /** Digits before the point, no zero first. */
  whole: string
  /** Digits behind it, no zero last. */
  fraction: string
}

export function shapeOfNumber(text: string): NumberShape {
  const first = text.charCodeAt(0)
  let at = first === MINUS || first === PLUS ? 1 : 0
  const begin = at
  at = afterDigits(text, at)
  let digits = at - begin
  if (at === text.length) return digits === 0 ? 'none' : 'digits'
  let shape: NumberShape = 'digits'
  if (text.charCodeAt(at) === POINT) {
    const end = afterDigits(text, at + 1)
    digits += end - at - 1
    at = end
    shape = 'decimal'
  }
  if (digits === 0) return 'none'
  if (at === text.length) return shape
  if ((text.charCodeAt(at) | 0x20) !== LETTER_E) return 'none'
  at += 1
  if (text.charCodeAt(at) === MINUS || text.charCodeAt(at) === PLUS) at += 1
  const end = afterDigits(text, at)
  return end > at && end === text.length ? 'exponent' : 'none'
}

/**
 * @param text of any shape but `none`
 * @param power of ten by which it is multiplied
 * @returns null for more than 200,000 digits, of which Postgres has no number
 */
export function takeApart(text: string, power = 0): Decimal | null {
  const isNegative = text.charCodeAt(0) === MINUS
  const exponentAt = text.search(/e/i)
  const mantissa = text.slice(isNegative || text.charCodeAt(0) === PLUS ? 1 : 0, exponentAt < 0 ? undefined : exponentAt)
  const pointAt = mantissa.indexOf('.')
  const digits = pointAt < 0 ? mantissa : mantissa.slice(0, pointAt) + mantissa.slice(pointAt + 1)
  if (/^0*$/.test(digits)) return { isNegative: false, whole: '', fraction: '' }
  const exponent = exponentAt < 0 ? 0 : Number(text.slice(exponentAt + 1))
  const point = (pointAt < 0 ? digits.length : pointAt) + exponent + power
  if (Math.abs(point) > MOST_DIGITS || digits.length > MOST_DIGITS) return null
  const whole = point <= 0 ? '' : digits.slice(0, point).padEnd(point, '0')
  const fraction = point <= 0 ? '0'.repeat(-point) + digits : digits.slice(point)
  return { isNegative, whole: withoutZerosFirst(whole), fraction: withoutZerosLast(fraction) }
}

export function putTogether({ isNegative, whole, fraction }: Decimal): string {
  const text = fraction === '' ? whole || '0' : `${whole || '0'}.${fraction}`
  return isNegative ? `-${text}` : text
}

/**
 * The number as so many units of ten to the power of -scale: 12.5 at scale 2 is 1250, 1200 at scale -2 is 12.
 *
 * @returns digits without zeros in front, and whether something was left behind the last
 */
export function unitsOf({ whole, fraction }: Decimal, scale: number): { units: string; rest: string } {
  const point = whole.length + scale
  const digits = whole + fraction
  const units = point <= 0 ? '' : digits.slice(0, point).padEnd(point, '0')
  const rest = point <= 0 ? '0'.repeat(-point) + digits : digits.slice(point)
  return { units: withoutZerosFirst(units), rest: withoutZerosLast(rest) }
}

/** The inverse of unitsOf. */
export function ofUnits(isNegative: boolean, units: string, scale: number): Decimal {
  if (scale <= 0) return { isNegative: isNegative && units !== '', whole: units === '' ? '' : units + '0'.repeat(-scale), fraction: '' }
  const digits = units.padStart(scale, '0')
  const fraction = withoutZerosLast(digits.slice(digits.length - scale))
  return { isNegative: isNegative && units !== '', whole: withoutZerosFirst(digits.slice(0, digits.length - scale)), fraction }
}

/** Half away from zero, as Postgres rounds. */
export function roundedUnits(units: string, rest: string): string {
  return rest.charCodeAt(0) >= FIVE ? String(BigInt(units || '0') + 1n) : units
}

function withoutZerosFirst(digits: string): string {
  let from = 0
  while (digits.charCodeAt(from) === ZERO) from += 1
  return from === 0 ? digits : digits.slice(from)
}

/** Not by a regular expression: one that looks for the end looks again from every zero on its way. */
function withoutZerosLast(digits: string): string {
  let to = digits.length
  while (to > 0 && digits.charCodeAt(to - 1) === ZERO) to -= 1
  return to === digits.length ? digits : digits.slice(0, to)
}

function afterDigits(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code < ZERO || code > NINE) break
    at += 1
  }
  return at
}

const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const ZERO = 0x30
const FIVE = 0x35
const NINE = 0x39
const LETTER_E = 0x65
const MOST_DIGITS = 200_000
