import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Table, TableRow } from '../../systemscripts/table.ts'
import { readZipDirectory, readZipEntry } from '../../systemscripts/zip-file.ts'

interface Ending {
  after(end: () => Promise<void>): void
}

/** An empty folder, gone after the test. */
export async function temporaryFolder(t: Ending): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rota-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A file in a folder of its own, gone after the test. */
export async function temporaryFile(t: Ending, name: string, content: string | Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(t), name)
  await writeFile(path, content)
  return path
}

/** Without what is known of their cells. */
export async function allRows(table: Table): Promise<Omit<TableRow, 'typed'>[]> {
  const rows: Omit<TableRow, 'typed'>[] = []
  for await (const batch of table.rows) rows.push(...batch.map(({ line, values }) => ({ line, values })))
  return rows
}

export async function allValues(table: Table): Promise<(string | null)[][]> {
  return (await allRows(table)).map((row) => row.values)
}

/** A zip whose entries are not packed. */
export function zipOf(entries: Record<string, string | Uint8Array>): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(entries)) {
    const content = Buffer.from(text)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt32LE(crc32(content), 10)
    fields.writeUInt32LE(content.length, 14)
    fields.writeUInt32LE(content.length, 18)
    fields.writeUInt16LE(Buffer.byteLength(name), 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), fields, place, Buffer.from(name))
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), content])
    parts.push(local)
    offset += local.length
  }
  const end = Buffer.alloc(18)
  const count = Object.keys(entries).length
  const directoryLength = Buffer.concat(directory).length
  end.writeUInt16LE(count, 4)
  end.writeUInt16LE(count, 6)
  end.writeUInt32LE(directoryLength, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...parts, ...directory, Buffer.from('PK\x05\x06', 'latin1'), end])
}

/** The entries of a zip by name, unpacked. */
export async function zipParts(t: Ending, content: Uint8Array): Promise<Record<string, Buffer>> {
  const file = await open(await temporaryFile(t, 'parts.zip', content), 'r')
  try {
    const parts: Record<string, Buffer> = {}
    for (const entry of (await readZipDirectory(file)) ?? []) parts[entry.name] = await readZipEntry(file, entry)
    return parts
  } finally {
    await file.close()
  }
}

/** A workbook of one sheet from the XML of its `<sheetData>` (and what may come before it), as other writers than Excel make them. */
export function xlsxOf(sheetXml: string, more: { workbookXml?: string; stylesXml?: string; sharedStringsXml?: string } = {}): Buffer {
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
  const relations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
  const packageRelations = 'http://schemas.openxmlformats.org/package/2006/relationships'
  const type = 'application/vnd.openxmlformats-officedocument.spreadsheetml'
  return zipOf({
    '[Content_Types].xml': `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="${type}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${type}.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="${type}.styles+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="${type}.sharedStrings+xml"/></Types>`,
    '_rels/.rels': `<Relationships xmlns="${packageRelations}"><Relationship Id="a" Type="${relations}/officeDocument" Target="/xl/workbook.xml"/></Relationships>`,
    'xl/_rels/workbook.xml.rels': `<Relationships xmlns="${packageRelations}"><Relationship Id="r1" Type="${relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    'xl/workbook.xml':
      more.workbookXml ??
      `<workbook xmlns="${main}" xmlns:r="${relations}"><sheets><sheet name="Data" sheetId="1" r:id="r1"/></sheets></workbook>`,
    'xl/worksheets/sheet1.xml': `<worksheet xmlns="${main}">${sheetXml}</worksheet>`,
    'xl/styles.xml': more.stylesXml ?? `<styleSheet xmlns="${main}"><cellXfs><xf numFmtId="0"/></cellXfs></styleSheet>`,
    'xl/sharedStrings.xml': more.sharedStringsXml ?? `<sst xmlns="${main}"/>`,
  })
}
