import type { ColumnType } from './column-type.ts'
import { compileDatePattern, type DatePattern, type PatternDemands } from './date-pattern.ts'
import { readIsoMoment, readIsoTime } from './iso-moment.ts'
import { emptyMoment, type Moment, type MomentReader, type Reading, secondsOf, setSeconds } from './moment.ts'
import { RefusedValue } from './refused-value.ts'
import type { TypeConversion, TypeRule } from './type-rule.ts'
import { createZoneOffsets } from './zone-offsets.ts'

/**
 * Days, times of day and both together: date, time, timestamp, timestamptz.
 *
 * @throws PermanentError `date_format_invalid`, `zone_unknown`
 */
export function createMomentConversion(type: ColumnType, rule: TypeRule): TypeConversion {
  const pattern = rule.format === null || rule.format.trim() === 'round' ? null : compileDatePattern(rule.format, DEMANDS[type.kind] ?? DAY)
  const rounds = rule.format?.trim() === 'round' || pattern?.rounds === true
  const isTime = type.kind === 'time'
  const write = writerOf(type, rule, pattern?.parts.has('hour') === true)
  const refuse = refusalsOf(type, rule)
  const finest = Math.min(type.size ?? FINEST, FINEST)
  const moment = emptyMoment()
  const readPlain = isTime ? readIsoTime : readIsoMoment
  const read = readerOf(pattern, readPlain, rule.isOriginUnknown)
  const isDay = type.kind === 'date'
  return (text, isTyped) => {
    const reading = read(text, isTyped, moment)
    if (reading === 'ambiguous') return refuse.ambiguous
    if (reading !== 'read') return (isTime ? undefined : INFINITIES.get(text.toLowerCase())) ?? refuse.reading(reading, text)
    if (!isDay && moment.fraction.length > finest && !rounds) return refuse.tooFine
    return write(moment) ?? (isDay ? refuse.hasTime : refuse.reading('no_such_day', text))
  }
}

const DAY: PatternDemands = { needed: ['year', 'month', 'day'] }
const DEMANDS: Partial<Record<ColumnType['kind'], PatternDemands>> = {
  time: { needed: ['hour'], barred: ['year', 'month', 'day', 'weekday', 'zone'] },
}

/** Postgres keeps microseconds. */
const FINEST = 6

const INFINITIES = new Map([
  ['infinity', 'infinity'],
  ['-infinity', '-infinity'],
])

/**
 * A cell of a date is in the plain form; a cell of a number such as 20240304 may be a day of the format's form. A text of unknown origin that both
 * ways is a day is ambiguous if they differ.
 */
function readerOf(
  pattern: DatePattern | null,
  readPlain: MomentReader,
  isOriginUnknown: boolean,
): (text: string, isTyped: boolean, into: Moment) => Reading | 'ambiguous' {
  if (pattern === null) return (text, _isTyped, into) => readPlain(text, into)
  if (!isOriginUnknown) return (text, isTyped, into) => (isTyped && readPlain(text, into) === 'read' ? 'read' : pattern.read(text, into))
  const plain = emptyMoment()
  return (text, _isTyped, into) => {
    const reading = pattern.read(text, into)
    if (readPlain(text, plain) !== 'read') return reading
    if (reading === 'read') return secondsOf(plain) === secondsOf(into) ? 'read' : 'ambiguous'
    Object.assign(into, plain)
    return 'read'
  }
}

/** Null: a time of day that a column of days would lose, or a day before the first year. */
function writerOf(type: ColumnType, rule: TypeRule, saysTime: boolean): (moment: Moment) => string | null {
  if (type.kind === 'time') return timeText
  if (type.kind === 'date') {
    return (moment) =>
      !saysTime && (moment.hour !== 0 || moment.minute !== 0 || moment.second !== 0 || moment.fraction !== '') ? null : dayText(moment)
  }
  const zone = createZoneOffsets(rule.sourceZone)
  if (type.kind === 'timestamp') {
    return (moment) => {
      if (moment.offsetSeconds !== null) {
        const seconds = secondsOf(moment) - moment.offsetSeconds
        setSeconds(moment, seconds + zone.ofMoment(seconds))
        if (moment.year < 1) return null
      }
      return `${dayText(moment)} ${timeText(moment)}`
    }
  }
  const offsets = new Map<number, string>()
  return (moment) => {
    const offset = moment.offsetSeconds ?? zone.ofLocal(secondsOf(moment))
    let written = offsets.get(offset)
    if (written === undefined) {
      written = offsetText(offset)
      offsets.set(offset, written)
    }
    return `${dayText(moment)} ${timeText(moment)}${written}`
  }
}

