import type { ColumnRule } from '../copy-plan.ts'
import { type ColumnType, readColumnType } from './column-type.ts'

/** Whether the bytes between two places, at least one, are a value that goes to Postgres as it is. */
export type PlainBytes = (bytes: Uint8Array, start: number, end: number) => boolean

/**
 * Tells by its bytes alone that a value needs no conversion: where it answers true, `createConversion(rule)` gives the very text that the bytes, which
 * are UTF-8 without NUL, spell, of a typed cell or of a text. False says nothing: the conversion decides. So the values that files are mostly made of, digits, ISO dates, plain
 * decimals, need not become strings.
 *
 * @param rule one that createConversion takes
 * @returns null when no value of the column can be told so
 */
export function createPlainBytes(rule: ColumnRule): PlainBytes | null {
  if (rule.format?.trim() || rule.transform?.trim()) return null
  const type = readColumnType(rule.type)
  const tokens = rule.nullTokens.map((token) => token.trim())
  if (isTextual(type)) return textOf(type, tokens)
  const isPlain = checkOf(type)
  // A token that could pass for a value has to be looked for in each.
  const isToken = tokens.some((token) => token !== '' && isPlain?.(Buffer.from(token), 0, Buffer.byteLength(token)))
  return isToken ? null : isPlain
}

function isTextual({ kind }: ColumnType): boolean {
  return kind === 'text' || kind === 'character varying' || kind === 'character' || kind === 'other'
}

/** Of a text with the first byte of no token, and with no blank in front of one, it is known that it is none. */
function textOf({ kind, size }: ColumnType, tokens: string[]): PlainBytes {
  const most = (kind === 'character varying' || kind === 'character' ? size : null) ?? Number.POSITIVE_INFINITY
  if (tokens.length === 0) return (_bytes, start, end) => end - start <= most
  const mayBeToken = new Uint8Array(256).fill(1, 0, BLANK + 1).fill(1, 0x80)
  for (const token of tokens) mayBeToken[Buffer.from(token)[0] ?? 0] = 1
  return (bytes, start, end) => end - start <= most && mayBeToken[bytes[start] ?? 0] === 0
}

function checkOf(type: ColumnType): PlainBytes | null {
  switch (type.kind) {
    case 'smallint':
      return wholeOf('32767'.length - 1)
    case 'integer':
      return wholeOf('2147483647'.length - 1)
    case 'bigint':
      return wholeOf('9223372036854775807'.length - 1)
    case 'numeric': {
      if (type.size === null) return decimalOf(LONGEST_NUMBER, LONGEST_NUMBER)
      const scale = type.scale ?? 0
      return scale < 0 || type.size < scale ? null : decimalOf(type.size - scale, scale)
    }
    case 'real':
    case 'double precision':
      return decimalOf(LONGEST_FLOAT, LONGEST_FLOAT)
    case 'boolean':
      return isTrueOrFalse
    case 'date':
      return (bytes, start, end) => end - start === DAY_LENGTH && isDay(bytes, start)
    case 'timestamp':
      return momentOf(type.size, false)
    case 'timestamptz':
      return momentOf(type.size, true)
    case 'time':
      return (bytes, start, end) => end - start === CLOCK_LENGTH && isClock(bytes, start)
    case 'uuid':
      return isUuid
    default:
      return null
  }
}

/** Characters, far below the limits of Postgres. */
const LONGEST_NUMBER = 15
const LONGEST_FLOAT = 14
const DAY_LENGTH = '2024-03-04'.length
const CLOCK_LENGTH = '05:06:07'.length

/** @param most characters with which a number fits whatever its digits are, the sign counted */
function wholeOf(most: number): PlainBytes {
  return (bytes, start, end) => {
    if (end - start > most) return false
    const first = bytes[start] === MINUS ? start + 1 : start
    for (let at = first; at < end; at += 1) {
      const byte = bytes[at] ?? 0
      if (byte < ZERO || byte > NINE) return false
    }
    return end > first
  }
}

