import { basename } from 'node:path'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { PermanentError } from '../errors.ts'
import type { TableRow } from '../table.ts'
import { type GridTable, tableOfGrid } from './grid.ts'
import type { SheetMessage, SheetRequest } from './thread-messages.ts'

const ROWS_PER_BATCH = 500

// The entry of the thread that readSpreadsheet starts; imported anywhere else it does nothing.
if (parentPort !== null) await serve(parentPort, workerData)

async function serve(port: MessagePort, request: SheetRequest): Promise<void> {
  const answer = (message: SheetMessage): void => port.postMessage(message)
  try {
    const { sheet, headers, headerLine, rows } = await openTable(request)
    const waiting = rows[Symbol.iterator]()
    port.on('message', () => answer(nextBatch(waiting)))
    answer({ type: 'table', sheet, headers, headerLine })
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error
    const { code, message, detail = null, hint = null } = error
    answer({ type: 'refused', error: { code, message, detail, hint } })
  }
}

/** SheetJS and cheerio are loaded here only, and only the one that is needed. */
async function openTable(request: SheetRequest): Promise<GridTable> {
  const { path, kind, sheet, headerRow, encoding, maxCells, maxUnpackedBytes } = request
  const grid =
    kind === 'html'
      ? await (await import('./html-grid.ts')).readHtmlGrid(path, sheet, encoding)
      : await (await import('./workbook-grid.ts')).readWorkbookGrid({ path, kind, sheet, maxUnpackedBytes })
  return tableOfGrid(grid, headerRow, maxCells, basename(path))
}

function nextBatch(rows: Iterator<TableRow>): SheetMessage {
  const batch: TableRow[] = []
  while (batch.length < ROWS_PER_BATCH) {
    const next = rows.next()
    if (next.done) break
    batch.push(next.value)
  }
  return batch.length === 0 ? { type: 'end' } : { type: 'rows', rows: batch }
}
