import type { ColumnType } from './column-type.ts'
import { type NumberExample, parseNumberFormat } from './number-format.ts'
import { createNumberReader } from './number-reader.ts'
import { ofUnits, putTogether, roundedUnits, shapeOfNumber, takeApart, unitsOf } from './plain-number.ts'
import { type Converted, RefusedValue } from './refused-value.ts'
import type { TypeConversion, TypeRule } from './type-rule.ts'

/**
 * Numbers of the type, exact: texts all the way.
 *
 * @throws PermanentError `number_format_invalid`
 */
export function createNumberConversion(type: ColumnType, rule: TypeRule): TypeConversion {
  const { example, rounds } = rule.format === null ? { example: null, rounds: false } : parseNumberFormat(rule.format)
  const fit = fitOf(type, rule, rounds)
  const notANumber = unreadable(type, rule, example)
  if (example === null) return (text) => fit(text) ?? notANumber(text)
  const read = createNumberReader(example)
  if (!rule.isOriginUnknown) {
    return (text, isTyped) => {
      const plain = isTyped ? text : read(text)
      return (plain === null ? null : fit(plain)) ?? notANumber(text)
    }
  }
  const ambiguous = new RefusedValue(
    'ambiguous_number',
    `Column "${rule.column}" cannot tell such a number from one of the form ${example.text}: it may be the text, or the number, of a cell`,
  )
  return (text) => {
    const byExample = read(text)
    const plain = isOfNumberCell(text) ? text : null
    if (byExample !== null && plain !== null && byExample !== plain) return ambiguous
    const either = plain ?? byExample
    return (either === null ? null : fit(either)) ?? notANumber(text)
  }
}

/** Null when the text is no plain number. */
type Fit = (text: string) => Converted

function fitOf(type: ColumnType, rule: TypeRule, rounds: boolean): Fit {
  switch (type.kind) {
    case 'smallint':
      return fitWhole(type, rule, rounds, '32767', '32768')
    case 'integer':
      return fitWhole(type, rule, rounds, '2147483647', '2147483648')
    case 'bigint':
      return fitWhole(type, rule, rounds, '9223372036854775807', '9223372036854775808')
    case 'real':
      return fitFloat(type, rule, Math.fround)
    case 'double precision':
      return fitFloat(type, rule, (value) => value)
    default:
      return type.size === null ? fitFreeNumeric(rule) : fitNumeric(type, rule, rounds, type.size, type.scale ?? 0)
  }
}

function fitWhole(type: ColumnType, rule: TypeRule, rounds: boolean, highest: string, lowest: string): Fit {
  const hasDecimals = new RefusedValue(
    'has_decimals',
    `Column "${rule.column}" needs a whole number: it is of type ${type.name}; a format with the word round would round`,
  )
  const outOfRange = new RefusedValue('out_of_range', `Column "${rule.column}" is of type ${type.name}, which ends at ${highest}`)
  const surelyFits = highest.length - 1
  return (text) => {
    const shape = shapeOfNumber(text)
    if (shape === 'none') return null
    if (shape === 'digits' && text.length <= surelyFits) return text
    const number = takeApart(text)
    if (number === null) return outOfRange
    let { whole } = number
    if (number.fraction !== '') {
      if (!rounds) return hasDecimals
      whole = roundedUnits(whole, number.fraction)
    }
    const limit = number.isNegative ? lowest : highest
    if (whole.length > limit.length || (whole.length === limit.length && whole > limit)) return outOfRange
    if (whole === '') return '0'
    return number.isNegative ? `-${whole}` : whole
  }
}

