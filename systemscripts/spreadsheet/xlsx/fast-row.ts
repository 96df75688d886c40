import { LESS, plainEnd, stands } from './byte-search.ts'
import { readNumber } from './fast-number.ts'
import type { RowBuilder } from './row-builder.ts'
import { decodeEscapes, decodeXml } from './xml-text.ts'
import { textOf, type XmlWindow } from './xml-window.ts'

const GREATER = 0x3e
const SLASH = 0x2f
const EQUALS = 0x3d
const QUOTE = 0x22
const APOSTROPHE = 0x27
const BLANK = 0x20
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
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

const ROW_START = Buffer.from('<row')
const ROW_END = Buffer.from('</row>')
const CELL_END = Buffer.from('</c>')
const VALUE_END = Buffer.from('</v></c>')
const INLINE_START = Buffer.from('<is><t>')
const INLINE_START_KEPT = Buffer.from('<is><t xml:space="preserve">')
const INLINE_END = Buffer.from('</t></is></c>')
const FORMULA_END = Buffer.from('</f>')
const STR = Buffer.from('str"')
const INLINE_STR = Buffer.from('inlineStr"')
const HIDDEN = Buffer.from('hidden')

/**
 * Reads rows and cells as Excel, LibreOffice and the common libraries write them, byte by byte and without taking the XML apart. It stops at
 * whatever is written in another way, or does not lie in the window wholly, with nothing of that done.
 * @returns the place behind what it read; `from` when that is nothing
 */
export function readFast(window: XmlWindow, builder: RowBuilder, from: number): number {
  const { bytes } = window
  let at = builder.isInRow ? from : readRowStart(bytes, builder, from)
  while (builder.isInRow) {
    if (bytes[at] !== LESS) return at
    if (bytes[at + 1] === LETTER_C) {
      const end = readCell(window, bytes, builder, at)
      if (end === 0) return at
      at = end
    } else if (stands(ROW_END, bytes, at)) {
      builder.endRow()
      at += ROW_END.length
    } else return at
  }
  return at
}

/** `<row r="7" … hidden="1">` */
function readRowStart(bytes: Buffer, builder: RowBuilder, from: number): number {
  if (!stands(ROW_START, bytes, from)) return from
  let number = 0
  let isHidden = false
  let at = from + ROW_START.length
  while (bytes[at] !== GREATER) {
    if (bytes[at] !== BLANK) return from
    let equals = at + 1
    while (isOfName(bytes[equals] ?? 0)) equals += 1
    if (bytes[equals] !== EQUALS || bytes[equals + 1] !== QUOTE) return from
    const start = equals + 2
    const end = bytes.indexOf(QUOTE, start)
    if (end === -1) return from
    if (equals === at + 2 && bytes[at + 1] === LETTER_R) {
      number = digitsOf(bytes, start, end)
      if (number === 0) return from
    } else if (equals === at + 7 && stands(HIDDEN, bytes, at + 1)) isHidden = /^(1|true|on)$/.test(bytes.toString('latin1', start, end))
    at = end + 1
  }
  builder.startRow(number, isHidden)
  return at + 1
}

