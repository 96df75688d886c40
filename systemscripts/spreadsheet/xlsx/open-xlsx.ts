import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import type { CellSink } from '../../cell-sink.ts'
import type { CellPlace, GridRow, TypedCell } from '../../grid.ts'
import { readZipDirectory } from '../../zip-file.ts'
import { sheetNotFound, sheetWithoutCells, workbookBroken, workbookTooLarge } from '../refusals.ts'
import { type CellFact, typedCell } from './cell-value.ts'
import { createRowBuilder, type RowBuilder } from './row-builder.ts'
import { readSharedStrings } from './shared-strings.ts'
import { createSheetScanner } from './sheet-scanner.ts'
import { addShown } from './shown-text.ts'
import { createStringStore, type StringStore } from './string-store.ts'
import { type CellStyle, readStyles } from './styles.ts'
import { readWorkbookParts, readXml, type SheetPart, type WorkbookParts } from './workbook-part.ts'
import { utf8Xml } from './xml-bytes.ts'
import { XmlError } from './xml-tokens.ts'
import { xmlWindows } from './xml-window.ts'
import { type Package, readPart } from './zip-part.ts'

export interface XlsxOptions {
  /** All parts, unpacked, in bytes, as the zip's directory states them; a part that holds more is refused too. Default 4 GiB. */
  maxUnpackedBytes?: number
  /** What messages call it, such as its name in an archive. Default: the last part of the path. */
  fileName?: string
  signal?: AbortSignal | undefined
}

/** One tab of the workbook. */
export interface XlsxSheet {
  name: string
  isHidden: boolean
  /** False of charts, macro sheets and dialogs: they hold no table, but count as tabs. */
  hasCells: boolean
}

export interface ReadSheetOptions {
  /** Rows up to this one get `shown`, where something is shown otherwise than it is loaded. Default 0: none. */
  shownUntilLine?: number
  /** Asked before each row: where its cells go; then `rows` come empty, whenever the sink is full. Default: nowhere. */
  sink?: () => CellSink | null
  /** Gets the places of formulas that hold no value. Default: nobody asks. */
  emptyFormulas?: CellPlace[]
}

/** An .xlsx or .xlsm that is open. Sheets may be read one after the other, and again. */
export interface XlsxWorkbook {
  /** In the order of the tabs. */
  sheets: XlsxSheet[]
  /**
   * Rows in which something stands, ascending, in batches of at most 1,000.
   * @throws PermanentError `sheet_not_found`, `sheet_without_cells`, `workbook_broken`, `workbook_too_large`, `workbook_encrypted`
   */
  readSheet(index: number, options?: ReadSheetOptions): AsyncGenerator<GridRow[]>
  /** The same cell by cell, with types; cells in which nothing stands are left out. */
  readCells(index: number, skipHidden?: boolean): AsyncGenerator<TypedCell[]>
  close(): Promise<void>
}

const LARGEST_WORKBOOK = 4 * 1024 ** 3
const LARGEST_CELL = 64 * 1024 * 1024

/**
 * Opens a workbook of Excel 2007 or later, transitional or Strict, and reads it as a stream: memory does not grow with its rows, only with the
 * different texts in it. Texts are those of cell-values.ts. Every part that is read is checked against its length and checksum; a sheet is known to
 * be whole when its last batch has been taken. Formulas are never calculated: the value that was stored with them is taken, null where none was.
 *
 * The dimensions that a sheet states are not looked at. A row that stands behind a later one, a cell beyond XFD1048576, and XML that declares a
 * document type are refused as `workbook_broken`.
 *
 * @throws PermanentError `workbook_broken`, `workbook_too_large`, `workbook_encrypted`; the signal's reason when aborted
 */
export async function openXlsx(path: string, options: XlsxOptions = {}): Promise<XlsxWorkbook> {
  const { maxUnpackedBytes = LARGEST_WORKBOOK, fileName = basename(path), signal } = options
  const file = await open(path, 'r')
  try {
    const entries = await readZipDirectory(file)
    if (entries === null) throw workbookBroken(fileName, 'The end of the zip, with its table of contents, is missing.')
    const unpackedBytes = entries.reduce((sum, entry) => sum + entry.unpackedBytes, 0)
    if (unpackedBytes > maxUnpackedBytes)
      throw workbookTooLarge(fileName, `Unpacked it has ${unpackedBytes} bytes, allowed are ${maxUnpackedBytes}.`)
    const zip: Package = { fileName, file, entries, signal }
    const parts = await refusing(fileName, readWorkbookParts(zip))
    return workbookOf(zip, parts)
  } catch (error) {
    await file.close()
    throw error
  }
}

