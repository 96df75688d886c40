import type { CopyPiece, CopyPlan } from '../copy-plan.ts'
import type { GridRow } from '../grid.ts'
import { HEADER_SAMPLE_ROWS } from '../header-row.ts'
import { rowHasTooManyFields } from '../reading/refusals.ts'
import { createRowEncoder } from '../reading/row-encoder.ts'
import { ROWS_PER_BATCH, type SourceTable } from '../reading/source-table.ts'
import { endsBefore, type FittedRow, findShape, fitRow, type ShapeOptions, type TableShape } from '../reading/table-shape.ts'
import type { TableRow } from '../table.ts'
import { chooseDialect } from './choose-dialect.ts'
import { createRecordCopier } from './copy-records.ts'
import type { Dialect } from './dialect.ts'
import { detectEncoding } from './encoding.ts'
import type { RecordBatch } from './record-batch.ts'
import { createRecordScanner } from './record-scanner.ts'
import { createRecordTexts, type RecordTexts } from './record-texts.ts'
import { type ByteSource, utf8Bytes } from './utf8-bytes.ts'

export interface CsvSource {
  fileName: string
  /** Name of the member of an archive; null for a file. */
  sheet: string | null
  /** The file's bytes, from the beginning, as often as asked for; a piece is done with when the next is asked for. */
  bytes(): ByteSource
}

/** How the CSV is written, as far as it is stated. */
export interface CsvWriting {
  delimiter: string | null
  quote: string | null
  encoding: string | null
}

export type CsvOptions = ShapeOptions & CsvWriting

const SNIFFED_BYTES = 64 * 1024
const WINDOW_BYTES = 1024 * 1024
/** More than this is not read to find the header, unless it is stated further down. */
const SAMPLE_BYTES = 16 * 1024 * 1024
/** Save that so many rows are wanted however large they are. */
const FEWEST_ROWS = 10
/** Programs of DOS descent close a text with it. */
const CTRL_Z = 0x1a

/**
 * Reads a CSV as a stream: memory does not grow with the file.
 *
 * A record with fewer fields than names is filled with nulls; one with more is refused, unless what is too much is empty.
 * Columns without a name are left out when the first rows have nothing there.
 *
 * @param known places of further columns. Default: none
 * @throws PermanentError `header_row_missing`, `row_has_too_many_fields`, and those of the files beside this one: `encoding_not_utf8`,
 *   `encoding_mismatch`, `encoding_unknown`, `delimiter_not_one_character`, `quote_not_closed`, `text_after_quote`, `record_too_large`,
 *   `nul_character`
 */
export async function tableOfCsv(source: CsvSource, options: CsvOptions, known?: ReadonlySet<number>): Promise<SourceTable> {
  const { fileName } = source
  const { open, dialect, hasSepLine } = await openText(source, options)
  const first = await takeSample(open(), dialect, options, fileName)
  const sample = hasSepLine ? first.filter(({ line }) => line > 1) : first
  const shape = findShape(sample, { ...options, names: null, width: 'as header', ...(known === undefined ? {} : { known }) }, fileName)
  const { headers, headerLine } = shape
  const facts = { kind: 'csv' as const, sheet: source.sheet, headers, headerLine, sample: sampleRows(sample, shape) }
  return { facts, rows, copy, withAllColumns }

  async function* rows(): AsyncGenerator<TableRow[]> {
    const texts = createRecordTexts(dialect.quote, dialect.escape)
    for await (const { bytes, batch } of batchesOf(open(), dialect, fileName)) {
      texts.turnTo(bytes)
      const { rows, isEnd } = fittedRows(batch, texts, shape)
      for (const { line, strays, values } of rows) if (strays[0]) throw rowHasTooManyFields(fileName, line, strays[0], values.length)
      for (let from = 0; from < rows.length; from += ROWS_PER_BATCH) yield rows.slice(from, from + ROWS_PER_BATCH).map(plainRow)
      if (isEnd) return
    }
  }

  async function* copy(plan: CopyPlan): AsyncGenerator<CopyPiece> {
    const texts = createRecordTexts(dialect.quote, dialect.escape)
    const encoder = await createRowEncoder(plan, facts)
    const copier = createRecordCopier(plan, shape, encoder, texts, dialect)
    for await (const { bytes, batch } of batchesOf(open(), dialect, fileName)) {
      texts.turnTo(bytes)
      let next = 0
      let isEnd = false
      while (next < batch.count && !isEnd) {
        ;({ next, isEnd } = copier.copy(bytes, batch, next))
        if (!encoder.isFull()) continue
        const piece = encoder.take()
        if (piece !== null) yield piece
      }
      if (isEnd) break
    }
    const last = encoder.take()
    if (last !== null) yield last
  }

  async function withAllColumns(): Promise<SourceTable> {
    const texts = createRecordTexts(dialect.quote, dialect.escape)
    const found = new Set(known)
    for await (const { bytes, batch } of batchesOf(open(), dialect, fileName)) {
      texts.turnTo(bytes)
      const { rows, isEnd } = fittedRows(batch, texts, shape)
      for (const { strays } of rows) for (const { column } of strays) found.add(column)
      if (isEnd) break
    }
    return tableOfCsv(source, options, found)
  }
}

