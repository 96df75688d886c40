import type { TextRuler } from './text-width.ts'

/** A table in texts, ready to be laid out. */
export interface TextTable {
  headers: string[]
  isRight: boolean[]
  rows: string[][]
}

/** How the table lies on pages. Lengths in points. */
export interface PagePlan {
  layout: 'portrait' | 'landscape'
  fontSize: number
  pages: PlannedPage[]
}

export interface PlannedPage {
  columns: PlannedColumn[]
  header: string[][]
  /** Of each row, of each column of the page, its lines. */
  rows: string[][][]
  /** `columns 1 to 8 of 30`; null when all are on the page. */
  part: string | null
}

export interface PlannedColumn {
  /** In the table, from 0. */
  index: number
  /** With the room at both sides. */
  width: number
}

/** A4 and its margins. */
const SHORT_SIDE = 595.28
const LONG_SIDE = 841.89
export const MARGIN = 32
/** What stands above the table: the title on the first page, a line of it on the others. */
export const TOP = 46
export const BOTTOM = 24
/** At both sides of a cell. */
export const CELL_ROOM = 4
/** In heights of the font. */
export const LINE_HEIGHT = 1.25
export const ROW_ROOM = 4

const WIDEST_COLUMN = 26
const MOST_LINES = 12
const FITS: readonly { layout: PagePlan['layout']; fontSize: number }[] = [
  { layout: 'portrait', fontSize: 8.5 },
  { layout: 'landscape', fontSize: 8.5 },
  { layout: 'landscape', fontSize: 7.5 },
  { layout: 'landscape', fontSize: 6.5 },
]
const SPLIT = { layout: 'landscape', fontSize: 7.5 } as const

/**
 * Puts a table on pages: upright when it fits, else across, else in smaller letters; when even those are too large its columns are split over pages, the
 * first one repeated on each so that rows can be told. A value that is wider than its column takes more lines, at most 12.
 */
export function planPages(table: TextTable, regular: TextRuler, bold: TextRuler): PagePlan {
  const ems = table.headers.map((header, at) => {
    const widest = table.rows.reduce((most, row) => Math.max(most, widthOf(row[at] ?? '', regular)), widthOf(header, bold))
    return Math.min(WIDEST_COLUMN, Math.max(2, widest * 1.01))
  })
  const fit = FITS.find(({ layout, fontSize }) => sum(widths(ems, fontSize)) <= usableWidth(layout))
  const { layout, fontSize } = fit ?? SPLIT
  const groups = fit === undefined ? columnGroups(widths(ems, fontSize), usableWidth(layout)) : [widths(ems, fontSize).map(asColumn)]
  const height = (layout === 'portrait' ? LONG_SIDE : SHORT_SIDE) - 2 * MARGIN - TOP - BOTTOM
  const pages = groups.flatMap((columns) => pagesOf(table, columns, fontSize, height, regular, bold))
  return { layout, fontSize, pages }
}

export function rowHeight(lines: readonly string[][], fontSize: number): number {
  return Math.max(1, ...lines.map(({ length }) => length)) * fontSize * LINE_HEIGHT + ROW_ROOM
}

function pagesOf(
  table: TextTable,
  columns: PlannedColumn[],
  fontSize: number,
  height: number,
  regular: TextRuler,
  bold: TextRuler,
): PlannedPage[] {
  const header = columns.map(({ index, width }) => linesOf(table.headers[index] ?? '', width, fontSize, bold))
  const part = partOf(columns, table.headers.length)
  const headerHeight = rowHeight(header, fontSize)
  const pages: PlannedPage[] = [{ columns, header, rows: [], part }]
  let used = headerHeight
  for (const row of table.rows) {
    const lines = columns.map(({ index, width }) => linesOf(row[index] ?? '', width, fontSize, regular))
    const own = rowHeight(lines, fontSize)
    if (used + own > height) {
      pages.push({ columns, header, rows: [], part })
      used = headerHeight
    }
    pages.at(-1)?.rows.push(lines)
    used += own
  }
  return pages
}

function columnGroups(all: readonly number[], room: number): PlannedColumn[][] {
  const [first = 0] = all
  const groups: PlannedColumn[][] = []
  let group: PlannedColumn[] = []
  all.forEach((width, index) => {
    if (index === 0) return
    if (group.length > 1 && sum(group.map((column) => column.width)) + width > room) group = []
    if (group.length === 0) groups.push(group)
    if (group.length === 0) group.push({ index: 0, width: first })
    group.push({ index, width })
  })
  return groups.length === 0 ? [all.map(asColumn)] : groups
}

function partOf(columns: readonly PlannedColumn[], all: number): string | null {
  if (columns.length === all) return null
  const from = columns[1]?.index ?? 0
  return `columns ${from === 1 ? 1 : from + 1} to ${(columns.at(-1)?.index ?? 0) + 1} of ${all}`
}

function asColumn(width: number, index: number): PlannedColumn {
  return { index, width }
}

function widths(ems: readonly number[], fontSize: number): number[] {
  return ems.map((em) => em * fontSize + 2 * CELL_ROOM)
}

function usableWidth(layout: PagePlan['layout']): number {
  return (layout === 'portrait' ? SHORT_SIDE : LONG_SIDE) - 2 * MARGIN
}

function widthOf(text: string, ruler: TextRuler): number {
  return text.includes('\n') ? Math.max(...text.split('\n').map(ruler.width)) : ruler.width(text)
}

function linesOf(text: string, width: number, fontSize: number, ruler: TextRuler): string[] {
  return ruler.lines(text, (width - 2 * CELL_ROOM) / fontSize, MOST_LINES)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