function fitNumeric(type: ColumnType, rule: TypeRule, rounds: boolean, size: number, scale: number): Fit {
  const tooManyDecimals = new RefusedValue(
    'too_many_decimals',
    scale < 0
      ? `Column "${rule.column}" is of type ${type.name}, which counts in ${`1${'0'.repeat(-scale)}`}s; a format with the word round would round`
      : `Column "${rule.column}" is of type ${type.name}, which holds ${scale} decimals; a format with the word round would round`,
  )
  const tooManyDigits = new RefusedValue(
    'too_many_digits',
    `Column "${rule.column}" is of type ${type.name}, which is too small for such a number`,
  )
  const wholeDigits = size - scale
  return (text) => {
    const shape = shapeOfNumber(text)
    if (shape === 'none') return null
    if (shape === 'digits' && scale >= 0 && text.length <= wholeDigits) return text
    if (shape === 'decimal' && wholeDigits >= 0) {
      const pointAt = text.indexOf('.')
      if (pointAt <= wholeDigits && text.length - pointAt - 1 <= scale) return text
    }
    const number = takeApart(text)
    if (number === null) return tooManyDigits
    let { units, rest } = unitsOf(number, scale)
    if (rest !== '') {
      if (!rounds) return units.length > size ? tooManyDigits : tooManyDecimals
      units = roundedUnits(units, rest)
      rest = ''
    }
    return units.length > size ? tooManyDigits : putTogether(ofUnits(number.isNegative, units, scale))
  }
}

function fitFreeNumeric(rule: TypeRule): Fit {
  const outOfRange = new RefusedValue('out_of_range', `Column "${rule.column}" needs a number of fewer digits: Postgres has none such`)
  return (text) => {
    const shape = shapeOfNumber(text)
    if (shape === 'none') return null
    if (shape !== 'exponent' && text.length < MOST_NUMERIC_DECIMALS) return text
    const number = takeApart(text)
    if (number === null || number.whole.length > MOST_NUMERIC_DIGITS || number.fraction.length > MOST_NUMERIC_DECIMALS) return outOfRange
    return putTogether(number)
  }
}

function fitFloat(type: ColumnType, rule: TypeRule, narrow: (value: number) => number): Fit {
  const outOfRange = new RefusedValue('out_of_range', `Column "${rule.column}" is of type ${type.name}, which has no such number`)
  return (text) => {
    const shape = shapeOfNumber(text)
    if (shape === 'none') return FLOAT_WORDS.get(text.toLowerCase()) ?? null
    if (shape !== 'exponent' && text.length <= 30) return text
    const value = narrow(Number(text))
    const isLost = value === 0 && /[1-9]/.test(text.replace(/e.*/i, ''))
    return Number.isFinite(value) && !isLost ? text : outOfRange
  }
}

/** The refusal of what is no number: where a comma may be the trouble, its message says how to write a format. */
function unreadable(type: ColumnType, rule: TypeRule, example: NumberExample | null): (text: string) => RefusedValue {
  const isWhole = type.kind === 'smallint' || type.kind === 'integer' || type.kind === 'bigint'
  const wanted = example?.text ?? (isWhole ? '1234' : '1234.56')
  const needs = `Column "${rule.column}" needs a ${isWhole ? 'whole number' : 'number'} such as ${wanted}`
  const plainly = new RefusedValue('not_a_number', needs)
  if (example !== null) return () => plainly
  const formatted = new RefusedValue('not_a_number', `${needs}; for others write one as its format, such as 1.234,56 or 1,234.56`)
  return (text) => (/\d/.test(text) && !/[a-z]{2}/i.test(text) ? formatted : plainly)
}

/** As cells of numbers are written: a plain decimal, no plus, no exponent. */
function isOfNumberCell(text: string): boolean {
  const shape = shapeOfNumber(text)
  return (shape === 'digits' || shape === 'decimal') && text.charCodeAt(0) !== 0x2b
}

const FLOAT_WORDS = new Map([
  ['nan', 'NaN'],
  ['inf', 'Infinity'],
  ['+inf', 'Infinity'],
  ['-inf', '-Infinity'],
  ['infinity', 'Infinity'],
  ['+infinity', 'Infinity'],
  ['-infinity', '-Infinity'],
])

/** Limits of Postgres's numeric, before and behind the point. */
const MOST_NUMERIC_DIGITS = 131_072
const MOST_NUMERIC_DECIMALS = 16_383
