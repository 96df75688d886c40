import { isUtf8 } from 'node:buffer'
import { type CheerioAPI, loadBuffer } from 'cheerio'
import type { GridRow } from '../grid.ts'
import { officeCells } from './html/office-numbers.ts'
import type { Element } from './html/shown-text.ts'
import { cellElements, rowElements, tableRows } from './html/table-rows.ts'
import { htmlTableNotFound, workbookBroken, workbookTooLarge } from './refusals.ts'
import type { Workbook } from './workbook.ts'

export interface HtmlSource {
  fileName: string
  bytes(): AsyncIterable<Uint8Array>
  /** Default null: by byte order mark, `<meta>`, else UTF-8 or windows-1252. */
  encoding?: string | null
}

export interface HtmlTables extends Workbook {
  /** Index of the table with the most cells of its own, so that a table that only lays out the page is passed over. */
  largest: number
}

const LARGEST_PAGE = 256 * 1024 * 1024
const ROWS_PER_BATCH = 500
/** Pages nest far less; the time to parse one grows by the square of it. */
const DEEPEST_NESTING = 20_000
/** Tables that lie deeper in tables are read as text of the cells around them. */
const DEEPEST_TABLE = 20

/**
 * All tables of a web page, those inside cells too; many sites send one under the name .xls. Tables are named by their caption, else their id,
 * else their number from 1.
 *
 * Texts are as shown: entities resolved, blanks joined, `<br>` and paragraphs as line breaks, what is hidden inside a cell left out; save that
 * Excel's and LibreOffice's own pages state the numbers behind (html/office-numbers.ts). A cell that spans rows holds for each of them; a cell
 * that spans columns stands in the first. Hidden rows are marked. Encoding: stated, else byte order mark, else `<meta>`, else UTF-8 when the
 * bytes are UTF-8, else windows-1252. The page is held in memory while it is read.
 *
 * @throws PermanentError `html_table_not_found` when there is none with a cell; `workbook_too_large`; from within the rows `workbook_broken`
 */
export async function readHtmlTables({ fileName, bytes, encoding = null }: HtmlSource): Promise<HtmlTables> {
  const page = await wholePage(bytes(), fileName)
  refuseDeep(page, fileName)
  const $ = parsePage(page, encoding)
  const { tables, styles } = findTables($)
  const sizes = tables.map((table) => rowElements(table).reduce((sum, { element }) => sum + cellElements(element).length, 0))
  const largest = sizes.reduce((best, size, index) => (size > (sizes[best] ?? 0) ? index : best), 0)
  if (!sizes.some((size) => size > 0)) throw htmlTableNotFound(fileName, null, tables.length)
  // In a comment that only Excel reads.
  const office = officeCells(styles, page.includes('<x:Date1904/>'))
  return {
    sheets: tables.map((table, index) => ({ name: nameOf($, table) ?? String(index + 1), isHidden: false, hasCells: true })),
    largest,
    grid: (index) => ({ kind: 'html', sheet: null, names: null, rows: batches(tables[index]) }),
  }

  function* batches(table: Element | undefined): Generator<GridRow[]> {
    let batch: GridRow[] = []
    try {
      for (const row of table === undefined ? [] : tableRows(table, office)) {
        batch.push(row)
        if (batch.length < ROWS_PER_BATCH) continue
        yield batch
        batch = []
      }
    } catch (error) {
      if (error instanceof RangeError) throw workbookBroken(fileName, error.message, error)
      throw error
    }
    if (batch.length > 0) yield batch
  }
}

async function wholePage(bytes: AsyncIterable<Uint8Array>, fileName: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of bytes) {
    length += piece.length
    if (length > LARGEST_PAGE) throw workbookTooLarge(fileName, `A web page is read up to ${LARGEST_PAGE} bytes.`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** Tags whose end people leave out are not counted, nor is what stands open when a cell begins. */
function refuseDeep(page: Buffer, fileName: string): void {
  let tables = 0
  let others = 0
  for (const [, end, name = ''] of page
    .toString('latin1')
    .matchAll(/<(\/?)(table|t[dhr]|div|span|center|blockquote|section|ul|ol|form|a|b|i|u|font)(?=[\s>/])/gi)) {
    const step = end === '' ? 1 : -1
    if (/^t[dhr]$/i.test(name)) others = 0
    else if (/^table$/i.test(name)) tables = Math.max(0, tables + step)
    else others = Math.max(0, others + step)
    if (tables + others > DEEPEST_NESTING) throw workbookBroken(fileName, `Its elements are nested more than ${DEEPEST_NESTING} deep.`)
  }
}

function parsePage(page: Buffer, encoding: string | null): CheerioAPI {
  return loadBuffer(page, {
    encoding: { defaultEncoding: isUtf8(page) ? 'utf-8' : 'windows-1252', ...(encoding === null ? {} : { userEncoding: encoding }) },
  })
}

/** Tables and the text of styles, in the order of the page. Keeps its own stack: queries take time by the square of how deep a page nests. */
function findTables($: CheerioAPI): { tables: Element[]; styles: string } {
  const tables: Element[] = []
  const styles: string[] = []
  const waiting: [node: Element['children'][number], depth: number][] = []
  for (const node of $.root().toArray()) add(node.children, 0)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [node, depth] = next
    if (node.type === 'style') styles.push($(node).text())
    if (node.type !== 'tag') continue
    const isTable = node.name === 'table'
    if (isTable) tables.push(node)
    add(node.children, isTable ? depth + 1 : depth)
  }
  return { tables, styles: styles.join('\n') }

  function add(nodes: Element['children'], depth: number): void {
    if (depth > DEEPEST_TABLE) return
    for (let index = nodes.length - 1; index >= 0; index -= 1) {
      const node = nodes[index]
      if (node !== undefined) waiting.push([node, depth])
    }
  }
}

function nameOf($: CheerioAPI, table: Element): string | null {
  const caption = $(table).children('caption').text().replace(/\s+/g, ' ').trim()
  return caption || (table.attribs.id ?? '').trim() || null
}
