import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CellObject } from 'xlsx'
import { readCells } from '../../systemscripts/read-table.ts'
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
