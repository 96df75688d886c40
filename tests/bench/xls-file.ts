/** Workbooks of Excel 97 for benches: 12 columns of numbers, days, texts and booleans, one record for each cell. */
import { writeFile } from 'node:fs/promises'
import { CFB } from 'xlsx'

/** Records of BIFF8: [MS-XLS] 2.4. */
const RECORDS = { bof: 0x0809, eof: 0x000a, xf: 0x00e0, sheet: 0x0085, number: 0x0203, text: 0x0204, boolean: 0x0205 }
const SHEET_NAME = 'Data'
const DAY_STYLE = 1
const FIRST_DAY = 45_292

/** At most 65,536 rows, the header among them. */
export async function writeXls(path: string, rows: number): Promise<void> {
  const styles = [record(RECORDS.xf, words(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), record(RECORDS.xf, words(0, 14, 0, 0, 0, 0, 0, 0, 0, 0))]
  const start = record(RECORDS.bof, words(0x0600, 0x0005, 0, 0, 0, 0, 0, 0))
  const end = record(RECORDS.eof, Buffer.alloc(0))
  const name = Buffer.concat([Buffer.from([SHEET_NAME.length, 0]), Buffer.from(SHEET_NAME)])
  const place = Buffer.alloc(6)
  const sheetLength = 4 + place.length + name.length
  place.writeUInt32LE(start.length + styles.reduce((sum, { length }) => sum + length, 0) + sheetLength + end.length)
  const globals = [start, ...styles, record(RECORDS.sheet, Buffer.concat([place, name])), end]
  const cells = Array.from({ length: rows }, (_, row) => Buffer.concat(row === 0 ? headerCells() : rowCells(row)))
  const sheet = [record(RECORDS.bof, words(0x0600, 0x0010, 0, 0, 0, 0, 0, 0)), ...cells, end]
  const file = CFB.utils.cfb_new()
  CFB.utils.cfb_add(file, '/Workbook', Buffer.concat([...globals, ...sheet]))
  await writeFile(path, Buffer.from(CFB.write(file, { type: 'array' })))
}

function headerCells(): Buffer[] {
  return Array.from({ length: 12 }, (_, column) => text(0, column, `column ${column + 1}`))
}

function rowCells(row: number): Buffer[] {
  return [
    number(row, 0, row),
    text(row, 1, `Name of ${row}`),
    number(row, 2, row * 1.25),
    number(row, 3, FIRST_DAY + (row % 365), DAY_STYLE),
    text(row, 4, `00${row % 1000}`),
    text(row, 5, 'a remark of some length'),
    number(row, 6, row % 13),
    record(RECORDS.boolean, Buffer.concat([words(row, 7, 0), Buffer.from([row % 2, 0])])),
    text(row, 8, 'EUR'),
    text(row, 9, `REF-${row}`),
    number(row, 10, row / 7),
    text(row, 11, `${row % 31} days`),
  ]
}

function number(row: number, column: number, value: number, style = 0): Buffer {
  const content = Buffer.alloc(8)
  content.writeDoubleLE(value)
  return record(RECORDS.number, Buffer.concat([words(row, column, style), content]))
}

function text(row: number, column: number, value: string): Buffer {
  return record(RECORDS.text, Buffer.concat([words(row, column, 0, value.length), Buffer.from([0]), Buffer.from(value, 'latin1')]))
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2)
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value, index * 2)
  return bytes
}

function record(type: number, content: Buffer): Buffer {
  return Buffer.concat([words(type, content.length), content])
}
