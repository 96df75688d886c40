import type { GridRow, Typed } from '../../grid.ts'
import type { OfficeCells } from './office-numbers.ts'
import { type Element, isHidden, shownText } from './shown-text.ts'

/** Bounds of the HTML standard for colspan and rowspan. */
const WIDEST_SPAN = 1000
const TALLEST_SPAN = 65_534
/** As wide as a sheet; spans could make a small page as large as one likes. */
const MOST_COLUMNS = 16_384
/** Cells that stand for others are the only way in which a small page holds a large table. */
const MOST_SPANNED = 20_000_000
const SECTIONS = new Set(['thead', 'tbody', 'tfoot'])

interface Span {
  text: string | null
  shown: string | null
  isTyped: boolean
  rowsLeft: number
}

interface RowElement {
  element: Element
  isHidden: boolean
}

/** The rows of a table without those of tables inside its cells. */
export function rowElements(table: Element): RowElement[] {
  const found: RowElement[] = []
  for (const child of elementsIn(table)) {
    if (child.name === 'tr') found.push({ element: child, isHidden: isHidden(child) })
    if (!SECTIONS.has(child.name)) continue
    const isSectionHidden = isHidden(child)
    for (const row of elementsIn(child)) if (row.name === 'tr') found.push({ element: row, isHidden: isSectionHidden || isHidden(row) })
  }
  return found
}

export function cellElements(row: Element): Element[] {
  return elementsIn(row).filter(({ name }) => name === 'td' || name === 'th')
}

/**
 * Rows as a grid: a cell that spans rows holds for each of them; a cell that spans columns stands in the first.
 * @throws RangeError when a row is wider than any sheet
 */
export function* tableRows(table: Element, office: OfficeCells): Generator<GridRow> {
  const above: Span[] = []
  let spanned = 0
  let line = 0
  for (const { element, isHidden } of rowElements(table)) {
    line += 1
    spanned += above.length
    if (spanned > MOST_SPANNED) throw new RangeError(`More than ${MOST_SPANNED} of its cells are covered by others.`)
    const { cells, shown, typed } = cellsOfRow(element, above, office)
    if (cells.some((cell) => cell !== null)) yield { line, cells, shown, typed, ...(isHidden ? { isHidden } : {}) }
  }
}

interface RowTexts {
  cells: (string | null)[]
  shown: (string | null)[]
  typed: Typed
}

function cellsOfRow(row: Element, above: Span[], office: OfficeCells): RowTexts {
  const texts: RowTexts = { cells: [], shown: [], typed: [] }
  let column = takeSpans(above, texts, 0)
  for (const cell of cellElements(row)) {
    const shown = shownText(cell)
    const exact = office(cell.attribs, shown)
    const { text, isTyped } = exact ?? { text: shown, isTyped: false }
    const width = spanOf(cell.attribs.colspan, WIDEST_SPAN)
    const height = cell.attribs.rowspan === '0' ? TALLEST_SPAN : spanOf(cell.attribs.rowspan, TALLEST_SPAN)
    if (column + width > MOST_COLUMNS) throw new RangeError(`A row of a table has more than ${MOST_COLUMNS} columns.`)
    texts.cells[column] = text
    texts.shown[column] = shown
    texts.typed[column] = isTyped
    for (let offset = 0; offset < width && height > 1; offset += 1) {
      above[column + offset] = { text: offset === 0 ? text : null, shown: offset === 0 ? shown : null, isTyped, rowsLeft: height - 1 }
    }
    column = takeSpans(above, texts, column + width)
  }
  // Spans that lie beyond the last cell of this row.
  while (column < above.length) column = Math.max(takeSpans(above, texts, column), column + 1)
  return texts
}

/** Fills cells that reach down from rows above, from `column` on; gives the next free column. */
function takeSpans(above: Span[], texts: RowTexts, column: number): number {
  let next = column
  for (let span = above[next]; span !== undefined && span.rowsLeft > 0; span = above[next]) {
    if (span.text !== null) {
      texts.cells[next] = span.text
      texts.shown[next] = span.shown
      texts.typed[next] = span.isTyped
    }
    span.rowsLeft -= 1
    next += 1
  }
  return next
}

function spanOf(attribute: string | undefined, limit: number): number {
  const span = Number.parseInt(attribute ?? '1', 10)
  return span >= 1 ? Math.min(span, limit) : 1
}

function elementsIn(parent: Element): Element[] {
  return parent.children.filter((child): child is Element => child.type === 'tag')
}
