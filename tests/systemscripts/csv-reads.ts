/** Reads CSV text and bytes for tests, in this thread, and gives what was refused. */
import { type CsvOptions, tableOfCsv } from '../../systemscripts/csv/csv-table.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { SourceTable } from '../../systemscripts/reading/source-table.ts'
import type { TableRow } from '../../systemscripts/table.ts'

type Values = (string | null)[][]
type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

export function openCsv(pieces: Pieces, options: Partial<CsvOptions> = {}): Promise<SourceTable> {
  const defaults = {
    ...{ headerRow: null, headerRows: 1, range: null, skipHidden: false, endsWhen: null },
    ...{ delimiter: null, quote: null, encoding: null },
  }
  return tableOfCsv({ fileName: 'file.csv', sheet: null, bytes: () => pieces }, { ...defaults, ...options })
}

export function openText(text: string, options: Partial<CsvOptions> = {}): Promise<SourceTable> {
  return openCsv([Buffer.from(text)], options)
}

export async function read(text: string, options: Partial<CsvOptions> = {}): Promise<{ headers: string[]; values: Values }> {
  return readBytes([Buffer.from(text)], options)
}

export async function readBytes(pieces: Pieces, options: Partial<CsvOptions> = {}): Promise<{ headers: string[]; values: Values }> {
  const table = await openCsv(pieces, options)
  return { headers: table.facts.headers, values: (await rowsOf(table)).map((row) => row.values) }
}

export async function rowsOf(table: SourceTable): Promise<TableRow[]> {
  const rows: TableRow[] = []
  for await (const batch of table.rows()) rows.push(...batch)
  return rows
}

export async function refusal(text: string, options: Partial<CsvOptions> = {}): Promise<PermanentError> {
  return bytesRefusal([Buffer.from(text)], options)
}

export async function bytesRefusal(pieces: Pieces, options: Partial<CsvOptions> = {}): Promise<PermanentError> {
  try {
    await readBytes(pieces, options)
  } catch (error) {
    if (error instanceof PermanentError) return error
    throw error
  }
  throw new Error('it was not refused')
}
