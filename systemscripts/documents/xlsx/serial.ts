/*
 * Moments as Excel counts them: days since 1899-12-30, the time of day as their fraction. Null for what Excel cannot hold, which then stands as text:
 * before 1900-03-01 (Excel believes in a 29th of February 1900, so earlier days would be one off), after 9999, BC, the infinities.
 */

const MS_PER_DAY = 86_400_000
const DAYS_TO_1970 = 25_569
const FIRST_SAFE_DAY = 61
const SECONDS_PER_DAY = 86_400

/** `2026-03-01` */
export function dateSerial(text: string): number | null {
  return text.length === 10 ? dayOf(text) : null
}

/** `2026-03-01 08:00:00.5`, and an offset behind it, which is not counted: the time is that of the clock on the wall. */
export function momentSerial(text: string): number | null {
  if (text.length < 19 || text.charCodeAt(10) !== BLANK || text.endsWith('C')) return null
  const day = dayOf(text)
  const seconds = secondsOfClock(text, 11)
  return day === null || seconds === null ? null : day + seconds / SECONDS_PER_DAY
}

/** `08:00:00`; `24:00:00` is 1. */
export function timeSerial(text: string): number | null {
  const seconds = text.length < 8 ? null : secondsOfClock(text, 0)
  return seconds === null ? null : seconds / SECONDS_PER_DAY
}

/** `3 days 04:05:06`, `04:05:06`. Months have no length, and Excel shows no duration below zero: null. */
export function durationSerial(text: string): number | null {
  const [, days, hours, minutes = '', seconds = ''] = /^(?:(\d+) days?)?(?:(?:^| )(\d{2,}):(\d\d):(\d\d(?:\.\d+)?))?$/.exec(text) ?? []
  if (days === undefined && hours === undefined) return null
  const clock = hours === undefined ? 0 : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return Number(days ?? 0) + clock / SECONDS_PER_DAY
}

const BLANK = 32
const DASH = 45
const COLON = 58

function dayOf(text: string): number | null {
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return null
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const day = Date.UTC(year, twoDigits(text, 5) - 1, twoDigits(text, 8)) / MS_PER_DAY + DAYS_TO_1970
  return year >= 1900 && day >= FIRST_SAFE_DAY ? day : null
}

function secondsOfClock(text: string, at: number): number | null {
  if (text.charCodeAt(at + 2) !== COLON || text.charCodeAt(at + 5) !== COLON) return null
  const whole = twoDigits(text, at) * 3600 + twoDigits(text, at + 3) * 60 + twoDigits(text, at + 6)
  if (text.charCodeAt(at + 8) !== 46) return whole
  return whole + Number.parseFloat(`0${/\.\d+/.exec(text.slice(at + 8))?.[0] ?? ''}`)
}

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48
}
