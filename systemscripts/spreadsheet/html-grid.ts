import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type CheerioAPI, type load, loadBuffer } from 'cheerio'
import type { Grid, GridRow } from './grid.ts'
import { htmlTableNotFound } from './refusals.ts'

type Node = Exclude<Parameters<typeof load>[0], string | Buffer | unknown[]>
type Element = Extract<Node, { attribs: object }>

const BLOCKS = new Set(['p', 'div', 'li', 'ul', 'ol', 'tr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table'])
const UNSHOWN = new Set(['script', 'style', 'template', 'noscript'])
/** Bounds of the HTML standard for colspan and rowspan. */
const WIDEST_SPAN = 1000
const TALLEST_SPAN = 65_534

/**
 * A table of a web page as a grid; many sites send one under the name .xls. Asked for no table in particular, the one with the most cells
 * of its own, so that a table that only lays out the page is passed over.
 *
 * Texts are as shown: entities resolved, blanks joined, `<br>` and paragraphs as line breaks, what is hidden left out. A cell that spans
 * rows holds for each of them; a cell that spans columns stands in the first. Encoding: stated, else byte order mark, else `<meta>`, else
 * UTF-8 when the bytes are UTF-8, else windows-1252.
 *
 * @throws PermanentError `html_table_not_found`
 */
export async function readHtmlGrid(path: string, table: string | number | null, encoding: string | null): Promise<Grid> {
  const bytes = await readFile(path)
  const $ = loadBuffer(bytes, {
    encoding: {
      defaultEncoding: isUtf8(bytes) ? 'utf-8' : 'windows-1252',
      ...(encoding === null ? {} : { userEncoding: encoding }),
    },
  })
  const tables = $('table')
    .toArray()
    .map((element) => ownRows($, element))
  const rows = chooseTable(tables, table, basename(path))
  return { sheet: null, rows: () => rows, shownRow: (line) => rows.find((row) => row.line === line)?.cells ?? [] }
}

function chooseTable(tables: GridRow[][], wanted: string | number | null, fileName: string): GridRow[] {
  const sizes = tables.map((rows) => rows.reduce((sum, row) => sum + Object.keys(row.cells).length, 0))
  const index = wanted === null ? sizes.indexOf(Math.max(...sizes)) : Number(wanted) - 1
  const rows = tables[index]
  if (rows === undefined || (wanted === null && sizes[index] === 0)) throw htmlTableNotFound(fileName, wanted, tables.length)
  return rows
}

interface Span {
  text: string | null
  rowsLeft: number
}

/** The table's rows without those of tables inside its cells. */
function ownRows($: CheerioAPI, table: Element): GridRow[] {
  const rows: GridRow[] = []
  const spans: Span[] = []
  let line = 0
  for (const row of ownRowElements(table)) {
    line += 1
    const cells = cellsOfRow(row, spans)
    if (cells.some((cell) => cell !== null)) rows.push({ line, cells })
  }
  return rows

  function ownRowElements(parent: Element): Element[] {
    const found: Element[] = []
    for (const child of $(parent).children().toArray()) {
      if (child.name === 'tr') found.push(child)
      else if (/^(thead|tbody|tfoot)$/.test(child.name)) found.push(...ownRowElements(child))
    }
    return found
  }

  function cellsOfRow(row: Element, above: Span[]): (string | null)[] {
    const cells: (string | null)[] = []
    let column = takeSpans(above, cells, 0)
    for (const cell of $(row).children('td, th').toArray()) {
      const text = shownText(cell)
      const width = spanOf(cell.attribs.colspan, WIDEST_SPAN)
      const height = cell.attribs.rowspan === '0' ? TALLEST_SPAN : spanOf(cell.attribs.rowspan, TALLEST_SPAN)
      for (let offset = 0; offset < width; offset += 1) {
        const value = offset === 0 ? text : null
        cells[column + offset] = value
        if (height > 1) above[column + offset] = { text: value, rowsLeft: height - 1 }
      }
      column = takeSpans(above, cells, column + width)
    }
    // Spans that lie beyond the last cell of this row.
    above.forEach((_, further) => {
      if (further >= column) takeSpans(above, cells, further)
    })
    return cells
  }
}

/** Fills cells that reach down from rows above, from `column` on; gives the next free column. */
function takeSpans(above: Span[], cells: (string | null)[], column: number): number {
  let next = column
  for (let span = above[next]; span !== undefined && span.rowsLeft > 0; span = above[next]) {
    cells[next] = span.text
    span.rowsLeft -= 1
    next += 1
  }
  return next
}

function spanOf(attribute: string | undefined, limit: number): number {
  const span = Number.parseInt(attribute ?? '1', 10)
  return span >= 1 ? Math.min(span, limit) : 1
}

function shownText(cell: Element): string | null {
  const pieces: string[] = []
  collectText(cell, pieces)
  const lines = pieces
    .join('')
    .split('\n')
    .map((line) => line.replace(/[\s\u00a0]+/g, ' ').trim())
  const text = lines
    .join('\n')
    .replace(/\n{2,}/g, '\n')
    .trim()
  return text === '' ? null : text
}

/** Blanks and line ends of the source are blanks; only `<br>` and blocks break the line. */
function collectText(parent: Element, pieces: string[]): void {
  for (const node of parent.children) {
    if (node.type === 'text') pieces.push(node.data.replace(/[\t\n\f\r ]+/g, ' '))
    if (node.type !== 'tag' || UNSHOWN.has(node.name) || isHidden(node)) continue
    const isBlock = BLOCKS.has(node.name)
    if (isBlock || node.name === 'br') pieces.push('\n')
    collectText(node, pieces)
    if (isBlock) pieces.push('\n')
  }
}

function isHidden(element: Element): boolean {
  return 'hidden' in element.attribs || /display\s*:\s*none/i.test(element.attribs.style ?? '')
}
