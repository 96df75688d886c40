import { PermanentError } from '../errors.ts'
import type { ColumnType } from './column-type.ts'
import { RefusedValue } from './refused-value.ts'
import type { TypeConversion, TypeRule } from './type-rule.ts'

/**
 * Durations: `26:30`, `26:30:00.5`, `P1DT2H30M`, `1 day 02:03:04`, `2 hours 30 minutes`; with a format such as `mm:ss` those of that form,
 * whose first number may be of any size.
 *
 * @throws PermanentError `interval_format_invalid`
 */
export function createIntervalConversion(type: ColumnType, { column, format, isOriginUnknown }: TypeRule): TypeConversion {
  const pattern = format === null ? null : patternOf(format)
  const needs = `Column "${column}" needs a duration ${format === null ? 'such as 26:30:00 or 2 hours 30 minutes' : `of the form ${format}`}`
  const refused = new RefusedValue('not_an_interval', needs)
  const finest = Math.min(type.size ?? 6, 6)
  const tooFine = new RefusedValue(
    'too_many_decimals',
    `Column "${column}" is of type ${type.name}, which holds ${finest} decimals of a second`,
  )
  const isTooFine = (text: string): boolean => {
    const point = text.lastIndexOf('.')
    return point >= 0 && text.length - point - 1 > finest && /[1-9]/.test(text.slice(point + 1 + finest).replace(/\D.*$/, ''))
  }
  const readPlain = (text: string): string | null => readClock(text) ?? readIso(text) ?? readWords(text)
  const readByPattern = (text: string, isTyped: boolean): string | null => {
    if (pattern === null) return readPlain(text)
    const cell = (isTyped || isOriginUnknown) && CLOCK_CELL.test(text) ? text : null
    return isTyped ? (cell ?? readFormatted(text, pattern)) : (readFormatted(text, pattern) ?? cell)
  }
  return (text, isTyped) => {
    const interval = readByPattern(text, isTyped)
    if (interval === null) return refused
    return isTooFine(interval) ? tooFine : interval
  }
}

/** As durations and times of cells are written. */
const CLOCK_CELL = /^-?\d{2,9}:[0-5]\d:[0-5]\d(\.\d{3})?$/

/** `26:30`, `26:30:00`, `-0:05:00.5`: hours come first, as in Postgres. */
function readClock(text: string): string | null {
  let at = text.charCodeAt(0) === 0x2d || text.charCodeAt(0) === 0x2b ? 1 : 0
  const hoursEnd = afterDigits(text, at)
  if (hoursEnd === at || hoursEnd - at > MOST_DIGITS) return null
  at = hoursEnd
  for (let part = 0; part < 2; part += 1) {
    if (text.charCodeAt(at) !== 0x3a) return part === 1 && at === text.length ? text : null
    const tens = text.charCodeAt(at + 1)
    if (tens < 0x30 || tens > 0x35 || afterDigits(text, at + 1) !== at + 3) return null
    at += 3
  }
  if (at === text.length) return text
  if (text.charCodeAt(at) !== 0x2e) return null
  const end = afterDigits(text, at + 1)
  return end === text.length && end > at + 1 && end <= at + 10 ? text : null
}

/** ISO 8601 with designators. */
function readIso(text: string): string | null {
  if (text.charCodeAt(0) !== 0x50) return null
  const match =
    /^P(?:(\d{1,7})Y)?(?:(\d{1,8})M)?(?:(\d{1,8})W)?(?:(\d{1,8})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:\d{1,9}(?:\.\d{1,9})?S)?)?$/.exec(
      text,
    )
  return match !== null && /\d/.test(text) ? text : null
}

