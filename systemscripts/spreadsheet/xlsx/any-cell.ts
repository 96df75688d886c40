import { readRichText } from './rich-text.ts'
import type { RowBuilder } from './row-builder.ts'
import { decodeXml } from './xml-text.ts'
import { readAttributes, readToken, type Token, XmlError } from './xml-tokens.ts'
import { textOf, type XmlWindow } from './xml-window.ts'

/**
 * A cell, however it is written: with prefix, comments, CDATA, blanks, unknown elements; `start` is its tag.
 * @returns the place behind it, or null when the window ends within it, with nothing done
 * @throws XmlError
 */
export function readAnyCell(window: XmlWindow, builder: RowBuilder, start: Token): number | null {
  const attributes = readAttributes(window.text, start.from, start.to)
  const content =
    start.kind === 'empty' ? { end: start.end, value: '', inline: '', hasFormula: false, hasValue: false } : readContent(window, start)
  if (content === null) return null
  const stated = attributes.get('r')
  const [, letters, digits = '0'] = /^\$?([A-Za-z]{1,3})\$?(\d{1,7})$/.exec(stated ?? '') ?? []
  if (stated !== undefined && letters === undefined) throw new XmlError(`"${stated}" is no place of a cell`)
  const column = letters === undefined ? builder.nextColumn : columnOf(letters)
  const row = Number(digits)
  const type = attributes.get('t') ?? 'n'
  const { value, inline, end } = content
  if (isEmptyFormula(type, content)) builder.putFormula(column, row)
  else if (type === 'n') builder.putNumber(column, row, value, Number(attributes.get('s') ?? 0))
  else if (type === 's' && value.trim() === '') builder.putNothing(column, row)
  else if (type === 's') builder.putShared(column, row, /^\s*\d+\s*$/.test(value) ? Number(value) : -1)
  else if (!builder.putTyped(type, column, row, type === 'inlineStr' ? inline : value))
    throw new XmlError(`a cell is of the unknown type "${type}"`)
  return end
}

interface Content {
  end: number
  /** Of `<v>`. */
  value: string
  /** Of `<is>`. */
  inline: string
  hasFormula: boolean
  hasValue: boolean
}

/** An empty value is a value where it is a text. */
function isEmptyFormula(type: string, { hasFormula, hasValue, value, inline }: Content): boolean {
  return hasFormula && inline === '' && (!hasValue || (type === 'n' && value.trim() === ''))
}

/** Null when the window ends before the cell does. */
function readContent(window: XmlWindow, start: Token): Content | null {
  const path: string[] = []
  let value = ''
  let inline = ''
  let hasFormula = false
  let hasValue = false
  for (let at = start.end; ; ) {
    const token = readToken(window.text, at)
    if (token === null) return null
    const name = token.prefix === start.prefix ? token.name : `${token.prefix}:${token.name}`
    if (token.kind === 'open' && name === 'is' && path.length === 0) {
      const rich = readRichText(window, at)
      if (rich === null) return null
      inline += rich.text
      at = rich.end
      continue
    }
    at = token.end
    if (path.length === 0 && name === 'f') hasFormula = true
    if (path.length === 0 && name === 'v') hasValue = true
    const isValue = path.length === 1 && path[0] === 'v'
    if (token.kind === 'text' && isValue) value += decodeXml(textOf(window, token.from, token.to))
    if (token.kind === 'cdata' && isValue) value += textOf(window, token.from, token.to)
    if (token.kind === 'open') path.push(name)
    if (token.kind !== 'close') continue
    if (path.length === 0) return { end: at, value, inline, hasFormula, hasValue }
    if (path.pop() !== name) throw new XmlError(`"</${token.name}>" ends what was not begun`)
  }
}

function columnOf(letters: string): number {
  let column = 0
  for (const letter of letters.toUpperCase()) column = column * 26 + letter.charCodeAt(0) - 0x40
  return column - 1
}
