import { clearMoment, judgeMoment, type Moment, type Reading, readFraction, readZone, twoDigits } from './moment.ts'

/**
 * Reads `yyyy-mm-dd`, with `[ T]hh:mm[:ss[.fff]][zone]` behind it or not, out of a trimmed text.
 */
export function readIsoMoment(text: string, into: Moment): Reading {
  clearMoment(into)
  const century = twoDigits(text, 0)
  const year = twoDigits(text, 2)
  into.month = twoDigits(text, 5)
  into.day = twoDigits(text, 8)
  if (century < 0 || year < 0 || into.month < 0 || into.day < 0 || text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d)
    return 'other_form'
  into.year = century * 100 + year
  into.hasDay = true
  if (text.length === 10) return judgeMoment(into)
  const between = text.charCodeAt(10)
  if (between !== 0x20 && between !== 0x54 && between !== 0x74) return 'other_form'
  return readClock(text, 11, into)
}

/** Reads `hh:mm[:ss[.fff]]` out of a trimmed text. */
export function readIsoTime(text: string, into: Moment): Reading {
  clearMoment(into)
  const reading = readClock(text, 0, into)
  return into.offsetSeconds === null ? reading : 'other_form'
}

function readClock(text: string, from: number, into: Moment): Reading {
  into.hour = twoDigits(text, from)
  into.minute = twoDigits(text, from + 3)
  if (into.hour < 0 || into.minute < 0 || text.charCodeAt(from + 2) !== 0x3a) return 'other_form'
  into.hasTime = true
  let at = from + 5
  if (text.charCodeAt(at) === 0x3a) {
    into.second = twoDigits(text, at + 1)
    if (into.second < 0) return 'other_form'
    at += 3
    const mark = text.charCodeAt(at)
    if (mark === 0x2e || mark === 0x2c) at = readFraction(text, at + 1, into)
    if (at < 0) return 'other_form'
  }
  if (at < text.length) {
    if (text.charCodeAt(at) === 0x20) at += 1
    at = readZone(text, at, into)
    if (at !== text.length) return 'other_form'
  }
  return judgeMoment(into)
}
