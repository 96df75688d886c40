import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CellObject } from 'xlsx'
import { readCells, readTable } from '../../systemscripts/read-table.ts'
import { written } from './read-workbook.ts'
import { temporaryFile } from './test-files.ts'

const CELLS: [cell: CellObject, type: string, value: unknown, text: string][] = [
  [{ t: 's', v: '00123' }, 'text', '00123', '00123'],
  [{ t: 'n', v: 1234.5, z: '#,##0.00' }, 'number', 1234.5, '1234.5'],
  [{ t: 'n', v: 45322, z: 'yyyy-mm-dd' }, 'date', '2024-01-31', '2024-01-31'],
  [{ t: 'n', v: 0.25, z: 'hh:mm:ss' }, 'time', '06:00:00', '06:00:00'],
  [{ t: 'b', v: true }, 'boolean', true, 'true'],
]
/** Of these the .ods that SheetJS writes keeps nothing. */
const MORE: typeof CELLS = [
  [{ t: 'n', v: 1.5625, z: '[h]:mm:ss' }, 'duration', '37:30:00', '37:30:00'],
  [{ t: 'n', v: -5, z: 'yyyy-mm-dd' }, 'number', -5, '-5'],
  [{ t: 'n', v: 7, z: '00000' }, 'number', 7, '00007'],
  [{ t: 'e', v: 42, w: '#N/A' }, 'error', '#N/A', '#N/A'],
]

for (const bookType of ['xlsx', 'xlsb', 'biff8', 'biff5', 'xlml', 'ods'] as const) {
  test(`cells have types, whatever kind of workbook they stand in: ${bookType}`, async (t) => {
    const expected = bookType === 'ods' ? CELLS : [...CELLS, ...MORE]
    const content = written(bookType, { Data: expected.map(([cell]) => ['x', cell]) })
    const batches = await Array.fromAsync(readCells(await temporaryFile(t, 'book', content), { cellRange: 'B:B' }))
    assert.deepEqual(
      batches.flat(),
      expected.map(([, type, value, text], index) => ({ sheet: 'Data', row: index + 1, column: 2, type, value, text })),
    )
  })
}

for (const bookType of ['xlsx', 'xlsb', 'biff8', 'biff5', 'xlml', 'ods'] as const) {
  test(`rows say which of their values are more than texts: ${bookType}`, async (t) => {
    const cells = bookType === 'ods' ? CELLS : [...CELLS, ...MORE]
    const content = written(bookType, { Data: [['name', null, 'value'], ...cells.map(([cell]) => ['x', null, cell])] })
    const { rows } = await readTable(await temporaryFile(t, 'book', content))
    assert.deepEqual(
      (await Array.fromAsync(rows)).flat().map(({ typed }) => [typed?.[0] === true, typed?.[1] === true]),
      cells.map(([, type]) => [false, type !== 'text' && type !== 'error']),
    )
  })
}

test('numbers, true and false of JSON are more than texts, and so are the numbers that Excel states in a page', async (t) => {
  const json = await readTable(await temporaryFile(t, 'a.json', '{"a":1.50,"b":"1.50","c":true,"d":null,"e":[1]}'))
  assert.deepEqual(
    (await Array.fromAsync(json.rows)).flat().map(({ typed }) => typed),
    [[true, false, true, false, false]],
  )
  const cells = '<td x:num="1.5">1,50 €</td><td x:str>1.5</td><td>1.5</td><td x:bool="TRUE">WAHR</td><td rowspan="2" sdval="2">2</td>'
  const page = `<table><tr><td>a</td><td>b</td><td>c</td><td>d</td><td>e</td></tr><tr>${cells}</tr><tr><td>1</td></tr></table>`
  const html = await readTable(await temporaryFile(t, 'a.html', `<html><body>${page}</body></html>`))
  assert.deepEqual(
    (await Array.fromAsync(html.rows)).flat().map(({ typed }) => Array.from({ length: 5 }, (_, index) => typed?.[index] === true)),
    [
      [true, false, false, true, true],
      [false, false, false, false, true],
    ],
  )
})

test('hidden rows are left out of cells as well, and a far cell is found', async (t) => {
  const rows = Array.from(
    { length: 1500 },
    (_, row) => `<Row${row === 1 ? ' ss:Hidden="1"' : ''}><Cell><Data ss:Type="Number">${row + 1}</Data></Cell></Row>`,
  )
  const content = `<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Data"><Table>${rows.join('')}</Table></Worksheet></Workbook>`
  const path = await temporaryFile(t, 'book.xml', content)
  const first = await Array.fromAsync(readCells(path, { cellRange: 'A1:A3', skipHidden: true }))
  assert.deepEqual(
    first.flat().map(({ value }) => value),
    [1, 3],
  )
  const [far] = await Array.fromAsync(readCells(path, { cellRange: 'A1400:A1400' }))
  assert.equal(far?.[0]?.value, 1400)
})