/** As Postgres writes them, and as people do: each unit once, a clock at the end. */
function readWords(text: string): string | null {
  const units = new Set<string>()
  const parts: string[] = []
  let rest = text.toLowerCase()
  for (;;) {
    const [whole, number = '', word = ''] = /^([+-]?\d{1,9}(?:\.\d{1,6})?) ?([a-z]+)(?=$|[ \d,+-])[ ,]*/.exec(rest) ?? []
    if (whole === undefined) break
    const unit = UNITS.find(({ names }) => names.includes(word))
    if (unit === undefined || units.has(unit.name)) return null
    const [digits = ''] = number.replace(/^[+-]/, '').split('.')
    if (digits.length > unit.mostDigits) return null
    units.add(unit.name)
    parts.push(`${number} ${unit.name}`)
    rest = rest.slice(whole.length)
  }
  if (units.size === 0) return null
  if (rest === '') return parts.join(' ')
  const hasTime = ['hour', 'minute', 'second', 'millisecond'].some((unit) => units.has(unit))
  return !hasTime && readClock(rest) !== null ? `${parts.join(' ')} ${rest}` : null
}

const UNITS = [
  { name: 'year', mostDigits: 7, names: ['years', 'year', 'yrs', 'yr', 'y'] },
  { name: 'month', mostDigits: 8, names: ['months', 'month', 'mons', 'mon'] },
  { name: 'week', mostDigits: 7, names: ['weeks', 'week', 'w'] },
  { name: 'day', mostDigits: 8, names: ['days', 'day', 'd'] },
  { name: 'hour', mostDigits: 9, names: ['hours', 'hour', 'hrs', 'hr', 'h'] },
  { name: 'minute', mostDigits: 9, names: ['minutes', 'minute', 'mins', 'min', 'm'] },
  { name: 'second', mostDigits: 9, names: ['seconds', 'second', 'secs', 'sec', 's'] },
  { name: 'millisecond', mostDigits: 9, names: ['milliseconds', 'millisecond', 'ms'] },
]

interface IntervalPattern {
  expression: RegExp
  units: IntervalUnit[]
}

type IntervalUnit = 'hour' | 'minute' | 'second' | 'fraction'

function patternOf(format: string): IntervalPattern {
  const units: IntervalUnit[] = []
  const pattern = format.trim().replace(/HH|H|mm|ss|SSS|'([^']*)'|[\s\S]/g, (piece, quoted: string | undefined) => {
    const unit = quoted === undefined ? UNIT_OF[piece] : undefined
    if (unit === undefined) {
      if (quoted === undefined && /[A-Za-z0-9']/.test(piece)) throw formatInvalid(format, `"${piece}" is no part of a duration.`)
      return (quoted ?? piece).replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
    }
    const before = units.at(-1)
    if (before !== undefined && ORDER.indexOf(unit) !== ORDER.indexOf(before) + 1)
      throw formatInvalid(format, `"${piece}" does not stand there.`)
    units.push(unit)
    if (units.length === 1) return '(\\d{1,9})'
    return unit === 'fraction' ? '(\\d{1,9})' : '([0-5]?\\d)'
  })
  if (units.length === 0 || units[0] === 'fraction') throw formatInvalid(format, 'It has no hours, minutes or seconds.')
  return { expression: new RegExp(`^(-?)${pattern}$`, 'u'), units }
}

const ORDER: IntervalUnit[] = ['hour', 'minute', 'second', 'fraction']
const UNIT_OF: Record<string, IntervalUnit> = { HH: 'hour', H: 'hour', mm: 'minute', ss: 'second', SSS: 'fraction' }

function readFormatted(text: string, { expression, units }: IntervalPattern): string | null {
  const match = expression.exec(text)
  if (match === null) return null
  const at = (unit: IntervalUnit): string => match[units.indexOf(unit) + 2] ?? '0'
  const partOf = (unit: IntervalUnit): number => (units.includes(unit) ? Number(at(unit)) : 0)
  const seconds = partOf('hour') * 3600 + partOf('minute') * 60 + partOf('second')
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':')
  return `${match[1]}${clock}${units.includes('fraction') ? `.${at('fraction')}` : ''}`
}

function afterDigits(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at += 1
  return at
}

const MOST_DIGITS = 9

function formatInvalid(format: string, why: string): PermanentError {
  return new PermanentError('interval_format_invalid', `Format "${format}" is not right for durations`, {
    detail: why,
    hint: 'Build it from H HH mm ss SSS in this order, the first of them of any size: H:mm, mm:ss, HH:mm:ss.SSS.',
  })
}
