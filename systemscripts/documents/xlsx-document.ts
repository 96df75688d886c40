import { PermanentError } from '../errors.ts'
import type { DocumentFacts, DocumentFile } from './document.ts'
import { cutSentence, grouped, type Row, type RowSource, rowCount } from './row-source.ts'
import type { Departures } from './xlsx/cells.ts'
import { columnLooks } from './xlsx/column-looks.ts'
import { contentTypes, rootRelations, type SheetPart, workbook, workbookRelations } from './xlsx/parts.ts'
import { type SheetWriter, sheetOfNotes, sheetWriter } from './xlsx/sheet.ts'
import { sheetName } from './xlsx/sheet-name.ts'
import { openStringTable, type StringTable } from './xlsx/string-table.ts'
import { collectStyles } from './xlsx/styles.ts'
import { openZipWriter } from './xlsx/zip-writer.ts'

/** Excel's own ends. */
const MOST_ROWS = 1_048_576
const MOST_COLUMNS = 16_384
/** A sheet's XML; a zip without its 64-bit extension ends at 4 GiB. */
const MOST_SHEET_BYTES = 3 * 1024 ** 3
const SAMPLE_ROWS = 1000
/** Characters of XML that are packed at once. */
const PIECE = 128 * 1024

/**
 * A workbook (ISO/IEC 29500) that opens in Excel, LibreOffice and openpyxl: header styled and frozen, filter on it, widths after the first 1,000 rows,
 * printed on landscape pages as wide as the sheet with the header on each. Memory does not grow with the rows.
 *
 * Cells have the type of their column: numbers, booleans, dates, moments (to the millisecond; timestamptz in the zone that the header names), times,
 * durations. What Excel cannot hold exactly stands as text: numbers of more than 15 digits, days before 1900-03-01, infinities, intervals of months.
 * Only a fraction of more than 10 digits, such as an average has, is rounded. Text beyond 32,767 characters is cut and says so at its end. Text that
 * begins like a formula stays text, also when a person edits it. Null and only null is an empty cell.
 *
 * Rows beyond 1,048,576 go on in another sheet. What was cut or rounded stands in a last sheet "Notes" and in the facts.
 *
 * @param options.name what the sheet is called, as far as Excel allows
 * @throws PermanentError `too_many_columns_for_xlsx`, `zip_too_large`, from within the walk
 */
export function xlsxDocument(source: RowSource, { name }: { name: string }): DocumentFile {
  const facts: DocumentFacts = { rows: 0, notes: [] }
  return { facts, pieces: pieces() }

  async function* pieces(): AsyncGenerator<Uint8Array> {
    if (source.columns.length > MOST_COLUMNS) throw tooManyColumns(name, source.columns.length)
    const strings = await openStringTable()
    try {
      yield* writeWorkbook(source, name, strings, facts)
    } finally {
      await strings.close()
    }
  }
}

async function* writeWorkbook(source: RowSource, name: string, strings: StringTable, facts: DocumentFacts): AsyncGenerator<Uint8Array> {
  const zip = openZipWriter()
  const styles = collectStyles()
  const departures: Departures = { cutTexts: 0, roundedNumbers: 0, numbersAsText: 0 }
  const sheets: SheetPart[] = []
  const batches = source.rows[Symbol.asyncIterator]()
  try {
    const { rows: sample, ended } = await readSample(batches)
    const writer = sheetWriter(columnLooks(source, sample), strings, styles, departures)
    const rows = rowReader(sample, ended, batches)
    yield* zip.entry('_rels/.rels', [Buffer.from(rootRelations())])
    do {
      const part: SheetPart = { name: sheetName(name, sheets.length + 1), filtered: null }
      sheets.push(part)
      yield* zip.entry(`xl/worksheets/sheet${sheets.length}.xml`, sheetPieces(rows, writer, strings, part, facts))
    } while (await rows.hasNext())
  } finally {
    await batches.return?.()
  }
  facts.notes.push(...notesOf(source, facts.rows, departures))
  if (facts.notes.length > 0) {
    sheets.push({ name: noteSheetName(sheets), filtered: null })
    yield* zip.entry(`xl/worksheets/sheet${sheets.length}.xml`, [Buffer.from(sheetOfNotes(facts.notes, strings))])
  }
  yield* zip.packedEntry('xl/sharedStrings.xml', await strings.finish())
  yield* zip.entry('xl/styles.xml', [Buffer.from(styles.xml())])
  yield* zip.entry('xl/workbook.xml', [Buffer.from(workbook(sheets))])
  yield* zip.entry('xl/_rels/workbook.xml.rels', [Buffer.from(workbookRelations(sheets.length))])
  yield* zip.entry('[Content_Types].xml', [Buffer.from(contentTypes(sheets.length))])
  yield zip.end()
}

