import { calendarNames, nameKey } from './calendar-names.ts'
import { clearMoment, daysSince1970, type Moment, readFraction, readZone, twoDigits } from './moment.ts'

export type DatePart = 'year' | 'month' | 'day' | 'weekday' | 'hour' | 'half' | 'minute' | 'second' | 'fraction' | 'zone'

/** A piece of a date format: a token, or what stands between tokens. */
export type DatePiece = { token: string; part: DatePart } | { literal: string; isQuoted: boolean }

/** Reads from `at` on; answers where it ends, -1 when the text is not so. */
type Step = (text: string, at: number, into: Moment) => number

/**
 * Reads a text piece by piece; true when all of it was as the pieces say. What was read need not be in the calendar, save for a day of the
 * week, which must be that of the date.
 */
export function createStepReader(pieces: DatePiece[], language: string): (text: string, into: Moment) => boolean {
  let half = -1
  let weekday = -1
  const steps = pieces.map((piece, index): Step => ('token' in piece ? tokenStep(piece.token, pieces[index + 1]) : literalStep(piece)))
  const has = (...tokens: string[]) => pieces.some((piece) => 'token' in piece && tokens.includes(piece.token))
  const hasDay = has('dd', 'd')
  const hasTime = has('HH', 'H', 'hh', 'h')
  const isTwelve = has('hh', 'h')
  return (text, into) => {
    clearMoment(into)
    half = -1
    weekday = -1
    let at = 0
    for (const step of steps) {
      at = step(text, at, into)
      if (at < 0) return false
    }
    if (at !== text.length) return false
    into.hasDay = hasDay
    into.hasTime = hasTime
    if (isTwelve) {
      if (into.hour < 1 || into.hour > 12) into.hour = 99
      else if (half >= 0) into.hour = (into.hour % 12) + half
    }
    if (weekday >= 0 && (daysSince1970(into.year, into.month, into.day) + 4 + 7_000_000) % 7 !== weekday) into.day = 99
    return true
  }

  function tokenStep(token: string, next: DatePiece | undefined): Step {
    switch (token) {
      case 'yyyy':
        return readYear
      case 'yy':
        return twoDigitsInto((value, into) => {
          into.year = value + (value >= 70 ? 1900 : 2000)
        })
      case 'MM':
        return twoDigitsInto(setMonth)
      case 'M':
        return oneOrTwoInto(setMonth)
      case 'dd':
        return twoDigitsInto(setDay)
      case 'd':
        return oneOrTwoInto(setDay)
      case 'HH':
      case 'hh':
        return twoDigitsInto(setHour)
      case 'H':
      case 'h':
        return oneOrTwoInto(setHour)
      case 'mm':
        return twoDigitsInto((value, into) => {
          into.minute = value
        })
      case 'ss':
        return twoDigitsInto((value, into) => {
          into.second = value
        })
      case 'SSS':
        return readFraction
      case 'XXX':
        return readZone
      case 'a':
        return readHalf
      case 'MMMM':
      case 'MMM':
        return nameInto(calendarNames(language).months, next, setMonth)
      default:
        return nameInto(calendarNames(language).weekdays, next, (value) => {
          weekday = value
        })
    }
  }

  /** AM, pm, A.M. */
  function readHalf(text: string, at: number): number {
    const first = text.charCodeAt(at) | 0x20
    if (first !== 0x61 && first !== 0x70) return -1
    let end = at + 1
    if (text.charCodeAt(end) === DOT) end += 1
    if ((text.charCodeAt(end) | 0x20) !== 0x6d) return -1
    end += 1
    if (end === at + 3 && text.charCodeAt(end) === DOT) end += 1
    half = first === 0x70 ? 12 : 0
    return end
  }

  function nameInto(names: Map<string, number>, next: DatePiece | undefined, set: (value: number, into: Moment) => void): Step {
    const dotFollows = next !== undefined && 'literal' in next && next.literal.startsWith('.')
    return (text, at, into) => {
      let end = afterLetters(text, at)
      let value = names.get(nameKey(text.slice(at, end), language))
      // Some weekdays are two words, as in Portuguese.
      const longer = text.charCodeAt(end) === 0x2d ? afterLetters(text, end + 1) : end
      const longerValue = longer > end + 1 ? names.get(nameKey(text.slice(at, longer), language)) : undefined
      if (longerValue !== undefined) {
        value = longerValue
        end = longer
      }
      if (value === undefined) return -1
      set(value, into)
      if (text.charCodeAt(end) === DOT && (!dotFollows || text.charCodeAt(end + 1) === DOT)) end += 1
      return end
    }
  }
}

function literalStep({ literal, isQuoted }: { literal: string; isQuoted: boolean }): Step {
  if (/^\s$/.test(literal) && !isQuoted) {
    return (text, at) => {
      let end = at
      while (isBlank(text.charCodeAt(end))) end += 1
      return end > at || isBlank(text.charCodeAt(at - 1)) ? end : -1
    }
  }
  if (literal === 'Z' && !isQuoted) {
    return (text, at, into) => {
      if (text.charCodeAt(at) !== 0x5a) return -1
      into.offsetSeconds = 0
      return at + 1
    }
  }
  return (text, at) => (text.startsWith(literal, at) ? at + literal.length : -1)
}

function readYear(text: string, at: number, into: Moment): number {
  const century = twoDigits(text, at)
  const year = twoDigits(text, at + 2)
  if (century < 0 || year < 0) return -1
  into.year = century * 100 + year
  return at + 4
}

function twoDigitsInto(set: (value: number, into: Moment) => void): Step {
  return (text, at, into) => {
    const value = twoDigits(text, at)
    if (value < 0) return -1
    set(value, into)
    return at + 2
  }
}

function oneOrTwoInto(set: (value: number, into: Moment) => void): Step {
  return (text, at, into) => {
    const two = twoDigits(text, at)
    const one = text.charCodeAt(at) - 0x30
    if (two < 0 && !(one >= 0 && one <= 9)) return -1
    set(two < 0 ? one : two, into)
    return two < 0 ? at + 1 : at + 2
  }
}

function setMonth(value: number, into: Moment): void {
  into.month = value
}

function setDay(value: number, into: Moment): void {
  into.day = value
}

function setHour(value: number, into: Moment): void {
  into.hour = value
}

function afterLetters(text: string, from: number): number {
  let at = from
  while (isLetter(text.charCodeAt(at))) at += 1
  return at
}

/** Letters of the alphabets in which names of months are known here, and their accents. */
function isLetter(code: number): boolean {
  const lower = code | 0x20
  return (
    (lower >= 0x61 && lower <= 0x7a) ||
    (code >= 0xc0 && code < 0x530 && code !== 0xd7 && code !== 0xf7) ||
    (code >= 0x1e00 && code < 0x2000)
  )
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0xa0 || code === 0x202f || (code >= 0x2007 && code <= 0x2009)
}

const DOT = 0x2e
