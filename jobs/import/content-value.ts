import type { ReadableFile } from '../../src/job/ledgers.ts'
import { columnNames } from '../../systemscripts/column-names.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { readCells, readTable } from '../../systemscripts/read-table.ts'
import type { ImportSettings } from './settings.ts'

/**
 * A value that stands in the file: of a cell (`B2`), or the first of a column, by its header or its name in the target.
 *
 * @throws PermanentError `content_not_found`, `content_not_text`; those of the file's reader
 */
export async function contentValue(file: ReadableFile, spec: string, settings: ImportSettings, signal: AbortSignal): Promise<string> {
  const found = /^[A-Z]{1,3}[1-9]\d*$/.test(spec)
    ? await ofCell(file, spec, settings, signal)
    : await ofColumn(file, spec, settings, signal)
  const value = found?.trim() ?? ''
  if (value.includes('\0') || !value.isWellFormed() || value.length > LONGEST) throw notText(file, spec, value)
  if (value !== '') return value
  throw new PermanentError('content_not_found', `File "${file.name}" has nothing in "${spec}"`, {
    detail: 'Neither a filled cell nor a column with a value has that name.',
    hint: 'Correct label_spec or date_spec in dba.importconfig: a cell such as B2, or the header of a column.',
  })
}

/** In characters: a label is looked for by an index. */
const LONGEST = 500

function notText(file: ReadableFile, spec: string, value: string): PermanentError {
  const why = value.includes('\0') ? 'It has a NUL character in it.' : 'It has half of a surrogate pair in it.'
  return new PermanentError('content_not_text', `File "${file.name}" has in "${spec}" what is no label or date`, {
    detail: value.length > LONGEST ? `It is ${value.length} characters long.` : why,
    hint: 'Correct label_spec or date_spec in dba.importconfig, or ask the sender what stands there.',
  })
}

async function ofCell(file: ReadableFile, cell: string, { reading }: ImportSettings, signal: AbortSignal): Promise<string | null> {
  for await (const cells of readCells(file.bytesAt, { ...reading, cellRange: `${cell}:${cell}`, signal })) return cells[0]?.text ?? null
  return null
}

async function ofColumn(
  file: ReadableFile,
  column: string,
  { reading, nameRule }: ImportSettings,
  signal: AbortSignal,
): Promise<string | null> {
  const table = await readTable(file.bytesAt, { ...reading, signal })
  await table.close()
  const byHeader = table.headers.findIndex((header) => header.trim() === column)
  const index = byHeader === -1 ? columnNames(table.headers, nameRule).indexOf(column) : byHeader
  return table.sample.map(({ values }) => values[index] ?? null).find((value) => value !== null && value.trim() !== '') ?? null
}
