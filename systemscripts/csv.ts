import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { decodeText } from './csv/decode-text.ts'
import { chooseDialect } from './csv/dialect.ts'
import { createRecordParser, type RecordParser } from './csv/record-parser.ts'
import { PermanentError } from './errors.ts'
import { findHeaderRow, HEADER_SAMPLE_ROWS } from './header-row.ts'
import type { Table, TableRow } from './table.ts'

export interface CsvOptions {
  /** One character. Default null: detected among `,` `;` tab `|`. */
  delimiter?: string | null
  /** One character; '' for none. Default null: `"`. */
  quote?: string | null
  /** A label such as `windows-1252`. Default null: by byte order mark, else UTF-8. */
  encoding?: string | null
  /** The line of the column names, from 1. Default null: found. */
  headerRow?: number | null
  signal?: AbortSignal | undefined
}

const CHUNK_BYTES = 128 * 1024
const SAMPLE_CHARACTERS = 64 * 1024
const ROWS_PER_BATCH = 1000

/**
 * Reads a CSV as a stream: memory does not grow with the file. About a million rows of twelve columns a second on one core.
 *
 * A record with fewer fields than names is filled with nulls; one with more is refused, unless what is too much is empty.
 * Trailing names that are blank are left out when the first rows have nothing there.
 *
 * @throws PermanentError `header_row_missing`, `row_has_too_many_fields`, and those of csv/: `encoding_not_utf8`, `encoding_mismatch`,
 *   `encoding_unknown`, `delimiter_not_one_character`, `quote_not_closed`, `text_after_quote`, `record_too_large`, `nul_character`;
 *   the signal's reason when aborted
 */
export async function readCsv(path: string, options: CsvOptions = {}): Promise<Table> {
  options.signal?.throwIfAborted()
  return readCsvBytes(createReadStream(path, { highWaterMark: CHUNK_BYTES }), basename(path), options)
}

/** The same for bytes from anywhere, in chunks of any size. `fileName` is for error messages. */
export async function readCsvBytes(bytes: AsyncIterable<Uint8Array>, fileName: string, options: CsvOptions = {}): Promise<Table> {
  const { signal } = options
  const texts = decodeText(stopWhenAborted(bytes, signal), options.encoding ?? null, fileName)
  const close = async (): Promise<void> => {
    await texts.return(undefined)
  }
  try {
    const sample = await takeSample(texts)
    const dialect = chooseDialect(sample.text, options, fileName)
    const parser = createRecordParser(dialect, fileName)
    const wanted = Math.max(HEADER_SAMPLE_ROWS, options.headerRow ?? 0)
    const first = await takeFirstRows(sample, texts, parser, wanted)
    if (dialect.hasSepLine) first.rows.shift()
    const header = findHeaderRow(first.rows.slice(0, wanted), options.headerRow ?? null, fileName)
    const following = first.rows.slice(first.rows.indexOf(header) + 1)
    const headers = trimTrailingBlanks(header.values, following.slice(0, HEADER_SAMPLE_ROWS))
    const rows = fittedRows(following, first.isEnd ? null : { texts, parser }, headers.length, fileName)
    return { kind: 'csv', sheet: null, headers, headerLine: header.line, rows, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function* stopWhenAborted(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    signal?.throwIfAborted()
    yield chunk
  }
}

interface Sample {
  text: string
  isEnd: boolean
}

async function takeSample(texts: AsyncGenerator<string>): Promise<Sample> {
  let text = ''
  while (text.length < SAMPLE_CHARACTERS) {
    const next = await texts.next()
    if (next.done) return { text, isEnd: true }
    text += next.value
  }
  return { text, isEnd: false }
}

async function takeFirstRows(sample: Sample, texts: AsyncGenerator<string>, parser: RecordParser, wanted: number) {
  let rows = parser.push(sample.text)
  let isEnd = sample.isEnd
  while (!isEnd && rows.length < wanted) {
    const next = await texts.next()
    if (next.done) isEnd = true
    else rows = rows.concat(parser.push(next.value))
  }
  return { rows: isEnd ? rows.concat(parser.end()) : rows, isEnd }
}

function trimTrailingBlanks(names: (string | null)[], sample: TableRow[]): string[] {
  let width = names.length
  while (width > 0 && !names[width - 1]?.trim() && sample.every((row) => !row.values[width - 1])) width -= 1
  return names.slice(0, width).map((name) => name ?? '')
}

interface Rest {
  texts: AsyncGenerator<string>
  parser: RecordParser
}

async function* fittedRows(first: TableRow[], rest: Rest | null, width: number, fileName: string): AsyncGenerator<TableRow[]> {
  try {
    yield* batches(fit(first, width, fileName))
    if (rest === null) return
    for await (const text of rest.texts) yield* batches(fit(rest.parser.push(text), width, fileName))
    yield* batches(fit(rest.parser.end(), width, fileName))
  } finally {
    await rest?.texts.return(undefined)
  }
}

/** In place: the rows are ours, and copying a million of them would cost a tenth of the time. */
function fit(rows: TableRow[], width: number, fileName: string): TableRow[] {
  for (const { line, values } of rows) {
    while (values.length < width) values.push(null)
    if (values.length === width) continue
    if (values.slice(width).some((value) => value)) throw rowHasTooManyFields(fileName, line, values, width)
    values.length = width
  }
  return rows
}

function* batches(rows: TableRow[]): Generator<TableRow[]> {
  for (let from = 0; from < rows.length; from += ROWS_PER_BATCH) {
    yield from === 0 && rows.length <= ROWS_PER_BATCH ? rows : rows.slice(from, from + ROWS_PER_BATCH)
  }
}

function rowHasTooManyFields(fileName: string, line: number, values: (string | null)[], width: number): PermanentError {
  return new PermanentError('row_has_too_many_fields', `File "${fileName}", line ${line}: more fields than column names`, {
    detail: `The line has ${values.length} fields, the header ${width}. The first too many is ${JSON.stringify(values[width])}.`,
    hint: 'Check delimiter, quote and header_row in the settings, or ask the sender to quote fields that hold the delimiter.',
  })
}
