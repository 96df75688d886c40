import { compileDatePattern, type PatternDemands } from './date-pattern.ts'
import { readIsoMoment } from './iso-moment.ts'
import { emptyMoment, type MomentReader, secondsOf } from './moment.ts'

/**
 * Formats under which all texts are dates. Two that read every text alike count once; two that read one differently both stand in the
 * answer, and then nobody can tell.
 *
 * @param among null: the plain form
 * @returns at most two
 */
export function datePatternsFor(texts: string[], among: (string | null)[] = formatsLike(texts[0] ?? '')): string[] {
  const found: { format: string; seconds: number[] }[] = []
  for (const format of among) {
    const seconds = secondsUnder(texts, format === null ? readIsoMoment : compileDatePattern(format, DAY).read)
    if (seconds === null || found.some((other) => other.seconds.every((second, index) => second === seconds[index]))) continue
    found.push({ format: format ?? '', seconds })
    if (found.length === 2) break
  }
  return found.map(({ format }) => format)
}

const DAY: PatternDemands = { needed: ['year', 'month', 'day'] }

/** Null when one of the texts is no such date. */
function secondsUnder(texts: string[], read: MomentReader): number[] | null {
  const moment = emptyMoment()
  const seconds: number[] = []
  for (const text of texts) {
    if (read(text, moment) !== 'read') return null
    seconds.push(secondsOf(moment))
  }
  return seconds
}

/** Every format in which this text may have been written, most usual first. */
function formatsLike(text: string): string[] {
  const [, day = '', time = ''] = /^(.*?)((?:T|,? +)\d{1,2}:.*)?$/s.exec(text) ?? []
  const times = time === '' ? [''] : timesLike(time)
  return daysLike(day).flatMap((format) => times.map((clock) => format + clock))
}

function timesLike(text: string): string[] {
  const [, between = '', seconds, fraction, half] = /^(T|,? +)\d{1,2}:\d\d(:\d\d)?([.]\d+)?( ?[ap][.]?m[.]?)?$/i.exec(text) ?? []
  if (between === '') return []
  const rest = `:mm${seconds === undefined ? '' : ':ss'}${fraction === undefined ? '' : '.SSS'}`
  return [`${between}${half === undefined ? `H${rest}` : `h${rest}${half.startsWith(' ') ? ' a' : 'a'}`}`]
}

function daysLike(text: string): string[] {
  const numbers = /^(\d{1,4})([-./ ])\d{1,2}\2(\d{1,4})[.]?$/.exec(text)
  if (numbers !== null) {
    const [, first = '', mark = '', last = ''] = numbers
    const years = last.length === 4 ? 'yyyy' : 'yy'
    const yearLast = [`d${mark}M${mark}${years}`, `M${mark}d${mark}${years}`]
    if (first.length === 4) return [`yyyy${mark}M${mark}d`, `yyyy${mark}d${mark}M`]
    return last.length === 4 ? yearLast : [...yearLast, `yy${mark}M${mark}d`]
  }
  return namedDaysLike(text)
}

/** `3 March 2024`, `3. März 2024`, `3-Mar-24`, `March 3, 2024`, `Mon, 3 Mar 2024`. */
function namedDaysLike(text: string): string[] {
  const [, weekday = '', weekdayEnd = '', date = ''] = /^(?:(\p{L}{2,}[.]?)(,? +))?(.*)$/su.exec(text) ?? []
  const bare = shapesOfNamedDay(date)
  const whole = shapesOfNamedDay(text)
  const withWeekday = weekday === '' ? [] : bare.map((shape) => `EEE${weekdayEnd}${shape}`)
  return [...whole, ...withWeekday].flatMap((shape) =>
    LANGUAGES.map((language) => (language === 'en' ? shape : shape.replace('MMM', `MMM@${language}`))),
  )
}

function shapesOfNamedDay(text: string): string[] {
  const [, dot, mark = '', after = '', year] = /^\d{1,2}([.])?([- ./]*)\p{L}+[.]?([- ./]*)(\d{4}|\d{2})$/u.exec(text) ?? []
  if (year !== undefined) return [`d${dot ?? ''}${mark}MMM${after.replace(/^[.]/, '')}${year.length === 4 ? 'yyyy' : 'yy'}`]
  const [, before = '', behind = '', last] = /^\p{L}+[.]?([- ]+)\d{1,2}([- ,]+)(\d{4}|\d{2})$/u.exec(text) ?? []
  return last === undefined ? [] : [`MMM${before}d${behind}${last.length === 4 ? 'yyyy' : 'yy'}`]
}

/** Most usual first: names that two of them share are read alike anyway. */
const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'pl', 'pt', 'nl']