async function readSample(batches: AsyncIterator<readonly Row[]>): Promise<{ rows: Row[]; ended: boolean }> {
  const rows: Row[] = []
  while (rows.length < SAMPLE_ROWS) {
    const { done, value } = await batches.next()
    if (done) return { rows, ended: true }
    rows.push(...value)
  }
  return { rows, ended: false }
}

/** Rows one by one across sheets: `next` answers at once as long as the batch lasts. */
interface RowReader {
  next(): Row | undefined
  /** Whether there is one more, fetching the next batch when this one is used up. */
  hasNext(): Promise<boolean>
}

function rowReader(sample: readonly Row[], hasEnded: boolean, batches: AsyncIterator<readonly Row[]>): RowReader {
  let batch = sample
  let at = 0
  let ended = hasEnded
  return { next, hasNext }

  function next(): Row | undefined {
    at += 1
    return batch[at - 1]
  }

  async function hasNext(): Promise<boolean> {
    while (at >= batch.length && !ended) {
      const { done, value } = await batches.next()
      ended = done === true
      batch = done ? [] : value
      at = 0
    }
    return at < batch.length
  }
}

/** Texts are in a part of their own, so all of this is ASCII. */
async function* sheetPieces(
  rows: RowReader,
  writer: SheetWriter,
  strings: StringTable,
  part: SheetPart,
  facts: DocumentFacts,
): AsyncGenerator<Uint8Array> {
  let xml = writer.head()
  let bytes = 0
  let number = 1
  while (number < MOST_ROWS && bytes < MOST_SHEET_BYTES && (await rows.hasNext())) {
    for (let row = rows.next(); row !== undefined; row = isFull() ? undefined : rows.next()) {
      number += 1
      xml += writer.row(row, number)
      facts.rows += 1
    }
    if (strings.waiting() >= PIECE) await strings.flush()
    if (xml.length < PIECE) continue
    bytes += xml.length
    yield Buffer.from(xml, 'latin1')
    xml = ''
  }
  part.filtered = writer.filtered(number)
  yield Buffer.from(xml + writer.tail(number), 'latin1')

  function isFull(): boolean {
    return number >= MOST_ROWS || xml.length >= PIECE || strings.waiting() >= PIECE
  }
}

function notesOf(source: RowSource, rows: number, { cutTexts, roundedNumbers, numbersAsText }: Departures): string[] {
  const cut = cutSentence(rowCount(source, rows, rows))
  return [
    ...(cut === null ? [] : [cut]),
    ...(cutTexts === 0 ? [] : [`${counted(cutTexts, 'text')} cut to the 32,767 characters that a cell can hold`]),
    ...(roundedNumbers === 0 ? [] : [`${counted(roundedNumbers, 'number')} rounded to the 15 digits that a cell can hold`]),
    ...(numbersAsText === 0 ? [] : [`${counted(numbersAsText, 'number')} written as text, to keep all digits`]),
  ]
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what} is` : `${grouped(count)} ${what}s are`
}

function noteSheetName(sheets: readonly SheetPart[]): string {
  const taken = sheets.map(({ name }) => name.toLowerCase())
  return taken.includes('notes') ? 'Notes on this workbook' : 'Notes'
}

function tooManyColumns(name: string, columns: number): PermanentError {
  return new PermanentError('too_many_columns_for_xlsx', `Query "${name}" has more columns than a sheet of Excel can hold`, {
    detail: `It has ${grouped(columns)} columns; a sheet holds ${grouped(MOST_COLUMNS)}.`,
    hint: 'Name the columns that are wanted in the query, or attach the rows as CSV.',
  })
}