/** @param before characters before the point, the sign counted; `behind` digits behind it */
function decimalOf(before: number, behind: number): PlainBytes {
  return (bytes, start, end) => {
    const first = bytes[start] === MINUS ? start + 1 : start
    let point = -1
    for (let at = first; at < end; at += 1) {
      const byte = bytes[at] ?? 0
      if (byte >= ZERO && byte <= NINE) continue
      if (byte !== POINT || point !== -1) return false
      point = at
    }
    if (point === -1) return end > first && end - start <= before
    return end - first > 1 && point - start <= before && end - point - 1 <= behind
  }
}

function isTrueOrFalse(bytes: Uint8Array, start: number, end: number): boolean {
  const word = bytes[start] === TRUE[0] ? TRUE : FALSE
  if (end - start !== word.length) return false
  for (let at = 0; at < word.length; at += 1) if (bytes[start + at] !== word[at]) return false
  return true
}

/** `2024-03-04 05:06:07`, no fraction's last digit a zero; with a zone where the type has one, written as Postgres writes full hours. */
function momentOf(size: number | null, hasZone: boolean): PlainBytes {
  const finest = Math.min(size ?? FINEST, FINEST)
  return (bytes, start, ending) => {
    const end = hasZone ? ending - ZONE_LENGTH : ending
    const clock = start + DAY_LENGTH + 1
    const clockEnd = clock + CLOCK_LENGTH
    if (end < clockEnd || bytes[clock - 1] !== BLANK || !isDay(bytes, start) || !isClock(bytes, clock)) return false
    if (hasZone && !isFullHours(bytes, end)) return false
    return end === clockEnd || isFraction(bytes, clockEnd, end, finest)
  }
}

/** Postgres keeps microseconds. */
const FINEST = 6
const ZONE_LENGTH = '+01'.length

function isFraction(bytes: Uint8Array, start: number, end: number, most: number): boolean {
  if (bytes[start] !== POINT || end - start - 1 > most || end - start < 2) return false
  for (let at = start + 1; at < end; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte < ZERO || byte > NINE) return false
  }
  return bytes[end - 1] !== ZERO
}

function isFullHours(bytes: Uint8Array, start: number): boolean {
  const sign = bytes[start]
  const hours = twoDigits(bytes, start + 1)
  return (sign === PLUS && hours >= 0 && hours <= FARTHEST_HOURS) || (sign === MINUS && hours > 0 && hours <= FARTHEST_HOURS)
}

const FARTHEST_HOURS = 15

function isDay(bytes: Uint8Array, start: number): boolean {
  const century = twoDigits(bytes, start)
  const yearOfCentury = twoDigits(bytes, start + 2)
  const month = twoDigits(bytes, start + 5)
  const day = twoDigits(bytes, start + 8)
  if (century < 0 || yearOfCentury < 0 || bytes[start + 4] !== MINUS || bytes[start + 7] !== MINUS) return false
  // Days that not every month has are looked at closely by the conversion.
  return century + yearOfCentury > 0 && month >= 1 && month <= 12 && day >= 1 && (day <= 28 || (day <= 30 && month !== 2))
}

function isClock(bytes: Uint8Array, start: number): boolean {
  const hour = twoDigits(bytes, start)
  const minute = twoDigits(bytes, start + 3)
  const second = twoDigits(bytes, start + 6)
  return (
    bytes[start + 2] === COLON &&
    bytes[start + 5] === COLON &&
    hour >= 0 &&
    hour <= 23 &&
    minute >= 0 &&
    minute <= 59 &&
    second >= 0 &&
    second <= 59
  )
}

/** -1: no digits. */
function twoDigits(bytes: Uint8Array, start: number): number {
  const tens = (bytes[start] ?? 0) - ZERO
  const ones = (bytes[start + 1] ?? 0) - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

/** With hyphens. */
function isUuid(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 36) return false
  for (let at = 0; at < 36; at += 1) if (UUID_SHAPE[at] !== CLASSES[bytes[start + at] ?? 0]) return false
  return true
}

const BLANK = 0x20
const PLUS = 0x2b
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')

const HEX_DIGIT = 1
const HYPHEN = 2
const CLASSES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[0-9a-f]/i.test(String.fromCharCode(byte)) ? HEX_DIGIT : byte === MINUS ? HYPHEN : 0,
)
const UUID_SHAPE: Uint8Array = Uint8Array.from({ length: 36 }, (_, at) => ([8, 13, 18, 23].includes(at) ? HYPHEN : HEX_DIGIT))
