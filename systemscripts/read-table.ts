/**
 * Reads the tables in a file, whatever kind of file it is: CSV and its kin, workbooks, web pages, records in JSON, archives of those. A library
 * of its own: it knows files and nothing else.
 *
 * - `readTable(path, options)`: the first table: headers, and rows as texts or as bytes for COPY.
 * - `openTables(path, options)`: one table after the other: sheets, members of an archive.
 * - `readCells(path, options)`: typed cells with sheet, row and column, as they stand there, without a thought of headers.
 *
 * ```ts
 * const table = await readTable('prices.xlsx', { sheet: 'Q1' })
 * for await (const batch of table.rows) for (const { line, values } of batch) console.log(line, values)
 * ```
 *
 * What a file is, is told by its bytes, never by its name. All reading is done in threads, so the caller's event loop is not held up, and a file
 * that eats all memory ends its thread and not the process. Threads are kept for the next file. What the texts of cells look like is said in
 * spreadsheet/cell-values.ts.
 */
import type { CopyPiece, CopyPlan } from './copy-plan.ts'
import type { FileKind } from './file-kind.ts'
import type { TypedCell } from './grid.ts'
import { parseCellRange } from './reading/cell-range.ts'
import { refuseWrongPatterns } from './reading/patterns.ts'
import type { ReadRequest, ThreadAnswer } from './reading/protocol.ts'
import { type ReadingSession, startSession } from './reading/session.ts'
import type { Table, TableCopy, TableFacts, TableRow } from './table.ts'

/** Options that mean nothing for a kind of file are passed over. */
export interface ReadTableOptions {
  /** Default `auto`: told by the bytes. Anything else must agree with the bytes. */
  kind?: 'auto' | FileKind
  /**
   * Of a workbook: a sheet's name, its number from 1, `*` for every one that is not hidden, or `/…/`, a regular expression on names. Of a web page: the
   * number of the table, or `*`. Default null: the first visible sheet, the largest table.
   */
  sheet?: string | number | null
  /**
   * Of a zip, which of its files: a glob on the name (`*.csv`), on the path when it holds a slash (`2024/*.csv`), or `/…/`, a regular expression on
   * the path. Default null: all.
   */
  memberPattern?: string | null
  /** Part of the sheet: `B3:K200`, `B:K`, `3:200`. A first row that is stated is the header row as well. Default null: all. */
  cellRange?: string | null
  /** The first line of the column names, from 1. Default null: found. */
  headerRow?: number | null
  /** How many lines the names take, 1 to 5; joined by a blank, a blank in an upper line taking the name to its left. Default 1. */
  headerRows?: number
  /** Of a CSV; one character, `tab` or `\t`. Default null: detected. */
  delimiter?: string | null
  /** Of a CSV: one character; '' for none; `"\` for one that a backslash escapes. Default null: detected. */
  quote?: string | null
  /** Of a CSV or a web page: a label such as `windows-1252`. Default null: detected. */
  encoding?: string | null
  /** Leave out rows that are hidden in the workbook. Default false. */
  skipHidden?: boolean
  /** A regular expression on the first column: the table ends before the row that matches, such as a line of totals. Default null. */
  endsWhen?: string | null
  limits?: ReadLimits
  signal?: AbortSignal | undefined
}

export interface ReadLimits {
  /** Heap of the reading thread in MB. Default 2048. */
  memoryMb?: number
  /** All parts of a workbook, or one member of an archive, unpacked, in bytes. Default: that of the kind. */
  maxUnpackedBytes?: number
}

/** Asked for ahead, so that the thread works while what came before is being written. */
const CREDITS = 4

/**
 * The first table of a file.
 * @throws PermanentError `file_kind_differs`, `header_row_missing`, `sheet_not_found`, `cell_range_invalid`, `ends_when_invalid`, and those of fileKind and of the readers;
 *   JobError `reading_thread_lost`; the signal's reason when aborted
 */
export async function readTable(path: string, options: ReadTableOptions = {}): Promise<Table> {
  const session = openSession(path, options, 'tables')
  try {
    const facts = await askedTable(session, 'next')
    if (facts === null) throw new Error(`no table in ${path}`)
    return tableOf(session, facts, session.close)
  } catch (error) {
    await session.close()
    throw error
  }
}

/**
 * The tables of a file, one after the other: the sheets that `sheet` names, and the members of an archive, by name. Asking for the next one
 * lets go of the one before. Leaving the loop frees the file.
 * @throws as readTable
 */
