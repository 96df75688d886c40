import { BOTTOM, CELL_ROOM, LINE_HEIGHT, MARGIN, type PagePlan, type PlannedPage, ROW_ROOM, rowHeight, TOP } from './plan-pages.ts'
import type { TextRuler } from './text-width.ts'

export interface PageFacts {
  plan: PagePlan
  title: string
  /** Sentences below the title, on the first page. */
  below: readonly string[]
  /** Of the page, from 1. */
  number: number
  isRight: readonly boolean[]
  rulers: { regular: TextRuler; bold: TextRuler }
}

const INK = '#1f2937'
const SOFT_INK = '#4b5563'
const HEADER_GROUND = '#dce6f1'
const HEADER_LINE = '#8ea9c8'
const ROW_LINE = '#d9dde3'
const TITLE_SIZE = 14
const SMALL_SIZE = 7.5

/** Draws one page; the document stands on a new, empty one. */
export function drawPage(document: PDFKit.PDFDocument, page: PlannedPage, facts: PageFacts): void {
  const { plan, number } = facts
  drawTop(document, page, facts)
  let y = MARGIN + TOP
  const width = page.columns.reduce((sum, column) => sum + column.width, 0)
  const headerHeight = rowHeight(page.header, plan.fontSize)
  document.rect(MARGIN, y, width, headerHeight).fill(HEADER_GROUND)
  drawLine(document, y + headerHeight, width, HEADER_LINE)
  document.font('bold').fontSize(plan.fontSize).fillColor(INK)
  drawRow(document, page, page.header, y, facts, facts.rulers.bold)
  y += headerHeight
  document.font('regular').fontSize(plan.fontSize).fillColor(INK)
  for (const row of page.rows) {
    drawRow(document, page, row, y, facts, facts.rulers.regular)
    y += rowHeight(row, plan.fontSize)
    drawLine(document, y, width, ROW_LINE)
  }
  drawFoot(document, `Page ${number} of ${plan.pages.length}`)
}

function drawTop(document: PDFKit.PDFDocument, { part }: PlannedPage, { title, below, number, rulers }: PageFacts): void {
  const room = document.page.width - 2 * MARGIN
  const size = number === 1 ? TITLE_SIZE : SMALL_SIZE * 1.2
  const [line = ''] = rulers.bold.lines(title.replace(/\s+/g, ' '), room / size, 1)
  document.font('bold').fontSize(size).fillColor(INK)
  write(document, line, MARGIN, MARGIN)
  const said = [...(number === 1 ? below : []), ...(part === null ? [] : [part])].join(' · ')
  const [small = ''] = rulers.regular.lines(said, room / SMALL_SIZE, 1)
  document.font('regular').fontSize(SMALL_SIZE).fillColor(SOFT_INK)
  write(document, small, MARGIN, MARGIN + TITLE_SIZE * 1.7)
}

function drawFoot(document: PDFKit.PDFDocument, text: string): void {
  document.font('regular').fontSize(SMALL_SIZE).fillColor(SOFT_INK)
  write(document, text, document.page.width - MARGIN - document.widthOfString(text), document.page.height - MARGIN - BOTTOM / 2)
}

function drawRow(
  document: PDFKit.PDFDocument,
  { columns }: PlannedPage,
  row: readonly string[][],
  y: number,
  { plan: { fontSize }, isRight }: PageFacts,
  ruler: TextRuler,
): void {
  let x = MARGIN
  columns.forEach(({ index, width }, at) => {
    row[at]?.forEach((line, lineNumber) => {
      const left = isRight[index] ? x + width - CELL_ROOM - ruler.width(line) * fontSize : x + CELL_ROOM
      write(document, line, left, y + ROW_ROOM / 2 + lineNumber * fontSize * LINE_HEIGHT)
    })
    x += width
  })
}

function write(document: PDFKit.PDFDocument, text: string, x: number, y: number): void {
  if (text !== '') document.text(text, x, y, { lineBreak: false })
}

function drawLine(document: PDFKit.PDFDocument, y: number, width: number, colour: string): void {
  document
    .moveTo(MARGIN, y)
    .lineTo(MARGIN + width, y)
    .lineWidth(0.5)
    .stroke(colour)
}
