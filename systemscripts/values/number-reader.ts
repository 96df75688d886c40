import type { NumberExample } from './number-format.ts'
import { putTogether, shapeOfNumber, takeApart } from './plain-number.ts'

/**
 * Makes the reader of numbers that are written like the example.
 *
 * @returns from a trimmed text its plain form (1234.56), null when it is no such number
 */
export function createNumberReader(example: NumberExample): (text: string) => string | null {
  const { units, isPercent, hasParentheses, hasSignBehind } = example
  const readBody = createBodyReader(example)
  return (text) => {
    let from = 0
    let to = text.length
    let sign = ''
    let isOpen = false
    let isClosed = false
    let hasPercent = false
    let hasUnit = false

    for (; from < to; from += 1) {
      const code = text.charCodeAt(from)
      if (isDigit(code) || isMarkBeforeDigit(text, from)) break
      if (isBlank(code)) continue
      if (isSign(code) && sign === '') sign = code === PLUS ? '+' : '-'
      else if (code === OPEN && hasParentheses && !isOpen) isOpen = true
      else if (code === PERCENT && isPercent && !hasPercent) hasPercent = true
      else {
        const unit = hasUnit ? undefined : units.find((unit) => text.startsWith(unit, from))
        if (unit === undefined) return null
        hasUnit = true
        from += unit.length - 1
      }
    }
    for (; to > from; to -= 1) {
      const code = text.charCodeAt(to - 1)
      if (isDigit(code)) break
      if (isBlank(code)) continue
      if (isSign(code) && hasSignBehind && sign === '') sign = code === PLUS ? '+' : '-'
      else if (code === CLOSE && isOpen && !isClosed) isClosed = true
      else if (code === PERCENT && isPercent && !hasPercent) hasPercent = true
      else {
        const end = to
        const unit = hasUnit ? undefined : units.find((unit) => text.endsWith(unit, end))
        if (unit === undefined) return null
        hasUnit = true
        to -= unit.length - 1
      }
    }
    if (isOpen !== isClosed || (isOpen && sign !== '') || hasPercent !== isPercent) return null
    const body = readBody(text, from, to)
    if (body === null) return null
    const plain = sign === '-' || isOpen ? `-${body}` : body
    if (!isPercent) return plain
    const hundredth = takeApart(plain, -2)
    return hundredth === null ? null : putTogether(hundredth)
  }
}

/** Digits with their groups and decimals, from the first to the last. */
function createBodyReader({ group, mark, isIndian }: NumberExample): (text: string, from: number, to: number) => string | null {
  const markCode = mark?.charCodeAt(0) ?? -1
  const isGroup = groupTest(group)
  const middle = isIndian ? 2 : 3
  return (text, from, to) => {
    // A sign or a unit by itself is no number, of percent neither.
    if (from === to) return null
    let plain = ''
    let groupAt = from
    let at = from
    for (; at < to; at += 1) {
      const code = text.charCodeAt(at)
      if (isDigit(code)) continue
      if (!isGroup(code)) break
      const length = at - groupAt
      // 0.125 is no thousand, whatever the point means.
      if (plain === '' ? length < 1 || length > middle || text.charCodeAt(from) === ZERO : length !== middle) return null
      plain += text.slice(groupAt, at)
      groupAt = at + 1
    }
    if (plain !== '' && at - groupAt !== 3) return null
    plain += text.slice(groupAt, at)
    if (at === to) return plain
    const isGrouped = groupAt !== from
    if (text.charCodeAt(at) === markCode) plain += `.${text.slice(at + 1, to)}`
    else if ((text.charCodeAt(at) | 0x20) === LETTER_E) plain += text.slice(at, to)
    else return null
    const shape = shapeOfNumber(plain)
    return shape === 'none' || (shape === 'exponent' && isGrouped) ? null : plain
  }
}

function groupTest(group: NumberExample['group']): (code: number) => boolean {
  if (group === null) return () => false
  if (group === ' ') return isBlank
  if (group === "'") return (code) => code === 0x27 || code === 0x2019
  const wanted = group.charCodeAt(0)
  return (code) => code === wanted
}

function isMarkBeforeDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return (code === POINT || code === COMMA) && isDigit(text.charCodeAt(at + 1))
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** Also the minus of typesetters. */
function isSign(code: number): boolean {
  return code === MINUS || code === PLUS || code === 0x2212
}

/** Also those that do not break: of ISO 8859-1, the narrow one, the thin one, the one as wide as a digit. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0xa0 || code === 0x202f || code === 0x2009 || code === 0x2007
}

const ZERO = 0x30
const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const COMMA = 0x2c
const OPEN = 0x28
const CLOSE = 0x29
const PERCENT = 0x25
const LETTER_E = 0x65
