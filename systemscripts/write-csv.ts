import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { CopyPlan, RowReject } from './copy-plan.ts'
import { emptyFormulasInWords } from './empty-formulas.ts'
import { PermanentError } from './errors.ts'
import { PieceBuffer, putByte, putCsvText, putOnlyField } from './reading/piece-buffer.ts'
import type { Table } from './table.ts'

/**
 * Writes a table as a CSV file: UTF-8 without byte order mark, commas, quotes as RFC 4180 has them, lines end with a line feed; the first line
 * holds the headers as the file shows them. Null is nothing, empty text is `""`. The file appears under its name when it is whole, and
 * replaces one that was there; whatever ends it early leaves nothing. In a file of one column null is a line with a comma alone, since a blank
 * line is no record. Reading the file again gives the same headers and rows.
 *
 * Where a row has values beyond the table's columns, the file is written anew with all columns in which anything stands; those without a name
 * are called by their place, `column_5`.
 *
 * @returns `warnings`: what whoever reads the CSV should know, such as formulas without a value
 * @throws PermanentError `value_not_writable`, and those of the table's reader; the signal's reason when aborted
 */
export async function writeCsv(
  table: Table,
  path: string,
  { onRows, signal }: { onRows?: (rows: number) => void; signal?: AbortSignal } = {},
): Promise<{ rows: number; columns: number; sizeBytes: number; warnings: string[] }> {
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}.part`)
  let file = await open(draft, 'wx')
  let rows = 0
  let columns = table.headers.length
  let sizeBytes = 0
  let walked = table
  try {
    for await (const piece of csvPieces(table)) {
      signal?.throwIfAborted()
      if (piece.headers !== null) {
        await file.close()
        file = await open(draft, 'w')
        columns = piece.headers.length
        walked = piece.table
        rows = 0
        sizeBytes = 0
      }
      await file.writeFile(piece.bytes)
      rows += piece.rows
      sizeBytes += piece.bytes.length
      onRows?.(rows)
      letGo(piece.bytes)
    }
    await file.datasync()
    await file.close()
    await rename(draft, path)
    return { rows, columns, sizeBytes, warnings: emptyFormulasInWords([walked]) }
  } catch (error) {
    await file.close().catch(() => {})
    await rm(draft, { force: true })
    throw error
  }
}

interface CsvPiece {
  bytes: Uint8Array
  rows: number
  /** Of the first piece of a file: what came before does not count. */
  headers: string[] | null
  table: Table
}

/** The file's bytes, header line first; anew where a row turns out to be wider than the table. */
async function* csvPieces(table: Table, isWide = false): AsyncGenerator<CsvPiece> {
  const { headers } = table
  yield { bytes: headerLine(headers), rows: 0, headers, table }
  const columns: CopyPlan['columns'] = headers.map((_, index) => ({ from: 'file', index, rule: null }))
  const { pieces } = await table.copy({ columns, output: 'csv', emptyWhen: null, toldRejects: 1, corrections: [] })
  for await (const { bytes, rowsWritten, rejects, rowsTooWide } of pieces) {
    if (rowsTooWide > 0 && !isWide) {
      yield* csvPieces(await table.withAllColumns(), true)
      return
    }
    const [reject] = rejects
    if (reject !== undefined) throw refused(reject)
    yield { bytes, rows: rowsWritten, headers: null, table }
  }
}

/**
 * Where one of several sheets goes: `prices.csv` and sheet `Q1` make `prices.Q1.csv`; whatever a name holds, the file stands in the same folder.
 * @param taken paths given so far, in lower case; the new one is added
 */
export function csvPathOfSheet(to: string, sheet: string, taken: Set<string>): string {
  const name = sheet.replace(/[^\p{L}\p{N} _-]+/gu, '_').slice(0, 100) || 'table'
  const stem = basename(to).replace(/\.csv$/i, '')
  let file = `${stem}.${name}.csv`
  for (let copy = 2; taken.has(file.toLowerCase()); copy += 1) file = `${stem}.${name}_${copy}.csv`
  taken.add(file.toLowerCase())
  return join(dirname(to), file)
}

/** Frees the memory now: what comes from a thread is seen by the collector of this one so late that dozens of megabytes would wait for it. */
function letGo({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}

function headerLine(headers: string[]): Uint8Array {
  const out = new PieceBuffer()
  const put = headers.length === 1 ? putOnlyField : putCsvText
  headers.forEach((header, index) => {
    if (index > 0) putByte(out, COMMA)
    put(out, header === '' ? null : header)
  })
  putByte(out, LINE_FEED)
  return out.take()
}

const COMMA = 44
const LINE_FEED = 10

/** A CSV has no place for rows that do not fit. */
function refused({ sheet, line, column, message, value }: RowReject): PermanentError {
  const place = `${sheet === null ? '' : `Sheet "${sheet}", `}line ${line}${column === null ? '' : `, column "${column}"`}`
  return new PermanentError('value_not_writable', `${place}: ${message}`, {
    detail: `The value is ${JSON.stringify(value?.slice(0, 200) ?? null)}.`,
    hint: 'Correct the value in the file, or ask the sender to.',
  })
}
