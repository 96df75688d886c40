import type { ColumnType } from './column-type.ts'
import { type Converted, RefusedValue } from './refused-value.ts'
import type { TypeRule } from './type-rule.ts'

/** Text of any kind, and types that are not known here; only texts that no column of Postgres can hold are refused, and those that are too long. */
export function createTextConversion(type: ColumnType, { column }: TypeRule): (text: string) => Converted {
  const hasNul = new RefusedValue('nul_character', `Column "${column}" cannot hold the character NUL: Postgres knows no such text`)
  const notUnicode = new RefusedValue('not_unicode', `Column "${column}" cannot hold half of a surrogate pair, which is no character`)
  const size = type.kind === 'character varying' || type.kind === 'character' ? type.size : null
  if (size === null) return checked
  const tooLong = new RefusedValue('too_long', `Column "${column}" is of type ${type.name}, which holds ${size} characters`)
  const isPadded = type.kind === 'character'
  return (text) => {
    if (text.length > size && lengthOf(isPadded ? text.replace(/ +$/, '') : text) > size) return tooLong
    return checked(text)
  }

  function checked(text: string): Converted {
    if (text.includes('\0')) return hasNul
    return text.isWellFormed() ? text : notUnicode
  }
}

export function createUuidConversion(_type: ColumnType, { column }: TypeRule): (text: string) => Converted {
  const refused = new RefusedValue('not_a_uuid', `Column "${column}" needs a UUID such as 3f1c9a52-9d0f-4c9e-8b1a-2f6f0d8a7c11`)
  return (text) => {
    const isBraced = text.charCodeAt(0) === 0x7b && text.charCodeAt(text.length - 1) === 0x7d
    const uuid = isBraced ? text.slice(1, -1) : text
    if (uuid.length === 32) return isHexadecimal(uuid, 0) ? uuid : refused
    if (uuid.length !== 36) return refused
    for (let at = 0; at < 36; at += 1) {
      const code = uuid.charCodeAt(at)
      if (at === 8 || at === 13 || at === 18 || at === 23 ? code !== 0x2d : !isHexDigit(code)) return refused
    }
    return uuid
  }
}

export function createByteaConversion(_type: ColumnType, { column }: TypeRule): (text: string) => Converted {
  const refused = new RefusedValue('not_bytea', `Column "${column}" needs bytes in hexadecimal, two digits each, such as \\x1f8b`)
  return (text) => {
    const marked = text.charCodeAt(1) | 0x20
    const from = marked === 0x78 && (text.startsWith('\\') || text.startsWith('0')) ? 2 : 0
    return (text.length - from) % 2 === 0 && isHexadecimal(text, from) ? `\\x${from === 0 ? text : text.slice(2)}` : refused
  }
}

/** For json and jsonb alike: what jsonb cannot hold is refused for both. */
export function createJsonConversion(_type: ColumnType, { column }: TypeRule): (text: string) => Converted {
  const notJson = new RefusedValue('not_json', `Column "${column}" needs valid JSON such as {"a": 1}`)
  const tooDeep = new RefusedValue('not_json', `Column "${column}" needs JSON of at most ${DEEPEST_JSON} levels`)
  const tooLarge = new RefusedValue('not_json', `Column "${column}" needs JSON with numbers that Postgres can hold`)
  const notUnicode = new RefusedValue('not_unicode', `Column "${column}" needs JSON without \\u0000 and without half of a surrogate pair`)
  return (text) => {
    // A stack of half a thousand levels is safe to parse, here and in Postgres.
    if (text.length > DEEPEST_JSON && depthOf(text) > DEEPEST_JSON) return tooDeep
    try {
      JSON.parse(text)
    } catch {
      return notJson
    }
    if (!text.isWellFormed() || (text.includes('\\u') && hasOddEscape(text))) return notUnicode
    return mayHoldHugeNumber(text) && holdsHugeNumber(text) ? tooLarge : text
  }
}

const DEEPEST_JSON = 500

function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (isQuoted) {
      if (code === 0x5c) at += 1
      else if (code === 0x22) isQuoted = false
    } else if (code === 0x22) isQuoted = true
    else if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth)
    else if (code === 0x5d || code === 0x7d) depth -= 1
  }
  return deepest
}

/** Of valid JSON: whether a string of it names NUL or a lone surrogate by its escape. */
function hasOddEscape(text: string): boolean {
  let highEndsAt = -1
  for (const { 1: code, index } of text.matchAll(/\\(?:u([0-9a-f]{4})|[^u])/gi)) {
    const unit = code === undefined ? -1 : Number.parseInt(code, 16)
    const isLow = unit >= 0xdc00 && unit <= 0xdfff
    if (unit === 0 || isLow !== (highEndsAt === index) || (highEndsAt >= 0 && !isLow)) return true
    highEndsAt = unit >= 0xd800 && unit <= 0xdbff ? index + 6 : -1
  }
  return highEndsAt >= 0
}

function mayHoldHugeNumber(text: string): boolean {
  return text.length > 16_000 || /\de[+-]?\d{4}/i.test(text)
}

function holdsHugeNumber(text: string): boolean {
  for (const [, whole = '', fraction = '', exponent] of text
    .replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, '""')
    .matchAll(/(\d+)(?:[.](\d+))?(?:e([+-]?\d+))?/gi)) {
    const power = Number(exponent ?? 0)
    if (whole.length + power > 131_072 || fraction.length - power > 16_383) return true
  }
  return false
}

/** In characters, not in JavaScript's halves of some. */
function lengthOf(text: string): number {
  let length = text.length
  for (let at = 0; at < text.length - 1; at += 1) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) length -= 1
  }
  return length
}

function isHexadecimal(text: string, from: number): boolean {
  for (let at = from; at < text.length; at += 1) {
    if (!isHexDigit(text.charCodeAt(at))) return false
  }
  return true
}

function isHexDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66)
}
