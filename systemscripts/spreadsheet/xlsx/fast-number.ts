import { LESS, stands } from './byte-search.ts'
import type { RowBuilder } from './row-builder.ts'
import type { XmlWindow } from './xml-window.ts'

const POINT = 0x2e
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const VALUE_END = Buffer.from('</v></c>')

/** `-12.5</v></c>`. Up to 15 digits are the shortest text of their own number, when no zero stands where it means nothing. */
export function readNumber(
  window: XmlWindow,
  bytes: Buffer,
  builder: RowBuilder,
  from: number,
  column: number,
  row: number,
  style: number,
): number {
  const first = bytes[from] === MINUS ? from + 1 : from
  let at = first
  let point = -1
  let digits = 0
  for (let code = bytes[at] ?? 0; ; code = bytes[++at] ?? 0) {
    if (code >= ZERO && code <= NINE) digits = digits * 10 + code - ZERO
    else if (code === POINT && point === -1) point = at
    else break
  }
  const count = point === -1 ? at - first : at - first - 1
  if (count === 0 || bytes[at] !== LESS) return readOddNumber(bytes, builder, from, column, row, style)
  if (!stands(VALUE_END, bytes, at)) return 0
  const hasUsefulZero = bytes[first] !== ZERO || point === first + 1 || (at === first + 1 && first === from)
  const endsWell = point === -1 || (point > first && (bytes[at - 1] ?? 0) > ZERO)
  const { number } = builder
  number.from = from
  number.to = at
  number.isShortest = count <= 15 && hasUsefulZero && endsWell
  number.value = quotient(digits, point === -1 ? 0 : at - point - 1, first > from)
  builder.putDigits(column, row, style, window)
  return at + VALUE_END.length
}

/** Exact, since both are and division rounds rightly: Clinger, How to Read Floating Point Numbers Accurately, 1990. NaN where they are not. */
function quotient(digits: number, behindPoint: number, isNegative: boolean): number {
  if (digits > Number.MAX_SAFE_INTEGER) return Number.NaN
  const value = digits / (POWERS_OF_TEN[behindPoint] ?? Number.NaN)
  return isNegative ? -value : value
}

/** All that are exact. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/** `1E+20`, or what is no number. */
function readOddNumber(bytes: Buffer, builder: RowBuilder, from: number, column: number, row: number, style: number): number {
  const end = bytes.indexOf(LESS, from)
  if (end === -1 || !stands(VALUE_END, bytes, end)) return 0
  const raw = bytes.toString('latin1', from, end)
  if (/[&\x7f-\xff]/.test(raw)) return 0
  builder.putNumber(column, row, raw, style)
  return end + VALUE_END.length
}
