import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseCellRange } from '../../../systemscripts/reading/cell-range.ts'
import { tableOfGrid } from '../../../systemscripts/reading/grid-table.ts'
import { headerKeys } from '../../../systemscripts/reading/header-lines.ts'
import type { SourceTable } from '../../../systemscripts/reading/source-table.ts'
import { type ShapeOptions, straysOf } from '../../../systemscripts/reading/table-shape.ts'
import { openText, rowsOf } from '../csv-reads.ts'
import { planOf } from './copies.ts'

type Cells = (string | null)[]

describe('the header', () => {
  test('of two lines is joined, groups reaching over their columns', async () => {
    const rows: Cells[] = [
      ['', 'Sales', null, 'Costs', null, 'Note'],
      ['Region', 'net', 'gross', 'net', 'gross', null],
      ['N', '1', '2', '3', '4', 'x'],
    ]
    for (const headerRow of [1, null]) {
      const { facts } = await tableOf(rows, { headerRow, headerRows: 2 })
      assert.deepEqual(facts.headers, ['Region', 'Sales net', 'Sales gross', 'Costs net', 'Costs gross', 'Note'])
      assert.equal(facts.headerLine, 2)
    }
  })

  test('of two lines of words is found from its upper line on', async () => {
    const { facts } = await tableOf(
      [['Title'], [], ['Price', 'Amount', 'Day'], ['in EUR', 'pieces', 'of order'], ['1', '2', '2024-01-01']],
      {
        headerRows: 2,
      },
    )
    assert.deepEqual([facts.headers, facts.headerLine], [['Price in EUR', 'Amount pieces', 'Day of order'], 4])
  })

  test('keeps blank and duplicate names, and takes columns without a name that have a value', async () => {
    const table = await tableOf([
      ['a', null, 'a', null, null],
      ['1', null, '2', null, '3'],
    ])
    assert.deepEqual([table.facts.headers, await valuesOf(table)], [['a', 'a', ''], [['1', '2', '3']]])
  })

  test('is as shown, the rows are as loaded', async () => {
    const rows = [
      { line: 1, cells: ['region', '2024-01-01'], shown: ['region', 'Jan-24'] },
      { line: 2, cells: ['N', '5'] },
    ]
    const table = await tableOfGrid(() => ({ kind: 'xlsx', sheet: 'S', names: null, rows: [rows] }), standard, 'f.xlsx')
    assert.deepEqual([table.facts.headers, await valuesOf(table)], [['region', 'Jan-24'], [['N', '5']]])
  })

  test('may be stated by the file itself', async () => {
    const rows = [{ line: 1, cells: ['1', null] }]
    const table = await tableOfGrid(() => ({ kind: 'json', sheet: null, names: ['id', 'name'], rows: [rows] }), standard, 'f.json')
    assert.deepEqual([table.facts.headers, table.facts.headerLine, await valuesOf(table)], [['id', 'name'], 0, [['1', null]]])
  })
})

describe('the table ends', () => {
  test('before the row that endsWhen names', async () => {
    const rows = [
      ['id', 'price'],
      ['1', '2'],
      ['Total', '2'],
      ['', 'printed today'],
    ]
    const table = await tableOf(rows, { endsWhen: /^total/i })
    assert.deepEqual(await valuesOf(table), [['1', '2']])
    assert.equal(table.facts.sample.length, 1)
    const csv = await openText('id,price\n1,2\nTotal,2\n,printed today,by me,x\n', { endsWhen: /^Total/ })
    assert.deepEqual(await valuesOf(csv), [['1', '2']])
    assert.deepEqual(await copyText(await openText('id,price\n1,2\nTotal,2\n,x,y\n', { endsWhen: /^Total/ })), '1\t2\n')
  })

  test('with the range, whose first row is the header', async () => {
    const rows = [
      ['x', 'y', 'z', 'note'],
      ['', '2021', '2022', 'p'],
      ['', '5', '6', 'q'],
      ['', '7', '8', 'r'],
      ['', '9', '9', 's'],
    ]
    const table = await tableOf(rows, { range: parseCellRange('b2:$C$4') })
    assert.deepEqual(
      [table.facts.headers, await valuesOf(table)],
      [
        ['2021', '2022'],
        [
          ['5', '6'],
          ['7', '8'],
        ],
      ],
    )
    const csv = await openText('x,y,z\n,a,b\n,1,2\n9,3,4\n', { range: parseCellRange('B2:C') })
    assert.deepEqual(
      [csv.facts.headers, await valuesOf(csv)],
      [
        ['a', 'b'],
        [
          ['1', '2'],
          ['3', '4'],
        ],
      ],
    )
    assert.equal(await copyText(await openText('x,y,z\n,a,b\n,1,2\n9,3,4\n', { range: parseCellRange('B2:C3') })), '1\t2\n')
  })

  test('nowhere else: rows hidden in the workbook are left out only when that is wanted', async () => {
    const rows = [
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['1', '2'], isHidden: true },
      { line: 3, cells: ['3', '4'] },
    ]
    for (const skipHidden of [false, true]) {
      const table = await tableOfGrid(() => ({ kind: 'xlsx', sheet: null, names: null, rows: [rows] }), { ...standard, skipHidden }, 'f')
      assert.equal((await rowsOf(table)).length, skipHidden ? 1 : 2)
    }
  })
})

