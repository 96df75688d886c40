import { type Element, shownText } from '../../spreadsheet/html/shown-text.ts'
import { cellElements, rowElements } from '../../spreadsheet/html/table-rows.ts'

/**
 * Finds cells by what stands above them, table by table: the header row is the first row with a `<th>`, else the first row. Cells that span
 * columns count as many. Texts are compared without case and with blanks joined.
 */
export function createCellFinder(): (row: Element, headers: string[]) => Element | null {
  const tables = new Map<Element, string[]>()
  return (row, headers) => {
    const table = tableOf(row)
    const known = table === null ? [] : (tables.get(table) ?? headersOf(table))
    if (table !== null) tables.set(table, known)
    for (const header of headers) {
      const position = /^#(\d+)$/.exec(header.trim())
      const column = position === null ? known.indexOf(normal(header)) : Number(position[1]) - 1
      if (column >= 0) return cellAt(row, column)
    }
    return null
  }
}

/** As wide as a sheet. */
const MOST_COLUMNS = 16_384

function tableOf(row: Element): Element | null {
  for (let parent = row.parent; parent !== null; parent = parent.parent) {
    if (parent.type === 'tag' && parent.name === 'table') return parent
  }
  return null
}

function headersOf(table: Element): string[] {
  const rows = rowElements(table).map(({ element }) => cellElements(element))
  const header = rows.find((cells) => cells.some(({ name }) => name === 'th')) ?? rows[0] ?? []
  const headers: string[] = []
  for (const cell of header) {
    if (headers.length > MOST_COLUMNS) break
    headers.push(normal(shownText(cell) ?? ''), ...Array.from({ length: widthOf(cell) - 1 }, () => ''))
  }
  return headers
}

function cellAt(row: Element, column: number): Element | null {
  let next = 0
  for (const cell of cellElements(row)) {
    const width = widthOf(cell)
    if (column < next + width) return cell
    next += width
  }
  return null
}

/** As browsers bound it. */
function widthOf(cell: Element): number {
  const span = Number.parseInt(cell.attribs.colspan ?? '1', 10)
  return span >= 1 ? Math.min(span, 1000) : 1
}

function normal(text: string): string {
  return text.replace(/\s+/g, ' ').trim().toLowerCase()
}
