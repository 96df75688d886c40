import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GridRow } from '../../systemscripts/grid.ts'
import { type HtmlTables, readHtmlTables } from '../../systemscripts/spreadsheet/html-grid.ts'
import { refusalOf, rowsOf } from './read-workbook.ts'

test('all tables of a page are there, those inside cells too, and the largest is known', async () => {
  const inner = '<table id="prices"><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>'
  const page = await tablesOf(
    `<table><tr><td>menu</td></tr><tr><td>${inner}</td></tr></table><table><caption> Small\n one </caption><tr><td>x</td></tr></table>`,
  )
  assert.deepEqual(
    page.sheets.map(({ name }) => name),
    ['1', 'prices', 'Small one'],
  )
  assert.equal(page.largest, 1)
  assert.deepEqual(textsOf(await rowsOf(page.grid(1))), [
    ['a', 'b'],
    ['1', '2'],
  ])
})

test('hidden rows are marked, hidden parts of cells left out', async () => {
  const page = await tablesOf(
    '<table><tr><td>a<i hidden>b</i></td></tr><tr style="display:none"><td>c</td></tr><tbody hidden><tr><td>d</td></tr></tbody></table>',
  )
  assert.deepEqual(
    (await rowsOf(page.grid(0))).map(({ cells, isHidden }) => [cells[0], isHidden ?? false]),
    [
      ['a', false],
      ['c', true],
      ['d', true],
    ],
  )
})

test('spans are filled downwards and empty sideways', async () => {
  const page = await tablesOf(
    '<table><tr><td rowspan=3>A</td><td colspan=2 rowspan=2>B</td><td>1</td></tr><tr><td>2</td></tr><tr><td>x</td><td>y</td><td>3</td></tr></table>',
  )
  assert.deepEqual(textsOf(await rowsOf(page.grid(0))), [
    ['A', 'B', null, '1'],
    ['A', 'B', null, '2'],
    ['A', 'x', 'y', '3'],
  ])
})

test('in pages of Excel numbers and dates are exact, texts texts', async () => {
  const styles =
    '<style><!--td {mso-number-format:General;} .xl65 {mso-number-format:"Short Date";} .xl66\n{color:red; mso-number-format:00000;} --></style>'
  const cells = [
    ['x:num="1234.5"', '1,234.50 €', '1234.5'],
    ['x:num', '7', '7'],
    ['x:num', '1,234', '1,234'],
    ['class=xl65 x:num="45292"', '1/1/2024', '2024-01-01'],
    ['class=xl66 x:num="123"', '00123', '00123'],
    [`style='mso-number-format:"yyyy\\\\-mm\\\\-dd\\\\ hh\\:mm"' x:num="45292.5"`, '2024-01-01 12:00', '2024-01-01 12:00:00'],
    [`style='mso-number-format:"0 \\0022days\\0022"' x:num="45292"`, '45292 days', '45292'],
    [`style='mso-number-format:"\\@"' x:str="a  b"`, 'a b', 'a  b'],
    ['x:str', '00123', '00123'],
    ['x:bool="TRUE"', 'WAHR', 'true'],
    ['x:err="#N/A"', '#NV', '#N/A'],
    ['sdval="45292" sdnum="1033;0;YYYY-MM-DD"', '1 Jan', '2024-01-01'],
    ['sdval="1234.5" sdnum="1031;"', '1.234,50', '1234.5'],
    ['sdval="0" sdnum="1033;"', '#N/A', '#N/A'],
    ['sdval="1" sdnum="1033;0;BOOLEAN"', 'WAHR', 'true'],
    ['', '1,234.50', '1,234.50'],
  ]
  const rows = cells.map(([attributes, shown]) => `<tr><td ${attributes}>${shown}</td></tr>`).join('')
  const page = await tablesOf(`<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head>${styles}</head><table>${rows}</table></html>`)
  const found = await rowsOf(page.grid(0))
  assert.deepEqual(
    found.map((row) => row.cells[0]),
    cells.map(([, , expected]) => expected),
  )
  assert.deepEqual(found[3]?.shown, ['1/1/2024'])
})

test('the epoch of 1904 is honoured', async () => {
  const page = await tablesOf(
    '<html><!--[if gte mso 9]><xml><x:Date1904/></xml><![endif]--><table><tr><td style="mso-number-format:\'Short Date\'" x:num="43830">x</td></tr></table>',
  )
  assert.deepEqual((await rowsOf(page.grid(0)))[0]?.cells, ['2024-01-01'])
})

test('hostile pages end soon: deep nesting, spans without end, tables in tables', { timeout: 60_000 }, async () => {
  const nested = await tablesOf(`<table><tr><td>${'<b><div>'.repeat(5000)}x</table>`)
  assert.deepEqual((await rowsOf(nested.grid(0)))[0]?.cells, ['x'])
  const tables = await tablesOf(`${'<table><tr><td>x'.repeat(400)}`)
  assert.equal(tables.sheets.length, 21)
  const manyTables = await tablesOf('<table><tr><td>x</table>'.repeat(130_000))
  assert.equal(manyTables.sheets.length, 130_000)
  for (const deep of ['<table><tr><td>'.repeat(50_000), `<table><tr><td>${'<div>'.repeat(200_000)}`])
    assert.equal((await refusalOf(tablesOf(deep))).code, 'workbook_broken')
  const covered = await tablesOf(`<table><tr>${'<td rowspan=65534 colspan=1000>x'.repeat(16)}</tr>${'<tr></tr>'.repeat(3000)}</table>`)
  assert.equal((await refusalOf(rowsOf(covered.grid(0)))).code, 'workbook_broken')
  const wide = await tablesOf(`<table><tr>${'<td colspan=1000 rowspan=65534>x'.repeat(50)}</table>`)
  assert.equal((await refusalOf(rowsOf(wide.grid(0)))).code, 'workbook_broken')
})

test('a page without a table, or with one that has no cells, is refused', async () => {
  for (const page of ['<html><body><h1>Session expired</h1>', '<table></table>']) {
    assert.equal((await refusalOf(tablesOf(page))).code, 'html_table_not_found')
  }
})

function tablesOf(page: string): Promise<HtmlTables> {
  return readHtmlTables({
    fileName: 'page.xls',
    async *bytes() {
      yield Buffer.from(page)
    },
  })
}

function textsOf(rows: GridRow[]): (string | null)[][] {
  return rows.map(({ cells }) => Array.from(cells, (cell) => cell ?? null))
}
