/** Workbooks written byte by byte, and what is read from them. */
import { crc32, deflateRawSync } from 'node:zlib'
import { PermanentError } from '../../../systemscripts/errors.ts'
import type { GridRow, TypedCell } from '../../../systemscripts/grid.ts'
import { openXlsx, type ReadSheetOptions, type XlsxOptions } from '../../../systemscripts/spreadsheet/xlsx/open-xlsx.ts'
import { temporaryFile } from '../test-files.ts'

export const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
export const STRICT_MAIN = 'http://purl.oclc.org/ooxml/spreadsheetml/main'
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const STRICT_RELATIONS = 'http://purl.oclc.org/ooxml/officeDocument/relationships'
const PACKAGE_RELATIONS = 'http://schemas.openxmlformats.org/package/2006/relationships'
const TYPES = 'application/vnd.openxmlformats-officedocument.spreadsheetml'

export type Parts = Record<string, string | Buffer>

/** What a part says of itself in the zip's directory, where that is to differ from the truth. */
export interface Lie {
  crc?: number
  unpackedBytes?: number
  method?: number
  isEncrypted?: boolean
}

export interface BookOptions {
  /** The whole part, or what stands in `<worksheet>`. */
  sheet?: string
  strings?: string
  /** `<numFmts>` and `<cellXfs>`. */
  styles?: string
  /** Attributes of `<workbookPr>`. */
  properties?: string
  isStrict?: boolean
  /** Parts that come in place of the ones above, or beside them. */
  parts?: Parts
}

/** The parts of a workbook with one sheet, "Data". */
export function bookParts({ sheet = '<sheetData/>', strings, styles, properties = '', isStrict = false, parts = {} }: BookOptions): Parts {
  const main = isStrict ? STRICT_MAIN : MAIN
  const relations = isStrict ? STRICT_RELATIONS : RELATIONS
  const relation = (id: string, kind: string, target: string): string =>
    `<Relationship Id="${id}" Type="${relations}/${kind}" Target="${target}"/>`
  const whole = (part: string, root: string): string => (part.includes(`${root} `) ? part : `<${root} xmlns="${main}">${part}</${root}>`)
  const workbook = `<workbook xmlns="${main}" xmlns:r="${relations}"><workbookPr ${properties}/><sheets><sheet name="Data" sheetId="1" r:id="r1"/></sheets></workbook>`
  return {
    '[Content_Types].xml': contentTypes(),
    '_rels/.rels': relationsPart(relation('a', 'officeDocument', 'xl/workbook.xml')),
    'xl/workbook.xml': workbook,
    'xl/_rels/workbook.xml.rels': relationsPart(
      relation('r1', 'worksheet', 'worksheets/sheet1.xml') +
        relation('r2', 'styles', 'styles.xml') +
        relation('r3', 'sharedStrings', 'sharedStrings.xml'),
    ),
    'xl/worksheets/sheet1.xml': whole(sheet, 'worksheet'),
    ...(styles === undefined ? {} : { 'xl/styles.xml': whole(styles, 'styleSheet') }),
    ...(strings === undefined ? {} : { 'xl/sharedStrings.xml': whole(strings, 'sst') }),
    ...parts,
  }
}

/** Relations of a part; `content` has `<Relationship>` elements. */
export function relationsPart(content: string): string {
  return `<Relationships xmlns="${PACKAGE_RELATIONS}">${content}</Relationships>`
}

export function book(options: BookOptions): Buffer {
  return packed(bookParts(options))
}

/** A zip with its parts deflated, in the order given. */
export function packed(parts: Parts, lies: Record<string, Lie> = {}): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(parts)) {
    const bytes = Buffer.from(content)
    const data = deflateRawSync(bytes)
    const lie = lies[name] ?? {}
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(0x800 | (lie.isEncrypted ? 1 : 0), 2)
    fields.writeUInt16LE(lie.method ?? 8, 4)
    fields.writeUInt32LE(lie.crc ?? crc32(bytes), 10)
    fields.writeUInt32LE(data.length, 14)
    fields.writeUInt32LE(lie.unpackedBytes ?? bytes.length, 18)
    fields.writeUInt16LE(Buffer.byteLength(name), 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), fields, place, Buffer.from(name))
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), data])
    locals.push(local)
    offset += local.length
  }
  const end = Buffer.alloc(18)
  end.writeUInt16LE(Object.keys(parts).length, 4)
  end.writeUInt16LE(Object.keys(parts).length, 6)
  end.writeUInt32LE(Buffer.concat(directory).length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...locals, ...directory, Buffer.from('PK\x05\x06', 'latin1'), end])
}

interface Ending {
  after(end: () => Promise<void>): void
}

/** Rows of a sheet, the first one by default. */
export async function rowsOf(
  t: Ending,
  bytes: Buffer,
  options: XlsxOptions & ReadSheetOptions & { index?: number } = {},
): Promise<GridRow[]> {
  const { index = 0, shownUntilLine = 0, ...more } = options
  const workbook = await openXlsx(await temporaryFile(t, 'book.xlsx', bytes), more)
  try {
    const rows: GridRow[] = []
    for await (const batch of workbook.readSheet(index, { shownUntilLine })) rows.push(...batch)
    return rows
  } finally {
    await workbook.close()
  }
}

/** Cells of the rows, holes as null. */
export async function valuesOf(t: Ending, bytes: Buffer, options: XlsxOptions = {}): Promise<(string | null)[][]> {
  return (await rowsOf(t, bytes, options)).map(({ cells }) => Array.from(cells, (cell) => cell ?? null))
}

/** Cells that stand under each other in column A, without blank ones. */
export async function columnOf(t: Ending, cells: string, options: Omit<BookOptions, 'sheet'> = {}): Promise<(string | null)[]> {
  const rows = cells.replace(/<c[ />]/g, (start) => `</row><row>${start}`).replace('</row>', '')
  return (await valuesOf(t, book({ ...options, sheet: `<sheetData>${rows}</row></sheetData>` }))).map((row) => row[0] ?? null)
}

export async function cellsOf(t: Ending, bytes: Buffer): Promise<TypedCell[]> {
  const workbook = await openXlsx(await temporaryFile(t, 'book.xlsx', bytes))
  try {
    const cells: TypedCell[] = []
    for await (const batch of workbook.readCells(0)) cells.push(...batch)
    return cells
  } finally {
    await workbook.close()
  }
}

/** How reading the sheet was refused. */
export async function refusalOf(t: Ending, bytes: Buffer, options: XlsxOptions & { index?: number } = {}): Promise<PermanentError> {
  try {
    await rowsOf(t, bytes, options)
  } catch (error) {
    if (error instanceof PermanentError) return error
    throw error
  }
  throw new Error('it was not refused')
}

function contentTypes(): string {
  const parts = { workbook: 'sheet.main', 'worksheets/sheet1': 'worksheet', styles: 'styles', sharedStrings: 'sharedStrings' }
  const overrides = Object.entries(parts).map(([part, type]) => `<Override PartName="/xl/${part}.xml" ContentType="${TYPES}.${type}+xml"/>`)
  return `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${overrides.join('')}</Types>`
}
