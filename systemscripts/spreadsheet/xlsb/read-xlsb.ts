import { open } from 'node:fs/promises'
import type { GridRow } from '../../grid.ts'
import { readZipDirectory } from '../../zip-file.ts'
import { sheetWithoutCells, workbookBroken, workbookTooLarge } from '../refusals.ts'
import { withShown } from '../shown-numbers.ts'
import type { Workbook } from '../workbook.ts'
import { mainPart, type Relation, readRelations } from '../xlsx/workbook-part.ts'
import { XmlError } from '../xlsx/xml-tokens.ts'
import { findPart, type Package, readPart } from '../xlsx/zip-part.ts'
import { type RecordReader, walkRecords } from './records.ts'
import { createSheetReader } from './sheet-reader.ts'
import { type BundledSheet, createSheetList, createStyleList, createTextList } from './workbook-parts.ts'

export interface BinarySource {
  path: string
  fileName: string
  /** All parts, unpacked, in bytes. */
  maxUnpackedBytes: number
}

const ROWS_PER_BATCH = 500

/**
 * A binary workbook (.xlsb), read as a stream: memory does not grow with its rows, only with the different texts in it. Every part that is read is
 * checked against its length and checksum. Texts are those of cell-values.ts; formulas are not looked at, only the values that were stored with
 * them. Source: [MS-XLSB].
 *
 * @throws PermanentError `workbook_broken`, `workbook_encrypted`, `workbook_too_large`; also from within the rows; `grid` also `sheet_without_cells`
 */
export async function readXlsb(source: BinarySource): Promise<Workbook> {
  const { fileName } = source
  const list = createSheetList()
  const relations = await withPackage(source, async (zip) => {
    const main = (await mainPart(zip)) ?? findPart(zip, 'xl/workbook.bin')
    if (main === undefined) throw workbookBroken(fileName, 'It has no workbook part.')
    await walkPart(zip, main, list.read)
    return await readRelations(zip, main.name)
  })
  /** Read with the first sheet, kept for the next. */
  let shared: Promise<SharedParts> | undefined
  return {
    sheets: list.sheets.map((sheet) => ({ name: sheet.name, isHidden: sheet.isHidden, hasCells: kindOf(sheet) === 'worksheet' })),
    grid: (index, hasTypes = false) => {
      const sheet = list.sheets[index]
      if (sheet === undefined || kindOf(sheet) !== 'worksheet')
        throw sheetWithoutCells(fileName, sheet?.name ?? String(index + 1), sheet === undefined ? 'none' : kindOf(sheet))
      return { kind: 'xlsb', sheet: sheet.name, names: null, rows: rowsOf(sheet, hasTypes) }
    },
  }

  function kindOf({ relation }: BundledSheet): string {
    return relations.find(({ id }) => id === relation)?.kind ?? 'module'
  }

  async function* rowsOf({ name, relation }: BundledSheet, hasTypes: boolean): AsyncGenerator<GridRow[]> {
    const is1904 = list.is1904()
    const file = await open(source.path, 'r')
    try {
      const zip = await packageIn(source, file)
      shared ??= readShared(zip, relations)
      const known = await shared
      const part = relations.find(({ id }) => id === relation)?.part ?? null
      if (part === null) throw workbookBroken(fileName, `The part of sheet "${name}" is missing.`)
      const reader = createSheetReader({ ...known, fileName, is1904, hasTypes })
      for await (const _ of walkRecords(readPart(zip, part), reader.read, fileName)) {
        const rows = reader.take()
        for (let at = 0; at < rows.length; at += ROWS_PER_BATCH)
          yield await Promise.all(rows.slice(at, at + ROWS_PER_BATCH).map((row) => withShown(row, row.formatted, is1904)))
      }
      if (!reader.isDone()) throw workbookBroken(fileName, `Sheet "${name}" is cut off.`)
    } finally {
      await file.close()
    }
  }
}

type SharedParts = Pick<Parameters<typeof createSheetReader>[0], 'texts' | 'formatOf'>

async function readShared(zip: Package, relations: Relation[]): Promise<SharedParts> {
  const styles = createStyleList()
  const strings = createTextList(zip.fileName)
  for (const { kind, part } of relations) {
    if (kind === 'styles' && part !== null) await walkPart(zip, part, styles.read)
    if (kind === 'sharedStrings' && part !== null) await walkPart(zip, part, strings.read)
  }
  return { texts: strings.texts, formatOf: styles.formatOf }
}

async function walkPart(zip: Package, part: Package['entries'][number], read: RecordReader): Promise<void> {
  for await (const _ of walkRecords(readPart(zip, part), read, zip.fileName));
}

async function withPackage<Value>(source: BinarySource, work: (zip: Package) => Promise<Value>): Promise<Value> {
  const file = await open(source.path, 'r')
  try {
    return await work(await packageIn(source, file))
  } catch (error) {
    throw error instanceof XmlError ? workbookBroken(source.fileName, `${error.message}.`, error) : error
  } finally {
    await file.close()
  }
}

async function packageIn({ fileName, maxUnpackedBytes }: BinarySource, file: Package['file']): Promise<Package> {
  const entries = await readZipDirectory(file)
  if (entries === null) throw workbookBroken(fileName, 'The end of the zip, with its table of contents, is missing.')
  const unpackedBytes = entries.reduce((sum, entry) => sum + entry.unpackedBytes, 0)
  if (unpackedBytes > maxUnpackedBytes)
    throw workbookTooLarge(fileName, `Unpacked it has ${unpackedBytes} bytes, allowed are ${maxUnpackedBytes}.`)
  return { fileName, file, entries, signal: undefined }
}
