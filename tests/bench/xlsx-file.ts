/** Workbooks of any size, written as a stream: as Excel writes them, with a table of texts and styles of dates. */
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { crc32, createDeflateRaw } from 'node:zlib'

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const PACKAGE_RELATIONS = 'http://schemas.openxmlformats.org/package/2006/relationships'
const TYPES = 'application/vnd.openxmlformats-officedocument.spreadsheetml'
const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

export const COLUMNS = 12
const NAMES = ['id', 'code', 'name', 'city', 'amount', 'price', 'quantity', 'created', 'updated', 'is_open', 'note', 'reference']
const CITIES = ['Berlin', 'Paris', 'Kraków', 'New York', 'São Paulo', 'Tōkyō & more']

interface Entry {
  name: string
  crc: number
  packedBytes: number
  unpackedBytes: number
  offset: number
}

/** A sheet of so many rows by 12 columns: numbers, dates, moments, truth, texts; two texts of each row stand nowhere else. */
export async function writeXlsx(path: string, rows: number): Promise<void> {
  const texts = new Map<string, number>()
  const file = await open(path, 'w')
  try {
    const entries: Entry[] = []
    const relation = (id: string, kind: string, target: string): string =>
      `<Relationship Id="${id}" Type="${RELATIONS}/${kind}" Target="${target}"/>`
    const parts: [string, Iterable<string>][] = [
      ['[Content_Types].xml', [contentTypes()]],
      [
        '_rels/.rels',
        [`<Relationships xmlns="${PACKAGE_RELATIONS}">${relation('rId1', 'officeDocument', 'xl/workbook.xml')}</Relationships>`],
      ],
      [
        'xl/workbook.xml',
        [`<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`],
      ],
      [
        'xl/_rels/workbook.xml.rels',
        [
          `<Relationships xmlns="${PACKAGE_RELATIONS}">${relation('rId1', 'worksheet', 'worksheets/sheet1.xml')}${relation('rId2', 'styles', 'styles.xml')}${relation('rId3', 'sharedStrings', 'sharedStrings.xml')}</Relationships>`,
        ],
      ],
      ['xl/styles.xml', [styles()]],
      ['xl/worksheets/sheet1.xml', sheet(rows, texts)],
      ['xl/sharedStrings.xml', sharedStrings(texts)],
    ]
    let offset = 0
    for (const [name, content] of parts) {
      const entry = await writeEntry(file, name, content, offset)
      entries.push(entry)
      offset += 30 + name.length + entry.packedBytes
    }
    await writeDirectory(file, entries, offset)
  } finally {
    await file.close()
  }
}

function* sheet(rows: number, texts: Map<string, number>): Generator<string> {
  yield `<worksheet xmlns="${MAIN}"><dimension ref="A1:L${rows + 1}"/><sheetData><row r="1" spans="1:${COLUMNS}">${NAMES.map((name, column) => textCell(column, 1, name)).join('')}</row>`
  for (let row = 0; row < rows; row += 1) {
    const line = row + 2
    const cells = [
      numberCell(0, line, row + 1),
      textCell(1, line, String((row * 7919) % 100_000).padStart(5, '0')),
      textCell(2, line, `Customer ${row} of many`),
      textCell(3, line, CITIES[row % CITIES.length] ?? ''),
      numberCell(4, line, ((row * 7919) % 1_000_000) / 100),
      numberCell(5, line, Math.sqrt(row + 1)),
      numberCell(6, line, row % 100),
      numberCell(7, line, 43_831 + (row % 2000), 1),
      numberCell(8, line, 43_831 + (row * 61) / 86_400, 2),
      `<c r="J${line}" t="b"><v>${row % 2}</v></c>`,
      textCell(10, line, `Note ${row * 13}: delivered in ${row % 31} days`),
      textCell(11, line, `R-${row % 1000}`),
    ]
    yield `<row r="${line}" spans="1:${COLUMNS}">${cells.join('')}</row>`
  }
  yield '</sheetData></worksheet>'

  function textCell(column: number, line: number, text: string): string {
    let index = texts.get(text)
    if (index === undefined) {
      index = texts.size
      texts.set(text, index)
    }
    return `<c r="${String.fromCharCode(65 + column)}${line}" t="s"><v>${index}</v></c>`
  }
}

function numberCell(column: number, line: number, value: number, style = 0): string {
  return `<c r="${String.fromCharCode(65 + column)}${line}"${style === 0 ? '' : ` s="${style}"`}><v>${value}</v></c>`
}

function* sharedStrings(texts: Map<string, number>): Generator<string> {
  yield `<sst xmlns="${MAIN}" uniqueCount="${texts.size}">`
  for (const text of texts.keys()) yield `<si><t>${text.replaceAll('&', '&amp;')}</t></si>`
  yield '</sst>'
}

async function writeEntry(file: FileHandle, name: string, content: Iterable<string>, offset: number): Promise<Entry> {
  const entry: Entry = { name, crc: 0, packedBytes: 0, unpackedBytes: 0, offset }
  const start = offset + 30 + name.length
  const packed = Readable.from(pieces(content, entry), { objectMode: false }).pipe(createDeflateRaw({ level: 6 }))
  for await (const chunk of packed) {
    await file.write(chunk, 0, chunk.length, start + entry.packedBytes)
    entry.packedBytes += chunk.length
  }
  await file.write(Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fieldsOf(entry), Buffer.from(name)]), 0, 30 + name.length, offset)
  return entry
}

function* pieces(content: Iterable<string>, entry: Entry): Generator<Buffer> {
  let waiting = DECLARATION
  for (const piece of content) {
    waiting += piece
    if (waiting.length > 64 * 1024) yield take()
  }
  yield take()

  function take(): Buffer {
    const bytes = Buffer.from(waiting)
    waiting = ''
    entry.crc = crc32(bytes, entry.crc)
    entry.unpackedBytes += bytes.length
    return bytes
  }
}

async function writeDirectory(file: FileHandle, entries: Entry[], offset: number): Promise<void> {
  const records = entries.map((entry) => {
    const place = Buffer.alloc(14)
    place.writeUInt32LE(entry.offset, 10)
    return Buffer.concat([Buffer.from('PK\x01\x02\x14\0', 'latin1'), fieldsOf(entry), place, Buffer.from(entry.name)])
  })
  const directory = Buffer.concat(records)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(offset, 12)
  await file.write(Buffer.concat([directory, Buffer.from('PK\x05\x06', 'latin1'), end]), 0, directory.length + 22, offset)
}

function fieldsOf({ name, crc, packedBytes, unpackedBytes }: Entry): Buffer {
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(20, 0)
  fields.writeUInt16LE(8, 4)
  fields.writeUInt32LE(crc, 10)
  fields.writeUInt32LE(packedBytes, 14)
  fields.writeUInt32LE(unpackedBytes, 18)
  fields.writeUInt16LE(name.length, 22)
  return fields
}

function contentTypes(): string {
  const parts = { workbook: 'sheet.main', 'worksheets/sheet1': 'worksheet', styles: 'styles', sharedStrings: 'sharedStrings' }
  const overrides = Object.entries(parts).map(([part, type]) => `<Override PartName="/xl/${part}.xml" ContentType="${TYPES}.${type}+xml"/>`)
  return `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${overrides.join('')}</Types>`
}

function styles(): string {
  const fonts = '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
  const fills = '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
  const borders = '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
  const xf = (format: number): string => `<xf numFmtId="${format}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>`
  const formats =
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
  return `<styleSheet xmlns="${MAIN}">${formats}${fonts}${fills}${borders}<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3">${xf(0)}${xf(164)}${xf(165)}</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`
}
