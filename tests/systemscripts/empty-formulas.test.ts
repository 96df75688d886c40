import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { emptyFormulasInWords } from '../../systemscripts/empty-formulas.ts'
import { type ReadTableOptions, readTable } from '../../systemscripts/read-table.ts'
import { writeCsv } from '../../systemscripts/write-csv.ts'
import { allRows, temporaryFile, zipOf } from './test-files.ts'
import { book } from './xlsx/packages.ts'

const text = (value: string) => `<c t="inlineStr"><is><t>${value}</t></is></c>`
const header = `<row>${text('id')}${text('total')}</row>`

/** A sheet whose second column has these cells. */
const bookOf = (cells: string[]) =>
  book({ sheet: `<sheetData>${header}${cells.map((cell, row) => `<row><c><v>${row}</v></c>${cell}</row>`).join('')}</sheetData>` })

/** What is known when all rows have been walked, one way and the other. */
async function formulasOf(t: TestContext, bytes: Buffer, options: ReadTableOptions = {}) {
  const path = await temporaryFile(t, 'book', bytes)
  const table = await readTable(path, options)
  await allRows(table)
  const { warnings } = await writeCsv(await readTable(path, options), join(dirname(path), 'out.csv'))
  assert.deepEqual(warnings, emptyFormulasInWords([table]))
  return table.emptyFormulas ?? []
}

const one = [{ header: 'total', count: 1, first: 'B2' }]

test('a formula without a value is counted, however it is written', async (t) => {
  for (const cell of [
    '<c><f>1+1</f></c>',
    '<c><f>1+1</f><v></v></c>',
    '<c><f>1+1</f><v/></c>',
    '<c><f>1+1</f><v /></c>',
    '<c s="0" t="str"><f>1+1</f></c>',
    '<c><f t="shared" si="0"/></c>',
    '<c ><!-- --><f>1+1</f></c>',
  ])
    assert.deepEqual(await formulasOf(t, bookOf([cell])), one, cell)
})

test('a value is a value: also an empty text, an error, zero, and a cell that is no formula', async (t) => {
  for (const cell of [
    '<c t="str"><f>""</f><v></v></c>',
    '<c t="e"><f>1/0</f><v>#DIV/0!</v></c>',
    '<c><f>0</f><v>0</v></c>',
    '<c t="str"><f>"a"</f><v>a</v></c>',
    '<c s="0"/>',
    '<c></c>',
    '<c><v></v></c>',
  ])
    assert.deepEqual(await formulasOf(t, bookOf([cell])), [], cell)
})

test('all rows count, those far below the first ones too', async (t) => {
  const cells = Array.from({ length: 5000 }, (_, row) => (row % 2 === 0 ? '<c><f>1+1</f><v></v></c>' : '<c><f>1+1</f></c>'))
  assert.deepEqual(await formulasOf(t, bookOf(cells)), [{ header: 'total', count: 5000, first: 'B2' }])
  const late = [...Array.from({ length: 4000 }, () => '<c><v>1</v></c>'), '<c><f>1+1</f></c>']
  assert.deepEqual(await formulasOf(t, bookOf(late)), [{ header: 'total', count: 1, first: 'B4002' }])
})

test('what stands above the table, below its end or outside the range is none of it', async (t) => {
  const rows = [
    `<row><c><f>TODAY()</f></c></row>`,
    header,
    `<row>${text('a')}<c><f>1+1</f></c></row>`,
    `<row>${text('Total')}<c><f>SUM(B3:B3)</f></c></row>`,
    `<row>${text('note')}<c><f>1+1</f></c></row>`,
  ]
  const bytes = book({ sheet: `<sheetData>${rows.join('')}</sheetData>` })
  assert.deepEqual(await formulasOf(t, bytes, { endsWhen: '^Total$' }), [{ header: 'total', count: 1, first: 'B3' }])
  assert.deepEqual(await formulasOf(t, bytes, { cellRange: 'A2:B3' }), [{ header: 'total', count: 1, first: 'B3' }])
  assert.deepEqual(await formulasOf(t, bytes, { cellRange: 'A2:A5' }), [])
})

test('an OpenDocument sheet and a workbook of one XML file say it too', async (t) => {
  const cell = (attributes: string, value: string) =>
    `<table:table-cell ${attributes}>${value && `<text:p>${value}</text:p>`}</table:table-cell>`
  const string = 'office:value-type="string"'
  const row = (...cells: string[]) => `<table:table-row>${cells.join('')}</table:table-row>`
  const ods = await zipOf({
    mimetype: 'application/vnd.oasis.opendocument.spreadsheet',
    'content.xml': `<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet><table:table table:name="Data">${[
      row(cell(string, 'id'), cell(string, 'total')),
      row(cell(string, 'a'), cell('table:formula="of:=1+1"', '')),
      row(cell(string, 'b'), cell(`table:formula="of:=&quot;&quot;" ${string}`, '')),
    ].join('')}</table:table></office:spreadsheet></office:body></office:document-content>`,
  })
  assert.deepEqual(await formulasOf(t, ods), one)
  const data = (value: string) => `<Cell><Data ss:Type="String">${value}</Data></Cell>`
  const xml = `<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Data"><Table><Row>${data('id')}${data('total')}</Row><Row>${data('a')}<Cell ss:Formula="=1+1"/></Row><Row>${data('b')}<Cell ss:Formula="=&quot;&quot;"><Data ss:Type="String"></Data></Cell></Row></Table></Worksheet></Workbook>`
  assert.deepEqual(await formulasOf(t, Buffer.from(xml)), one)
})

test('the words name ten columns, the sheet where there are several, and the letter of a column without a name', () => {
  const formulas = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ header: at === 0 ? null : `c${at}`, count: 1000, first: at === 0 ? 'AB2' : 'C2' }))
  const said = emptyFormulasInWords([
    { sheet: 'Q1', emptyFormulas: formulas(12) },
    { sheet: 'Q2', emptyFormulas: [] },
  ])
  assert.equal(said.length, 11)
  assert.match(said[0] ?? '', /^1,000 formulas of column AB hold no value, first in AB2 of sheet "Q1": open/)
  assert.equal(said[10], 'So do 2,000 formulas of 2 other columns.')
})
