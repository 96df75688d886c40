/** A day and a time of day as they were written; filled by a reader, and filled again by its next value. */
export interface Moment {
  year: number
  /** From 1. */
  month: number
  day: number
  hour: number
  minute: number
  second: number
  /** Digits of the fraction of a second, no zero last. */
  fraction: string
  /** Of the zone that was written, east of Greenwich; null: none was. */
  offsetSeconds: number | null
  hasDay: boolean
  hasTime: boolean
}

/** How the reading of a moment ended. */
export type Reading = 'read' | 'other_form' | 'no_such_day' | 'no_such_time'

export type MomentReader = (text: string, into: Moment) => Reading

export function emptyMoment(): Moment {
  return { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, fraction: '', offsetSeconds: null, hasDay: false, hasTime: false }
}

export function clearMoment(moment: Moment): void {
  moment.year = 0
  moment.month = 0
  moment.day = 0
  moment.hour = 0
  moment.minute = 0
  moment.second = 0
  moment.fraction = ''
  moment.offsetSeconds = null
  moment.hasDay = false
  moment.hasTime = false
}

/** Whether day and time are in the calendar and on the clock. */
export function judgeMoment({ year, month, day, hour, minute, second, hasDay, offsetSeconds }: Moment): Reading {
  if (hasDay && (year < 1 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month))) return 'no_such_day'
  if (hour > 23 || minute > 59 || second > 59 || Math.abs(offsetSeconds ?? 0) > FARTHEST_OFFSET) return 'no_such_time'
  return 'read'
}

/** Two digits from `at`, -1 when there are none. */
export function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30
  const ones = text.charCodeAt(at + 1) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

/** Reads `Z`, `UTC`, `GMT`, `+01`, `+0100`, `+01:00`, `+01:00:00`. Answers where it ends, -1 when it is none of them. */
export function readZone(text: string, at: number, into: Moment): number {
  const first = text.charCodeAt(at)
  if (first === 0x5a || first === 0x7a) {
    into.offsetSeconds = 0
    return at + 1
  }
  if (text.startsWith('UTC', at) || text.startsWith('GMT', at)) {
    into.offsetSeconds = 0
    return at + 3
  }
  if (first !== 0x2b && first !== 0x2d) return -1
  const hours = twoDigits(text, at + 1)
  if (hours < 0) return -1
  let end = at + 3
  let seconds = hours * 3600
  const hasColons = text.charCodeAt(end) === 0x3a
  for (const unit of [60, 1]) {
    const from = hasColons ? end + 1 : end
    const part = twoDigits(text, from)
    if (part < 0 || (hasColons && text.charCodeAt(end) !== 0x3a)) break
    if (part > 59) return -1
    seconds += part * unit
    end = from + 2
  }
  into.offsetSeconds = first === 0x2d ? -seconds : seconds
  return end
}

/** Reads 1 to 9 digits of a fraction of a second. Answers where it ends, -1 when there are fewer or more. */
export function readFraction(text: string, from: number, into: Moment): number {
  let at = from
  let last = from
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x30 || code > 0x39) break
    if (code !== 0x30) last = at + 1
  }
  if (at === from || at > from + 9) return -1
  into.fraction = text.slice(from, last)
  return at
}

/** Seconds since 1970-01-01 00:00, the zone left out of account. */
export function secondsOf({ year, month, day, hour, minute, second }: Moment): number {
  return daysSince1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
}

/** The inverse of secondsOf; fraction and zone stay. */
export function setSeconds(moment: Moment, seconds: number): void {
  const days = Math.floor(seconds / 86_400)
  const time = seconds - days * 86_400
  moment.hour = Math.floor(time / 3600)
  moment.minute = Math.floor(time / 60) % 60
  moment.second = time % 60
  const sinceMarchOfYear0 = days + 719_468
  const era = Math.floor(sinceMarchOfYear0 / DAYS_OF_400_YEARS)
  const dayOfEra = sinceMarchOfYear0 - era * DAYS_OF_400_YEARS
  const leapDays = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const year = Math.floor((dayOfEra - leapDays) / 365)
  const dayOfYear = dayOfEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100))
  const month = Math.floor((5 * dayOfYear + 2) / 153)
  moment.day = dayOfYear - Math.floor((153 * month + 2) / 5) + 1
  moment.month = month < 10 ? month + 3 : month - 9
  moment.year = year + era * 400 + (moment.month <= 2 ? 1 : 0)
}

const DAYS_OF_400_YEARS = 146_097

/**
 * Gregorian throughout. Counts from March, so that the leap day is the last of its year: Howard Hinnant, chrono-Compatible Low-Level Date
 * Algorithms, as is its inverse above.
 */
export function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const m = month <= 2 ? month + 9 : month - 3
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + Math.floor((153 * m + 2) / 5) + day - 719_469
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Postgres takes zones up to 15:59:59 from Greenwich. */
const FARTHEST_OFFSET = 16 * 3600 - 1
