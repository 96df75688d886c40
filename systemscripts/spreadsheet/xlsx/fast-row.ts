import type { RowBuilder } from './row-builder.ts'
import { decodeEscapes, decodeXml } from './xml-text.ts'
import { textOf, type XmlWindow } from './xml-window.ts'

const LESS = 0x3c
const GREATER = 0x3e
const SLASH = 0x2f
const EQUALS = 0x3d
const QUOTE = 0x22
const BLANK = 0x20
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const POINT = 0x2e
const MINUS = 0x2d
const LETTER_C = 0x63
const LETTER_F = 0x66
const LETTER_N = 0x6e
const LETTER_R = 0x72
const LETTER_S = 0x73
const LETTER_T = 0x74
const LETTER_V = 0x76
/** Types of more than one letter; those of one are their letter. */
const INLINE = 1
const FORMULA_TEXT = 2

/**
 * Reads rows and cells as Excel, LibreOffice and the common libraries write them, letter by letter and without taking the XML apart. It stops at
 * whatever is written in another way, or does not lie in the window wholly, with nothing of that done.
 * @returns the place behind what it read; `from` when that is nothing
 */
export function readFast(window: XmlWindow, builder: RowBuilder, from: number): number {
  const { text, bytes } = window
  let at = builder.isInRow ? from : readRowStart(text, bytes, builder, from)
  while (builder.isInRow) {
    if (bytes[at] !== LESS) return at
    if (bytes[at + 1] === LETTER_C) {
      const end = readCell(window, text, bytes, builder, at)
      if (end === 0) return at
      at = end
    } else if (text.startsWith('</row>', at)) {
      builder.endRow()
      at += 6
    } else return at
  }
  return at
}

/** `<row r="7" … hidden="1">` */
function readRowStart(text: string, bytes: Uint8Array, builder: RowBuilder, from: number): number {
  if (!text.startsWith('<row', from)) return from
  let number = 0
  let isHidden = false
  let at = from + 4
  while (bytes[at] !== GREATER) {
    if (bytes[at] !== BLANK) return from
    let equals = at + 1
    while (isOfName(bytes[equals] ?? 0)) equals += 1
    if (bytes[equals] !== EQUALS || bytes[equals + 1] !== QUOTE) return from
    const end = text.indexOf('"', equals + 2)
    if (end === -1) return from
    if (equals === at + 2 && bytes[at + 1] === LETTER_R) {
      number = Number(text.slice(equals + 2, end))
      if (!Number.isInteger(number) || number < 1) return from
    } else if (equals === at + 7 && text.startsWith('hidden', at + 1)) isHidden = /^(1|true|on)$/.test(text.slice(equals + 2, end))
    at = end + 1
  }
  builder.startRow(number, isHidden)
  return at + 1
}

/** `<c r="A1" s="2" t="s">…</c>` or `<c …/>`; gives 0 for anything else. */
function readCell(window: XmlWindow, text: string, bytes: Uint8Array, builder: RowBuilder, from: number): number {
  let at = from + 2
  let column = builder.nextColumn
  let row = 0
  let style = 0
  let type = LETTER_N
  for (let code = bytes[at] ?? 0; code !== GREATER; code = bytes[at] ?? 0) {
    if (code === SLASH) {
      if (bytes[at + 1] !== GREATER) return 0
      builder.putNothing(column, row)
      return at + 2
    }
    if (code !== BLANK || bytes[at + 2] !== EQUALS || bytes[at + 3] !== QUOTE) return 0
    const name = bytes[at + 1] ?? 0
    at += 4
    let sign = bytes[at] ?? 0
    if (name === LETTER_R) {
      let letters = 0
      for (; sign >= 0x41 && sign <= 0x5a; sign = bytes[++at] ?? 0) letters = letters * 26 + sign - 0x40
      for (row = 0; sign >= ZERO && sign <= NINE; sign = bytes[++at] ?? 0) row = row * 10 + sign - ZERO
      if (letters === 0 || row === 0) return 0
      column = letters - 1
    } else if (name === LETTER_S) {
      for (; sign >= ZERO && sign <= NINE; sign = bytes[++at] ?? 0) style = style * 10 + sign - ZERO
    } else if (name !== LETTER_T) return 0
    else if (bytes[at + 1] === QUOTE) {
      type = sign
      at += 1
    } else if (text.startsWith('str"', at)) {
      type = FORMULA_TEXT
      at += 3
    } else if (text.startsWith('inlineStr"', at)) {
      type = INLINE
      at += 9
    } else return 0
    if (bytes[at] !== QUOTE) return 0
    at += 1
  }
  at += 1
  if (bytes[at] === LESS && bytes[at + 1] === LETTER_F) at = behindFormula(text, bytes, at)
  if (at === 0 || bytes[at] !== LESS) return 0
  if (type === INLINE) return readInline(window, text, builder, at, column, row)
  if (bytes[at + 1] === SLASH) {
    if (!text.startsWith('</c>', at)) return 0
    builder.putNothing(column, row)
    return at + 4
  }
  if (bytes[at + 1] !== LETTER_V || bytes[at + 2] !== GREATER) return 0
  if (type === LETTER_S) return readShared(bytes, builder, at + 3, column, row)
  if (type === LETTER_N) return readNumber(text, bytes, builder, at + 3, column, row, style)
  const end = text.indexOf('<', at + 3)
  if (end === -1 || !isCellEnd(bytes, end)) return 0
  const word = type === FORMULA_TEXT ? 'str' : String.fromCharCode(type)
  return builder.putTyped(word, column, row, decodeXml(textOf(window, at + 3, end))) ? end + 8 : 0
}

