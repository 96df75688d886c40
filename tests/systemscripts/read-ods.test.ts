import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWorkbook } from '../../systemscripts/spreadsheet/read-workbook.ts'
import { readRows, refusalOf, rowsOf, written } from './read-workbook.ts'
import { temporaryFile, zipOf } from './test-files.ts'

test('values are those that the file states, not those that it shows', async (t) => {
  const cells = [
    ['office:value-type="float" office:value="1234.5"', '1,234.50', '1234.5'],
    ['office:value-type="float" office:value="1E-7"', '0', '0.0000001'],
    ['office:value-type="percentage" office:value="0.12"', '12%', '0.12'],
    ['office:value-type="currency" office:value="12.5" office:currency="EUR"', '12,50 €', '12.5'],
    ['office:value-type="date" office:date-value="2024-01-31"', '31/1/24', '2024-01-31'],
    ['office:value-type="date" office:date-value="2024-01-31T12:30:00"', '31/1/24', '2024-01-31 12:30:00'],
    ['office:value-type="date" office:date-value="2024-01-31T00:00:00"', '31/1/24', '2024-01-31'],
    ['office:value-type="date" office:date-value="2024-12-31T23:59:59.999900000"', '31/1/24', '2025-01-01'],
    ['office:value-type="date" office:date-value="2024-01-31T12:00:00.250000000"', '12:00', '2024-01-31 12:00:00.250'],
    ['office:value-type="time" office:time-value="PT18H05M00S"', '6 PM', '18:05:00'],
    ['office:value-type="time" office:time-value="PT37H30M00.5S"', '37:30', '37:30:00.500'],
    ['office:value-type="time" office:time-value="-PT12H00M00S"', '-12:00', '-12:00:00'],
    ['office:value-type="date" office:date-value=""', '', undefined],
    ['office:value-type="boolean" office:boolean-value="true"', 'WAHR', 'true'],
    ['office:value-type="boolean" office:boolean-value="True"', 'TRUE', 'true'],
    ['office:value-type="string" office:string-value="abc"', 'Code: abc', 'abc'],
    ['office:value-type="float" office:value="0" table:formula="of:=FALSE()"', 'FALSE', 'false'],
    ['office:value-type="string"', '00123', '00123'],
    ['office:value-type="string" office:string-value="" calcext:value-type="error"', '#N/A', '#N/A'],
    ['table:style-name="code" office:value-type="float" office:value="123"', '00123', '00123'],
    ['table:style-name="code" office:value-type="float" office:value="-7"', '-00007', '-7'],
  ]
  const rows = cells.map(
    ([attributes, shown]) =>
      `<table:table-row><table:table-cell ${attributes}><text:p>${shown}</text:p></table:table-cell></table:table-row>`,
  )
  const found = await readRows(t, 'ods', ods(table('Data', rows.join(''))))
  assert.deepEqual(
    found.map((row) => row.cells[0]),
    cells.map(([, , expected]) => expected).filter((expected) => expected !== undefined),
  )
  assert.deepEqual(found[0]?.shown, ['1,234.50'])
})

test('numbers with a format of dates are dates, counted from the day that the file states', async (t) => {
  const rows = [
    ['day', 45292.5],
    ['day', 1],
    ['time', 0.25],
    ['time', 1.25],
    ['span', 1.25],
  ].map(
    ([style, value]) =>
      `<table:table-row><table:table-cell table:style-name="${style}" office:value-type="float" office:value="${value}"/></table:table-row>`,
  )
  const found = async (settings: string) =>
    (await readRows(t, 'ods', ods(settings + table('Data', rows.join(''))))).map((row) => row.cells[0])
  assert.deepEqual(await found(''), ['2024-01-01 12:00:00', '1899-12-31', '06:00:00', '1899-12-31 06:00:00', '30:00:00'])
  const since1904 = '<table:calculation-settings><table:null-date table:date-value="1904-01-01"/></table:calculation-settings>'
  assert.deepEqual((await found(since1904)).slice(0, 2), ['2028-01-02 12:00:00', '1904-01-02'])
  const fromSheetJs = written('ods', { Data: [[{ t: 'n', v: 45292, z: 'yyyy-mm-dd' }]] })
  assert.equal((await readRows(t, 'ods', fromSheetJs))[0]?.cells[0], '2024-01-01')
})

test('texts have their blanks, tabs and lines, without notes and drawings', async (t) => {
  const content =
    '<office:annotation><text:p>a note</text:p></office:annotation><text:p> a<text:s text:c="2"/>b<text:tab/>c\n   d<text:line-break/>e</text:p>' +
    '<text:p><text:span>1 &lt; 2</text:span><text:ruby><text:ruby-base>東</text:ruby-base><text:ruby-text>ひがし</text:ruby-text></text:ruby></text:p>' +
    '<draw:frame><draw:text-box><text:p>box</text:p></draw:text-box></draw:frame>'
  const [row] = await readRows(
    t,
    'ods',
    ods(table('Data', `<table:table-row><table:table-cell office:value-type="string">${content}</table:table-cell></table:table-row>`)),
  )
  assert.deepEqual(row?.cells, ['a  b\tc d\ne\n1 < 2東'])
})

