import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWorkbook } from '../../systemscripts/spreadsheet/read-workbook.ts'
import { readRows, refusalOf, rowsOf, written } from './read-workbook.ts'
import { temporaryFile } from './test-files.ts'

test('values are exact, and dates are told by their formats', async (t) => {
  const cells = [
    ['', 'Number', '1234.5', '1234.5'],
    ['', 'Number', '1E-7', '0.0000001'],
    ['ss:StyleID="pct"', 'Number', '0.12', '0.12'],
    ['ss:StyleID="code"', 'Number', '123', '00123'],
    ['', 'String', '00123', '00123'],
    ['', 'Boolean', '1', 'true'],
    ['', 'Error', '#N/A', '#N/A'],
    ['ss:StyleID="day"', 'DateTime', '2024-01-31T00:00:00.000', '2024-01-31'],
    ['ss:StyleID="day"', 'DateTime', '2024-01-31T12:30:00.000', '2024-01-31 12:30:00'],
    ['', 'DateTime', '2024-01-31T12:30:00.250', '2024-01-31 12:30:00.250'],
    ['ss:StyleID="day"', 'DateTime', '1900-02-28T00:00:00.000', '1900-02-28'],
    ['ss:StyleID="day"', 'Number', '45292', '2024-01-01'],
    ['ss:StyleID="time"', 'DateTime', '1899-12-31T18:05:00.000', '18:05:00'],
    ['ss:StyleID="span"', 'DateTime', '1900-01-01T13:30:00.000', '37:30:00'],
  ]
  const rows = cells.map(([style, type, text]) => `<Row><Cell ${style}><Data ss:Type="${type}">${text}</Data></Cell></Row>`)
  const found = await readRows(t, 'xml', workbook(sheet('Data', rows.join(''))))
  assert.deepEqual(
    found.map((row) => row.cells[0]),
    cells.map(([, , , expected]) => expected),
  )
  assert.deepEqual(found[7]?.shown, ['1/31/2024'])
})

test('texts in parts are joined, comments left out, places and merged cells counted', async (t) => {
  const rows =
    '<Row ss:Index="3" ss:Hidden="1"><Cell ss:Index="2" ss:MergeAcross="1"><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40"><B>bold</B> and <Font>not</Font></ss:Data>' +
    '<Comment><ss:Data>a note</ss:Data></Comment><NamedCell ss:Name="x"/></Cell><Cell><Data ss:Type="String">a&#10;b</Data></Cell></Row><Row ss:Span="2"/><Row><Cell><Data ss:Type="String">after</Data></Cell></Row>'
  const found = await readRows(t, 'xml', workbook(sheet('Data', rows)))
  assert.deepEqual(
    found.map(({ line, cells, isHidden }) => [line, Array.from(cells, (text) => text ?? null), isHidden ?? false]),
    [
      [3, [null, 'bold and not', null, 'a\nb'], true],
      [7, ['after'], false],
    ],
  )
})

test('columns that are described before the rows give their format to cells that have none', async (t) => {
  const columns = '<Column ss:Width="60"/><Column ss:Index="3" ss:StyleID="day" ss:Span="1"/>'
  const cell = '<Cell><Data ss:Type="Number">45292</Data></Cell>'
  const [row] = await readRows(t, 'xml', workbook(sheet('Data', `${columns}<Row>${cell.repeat(5)}</Row>`)))
  assert.deepEqual(row?.cells, ['45292', '45292', '2024-01-01', '2024-01-01', '45292'])
})

test('sheets are listed with those that are hidden, in whatever encoding and with whatever prefix', async (t) => {
  const options = '<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel"><Visible>SheetHidden</Visible></WorksheetOptions>'
  const text = workbook(sheet('One', '', options) + sheet('Größe', '<Row><Cell><Data ss:Type="String">ü</Data></Cell></Row>'))
  const prefixed = text.replace(/<(\/?)(Workbook|Worksheet|Table|Row|Cell|Data)\b/g, '<$1ss:$2').replace('xmlns="urn', 'xmlns:ss="urn')
  const latin = Buffer.from(text.replace('?>', ' encoding="windows-1252"?>'), 'latin1')
  for (const content of [text, prefixed, latin, Buffer.from(`\ufeff${text}`, 'utf16le')]) {
    const book = await readWorkbook({ path: await temporaryFile(t, 'book.xml', content), kind: 'xml' })
    assert.deepEqual(
      book.sheets.map(({ name, isHidden }) => [name, isHidden]),
      [
        ['One', true],
        ['Größe', false],
      ],
    )
    assert.deepEqual((await rowsOf(book.grid(1)))[0]?.cells, ['ü'])
  }
})

test('what others write is read', async (t) => {
  const rows = await readRows(
    t,
    'xml',
    written('xlml', {
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
})

test('a format without end is no format', { timeout: 30_000 }, async (t) => {
  const style = `<Style ss:ID="long"><NumberFormat ss:Format="${'[h'.repeat(200_000)}"/></Style>`
  const rows = '<Row><Cell ss:StyleID="long"><Data ss:Type="Number">1.5</Data></Cell></Row>'.repeat(100)
  const found = await readRows(t, 'xml', workbook(sheet('Data', rows)).replace('<Styles>', `<Styles>${style}`))
  assert.deepEqual(found[99]?.cells, ['1.5'])
})

test('entities of its own, cut off ends and far places are refused', async (t) => {
  const whole = workbook(sheet('Data', '<Row><Cell><Data ss:Type="String">x</Data></Cell></Row>'))
  const far = workbook(sheet('Data', '<Row ss:Index="99000000"><Cell ss:Index="4000000"><Data ss:Type="String">x</Data></Cell></Row>'))
  const attack = `<!DOCTYPE lolz [<!ENTITY lol "lol">]>${whole.slice(21)}`
  for (const content of [whole.slice(0, -20), attack, far])
    assert.equal((await refusalOf(readRows(t, 'xml', content))).code, 'workbook_broken')
})

function workbook(sheets: string): string {
  const formats = { day: 'Short Date', time: 'Short Time', span: '[h]:mm:ss', pct: 'Percent', code: '00000' }
  const styles = Object.entries(formats).map(([id, format]) => `<Style ss:ID="${id}"><NumberFormat ss:Format="${format}"/></Style>`)
  return `<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Styles>${styles.join('')}</Styles>${sheets}</Workbook>`
}

function sheet(name: string, rows: string, options = ''): string {
  return `<Worksheet ss:Name="${name}"><Table ss:ExpandedColumnCount="16384" ss:ExpandedRowCount="1048576">${rows}</Table>${options}</Worksheet>`
}