/** `<c r="A1" s="2" t="s">…</c>` or `<c …/>`; gives 0 for anything else. */
function readCell(window: XmlWindow, bytes: Buffer, builder: RowBuilder, from: number): number {
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
    } else if (stands(STR, bytes, at)) {
      type = FORMULA_TEXT
      at += 3
    } else if (stands(INLINE_STR, bytes, at)) {
      type = INLINE
      at += 9
    } else return 0
    if (bytes[at] !== QUOTE) return 0
    at += 1
  }
  const content = at + 1
  at = bytes[content] === LESS && bytes[content + 1] === LETTER_F ? behindFormula(bytes, content) : content
  if (at === 0 || bytes[at] !== LESS) return 0
  if (type === INLINE) return readInline(window, bytes, builder, at, column, row)
  if (bytes[at + 1] === SLASH) {
    if (!stands(CELL_END, bytes, at)) return 0
    if (at > content) builder.putFormula(column, row)
    else builder.putNothing(column, row)
    return at + CELL_END.length
  }
  if (bytes[at + 1] !== LETTER_V || bytes[at + 2] !== GREATER) return 0
  if (at > content && type === LETTER_N && stands(VALUE_END, bytes, at + 3)) {
    builder.putFormula(column, row)
    return at + 3 + VALUE_END.length
  }
  if (type === LETTER_S) return readShared(bytes, builder, at + 3, column, row)
  if (type === LETTER_N) return readNumber(window, bytes, builder, at + 3, column, row, style)
  const plain = plainEnd(bytes, at + 3)
  const end = bytes[plain] === LESS ? plain : bytes.indexOf(LESS, plain)
  if (end === -1 || !stands(VALUE_END, bytes, end)) return 0
  if (type === FORMULA_TEXT && end === plain) builder.putAscii(column, row, window, at + 3, end)
  else if (!builder.putTyped(nameOf(type), column, row, decodeXml(textOf(window, at + 3, end)))) return 0
  return end + VALUE_END.length
}

/** `17</v></c>`, the number of a shared string. */
function readShared(bytes: Buffer, builder: RowBuilder, from: number, column: number, row: number): number {
  let at = from
  let index = 0
  for (let code = bytes[at] ?? 0; code >= ZERO && code <= NINE; code = bytes[++at] ?? 0) index = index * 10 + code - ZERO
  if (at === from || !stands(VALUE_END, bytes, at)) return 0
  builder.putShared(column, row, index)
  return at + VALUE_END.length
}

/** `<is><t>…</t></is></c>` */
function readInline(window: XmlWindow, bytes: Buffer, builder: RowBuilder, from: number, column: number, row: number): number {
  const head = stands(INLINE_START, bytes, from) ? INLINE_START : INLINE_START_KEPT
  if (head === INLINE_START_KEPT && !stands(head, bytes, from)) return 0
  const start = from + head.length
  const plain = plainEnd(bytes, start)
  const end = bytes[plain] === LESS ? plain : bytes.indexOf(LESS, plain)
  if (end === -1 || !stands(INLINE_END, bytes, end)) return 0
  if (end === plain) builder.putAscii(column, row, window, start, end)
  else builder.putTyped('inlineStr', column, row, decodeEscapes(decodeXml(textOf(window, start, end))))
  return end + INLINE_END.length
}

/** Place behind `<f …>…</f>` or `<f …/>`; 0 when it is of another shape, or cut off. */
function behindFormula(bytes: Buffer, from: number): number {
  const code = bytes[from + 2] ?? 0
  if (code !== GREATER && code !== BLANK && code !== SLASH) return 0
  let isQuoted = false
  let end = from + 2
  for (let sign = bytes[end]; sign !== GREATER; sign = bytes[end]) {
    if (sign === 0 || sign === APOSTROPHE) return 0
    if (sign === QUOTE) isQuoted = !isQuoted
    end += 1
  }
  if (isQuoted) return 0
  if (bytes[end - 1] === SLASH) return end + 1
  const close = bytes.indexOf(LESS, end)
  return close !== -1 && stands(FORMULA_END, bytes, close) ? close + FORMULA_END.length : 0
}

function nameOf(type: number): string {
  return type === FORMULA_TEXT ? 'str' : String.fromCharCode(type)
}

/** 0 where anything but digits stands. */
function digitsOf(bytes: Buffer, from: number, to: number): number {
  let number = 0
  for (let at = from; at < to; at += 1) {
    const code = bytes[at] ?? 0
    if (code < ZERO || code > NINE) return 0
    number = number * 10 + code - ZERO
  }
  return number
}

function isOfName(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= ZERO && code <= COLON)
}