test('repeated rows and cells stand where they belong, blank ones cost nothing', async (t) => {
  const cell = (more: string, text: string) =>
    `<table:table-cell ${more} office:value-type="string"><text:p>${text}</text:p></table:table-cell>`
  const rows =
    '<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>' +
    `<table:table-row table:number-rows-repeated="2">${cell('table:number-columns-repeated="2"', 'x')}<table:covered-table-cell/>${cell('', 'y')}</table:table-row>` +
    `<table:table-row table:visibility="collapse">${cell('', 'hidden')}</table:table-row>` +
    '<table:table-row table:number-rows-repeated="1048500"><table:table-cell/></table:table-row>'
  const found = await readRows(t, 'ods', ods(table('Data', rows)))
  assert.deepEqual(
    found.map(({ line, cells, isHidden }) => [line, Array.from(cells, (text) => text ?? null), isHidden ?? false]),
    [
      [4, ['x', 'x', null, 'y'], false],
      [5, ['x', 'x', null, 'y'], false],
      [6, ['hidden'], true],
    ],
  )
})

test('a small file that stands for billions of cells is refused', async (t) => {
  const cell = '<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>x</text:p></table:table-cell>'
  const many = ods(table('Data', `<table:table-row table:number-rows-repeated="1000000">${cell}</table:table-row>`))
  assert.equal((await refusalOf(readRows(t, 'ods', many))).code, 'workbook_too_large')
  const beyond = ods(
    table(
      'Data',
      `<table:table-row table:number-rows-repeated="99000000"><table:table-cell/></table:table-row><table:table-row>${cell}</table:table-row>`,
    ),
  )
  assert.equal((await refusalOf(readRows(t, 'ods', beyond))).code, 'workbook_broken')
})

test('a cell that states blanks by the million is refused', async (t) => {
  const cell = `<table:table-cell office:value-type="string"><text:p>${'<text:s text:c="9999"/>'.repeat(1000)}</text:p></table:table-cell>`
  const content = ods(table('Data', `<table:table-row>${cell}</table:table-row>`))
  assert.equal((await refusalOf(readRows(t, 'ods', content))).code, 'workbook_broken')
})

test('sheets are listed with those that are hidden, without copies of other files', async (t) => {
  const row = '<table:table-row><table:table-cell office:value-type="string"><text:p>here</text:p></table:table-cell></table:table-row>'
  const tables =
    table('One', '') +
    `<table:table table:name="Two" table:style-name="off">${row}</table:table>` +
    table("'file:///x.ods'#Data", row) +
    table('Three', row)
  const workbook = await readWorkbook({ path: await temporaryFile(t, 'book.ods', ods(tables)), kind: 'ods' })
  assert.deepEqual(
    workbook.sheets.map(({ name, isHidden }) => [name, isHidden]),
    [
      ['One', false],
      ['Two', true],
      ['Three', false],
    ],
  )
  for (const [index, count] of [0, 1, 1].entries()) assert.equal((await rowsOf(workbook.grid(index))).length, count)
})

test('the same sheet in one XML file, and what others write, are read', async (t) => {
  for (const bookType of ['ods', 'fods'] as const) {
    const rows = await readRows(
      t,
      'ods',
      written(bookType, {
        Data: [
          ['a', 'b'],
          [1.5, true],
          [null, '00123'],
        ],
      }),
    )
    assert.deepEqual(
      rows.map(({ cells }) => Array.from(cells, (text) => text ?? null)),
      [
        ['a', 'b'],
        ['1.5', 'true'],
        [null, '00123'],
      ],
    )
  }
})

test('entities of its own, cut off ends and changed bytes are refused', async (t) => {
  const whole = ods(table('Data', ''))
  const attack = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
  for (const content of [
    zipOf({ 'content.xml': attack }),
    zipOf({ 'content.xml': '<a><b></a>' }),
    zipOf({ x: 'y' }),
    whole.subarray(0, whole.length - 30),
  ]) {
    assert.equal((await refusalOf(readRows(t, 'ods', content))).code, 'workbook_broken')
  }
})

function table(name: string, rows: string): string {
  return `<table:table table:name="${name}"><table:table-column/>${rows}</table:table>`
}

function ods(tables: string): Buffer {
  const styles =
    '<number:number-style style:name="N1"><number:number number:decimal-places="0" number:min-integer-digits="5"/></number:number-style>' +
    '<number:date-style style:name="N2"><number:year/><number:text>-</number:text><number:month/></number:date-style>' +
    '<number:time-style style:name="N3"><number:hours/></number:time-style>' +
    '<number:time-style style:name="N4" number:truncate-on-overflow="false"><number:hours/></number:time-style>' +
    '<style:style style:name="day" style:family="table-cell" style:data-style-name="N2"/>' +
    '<style:style style:name="time" style:family="table-cell" style:data-style-name="N3"/>' +
    '<style:style style:name="span" style:family="table-cell" style:data-style-name="N4"/>' +
    '<style:style style:name="code" style:family="table-cell" style:data-style-name="N1"/>' +
    '<style:style style:name="off" style:family="table"><style:table-properties table:display="false"/></style:style>'
  const content = `<?xml version="1.0"?><office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x" xmlns:style="s" xmlns:number="n" xmlns:draw="d" xmlns:calcext="c"><office:automatic-styles>${styles}</office:automatic-styles><office:body><office:spreadsheet>${tables}</office:spreadsheet></office:body></office:document-content>`
  return zipOf({ mimetype: 'application/vnd.oasis.opendocument.spreadsheet', 'content.xml': content })
}
