import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import XLSX from 'xlsx'
import { xlsxDocument } from '../../../systemscripts/documents/xlsx-document.ts'
import { openTables, readTable } from '../../../systemscripts/read-table.ts'
import { allValues, temporaryFolder, zipParts } from '../test-files.ts'
import { bytesOf, manyRows, rowsOf, savedAs } from './row-sources.ts'

const run = promisify(execFile)
const PYTHON = '/usr/bin/python3'
const OFFICE = '/usr/bin/soffice'

/** Comma, quote, UTF-8, from the first row, texts unquoted, cells as they are shown. */
const CSV_AS_SHOWN = 'csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true'

const columns = [
  'id bigint',
  'price numeric',
  'f float8',
  'is_open boolean',
  'day date',
  'at timestamptz',
  'naive timestamp',
  't time',
  'i interval',
  'note text',
]
const rows = [
  ['1', '12.50', '0.1', 't', '2026-03-01', '2026-03-01 08:00:00+01', '2026-03-01 08:00:00.25', '08:30:00', '1 day 02:00:00', '=1+1'],
  [
    '9223372036854775807',
    '1234567890123456.78',
    'Infinity',
    'f',
    '0044-03-15 BC',
    'infinity',
    '1899-12-31 00:00:00',
    '24:00:00',
    '2 mons',
    ' a\nb ',
  ],
  [null, null, null, null, null, null, null, null, null, null],
  ['-5', '-0.5', '-1e-07', 'f', '9999-12-31', '2026-07-01 08:00:00+02', '2026-03-01 00:00:00', '00:00:01', '-01:00:00', ''],
]
/** As text, whoever reads it. */
const read = [
  ['1', '12.5', '0.1', 'true', '2026-03-01', '2026-03-01 08:00:00', '2026-03-01 08:00:00.250', '08:30:00', '26:00:00', '=1+1'],
  [
    '9223372036854775807',
    '1234567890123456.78',
    'Infinity',
    'false',
    '0044-03-15 BC',
    'infinity',
    '1899-12-31 00:00:00',
    '24:00:00',
    '2 mons',
    ' a\nb ',
  ],
  [null, null, null, null, null, null, null, null, null, null],
  ['-5', '-0.5', '-0.0000001', 'false', '9999-12-31', '2026-07-01 08:00:00', '2026-03-01', '00:00:01', '-01:00:00', null],
]

test('our own reader reads the values again, typed', async (t) => {
  const path = await savedAs(t, 'report.xlsx', xlsxDocument(rowsOf(columns, rows, { timeZone: 'Europe/Warsaw' }), { name: 'Trades' }))
  const table = await readTable(path, { headerRow: 1 })
  assert.deepEqual(table.headers.slice(4, 7), ['day', 'at (Europe/Warsaw)', 'naive'])
  const found = await allValues(table)
  assert.deepEqual(found.slice(0, 1), read.slice(0, 1))
  assert.deepEqual(found.at(-1), read.at(-1))
})

test('SheetJS reads numbers, booleans and texts as such, and no cell as a formula', async () => {
  const book = XLSX.read(await bytesOf(xlsxDocument(rowsOf(columns, rows), { name: 'Trades' })), { type: 'buffer', cellNF: true })
  const sheet = book.Sheets.Trades ?? {}
  const [id, price, isOpen, day, note, long] = ['A2', 'B2', 'D2', 'E2', 'J2', 'A3'].map((at) => sheet[at])
  assert.deepEqual([id?.t, id?.v, price?.t, price?.v, price?.z], ['n', 1, 'n', 12.5, '0.00'])
  assert.deepEqual([isOpen?.t, isOpen?.v, day?.t, day?.w], ['b', true, 'n', '2026-03-01'])
  assert.deepEqual([note?.t, note?.v, note?.f], ['s', '=1+1', undefined])
  assert.deepEqual([long?.t, long?.v], ['s', '9223372036854775807'])
  assert.equal(sheet['!autofilter']?.ref, 'A1:J5')
  assert.equal(sheet.A4, undefined)
})

test('openpyxl opens it: types, frozen header, filter, widths', { skip: !existsSync(PYTHON) && 'no Python of the system' }, async (t) => {
  const path = await savedAs(t, 'report.xlsx', xlsxDocument(rowsOf(columns, rows), { name: 'Trades' }))
  const asks = `
import json, openpyxl, sys
book = openpyxl.load_workbook(sys.argv[1])
sheet = book.worksheets[0]
print(json.dumps([book.sheetnames, sheet.freeze_panes, sheet.auto_filter.ref, sheet['A1'].font.b, sheet.print_title_rows, sheet.column_dimensions['F'].width,
  [str(sheet[at].value) for at in ('A2', 'A3', 'B2', 'D2', 'E2', 'F2', 'H2', 'I2', 'J2')], sheet['J2'].data_type, sheet['J2'].quotePrefix]))`
  const answered = await run(PYTHON, ['-c', asks, path]).catch((error: Error) => {
    if (/No module named/.test(error.message)) return null
    throw error
  })
  if (answered === null) return t.skip('openpyxl is not installed')
  const [names, frozen, filter, bold, titles, width, values, type, quoted] = JSON.parse(answered.stdout)
  assert.deepEqual([names, frozen, filter, bold, titles, width], [['Trades', 'Notes'], 'A2', 'A1:J5', true, '$1:$1', 21])
  assert.deepEqual(values.slice(0, 4), ['1', '9223372036854775807', '12.5', 'True'])
  assert.deepEqual(values.slice(4, 7), ['2026-03-01 00:00:00', '2026-03-01 08:00:00', '08:30:00'])
  assert.deepEqual([values[8], type, quoted], ['=1+1', 's', true])
})

