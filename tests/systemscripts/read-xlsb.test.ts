import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { readWorkbook } from '../../systemscripts/spreadsheet/read-workbook.ts'
import { readRows, refusalOf, rowsOf, written } from './read-workbook.ts'
import { temporaryFile, zipOf, zipParts } from './test-files.ts'

const SHEETS = {
  Chart: [['not read']],
  Data: [
    ['a', 'b'],
    [1, 'c'],
  ],
}

test('a chart among the sheets counts as a tab and holds no table', async (t) => {
  const content = await withChart(t, written('xlsb', SHEETS))
  const workbook = await readWorkbook({ path: await temporaryFile(t, 'book.xlsb', content), kind: 'xlsb' })
  assert.deepEqual(
    workbook.sheets.map(({ name, hasCells }) => [name, hasCells]),
    [
      ['Chart', false],
      ['Data', true],
    ],
  )
  assert.equal((await rowsOf(workbook.grid(1))).length, 2)
  assert.throws(() => workbook.grid(0), { code: 'sheet_without_cells' })
})

test('nothing but a chart is refused', async (t) => {
  const content = await withChart(t, written('xlsb', { Chart: [['x']] }))
  assert.equal((await refusalOf(readRows(t, 'xlsb', content))).code, 'workbook_without_sheet')
})

test('cells of every record are read, with their column or without, and hidden rows told', async (t) => {
  const style = [0, 0, 0, 0]
  const half = Buffer.alloc(8)
  half.writeDoubleLE(0.5)
  const sheet = [
    record(145),
    record(0, u32(2), u32(0), [0, 0, 0, 0x10, 0]),
    record(2, u32(1), style, u32((7 << 2) | 2)),
    record(16, style, half),
    record(15, style, [1]),
    record(14, style, [42]),
    record(17, style, wide('in line')),
    record(62, u32(9), style, [1], wide('rich'), u32(0)),
    record(8, u32(10), style, wide('of a formula'), [0, 0]),
    record(146),
  ]
  const [row] = await readRows(t, 'xlsb', await withSheet(t, Buffer.concat(sheet)))
  assert.equal(row?.line, 3)
  assert.equal(row?.isHidden, true)
  assert.deepEqual(
    Array.from(row?.cells ?? [], (text) => text ?? null),
    [null, '7', '0.5', 'true', '#N/A', 'in line', null, null, null, 'rich', 'of a formula'],
  )
})

test('a sheet that is cut off, a far column, a text that is not there and one that is too long are refused', async (t) => {
  const begin = [record(145), record(0, u32(0), u32(0), [0, 0, 0, 0, 0])]
  const whole = Buffer.concat([...begin, record(146)])
  const sheets = [
    whole.subarray(0, -2),
    whole.subarray(0, -1),
    Buffer.concat([...begin, record(5, u32(2_000_000_000), [0, 0, 0, 0], Buffer.alloc(8)), record(146)]),
    Buffer.concat([...begin, record(7, u32(0), [0, 0, 0, 0], u32(999)), record(146)]),
    Buffer.concat([...begin, record(6, u32(0), [0, 0, 0, 0], u32(0x7fffffff)), record(146)]),
    Buffer.concat([...begin, record(5, u32(0))]),
  ]
  for (const sheet of sheets) {
    const content = await withSheet(t, sheet)
    assert.equal((await refusalOf(readRows(t, 'xlsb', content))).code, 'workbook_broken')
  }
})

test('a format that nobody can show leaves the number as it is loaded', async (t) => {
  const [row] = await readRows(t, 'xlsb', written('xlsb', { Data: [[{ t: 'n', v: 5, z: '[<10]"low";[>=10]"high' }]] }))
  assert.deepEqual([row?.cells, row?.shown], [['5'], ['5']])
})

async function withChart(t: TestContext, workbook: Buffer): Promise<Buffer> {
  const parts = await zipParts(t, workbook)
  const relations = String(parts['xl/_rels/workbook.bin.rels'])
  return zipOf({ ...parts, 'xl/_rels/workbook.bin.rels': relations.replace('relationships/worksheet"', 'relationships/chartsheet"') })
}

async function withSheet(t: TestContext, sheet: Buffer): Promise<Buffer> {
  return zipOf({ ...(await zipParts(t, written('xlsb', { Data: [['x']] }))), 'xl/worksheets/sheet1.bin': sheet })
}

function record(id: number, ...parts: (number[] | Buffer)[]): Buffer {
  const data = Buffer.concat(parts.map((part) => Buffer.from(part)))
  return Buffer.concat([
    Buffer.from(id < 128 ? [id] : [(id & 127) | 128, id >> 7]),
    Buffer.from([(data.length & 127) | 128, data.length >> 7]),
    data,
  ])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function wide(text: string): Buffer {
  return Buffer.concat([u32(text.length), Buffer.from(text, 'utf16le')])
}