/** All records as rows of a grid, headers and titles among them. @throws as tableOfCsv */
export async function* rowsOfCsv(source: CsvSource, options: CsvWriting): AsyncGenerator<GridRow[]> {
  const { open, dialect } = await openText(source, options)
  const texts = createRecordTexts(dialect.quote, dialect.escape)
  for await (const { bytes, batch } of batchesOf(open(), dialect, source.fileName)) {
    texts.turnTo(bytes)
    for (let from = 0; from < batch.count; from += ROWS_PER_BATCH) {
      const length = Math.min(ROWS_PER_BATCH, batch.count - from)
      yield Array.from({ length }, (_, at) => ({ line: batch.lines[from + at] ?? 0, cells: texts.cells(batch, from + at) }))
    }
  }
}

/** The file's text as UTF-8, as often as asked for, and how it is written. */
async function openText(
  source: CsvSource,
  options: CsvWriting,
): Promise<{ open(): AsyncIterable<Buffer>; dialect: Dialect; hasSepLine: boolean }> {
  const head = await takeBytes(source.bytes(), SNIFFED_BYTES)
  const encoding = await detectEncoding(source.bytes, head.bytes, options.encoding, source.fileName)
  const open = (): AsyncIterable<Buffer> => utf8Bytes(source.bytes(), encoding, source.fileName)
  const sniffed = await takeBytes(open(), SNIFFED_BYTES)
  const { hasSepLine, ...dialect } = chooseDialect(sniffed.bytes.toString(), sniffed.isWhole, options)
  return { open, dialect, hasSepLine }
}

async function takeBytes(source: ByteSource, wanted: number): Promise<{ bytes: Buffer; isWhole: boolean }> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of source) {
    pieces.push(Uint8Array.from(piece))
    length += piece.length
    if (length >= wanted) return { bytes: Buffer.concat(pieces), isWhole: false }
  }
  return { bytes: Buffer.concat(pieces), isWhole: true }
}

/** The first records as rows of a grid: enough to find the header, and on to the line that is stated. */
async function takeSample(source: AsyncIterable<Buffer>, dialect: Dialect, options: CsvOptions, fileName: string): Promise<GridRow[]> {
  const texts = createRecordTexts(dialect.quote, dialect.escape)
  const from = Math.max(options.headerRow ?? 1, options.range?.firstLine ?? 1)
  const wanted = HEADER_SAMPLE_ROWS + options.headerRows
  const sample: GridRow[] = []
  let length = 0
  for await (const { bytes, batch } of batchesOf(source, dialect, fileName)) {
    texts.turnTo(bytes)
    for (let record = 0; record < batch.count; record += 1) {
      const line = batch.lines[record] ?? 0
      if (line < from) continue
      sample.push({ line, cells: texts.cells(batch, record) })
      if (sample.length >= wanted) return sample
    }
    length = sample.length === 0 ? 0 : length + bytes.length
    if (length > SAMPLE_BYTES && sample.length >= FEWEST_ROWS) return sample
  }
  return sample
}

/**
 * Cuts the bytes into records; what is left of a piece goes before the next one. The bytes of a batch are good until the next is asked for, and
 * so need those of the source be.
 */
async function* batchesOf(
  source: AsyncIterable<Buffer>,
  dialect: Dialect,
  fileName: string,
): AsyncGenerator<{ bytes: Buffer; batch: RecordBatch }> {
  const scanner = createRecordScanner(dialect, fileName)
  let window: Buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES)
  let length = 0
  let unread = 0
  for await (const piece of source) {
    if (length + piece.length > window.length) window = Buffer.concat([window.subarray(0, length)], (length + piece.length) * 2)
    piece.copy(window, length)
    length += piece.length
    // A record that spans many pieces is looked at again only once as much has come as there was, so the work stays linear.
    if (length < unread * 2) continue
    const bytes = window.subarray(0, length)
    const batch = scanner.scan(bytes, 0, length, false)
    if (batch.count > 0) yield { bytes, batch }
    window.copyWithin(0, batch.consumed, length)
    length -= batch.consumed
    unread = length
  }
  const bytes = window.subarray(0, length > 0 && window[length - 1] === CTRL_Z ? length - 1 : length)
  const batch = scanner.scan(bytes, 0, bytes.length, true)
  if (batch.count > 0) yield { bytes, batch }
}

function fittedRows(batch: RecordBatch, texts: RecordTexts, shape: TableShape): { rows: FittedRow[]; isEnd: boolean } {
  const rows: FittedRow[] = []
  for (let record = 0; record < batch.count; record += 1) {
    const line = batch.lines[record] ?? 0
    if (line <= shape.headerLine) continue
    const row = fitRow(shape, { line, cells: texts.cells(batch, record) })
    if (endsBefore(shape, line, row?.values[0])) return { rows, isEnd: true }
    if (row !== null) rows.push(row)
  }
  return { rows, isEnd: false }
}

function sampleRows(sample: GridRow[], shape: TableShape): TableRow[] {
  const rows: TableRow[] = []
  for (const cells of sample) {
    const row = fitRow(shape, cells)
    if (row === null) continue
    if (endsBefore(shape, row.line, row.values[0])) break
    rows.push(plainRow(row))
  }
  return rows.slice(0, HEADER_SAMPLE_ROWS)
}

function plainRow({ line, values }: FittedRow): TableRow {
  return { line, values }
}