test('a value beyond the columns is never cut: it refuses the row, and the whole table where rows are read', async () => {
  const rows: Cells[] = [['a', 'b'], ...Array.from({ length: 300 }, (): Cells => ['1', '2']), ['3', '4', null, 'lost?']]
  await assert.rejects(async () => rowsOf(await tableOf(rows)), { code: 'row_has_too_many_fields', message: /line 302/ })
  const table = await tableOf(rows)
  const rejects = []
  for await (const piece of table.copy(planOf(table.facts.headers))) rejects.push(...piece.rejects)
  assert.deepEqual(
    rejects.map(({ line, column, value, rule, raw }) => ({ line, column, value, rule, raw })),
    [{ line: 302, column: null, value: 'lost?', rule: 'too_many_fields', raw: { a: '3', b: '4', column_4: 'lost?' } }],
  )
})

test('the table is given again with every column in which something stands, called by its place', async () => {
  const rows: Cells[] = [
    ['a', null, 'column_4'],
    ...Array.from({ length: 300 }, (): Cells => ['1', null, '2']),
    ['3', null, '4', 'beyond'],
    ['5', 'between', '6'],
  ]
  const table = await (await tableOf(rows)).withAllColumns()
  assert.deepEqual(table.facts.headers, ['a', 'column_2', 'column_4', 'column_4_2'])
  assert.deepEqual((await valuesOf(table)).slice(-2), [
    ['3', null, '4', 'beyond'],
    ['5', 'between', '6', null],
  ])
  const csv = await openText(`a,b\n${'1,2\n'.repeat(300)}3,4,,lost?\n5,6,,\n`)
  const wide = await csv.withAllColumns()
  assert.deepEqual(wide.facts.headers, ['a', 'b', 'column_4'])
  assert.deepEqual((await valuesOf(wide)).slice(-2), [
    ['3', '4', 'lost?'],
    ['5', '6', null],
  ])
})

test('all columns are those of the table: of the range, above what ends it, and of rows that are not left out', async () => {
  const rows: Cells[] = [['a', 'b'], ...Array.from({ length: 300 }, (): Cells => ['1', '2']), ['3', '4', '5'], ['Total', '', '', '9']]
  const ended = await (await tableOf(rows, { endsWhen: /^Total/ })).withAllColumns()
  assert.deepEqual(ended.facts.headers, ['a', 'b', 'column_3'])
  const inRange = await (await tableOf(rows, { range: parseCellRange('A:B') })).withAllColumns()
  assert.deepEqual(inRange.facts.headers, ['a', 'b'])
})

test('a hundred thousand rows with a value in the last column of a sheet are read in a moment', { timeout: 60_000 }, async () => {
  const wide = (value: string): (string | null)[] => {
    const cells: (string | null)[] = []
    cells[16_383] = value
    return cells
  }
  const rows = Array.from({ length: 100_000 }, (_, row) => ({ line: row + 2, cells: wide(String(row)) }))
  const shape = { headers: ['a', 'last'], headerLine: 1, columns: [0, 16_383], range: null, skipHidden: false, endsWhen: null }
  for (const row of rows) assert.deepEqual(straysOf(shape, row.cells), [])
  const beside = wide('x')
  beside[2000] = 'y'
  assert.deepEqual(straysOf(shape, beside), [{ column: 2000, value: 'y' }])
  const range = { firstLine: 1, lastLine: 9, firstColumn: 0, lastColumn: 1999 }
  assert.deepEqual(straysOf({ ...shape, range }, beside), [])
})

test('ranges are written as in a spreadsheet, and anything else is refused', () => {
  const open = Number.POSITIVE_INFINITY
  assert.deepEqual(parseCellRange('B:K'), { firstLine: 1, lastLine: open, firstColumn: 1, lastColumn: 10 })
  assert.deepEqual(parseCellRange('3:200'), { firstLine: 3, lastLine: 200, firstColumn: 0, lastColumn: open })
  assert.deepEqual(parseCellRange('AA10:'), { firstLine: 10, lastLine: open, firstColumn: 26, lastColumn: open })
  for (const text of ['', ':', 'B3', 'K:B', '5:2', 'B0:C3', 'Sheet!A1:B2'])
    assert.throws(() => parseCellRange(text), { code: 'cell_range_invalid' })
})

test('keys of a row are different from each other, whatever the headers are', () => {
  assert.deepEqual(headerKeys(['a', '', 'a', ' ', 'a_2', '__proto__']), ['a', 'column_2', 'a_2', 'column_4', 'a_2_2', '__proto__'])
})

test('a hundred thousand headers of one name are told apart without counting from the start each time', { timeout: 10_000 }, () => {
  const keys = headerKeys(Array.from({ length: 100_000 }, () => 'x'))
  assert.equal(keys.at(-1), 'x_100000')
  assert.equal(new Set(keys).size, 100_000)
})

const standard: ShapeOptions = { headerRow: null, headerRows: 1, range: null, skipHidden: false, endsWhen: null }

function tableOf(rows: Cells[], options: Partial<ShapeOptions> = {}): Promise<SourceTable> {
  const filled = rows.flatMap((cells, index) => (cells.length === 0 ? [] : [{ line: index + 1, cells: cells.map((cell) => cell || null) }]))
  return tableOfGrid(() => ({ kind: 'xlsx', sheet: null, names: null, rows: [filled] }), { ...standard, ...options }, 'file.xlsx')
}

async function valuesOf(table: SourceTable): Promise<Cells[]> {
  return (await rowsOf(table)).map(({ values }) => values)
}

async function copyText(table: SourceTable): Promise<string> {
  let text = ''
  for await (const { bytes } of table.copy(planOf(table.facts.headers))) text += Buffer.from(bytes).toString()
  return text
}