function refusalsOf(type: ColumnType, { column, format }: TypeRule) {
  const isTime = type.kind === 'time'
  const example = EXAMPLES[type.kind] ?? ''
  const needs = `Column "${column}" needs a ${isTime ? 'time' : 'date'} ${format === null ? `such as ${example}` : `of the form ${format}`}`
  const rule = isTime ? 'not_a_time' : 'not_a_date'
  const otherForm = new RefusedValue(rule, needs)
  const noSuchDay = new RefusedValue('no_such_day', `Column "${column}" needs a day that is in the calendar`)
  const noSuchTime = new RefusedValue('no_such_time', `Column "${column}" needs a time of day from 00:00 to 23:59:59`)
  const advised = new Map<string, RefusedValue>()
  return {
    ambiguous: new RefusedValue(
      'ambiguous_date',
      `Column "${column}" cannot tell such a date from one of the form ${format}: it may be the text, or the date, of a cell`,
    ),
    hasTime: new RefusedValue(
      'has_time',
      `Column "${column}" is of type date and would lose the time of day; a format with a time lets it`,
    ),
    tooFine: new RefusedValue(
      'too_many_decimals',
      `Column "${column}" is of type ${type.name}, which holds ${Math.min(type.size ?? FINEST, FINEST)} decimals of a second; a format with the word round would round`,
    ),
    reading: (reading: Reading, text: string): RefusedValue => {
      if (reading === 'no_such_day') return noSuchDay
      if (reading === 'no_such_time') return noSuchTime
      if (format !== null || isTime) return otherForm
      const { advice, isAmbiguous } = adviceFor(text)
      if (advice === null) return otherForm
      const known = advised.get(advice)
      if (known !== undefined) return known
      const refusal = new RefusedValue(isAmbiguous ? 'ambiguous_date' : rule, `${needs}; for such a date write format ${advice}`)
      advised.set(advice, refusal)
      return refusal
    },
  }
}

const EXAMPLES: Partial<Record<ColumnType['kind'], string>> = {
  date: '2024-04-03',
  timestamp: '2024-04-03 17:30:00',
  timestamptz: '2024-04-03 17:30:00+02',
  time: '17:30:00',
}

/** Which format a person should write for a date such as 03/04/2024. */
function adviceFor(text: string): { advice: string | null; isAmbiguous: boolean } {
  const [, first = '', mark = '', second = '', year = ''] = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)/.exec(text) ?? []
  if (year === '') return { advice: null, isAmbiguous: false }
  const years = year.length === 4 ? 'yyyy' : 'yy'
  const time = timeAdvice(text)
  const dayFirst = `d${mark}M${mark}${years}${time}`
  const monthFirst = `M${mark}d${mark}${years}${time}`
  if (Number(first) > 12) return { advice: dayFirst, isAmbiguous: false }
  if (Number(second) > 12) return { advice: monthFirst, isAmbiguous: false }
  return { advice: `${dayFirst} if the day comes first, ${monthFirst} if the month does`, isAmbiguous: true }
}

function timeAdvice(text: string): string {
  const [, seconds, half] = /\d{1,2}:\d{2}(:\d{2})?(\s*[ap]\.?m\.?)?$/i.exec(text) ?? []
  if (!text.includes(':')) return ''
  return `${half === undefined ? ' H:mm' : ' h:mm'}${seconds === undefined ? '' : ':ss'}${half === undefined ? '' : ' a'}`
}

function dayText({ year, month, day }: Moment): string {
  return `${two(Math.floor(year / 100))}${two(year % 100)}-${two(month)}-${two(day)}`
}

function timeText({ hour, minute, second, fraction }: Moment): string {
  const time = `${two(hour)}:${two(minute)}:${two(second)}`
  return fraction === '' ? time : `${time}.${fraction}`
}

function offsetText(seconds: number): string {
  const size = Math.abs(seconds)
  const hours = `${seconds < 0 ? '-' : '+'}${two(Math.floor(size / 3600))}`
  if (size % 3600 === 0) return hours
  const minutes = `${hours}:${two(Math.floor(size / 60) % 60)}`
  return size % 60 === 0 ? minutes : `${minutes}:${two(size % 60)}`
}

function two(value: number): string {
  return TWO_DIGITS[value] ?? String(value)
}

const TWO_DIGITS = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'))
