import { on } from 'node:events'
import { basename } from 'node:path'
import { Worker } from 'node:worker_threads'
import { JobError, PermanentError } from './errors.ts'
import { workbookTooLarge } from './spreadsheet/refusals.ts'
import type { SheetMessage, SheetRequest } from './spreadsheet/thread-messages.ts'
import type { Table, TableRow } from './table.ts'

export interface SpreadsheetOptions {
  /** As fileKind tells it. */
  kind: 'xlsx' | 'xls' | 'html'
  /** Name of the sheet, or its number from 1; of an HTML page the number of the table. Default null: the first visible, the largest. */
  sheet?: string | number | null
  /** The row of the column names, from 1. Default null: found. */
  headerRow?: number | null
  /** Of an HTML page. Default null: by byte order mark, `<meta>`, else UTF-8 or windows-1252. */
  encoding?: string | null
  signal?: AbortSignal | undefined
  limits?: SpreadsheetLimits
}

export interface SpreadsheetLimits {
  /** Heap of the reading thread in MB. Default 2048, enough for about five million cells. */
  memoryMb?: number
  /** All parts of an .xlsx, unpacked, in bytes. Default 1 GiB. */
  maxUnpackedBytes?: number
  /** Filled cells below the header. Default 20,000,000. */
  maxCells?: number
}

/** Batches asked for ahead, so that the thread works while the rows before are being written. */
const BATCHES_AHEAD = 2

/**
 * Reads one sheet of a workbook, or one table of a web page, in a thread of its own: the event loop of the caller is never held up, and a
 * workbook that eats all memory ends its thread and not the process. The thread holds the whole sheet; rows cross over 500 at a time, on
 * demand. What the texts of cells look like is said in spreadsheet/cell-text.ts and spreadsheet/html-grid.ts. Blank rows are left out, and
 * so are columns with neither a name nor a value.
 *
 * @throws PermanentError `sheet_not_found`, `html_table_not_found`, `header_row_missing`, `workbook_broken`, `workbook_encrypted`,
 *   `workbook_too_large`; JobError `sheet_thread_lost`; the signal's reason when aborted
 */
export async function readSpreadsheet(path: string, options: SpreadsheetOptions): Promise<Table> {
  options.signal?.throwIfAborted()
  const thread = startThread(path, options)
  try {
    const first = await thread.receive()
    if (first.type !== 'table') throw threadLost(path)
    const { sheet, headers, headerLine } = first
    return { kind: options.kind, sheet, headers, headerLine, rows: rowsFrom(thread), close: thread.close }
  } catch (error) {
    await thread.close()
    throw error
  }
}

async function* rowsFrom(thread: SheetThread): AsyncGenerator<TableRow[]> {
  try {
    for (let asked = 0; asked < BATCHES_AHEAD; asked += 1) thread.askMore()
    for (;;) {
      const message = await thread.receive()
      if (message.type !== 'rows') return
      thread.askMore()
      yield message.rows
    }
  } finally {
    await thread.close()
  }
}

interface SheetThread {
  askMore(): void
  receive(): Promise<SheetMessage>
  close(): Promise<void>
}

function startThread(path: string, options: SpreadsheetOptions): SheetThread {
  const { signal, limits = {} } = options
  const memoryMb = limits.memoryMb ?? 2048
  const request: SheetRequest = {
    path,
    kind: options.kind,
    sheet: options.sheet ?? null,
    headerRow: options.headerRow ?? null,
    encoding: options.encoding ?? null,
    maxUnpackedBytes: limits.maxUnpackedBytes ?? 1024 ** 3,
    maxCells: limits.maxCells ?? 20_000_000,
  }
  const worker = new Worker(new URL('./spreadsheet/sheet-worker.ts', import.meta.url), {
    workerData: request,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  })
  const messages = on(worker, 'message', { close: ['exit'], ...(signal ? { signal } : {}) })
  return { askMore, receive, close }

  function askMore(): void {
    worker.postMessage('more')
  }

  /** A table that nobody goes on reading must not keep the process alive, so the thread counts only while it is waited for. */
  async function receive(): Promise<SheetMessage> {
    worker.ref()
    try {
      const next = await messages.next()
      if (next.done) throw threadLost(path)
      const message: SheetMessage = next.value[0]
      if (message.type === 'refused') throw refusal(message.error)
      return message
    } catch (error) {
      signal?.throwIfAborted()
      throw isOutOfMemory(error) ? workbookTooLarge(basename(path), `Reading it takes more than ${memoryMb} MB of memory.`) : error
    } finally {
      worker.unref()
    }
  }

  async function close(): Promise<void> {
    await messages.return?.()
    await worker.terminate()
  }
}

function refusal({ code, message, detail, hint }: { code: string; message: string; detail: string | null; hint: string | null }) {
  return new PermanentError(code, message, { ...(detail === null ? {} : { detail }), ...(hint === null ? {} : { hint }) })
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
}

function threadLost(path: string): JobError {
  return new JobError('sheet_thread_lost', `The thread that read "${basename(path)}" ended without an answer`, {
    hint: 'It is tried again; when it happens for this file each time, ask the sender for a CSV.',
  })
}