export async function* openTables(path: string, options: ReadTableOptions = {}): AsyncGenerator<Table> {
  const session = openSession(path, options, 'tables')
  let number = 0
  try {
    for (let facts = await askedTable(session, 'next'); facts !== null; facts = await askedTable(session, 'next')) {
      number += 1
      const own = number
      const refuseLate = (): void => {
        if (own !== number) throw new Error(`table "${facts?.sheet ?? own}" was left for the next one`)
      }
      yield tableOf(session, facts, async () => {}, refuseLate)
    }
  } finally {
    number += 1
    await session.close()
  }
}

/**
 * Every filled cell of the sheets that `sheet` names (default: the first visible), row by row, in batches of at most 1,000 rows. Files without types give
 * texts. `cellRange` and `skipHidden` count, headers do not.
 * @throws as readTable
 */
export async function* readCells(path: string, options: ReadTableOptions = {}): AsyncGenerator<TypedCell[]> {
  const session = openSession(path, options, 'cells')
  try {
    for await (const answer of answers(session)) if (answer.type === 'cells') yield answer.cells
  } finally {
    await session.close()
  }
}

function openSession(path: string, options: ReadTableOptions, as: 'tables' | 'cells'): ReadingSession {
  const { limits = {}, signal } = options
  if (options.cellRange) parseCellRange(options.cellRange)
  refuseWrongPatterns(options)
  const request: ReadRequest = {
    path,
    kind: options.kind ?? 'auto',
    sheet: options.sheet ?? null,
    memberPattern: options.memberPattern || null,
    cellRange: options.cellRange || null,
    headerRow: options.headerRow ?? null,
    headerRows: options.headerRows ?? 1,
    delimiter: options.delimiter ?? null,
    quote: options.quote ?? null,
    encoding: options.encoding ?? null,
    skipHidden: options.skipHidden ?? false,
    endsWhen: options.endsWhen || null,
    maxUnpackedBytes: limits.maxUnpackedBytes ?? null,
  }
  return startSession(request, as, limits.memoryMb ?? 2048, signal)
}

/** Answers to what was asked of the table before may still come and are passed over. */
async function askedTable(session: ReadingSession, type: 'next' | 'widen'): Promise<TableFacts | null> {
  session.tell({ type })
  for (;;) {
    const answer = await session.answer()
    if (answer.type === 'table') return answer.facts
    if (answer.type === 'done') return null
  }
}

function tableOf(session: ReadingSession, facts: TableFacts, close: () => Promise<void>, refuseLate = (): void => {}): Table {
  const table: Table = { ...facts, rows: rows(), withAllColumns, copy, close }
  return table

  async function* rows(): AsyncGenerator<TableRow[]> {
    try {
      refuseLate()
      session.tell({ type: 'rows' })
      for await (const answer of answers(session, refuseLate)) {
        if (answer.type === 'rows') yield answer.rows
        else noteEnd(answer)
      }
    } finally {
      await close()
    }
  }

  async function withAllColumns(): Promise<Table> {
    refuseLate()
    const wide = await askedTable(session, 'widen')
    if (wide === null) throw new Error('the reading thread has no table to widen')
    return tableOf(session, wide, close, refuseLate)
  }

  async function copy(plan: CopyPlan): Promise<TableCopy> {
    refuseLate()
    session.tell({ type: 'copy', plan })
    const answer = await session.answer()
    if (answer.type !== 'format') throw new Error(`the reading thread answered ${answer.type} to copy`)
    return { format: answer.format, pieces: pieces() }
  }

  async function* pieces(): AsyncGenerator<CopyPiece> {
    try {
      for await (const answer of answers(session, refuseLate)) {
        if (answer.type === 'piece') yield answer.piece
        else noteEnd(answer)
      }
    } finally {
      await close()
    }
  }

  function noteEnd(answer: ThreadAnswer): void {
    if (answer.type === 'end' && answer.emptyFormulas.length > 0) table.emptyFormulas = answer.emptyFormulas
  }
}

/** The last of them is `end`. */
async function* answers(session: ReadingSession, refuseLate = (): void => {}): AsyncGenerator<ThreadAnswer> {
  for (let asked = 0; asked < CREDITS; asked += 1) session.tell({ type: 'more' })
  for (;;) {
    refuseLate()
    const answer = await session.answer()
    yield answer
    if (answer.type === 'end') return
    session.tell({ type: 'more' })
  }
}