function workbookOf(zip: Package, parts: WorkbookParts): XlsxWorkbook {
  /** Read with the first sheet, kept for the next. */
  let strings: Promise<StringStore> | undefined
  let styles: Promise<CellStyle[]> | undefined
  return {
    sheets: parts.sheets.map(({ name, isHidden, kind }) => ({ name, isHidden, hasCells: kind === 'worksheet' })),
    readSheet,
    readCells,
    close: () => zip.file.close(),
  }

  async function* readSheet(
    index: number,
    { shownUntilLine = 0, sink = nowhere, emptyFormulas }: ReadSheetOptions = {},
  ): AsyncGenerator<GridRow[]> {
    for await (const { rows, facts } of scanSheet(chosen(index), shownUntilLine, sink, emptyFormulas)) {
      addShown(rows, facts, parts.is1904)
      yield rows
    }
  }

  async function* readCells(index: number, skipHidden = false): AsyncGenerator<TypedCell[]> {
    const sheet = chosen(index)
    for await (const { rows, facts } of scanSheet(sheet, Number.POSITIVE_INFINITY, nowhere)) {
      yield rows.flatMap((row, at) =>
        skipHidden && row.isHidden === true ? [] : (facts[at] ?? []).map((fact) => typedCell(sheet.name, row.line, fact)),
      )
    }
  }

  function chosen(index: number): SheetPart {
    const names = parts.sheets.map(({ name }) => name)
    const sheet = parts.sheets[index]
    if (sheet === undefined) throw sheetNotFound(zip.fileName, index + 1, names)
    if (sheet.kind !== 'worksheet') throw sheetWithoutCells(zip.fileName, sheet.name, sheet.kind)
    return sheet
  }

  async function* scanSheet(
    { name, part }: SheetPart,
    factsUntilLine: number,
    sink: () => CellSink | null,
    emptyFormulas: CellPlace[] | null = null,
  ): AsyncGenerator<{ rows: GridRow[]; facts: (CellFact[] | null)[] }> {
    if (part === null) throw workbookBroken(zip.fileName, `The part of sheet "${name}" is missing.`)
    try {
      strings ??= parts.sharedStrings === null ? Promise.resolve(createStringStore()) : readSharedStrings(zip, parts.sharedStrings)
      const context = { strings: await strings, is1904: parts.is1904, factsUntilLine, sink, emptyFormulas }
      styles ??= parts.styles === null ? Promise.resolve([]) : readXml(zip, parts.styles).then(readStyles)
      const builder = createRowBuilder({ ...context, styles: await styles })
      const scanner = createSheetScanner(builder)
      const tooLarge = (): Error => workbookTooLarge(zip.fileName, `A cell of sheet "${name}" is larger than ${LARGEST_CELL} bytes.`)
      for await (const window of xmlWindows(utf8Xml(readPart(zip, part)), LARGEST_CELL, tooLarge)) {
        while (scanner.scan(window)) yield taken(builder)
        if (builder.rows.length > 0) yield taken(builder)
      }
    } catch (error) {
      throw refusal(zip.fileName, error, `Sheet "${name}": `)
    }
  }
}

const nowhere = (): null => null

function taken(builder: RowBuilder): { rows: GridRow[]; facts: (CellFact[] | null)[] } {
  const { rows, facts } = builder
  builder.rows = []
  builder.facts = []
  return { rows, facts }
}

async function refusing<Value>(fileName: string, reading: Promise<Value>): Promise<Value> {
  return await reading.catch((error) => {
    throw refusal(fileName, error, '')
  })
}

/** XML that cannot be read is a broken workbook; everything else is told as it is. */
function refusal(fileName: string, error: unknown, where: string): unknown {
  return error instanceof XmlError ? workbookBroken(fileName, `${where}${error.message}.`, error) : error
}
