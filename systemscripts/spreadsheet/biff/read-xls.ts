import { type FileHandle, open } from 'node:fs/promises'
import { openCompoundFile } from '../../compound-file.ts'
import { workbookEncrypted } from '../../file-kind/refusals.ts'
import type { GridRow } from '../../grid.ts'
import { sheetWithoutCells, workbookBroken, workbookTooLarge } from '../refusals.ts'
import { type ShownNumber, withShown } from '../shown-numbers.ts'
import type { Workbook } from '../workbook.ts'
import { decipher } from './decipher.ts'
import { readGlobals } from './read-globals.ts'
import { BiffError } from './records.ts'
import { sheetRows } from './sheet-rows.ts'

const LARGEST_STREAM = 1024 ** 3
const ROWS_PER_BATCH = 500

/**
 * A workbook of Excel 2 to 2003 (BIFF 2 to 8), alone or in a compound file. Its bytes are held in memory, rows are made of them as they are asked
 * for. Texts are those of cell-values.ts; formulas are not looked at, only the values that were stored with them.
 * What is encrypted under Excel's default password is deciphered.
 *
 * @throws PermanentError `workbook_broken`, `workbook_encrypted`, `workbook_too_large`; also from within the rows
 */
export async function readXls({ path, fileName }: { path: string; fileName: string }): Promise<Workbook> {
  const stream = await refusing(fileName, () => readStream(path, fileName))
  if (!decipher(stream)) throw workbookEncrypted(fileName)
  const globals = await refusing(fileName, () => readGlobals(stream))
  return {
    sheets: globals.sheets.map(({ name, isHidden, hasCells }) => ({ name, isHidden, hasCells })),
    grid: (index, hasTypes = false) => {
      const sheet = globals.sheets[index]
      if (!sheet?.hasCells) throw sheetWithoutCells(fileName, sheet?.name ?? String(index + 1), 'chart or macros')
      return { kind: 'xls', sheet: sheet.name, names: null, rows: batches(sheetRows(stream, sheet, globals, hasTypes)) }
    },
  }

  async function* batches(rows: Iterator<GridRow & { formatted: ShownNumber[] }>): AsyncGenerator<GridRow[]> {
    for (;;) {
      const batch = await refusing(fileName, () => nextRows(rows))
      if (batch.length === 0) return
      yield await Promise.all(batch.map((row) => withShown(row, row.formatted, globals.is1904)))
    }
  }
}

function nextRows<Row>(rows: Iterator<Row>): Row[] {
  const batch: Row[] = []
  while (batch.length < ROWS_PER_BATCH) {
    const next = rows.next()
    if (next.done) break
    batch.push(next.value)
  }
  return batch
}

async function readStream(path: string, fileName: string): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size > LARGEST_STREAM) throw workbookTooLarge(fileName, `It has ${size} bytes, allowed are ${LARGEST_STREAM}.`)
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.readUInt32BE(0) === 0xd0cf11e0 ? await readContained(file) : await file.readFile()
  } finally {
    await file.close()
  }
}

/** A file for two versions of Excel has two streams; the newer one says more. */
async function readContained(file: FileHandle): Promise<Buffer> {
  const container = await openCompoundFile(file).catch(asBroken)
  const names = container?.entries.map(({ name }) => name.toLowerCase()) ?? []
  const index = [names.indexOf('workbook'), names.indexOf('book')].find((place) => place !== -1) ?? -1
  const entry = container?.entries[index]
  if (container === null || entry === undefined) throw new BiffError('the stream of its sheets is missing')
  return container.read(entry).catch(asBroken)
}

function asBroken(cause: Error): never {
  throw new BiffError(cause.message, { cause })
}

async function refusing<Value>(fileName: string, work: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    // A number that points beyond the end comes as a RangeError.
    if (!(error instanceof BiffError || error instanceof RangeError)) throw error
    throw workbookBroken(fileName, `As a stream of records it cannot be read: ${error.message}.`, error)
  }
}
