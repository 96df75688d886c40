import { open } from 'node:fs/promises'
import * as XLSX from 'xlsx'
import { PermanentError } from '../errors.ts'
import type { Grid, GridRow } from '../grid.ts'
import { readZipDirectory, readZipEntry } from '../zip-file.ts'
import { createCellReader } from './cell-text.ts'
import { sheetWithoutCells, workbookBroken, workbookTooLarge } from './refusals.ts'
import type { Workbook } from './workbook.ts'

/** Dates stay numbers: SheetJS's own Date objects depend on the zone of the process. */
const PARSING = {
  type: 'buffer',
  dense: true,
  cellDates: false,
  cellNF: true,
  cellText: false,
  cellFormula: false,
  cellHTML: false,
} as const
const NO_SHEET = -1
const SHOWN_ROWS = 2000
const ROWS_PER_BATCH = 500

export interface BinarySource {
  path: string
  fileName: string
  maxUnpackedBytes: number
}

/**
 * A binary workbook (.xlsb), by SheetJS: the file, its shared texts and one sheet at a time are held in memory. Texts are those of cell-text.ts.
 * @throws PermanentError `workbook_broken`, `workbook_too_large`; `grid` also `sheet_without_cells`
 */
export async function readBinaryWorkbook(source: BinarySource): Promise<Workbook> {
  const { fileName } = source
  const { bytes, relations } = await readVerified(source)
  const outline = parse(bytes, NO_SHEET, fileName)
  const hasSheets = relations.includes('relationships/worksheet')
  return {
    sheets: outline.SheetNames.map((name, index) => ({
      name,
      isHidden: (outline.Workbook?.Sheets?.[index]?.Hidden ?? 0) !== 0,
      hasCells: hasSheets,
    })),
    grid: (index) => gridOfSheet(parse(bytes, index, fileName), index, fileName),
  }
}

/** The whole file; SheetJS does not look at checksums, and a flipped bit would come out as another number. */
async function readVerified({ path, fileName, maxUnpackedBytes }: BinarySource): Promise<{ bytes: Buffer; relations: string }> {
  const file = await open(path, 'r')
  try {
    const entries = await readZipDirectory(file)
    if (entries === null) throw workbookBroken(fileName, 'The end of the zip, with its table of contents, is missing.')
    const unpackedBytes = entries.reduce((sum, entry) => sum + entry.unpackedBytes, 0)
    if (unpackedBytes > maxUnpackedBytes) {
      throw workbookTooLarge(fileName, `Unpacked it has ${unpackedBytes} bytes, allowed are ${maxUnpackedBytes}.`)
    }
    let relations = ''
    for (const entry of entries.filter(({ name }) => /\.(xml|rels|bin)$/i.test(name))) {
      const part = await readZipEntry(file, entry).catch((cause: unknown) => refuseBroken(fileName, cause))
      if (entry.name === 'xl/_rels/workbook.bin.rels') relations = part.toString('utf8')
    }
    return { bytes: await file.readFile(), relations }
  } finally {
    await file.close()
  }
}

function parse(bytes: Buffer, sheet: number, fileName: string): XLSX.WorkBook {
  try {
    return XLSX.read(bytes, { ...PARSING, sheets: sheet })
  } catch (error) {
    return refuseBroken(fileName, error)
  }
}

function refuseBroken(fileName: string, error: unknown): never {
  if (error instanceof PermanentError) throw error
  throw workbookBroken(fileName, error instanceof Error ? error.message : String(error), error)
}

function gridOfSheet(workbook: XLSX.WorkBook, index: number, fileName: string): Grid {
  const name = workbook.SheetNames[index] ?? ''
  const sheet = workbook.Sheets[name]
  const type = sheet?.['!type'] ?? 'sheet'
  if (type !== 'sheet') throw sheetWithoutCells(fileName, name, type)
  const data: (XLSX.CellObject | undefined)[][] = sheet?.['!data'] ?? []
  const hidden = sheet?.['!rows'] ?? []
  const reader = createCellReader(workbook.Workbook?.WBProps?.date1904 === true)
  return { kind: 'xlsb', sheet: name, names: null, rows: batches() }

  function* batches(): Generator<GridRow[]> {
    let batch: GridRow[] = []
    // By key, not by index: the last of three cells may stand in row 1,048,576.
    for (const key in data) {
      const row = rowOf(Number(key), data[key] ?? [])
      if (row !== null) batch.push(row)
      if (batch.length < ROWS_PER_BATCH) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  }

  function rowOf(index: number, row: (XLSX.CellObject | undefined)[]): GridRow | null {
    const cells: (string | null)[] = []
    const shown: (string | null)[] = []
    row.forEach((cell, column) => {
      const text = reader.text(cell)
      if (text === null) return
      cells[column] = text
      if (index < SHOWN_ROWS) shown[column] = reader.shownText(cell)
    })
    if (cells.length === 0) return null
    const isHidden = hidden[index]?.hidden === true
    return { line: index + 1, cells, ...(index < SHOWN_ROWS ? { shown } : {}), ...(isHidden ? { isHidden } : {}) }
  }
}
