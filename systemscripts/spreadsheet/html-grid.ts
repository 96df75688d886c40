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
  const $ = parsePage(page, encoding)
  const tables = findTables($)
  const sizes = tables.map((table) => rowElements(table).reduce((sum, { element }) => sum + cellElements(element).length, 0))
  const largest = sizes.indexOf(Math.max(...sizes))
  if (!sizes.some((size) => size > 0)) throw htmlTableNotFound(fileName, null, tables.length)
  // In a comment that only Excel reads.
  const office = officeCells($('style').text(), page.includes('<x:Date1904/>'))
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

function parsePage(page: Buffer, encoding: string | null): CheerioAPI {
  return loadBuffer(page, {
    encoding: { defaultEncoding: isUtf8(page) ? 'utf-8' : 'windows-1252', ...(encoding === null ? {} : { userEncoding: encoding }) },
  })
}

function findTables($: CheerioAPI): Element[] {
  return $('table')
    .toArray()
    .filter((table) => {
      let depth = 0
      for (let parent = table.parent; parent !== null && depth <= DEEPEST_TABLE; parent = parent.parent) {
        if ('name' in parent && parent.name === 'table') depth += 1
      }
      return depth <= DEEPEST_TABLE
    })
}

function nameOf($: CheerioAPI, table: Element): string | null {
  const caption = $(table).children('caption').text().replace(/\s+/g, ' ').trim()
  return caption || (table.attribs.id ?? '').trim() || null
}
