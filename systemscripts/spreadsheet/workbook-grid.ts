import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { load } from 'cheerio/slim'
import * as XLSX from 'xlsx'
import { PermanentError } from '../errors.ts'
import { workbookEncrypted } from '../file-kind.ts'
import { readZipDirectory, readZipEntry, type ZipEntry } from '../zip-file.ts'
import { createCellReader } from './cell-text.ts'
import type { Grid, GridRow } from './grid.ts'
import { sheetNotFound, workbookBroken, workbookTooLarge } from './refusals.ts'

export interface WorkbookRequest {
  path: string
  kind: 'xlsx' | 'xls'
  /** Name, or number from 1, also as text; null: the first that is not hidden. */
  sheet: string | number | null
  maxUnpackedBytes: number
}

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

interface SheetName {
  name: string
  isHidden: boolean
}

/**
 * One sheet of a workbook, read whole into this thread's memory by SheetJS.
 * @throws PermanentError `sheet_not_found`, `workbook_broken`, `workbook_encrypted`, `workbook_too_large`
 */
export async function readWorkbookGrid(request: WorkbookRequest): Promise<Grid> {
  return request.kind === 'xlsx' ? readXlsx(request) : readXls(request)
}

async function readXlsx({ path, sheet, maxUnpackedBytes }: WorkbookRequest): Promise<Grid> {
  const fileName = basename(path)
  const file = await open(path, 'r')
  try {
    const entries = await readZipDirectory(file)
    if (entries === null) throw workbookBroken(fileName, 'The end of the zip, with its table of contents, is missing.')
    const unpackedBytes = entries.reduce((sum, entry) => sum + entry.unpackedBytes, 0)
    if (unpackedBytes > maxUnpackedBytes) {
      throw workbookTooLarge(fileName, `Unpacked it has ${unpackedBytes} bytes, allowed are ${maxUnpackedBytes}.`)
    }
    const readPart = (entry: ZipEntry): Promise<Buffer> => readZipEntry(file, entry).catch((cause) => refuseBroken(fileName, cause))
    const names = sheetNames(await readWorkbookPart(entries, readPart, fileName))
    const index = chooseSheet(names, sheet, fileName)
    // SheetJS does not look at checksums: a flipped bit would come out as another number.
    for (const entry of entries) if (/\.(xml|rels|bin)$/i.test(entry.name)) await readPart(entry)
    const workbook = parse(await file.readFile(), { sheets: index }, fileName)
    return gridOfSheet(workbook, index)
  } finally {
    await file.close()
  }
}

async function readXls({ path, sheet }: WorkbookRequest): Promise<Grid> {
  const fileName = basename(path)
  const file = await open(path, 'r')
  const bytes = await file.readFile().finally(() => file.close())
  refuseCutOff(bytes, fileName)
  // Workbooks before Excel 97 hold text in a code page of their country.
  XLSX.set_cptable(await import('xlsx/dist/cpexcel.full.mjs'))
  const workbook = parse(bytes, {}, fileName)
  const names = workbook.SheetNames.map((name, index) => ({ name, isHidden: (workbook.Workbook?.Sheets?.[index]?.Hidden ?? 0) !== 0 }))
  return gridOfSheet(workbook, chooseSheet(names, sheet, fileName))
}

/** The main part, wherever the package's relations say that it is. */
async function readWorkbookPart(entries: ZipEntry[], readPart: (entry: ZipEntry) => Promise<Buffer>, fileName: string): Promise<Buffer> {
  const relations = entries.find((entry) => entry.name === '_rels/.rels')
  const targets = relations === undefined ? [] : relationTargets(await readPart(relations))
  const part = [...targets, 'xl/workbook.xml']
    .map((name) => entries.find((entry) => entry.name === name))
    .find((entry) => entry !== undefined)
  if (part === undefined) throw workbookBroken(fileName, 'It has no workbook part.')
  return readPart(part)
}