test('LibreOffice opens it and shows the values', { skip: !existsSync(OFFICE) && 'LibreOffice is not installed' }, async (t) => {
  const path = await savedAs(t, 'report.xlsx', xlsxDocument(rowsOf(columns, rows), { name: 'Trades' }))
  const folder = dirname(path)
  await run(OFFICE, [`-env:UserInstallation=file://${folder}/office`, '--headless', '--convert-to', CSV_AS_SHOWN, '--outdir', folder, path])
  const [header, first] = (await readFile(join(folder, 'report.csv'), 'utf8')).split('\n')
  assert.equal(header, 'id,price,f,is_open,day,at (UTC),naive,t,i,note')
  assert.equal(first, '1,12.50,0.1,TRUE,2026-03-01,2026-03-01 08:00:00,2026-03-01 08:00:00.250,08:30:00,26:00:00,=1+1')
})

test('whatever a text holds, it is the same when it is read again', async (t) => {
  const texts = ['<b>&"\'', '_x0041_', '_x', '\u0001\u001f', '\uFFFE', '😀', 'a\tb', '  ', 'Łódź Αθήνα', 'TRUE', '00123', '#N/A', ']]>']
  const path = await savedAs(
    t,
    'texts.xlsx',
    xlsxDocument(
      rowsOf(
        ['n integer', 'note text'],
        texts.map((text, at) => [`${at}`, text]),
      ),
      { name: 'x' },
    ),
  )
  const found = await allValues(await readTable(path, { headerRow: 1 }))
  assert.deepEqual(
    found.map(([, text]) => text),
    texts,
  )
})

test('a text beyond what a cell holds is cut, and that is said in the cell, in a sheet and in the facts', async () => {
  const document = xlsxDocument(rowsOf(['note text'], [['x'.repeat(40_000)], ['y']]), { name: 'Trades' })
  const book = XLSX.read(await bytesOf(document), { type: 'buffer' })
  const text = book.Sheets.Trades?.A2?.v
  assert.ok(typeof text === 'string' && text.length === 32_767 && text.endsWith('x… [cut: 40,000 characters]'))
  assert.deepEqual(document.facts.notes, ['1 text is cut to the 32,767 characters that a cell can hold'])
  assert.equal(book.Sheets.Notes?.A1?.v, document.facts.notes[0])
})

test('an average is a number, rounded and said; digits that mean something are never lost', async () => {
  const document = xlsxDocument(rowsOf(['n numeric'], [['3.3333333333333333'], ['1234567890123.4567'], ['1000000000000000000']]), {
    name: 'x',
  })
  const sheet = XLSX.read(await bytesOf(document), { type: 'buffer' }).Sheets.x ?? {}
  assert.deepEqual(
    ['A2', 'A3', 'A4'].map((at) => sheet[at]?.v),
    [10 / 3, '1234567890123.4567', 1e18],
  )
  assert.deepEqual(document.facts.notes, [
    '1 number is rounded to the 15 digits that a cell can hold',
    '1 number is written as text, to keep all digits',
  ])
})

test('rows beyond the end of a sheet go on in another', async (t) => {
  const path = await savedAs(
    t,
    'many.xlsx',
    xlsxDocument(
      manyRows(['n integer'], 1_048_576, (row) => [String(row)]),
      { name: 'A/B: a rather long name of a sheet' },
    ),
  )
  const found: [string | null, number, string | null | undefined][] = []
  for await (const table of openTables(path, { sheet: '*', headerRow: 1 })) {
    let count = 0
    let last: string | null | undefined
    for await (const batch of table.rows) {
      count += batch.length
      last = batch.at(-1)?.values[0]
    }
    found.push([table.sheet, count, last])
  }
  assert.deepEqual(found, [
    ['A B a rather long name of a she', 1_048_575, '1048574'],
    ['A B a rather long name of a (2)', 1, '1048575'],
  ])
})

test('no rows make a sheet with its header', async () => {
  const book = XLSX.read(await bytesOf(xlsxDocument(rowsOf(['a text'], []), { name: "'History'" })), { type: 'buffer' })
  assert.deepEqual(book.SheetNames, ['Sheet'])
  assert.deepEqual(XLSX.utils.sheet_to_json(book.Sheets.Sheet ?? {}, { header: 1 }), [['a']])
})

test('more columns than a sheet has are refused', async () => {
  const wide = rowsOf(
    Array.from({ length: 16_385 }, (_, at) => `c${at} text`),
    [],
  )
  await assert.rejects(bytesOf(xlsxDocument(wide, { name: 'wide' })), {
    code: 'too_many_columns_for_xlsx',
    detail: 'It has 16,385 columns; a sheet holds 16,384.',
  })
})

test('the same rows make the same bytes, and every part is well-formed', async (t) => {
  const make = () => bytesOf(xlsxDocument(rowsOf(columns, rows), { name: 'A & <B>' }))
  const [one, two] = [await make(), await make()]
  assert.deepEqual(one, two)
  const parts = await zipParts(t, one)
  assert.match(String(parts['xl/workbook.xml']), /name="A &amp; &lt;B&gt;"/)
})

test('leaving in the middle leaves no temporary file and ends the query', async (t) => {
  const folder = await temporaryFolder(t)
  const before = process.env.TMPDIR
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  })
  process.env.TMPDIR = folder
  let hasEnded = false
  const source = manyRows(['n integer', 'note text'], 200_000, (row) => [String(row), `note ${row}`])
  for await (const piece of xlsxDocument({ ...source, rows: watched(source.rows) }, { name: 'x' }).pieces) {
    if (piece.length > 10_000) break
  }
  assert.deepEqual(await readdir(folder), [])
  assert.equal(hasEnded, true)

  async function* watched<Batch>(rows: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    try {
      yield* rows
    } finally {
      hasEnded = true
    }
  }
})