/** `17</v></c>`, the number of a shared string. */
function readShared(bytes: Uint8Array, builder: RowBuilder, from: number, column: number, row: number): number {
  let at = from
  let index = 0
  for (let code = bytes[at] ?? 0; code >= ZERO && code <= NINE; code = bytes[++at] ?? 0) index = index * 10 + code - ZERO
  if (at === from || !isCellEnd(bytes, at)) return 0
  builder.putShared(column, row, index)
  return at + 8
}

/** `-12.5</v></c>`. Up to 15 digits are the shortest text of their own number, when no zero stands where it means nothing. */
function readNumber(
  text: string,
  bytes: Uint8Array,
  builder: RowBuilder,
  from: number,
  column: number,
  row: number,
  style: number,
): number {
  const first = bytes[from] === MINUS ? from + 1 : from
  let at = first
  let point = -1
  for (let code = bytes[at] ?? 0; ; code = bytes[++at] ?? 0) {
    if (code === POINT && point === -1) point = at
    else if (!(code >= ZERO && code <= NINE)) break
  }
  const isPlain = bytes[at] === LESS && at > first && at - first <= 15
  const hasUsefulZero = bytes[first] !== ZERO || point === first + 1 || (at === first + 1 && first === from)
  const endsWell = point === -1 || (point > first && (bytes[at - 1] ?? 0) > ZERO)
  const end = bytes[at] === LESS ? at : text.indexOf('<', at)
  if (end === -1 || !isCellEnd(bytes, end)) return 0
  const raw = text.slice(from, end)
  if (end !== at && /[&\x7f-\xff]/.test(raw)) return 0
  builder.putNumber(column, row, raw, style, isPlain && hasUsefulZero && endsWell)
  return end + 8
}

/** `<is><t>…</t></is></c>` */
function readInline(window: XmlWindow, text: string, builder: RowBuilder, from: number, column: number, row: number): number {
  const isPlain = text.startsWith('<is><t>', from)
  if (!isPlain && !text.startsWith('<is><t xml:space="preserve">', from)) return 0
  const start = from + (isPlain ? 7 : 28)
  const end = text.indexOf('<', start)
  if (end === -1 || !text.startsWith('</t></is></c>', end)) return 0
  builder.putTyped('inlineStr', column, row, decodeEscapes(decodeXml(textOf(window, start, end))))
  return end + 13
}

/** Place behind `<f …>…</f>` or `<f …/>`; 0 when it is of another shape, or cut off. */
function behindFormula(text: string, bytes: Uint8Array, from: number): number {
  const end = text.indexOf('>', from)
  const code = bytes[from + 2] ?? 0
  if (end === -1 || (code !== GREATER && code !== BLANK && code !== SLASH)) return 0
  const isWithinQuotes = code === BLANK && text.slice(from, end).split('"').length % 2 === 0
  if (isWithinQuotes || (code === BLANK && text.slice(from, end).includes("'"))) return 0
  if (bytes[end - 1] === SLASH) return end + 1
  const close = text.indexOf('<', end)
  return close !== -1 && text.startsWith('</f>', close) ? close + 4 : 0
}

/** Whether `</v></c>` stands there. */
function isCellEnd(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === LESS &&
    bytes[at + 1] === SLASH &&
    bytes[at + 2] === LETTER_V &&
    bytes[at + 3] === GREATER &&
    bytes[at + 4] === LESS &&
    bytes[at + 5] === SLASH &&
    bytes[at + 6] === LETTER_C &&
    bytes[at + 7] === GREATER
  )
}

function isOfName(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= ZERO && code <= COLON)
}