function relationTargets(xml: Buffer): string[] {
  return elementsNamed(xml, 'Relationship')
    .filter((relation) => relation.Type?.endsWith('/officeDocument'))
    .map((relation) => (relation.Target ?? '').replace(/^\//, ''))
}

function sheetNames(xml: Buffer): SheetName[] {
  return elementsNamed(xml, 'sheet').map((sheet) => ({ name: sheet.name ?? '', isHidden: /hidden/i.test(sheet.state ?? '') }))
}

/** Attributes of the elements with that name, whatever their namespace prefix. */
function elementsNamed(xml: Buffer, name: string): Record<string, string>[] {
  const $ = load(xml.toString('utf8').replace(/^\ufeff/, ''), { xml: true })
  const found: Record<string, string>[] = []
  for (const element of $('*').toArray()) if ('attribs' in element && element.name.replace(/^.*:/, '') === name) found.push(element.attribs)
  return found
}

/** Names compare as in Excel, without case. A name of digits is tried as a name first, then as a number. */
function chooseSheet(sheets: SheetName[], wanted: string | number | null, fileName: string): number {
  const names = sheets.map((sheet) => sheet.name)
  if (wanted === null) {
    const visible = sheets.findIndex((sheet) => !sheet.isHidden)
    if (sheets.length === 0) throw workbookBroken(fileName, 'It has no sheet.')
    return Math.max(visible, 0)
  }
  const byName = names.findIndex((name) => name.toLowerCase() === String(wanted).toLowerCase())
  if (typeof wanted === 'string' && byName !== -1) return byName
  const number = Number(wanted)
  if (Number.isInteger(number) && number >= 1 && number <= names.length) return number - 1
  throw sheetNotFound(fileName, wanted, names)
}

function parse(bytes: Buffer, more: XLSX.ParsingOptions, fileName: string): XLSX.WorkBook {
  try {
    return XLSX.read(bytes, { ...PARSING, ...more })
  } catch (error) {
    if (error instanceof Error && /password|encrypt/i.test(error.message)) throw workbookEncrypted(fileName)
    if (error instanceof RangeError && /string length|array length/i.test(error.message)) {
      throw workbookTooLarge(fileName, 'Its text does not fit into one string of 512 MB.')
    }
    return refuseBroken(fileName, error)
  }
}

/**
 * SheetJS reads what it can: a workbook that lost its end would come out with fewer rows, and any text as a sheet, with no word of it.
 * Bare BIFF, without a container, says nothing about its length; its last record must be an end (0x0A).
 */
function refuseCutOff(bytes: Buffer, fileName: string): void {
  const isContainer = bytes.length >= 512 && bytes.readUInt32BE(0) === 0xd0cf11e0
  if (!isContainer && bytes[0] === 9 && bytes.lastIndexOf('\x0a\0\0\0', bytes.length, 'latin1') > 0) return
  if (!isContainer) throw workbookBroken(fileName, 'It does not begin and end as a workbook does.')
  try {
    const container = XLSX.CFB.read(bytes, { type: 'buffer' })
    const stream: { size: number; content?: Uint8Array } | null = XLSX.CFB.find(container, '/Workbook') ?? XLSX.CFB.find(container, '/Book')
    const found = stream?.content?.length ?? 0
    if (stream && found >= stream.size) return
    throw workbookBroken(fileName, `Of its ${stream?.size ?? 'unknown number of'} bytes of sheets ${found} are there.`)
  } catch (error) {
    refuseBroken(fileName, error)
  }
}

function refuseBroken(fileName: string, error: unknown): never {
  if (error instanceof PermanentError) throw error
  throw workbookBroken(fileName, error instanceof Error ? error.message : String(error), error)
}

function gridOfSheet(workbook: XLSX.WorkBook, index: number): Grid {
  const name = workbook.SheetNames[index] ?? ''
  const data: (XLSX.CellObject | undefined)[][] = workbook.Sheets[name]?.['!data'] ?? []
  const reader = createCellReader(workbook.Workbook?.WBProps?.date1904 === true)
  return { sheet: name, rows, shownRow }

  function* rows(): Generator<GridRow> {
    // By key, not by index: the last of three cells may stand in row 1,048,576.
    for (const key in data) {
      const cells = textCells(data[key] ?? [])
      if (cells.length > 0) yield { line: Number(key) + 1, cells }
    }
  }

  function textCells(row: (XLSX.CellObject | undefined)[]): (string | null)[] {
    const cells: (string | null)[] = []
    row.forEach((cell, column) => {
      const text = reader.text(cell)
      if (text !== null) cells[column] = text
    })
    return cells
  }

  function shownRow(line: number): (string | null)[] {
    const cells: (string | null)[] = []
    data[line - 1]?.forEach((cell, column) => {
      cells[column] = reader.shownText(cell)
    })
    return cells
  }
}
