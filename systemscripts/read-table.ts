import { basename } from 'node:path'
import { readCsv } from './csv.ts'
import { PermanentError } from './errors.ts'
import { type FileKind, fileKind } from './file-kind.ts'
import { readSpreadsheet, type SpreadsheetLimits } from './spreadsheet.ts'
import type { Table } from './table.ts'

export interface ReadTableOptions {
  /** Default `auto`: told by the bytes. Anything else must agree with the bytes. */
  kind?: 'auto' | FileKind
  sheet?: string | number | null
  headerRow?: number | null
  delimiter?: string | null
  quote?: string | null
  encoding?: string | null
  limits?: SpreadsheetLimits
  signal?: AbortSignal | undefined
}

/**
 * Reads the table in a file, whatever kind of file it is. Options that mean nothing for the kind are passed over.
 * @throws PermanentError `file_kind_differs`, and those of fileKind, readCsv and readSpreadsheet; the signal's reason when aborted
 */
export async function readTable(path: string, options: ReadTableOptions = {}): Promise<Table> {
  const { kind: stated = 'auto', limits, ...rest } = options
  // A CSV that is stated needs no look: an encoding that nobody would recognise may be why it is stated.
  const kind = stated === 'csv' ? stated : await fileKind(path)
  if (stated !== 'auto' && stated !== kind) throw fileKindDiffers(basename(path), stated, kind)
  if (kind === 'csv') return readCsv(path, rest)
  return readSpreadsheet(path, { ...rest, kind, ...(limits ? { limits } : {}) })
}

function fileKindDiffers(fileName: string, stated: FileKind, found: FileKind): PermanentError {
  return new PermanentError('file_kind_differs', `File "${fileName}" is ${found}, not ${stated}`, {
    detail: 'Told by its bytes, whatever its name ends in.',
    hint: 'Set file_kind in the settings to auto.',
  })
}
