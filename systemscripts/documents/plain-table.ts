import { displayWidth } from './display-width.ts'
import type { ShownTable, TableOptions } from './html-table.ts'
import { cutSentence, type RowSource, rowCount } from './row-source.ts'
import { shownHeader, shownValue } from './shown-value.ts'
import { standsRight, type ValueKind, valueKind } from './value-kind.ts'

/** Columns of a terminal, at most, that one value takes. */
const WIDEST = 40

/**
 * A table for the text part of a mail, read in a font of one width: columns as wide as their widest value, at most 40; what is longer ends in "…".
 * Letters that are two columns wide are counted so. Line ends and other control characters are blanks. No rows: the header and "no rows".
 *
 * All rows of the source are walked, to count them.
 */
export async function plainTable(source: RowSource, { maxRows = 500 }: TableOptions = {}): Promise<ShownTable> {
  const kinds = source.columns.map(({ typeOid }) => valueKind(typeOid))
  const lines = [source.columns.map((column) => fit(shownHeader(column, source.timeZone)))]
  let given = 0
  for await (const batch of source.rows) {
    given += batch.length
    const wanted = batch.slice(0, maxRows + 1 - lines.length)
    lines.push(...wanted.map((row) => kinds.map((kind, at) => fit(shownValue(row[at] ?? null, kind)))))
  }
  const count = rowCount(source, lines.length - 1, given)
  const cut = cutSentence(count)
  const below = cut === null ? (count.all === 0 ? ['no rows'] : []) : [cut]
  return { ...count, text: [...aligned(lines, kinds), ...below].map((line) => `${line}\n`).join(''), cut }
}

function aligned(lines: readonly string[][], kinds: readonly ValueKind[]): string[] {
  const widths = kinds.map((_, at) => lines.reduce((widest, line) => Math.max(widest, displayWidth(line[at] ?? '')), 1))
  const drawn = lines.map((line) =>
    line
      .map((text, at) => pad(text, widths[at] ?? 0, kinds[at]))
      .join('  ')
      .trimEnd(),
  )
  const [header = '', ...rows] = drawn
  return [header, widths.map((width) => '-'.repeat(width)).join('  '), ...rows]
}

function pad(text: string, width: number, kind: ValueKind | undefined): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return kind !== undefined && standsRight(kind) ? blanks + text : text + blanks
}

function fit(text: string): string {
  const line = text.slice(0, 4 * WIDEST).replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
  if (line.length === text.length && displayWidth(line) <= WIDEST) return line
  let short = ''
  let width = 0
  for (const character of line) {
    width += displayWidth(character)
    if (width >= WIDEST) break
    short += character
  }
  return `${short}…`
}
