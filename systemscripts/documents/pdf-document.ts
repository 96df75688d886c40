import { setImmediate } from 'node:timers/promises'
import type { DocumentFacts, DocumentFile } from './document.ts'
import { fontFiles, hasStrangeLetters, STRANGE_LETTERS } from './fonts.ts'
import { drawPage } from './pdf/draw-page.ts'
import { MARGIN, planPages, type TextTable } from './pdf/plan-pages.ts'
import { textRuler } from './pdf/text-width.ts'
import { cutSentence, type RowSource, rowCount } from './row-source.ts'
import { shownHeader, shownValue } from './shown-value.ts'
import { standsRight, valueKind } from './value-kind.ts'

export interface PdfOptions {
  title: string
  /** Rows at most, since a PDF is laid out in memory; those beyond are counted and said below the title. Default 5,000. */
  maxRows?: number
}

/** Longer values are of no use on paper. */
const LONGEST_VALUE = 2000

/**
 * A table on A4 pages: title, the header repeated on each page, page numbers, numbers at the right. Wide tables lie across, shrink, and at last are
 * split over pages by columns. Text can be copied and searched. Latin, Greek, Cyrillic and other letters of DejaVu Sans are there; others show as boxes,
 * which is said. No rows: the header and "no rows". Between pages other work gets its turn.
 */
export function pdfDocument(source: RowSource, { title, maxRows = 5000 }: PdfOptions): DocumentFile {
  const facts: DocumentFacts = { rows: 0, notes: [] }
  return { facts, pieces: pieces() }

  async function* pieces(): AsyncGenerator<Uint8Array> {
    const table = await readTable(source, maxRows, facts)
    const { default: PDFDocument } = await import('pdfkit')
    const { regular, bold } = fontFiles()
    const document = new PDFDocument({ autoFirstPage: false, size: 'A4', margin: MARGIN, info: { Title: title } })
    document.registerFont('regular', regular)
    document.registerFont('bold', bold)
    const rulerOf = (font: string) => textRuler((character) => document.font(font).fontSize(1000).widthOfString(character) / 1000)
    const rulers = { regular: rulerOf('regular'), bold: rulerOf('bold') }
    const plan = planPages(table, rulers.regular, rulers.bold)
    const below = [...facts.notes, ...(table.rows.length === 0 ? ['no rows'] : [])]
    for (const [at, page] of plan.pages.entries()) {
      document.addPage({ size: 'A4', layout: plan.layout, margin: MARGIN })
      drawPage(document, page, { plan, title, below, number: at + 1, isRight: table.isRight, rulers })
      const drawn = document.read()
      if (drawn instanceof Uint8Array) yield drawn
      await setImmediate()
    }
    document.end()
    for await (const piece of document) if (piece instanceof Uint8Array) yield piece
  }
}

async function readTable(source: RowSource, maxRows: number, facts: DocumentFacts): Promise<TextTable> {
  const kinds = source.columns.map(({ typeOid }) => valueKind(typeOid))
  const headers = source.columns.map((column) => printable(shownHeader(column, source.timeZone)))
  const rows: string[][] = []
  let given = 0
  for await (const batch of source.rows) {
    given += batch.length
    for (const row of batch.slice(0, maxRows - rows.length))
      rows.push(kinds.map((kind, at) => printable(shownValue(row[at] ?? null, kind))))
  }
  facts.rows = rows.length
  const cut = cutSentence(rowCount(source, rows.length, given))
  if (cut !== null) facts.notes.push(cut)
  if ([headers, ...rows].some((row) => row.some(hasStrangeLetters))) facts.notes.push(STRANGE_LETTERS)
  return { headers, rows, isRight: kinds.map(standsRight) }
}

/** Without what a font has no picture for. */
function printable(text: string): string {
  const short = text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE).replace(/[\uD800-\uDBFF]$/, '')}…` : text
  return short
    .replace(/\r\n?/g, '\n')
    .replaceAll('\t', '  ')
    .replace(/(?!\n)[\p{Cc}\uFFFE\uFFFF]/gu, '')
}
