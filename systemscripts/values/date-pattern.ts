import { PermanentError } from '../errors.ts'
import { LANGUAGES } from './calendar-names.ts'
import { createStepReader, type DatePart, type DatePiece } from './date-steps.ts'
import { judgeMoment, type MomentReader, type Reading } from './moment.ts'

export interface DatePattern {
  read: MomentReader
  /** Parts that every one of its formats has. */
  parts: Set<DatePart>
  /** Whether seconds may be rounded to what a type holds. */
  rounds: boolean
}

export interface PatternDemands {
  /** What every format needs. */
  needed: readonly DatePart[]
  /** What none may have. */
  barred?: readonly DatePart[]
  /** An hour of twelve without its half of the day is taken: for those who only want the day. */
  isOnlyDay?: boolean
}

/**
 * Makes the reader of dates that are written as one of the formats says; the grammar stands in values.ts. Of several formats the first that
 * fits is taken.
 *
 * @returns reads a trimmed text
 * @throws PermanentError `date_format_invalid`
 */
export function compileDatePattern(format: string, demands: PatternDemands): DatePattern {
  const [, formats = '', round] = /^(.*?)((?:^|\s+)round)?$/s.exec(format.trim()) ?? []
  if (formats === '') throw formatInvalid(format, 'There is no date in it.')
  const patterns = formats.split(' | ').map((one) => compileOne(one.trim(), format, demands))
  const [first, ...others] = patterns
  const parts = new Set([...(first?.parts ?? [])].filter((part) => others.every((other) => other.parts.has(part))))
  const readers = patterns.map(({ read }) => read)
  const [only] = readers
  return { read: readers.length === 1 && only !== undefined ? only : firstThatFits(readers), parts, rounds: round !== undefined }
}

function firstThatFits(readers: MomentReader[]): MomentReader {
  return (text, into) => {
    let answer: Reading = 'other_form'
    for (const read of readers) {
      const reading = read(text, into)
      if (reading === 'read') return 'read'
      if (answer === 'other_form') answer = reading
    }
    return answer
  }
}

function compileOne(
  text: string,
  format: string,
  { needed, barred = [], isOnlyDay = false }: PatternDemands,
): { read: MomentReader; parts: Set<DatePart> } {
  const { pieces, language } = piecesOf(text, format)
  const parts = new Set<DatePart>()
  const tokens = pieces.flatMap((piece) => ('token' in piece ? [piece] : []))
  for (const { token, part } of tokens) {
    if (parts.has(part)) throw formatInvalid(format, `"${token}" is a second ${part}.`)
    parts.add(part)
  }
  for (const part of needed) if (!parts.has(part)) throw formatInvalid(format, `It has no ${part}.`)
  for (const part of barred) if (parts.has(part)) throw formatInvalid(format, `It has a ${part}.`)
  const isTwelve = tokens.some(({ token }) => token === 'h' || token === 'hh')
  if (isTwelve !== parts.has('half') && !(isTwelve && isOnlyDay))
    throw formatInvalid(format, 'h and hh go with a (AM, PM), H and HH without.')
  for (const [part, larger] of [
    ['minute', 'hour'],
    ['second', 'minute'],
    ['fraction', 'second'],
  ] as const) {
    if (parts.has(part) && !parts.has(larger)) throw formatInvalid(format, `It has a ${part} and no ${larger}.`)
  }
  for (const [index, piece] of pieces.entries()) {
    const next = pieces[index + 1]
    if ('token' in piece && /^(.|SSS)$/.test(piece.token) && piece.token !== 'a' && isDigits(next))
      throw formatInvalid(format, `Where "${piece.token}" ends nobody can tell: digits stand behind it.`)
  }
  const readSteps = createStepReader(pieces, language)
  return { parts, read: (moment, into) => (readSteps(moment, into) ? judgeMoment(into) : 'other_form') }
}

function isDigits(piece: DatePiece | undefined): boolean {
  if (piece === undefined) return false
  return 'token' in piece ? /^(yy|yyyy|M|MM|dd?|HH?|hh?|mm|ss|SSS)$/.test(piece.token) : /^\d/.test(piece.literal)
}

const PARTS: Record<string, DatePart> = {
  yyyy: 'year',
  yy: 'year',
  MMMM: 'month',
  MMM: 'month',
  MM: 'month',
  M: 'month',
  dd: 'day',
  d: 'day',
  EEEE: 'weekday',
  EEE: 'weekday',
  HH: 'hour',
  H: 'hour',
  hh: 'hour',
  h: 'hour',
  mm: 'minute',
  ss: 'second',
  SSS: 'fraction',
  a: 'half',
  XXX: 'zone',
}

const PIECE = /(MMMM|MMM|EEEE|EEE)@([a-z]{2})|yyyy|yy|MMMM|MMM|MM|M|dd|d|EEEE|EEE|HH|H|hh|h|mm|ss|SSS|XXX|a|'([^']*)'|[\s\S]/gu

function piecesOf(text: string, format: string): { pieces: DatePiece[]; language: string } {
  const pieces: DatePiece[] = []
  let language: string | null = null
  for (const [piece, name, stated, quoted] of text.matchAll(PIECE)) {
    if (stated !== undefined) {
      if (!LANGUAGES.includes(stated)) throw formatInvalid(format, `@${stated} is none of the languages ${LANGUAGES.join(' ')}.`)
      if (language !== null && language !== stated) throw formatInvalid(format, `It has two languages, ${language} and ${stated}.`)
      language = stated
    }
    const token = name ?? piece
    const part = PARTS[token]
    if (part !== undefined) pieces.push({ token, part })
    else addLiteral(pieces, quoted === undefined ? piece : quoted === '' ? "'" : quoted, quoted !== undefined, format)
  }
  return { pieces, language: language ?? 'en' }
}

function addLiteral(pieces: DatePiece[], literal: string, isQuoted: boolean, format: string): void {
  if (!isQuoted && /[A-Za-z]/.test(literal) && literal !== 'T' && literal !== 'Z')
    throw formatInvalid(format, `"${literal}" is no part of a date.`)
  if (literal === "'" && !isQuoted) throw formatInvalid(format, 'A quote is not closed.')
  pieces.push({ literal, isQuoted })
}

function formatInvalid(format: string, why: string): PermanentError {
  return new PermanentError('date_format_invalid', `Date format "${format}" is not right`, {
    detail: why,
    hint: 'Build it from yyyy yy MMMM MMM MM M dd d EEE HH H hh h mm ss SSS a XXX; other letters but T and Z stand in quotes: yyyyMMdd, dd.MM.yyyy, d MMM@de yyyy, M/d/yy h:mm a.',
  })
}
