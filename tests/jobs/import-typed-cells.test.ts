import assert from 'node:assert/strict'
import { test } from 'node:test'
import { number, workbook } from '../systemscripts/workbooks.ts'
import { importBench } from './import-harness.ts'

const rows = [
  ['id', 'price', 'day'],
  ['a', number(1.234), number(45_355, 'yyyy-mm-dd')],
  ['b', '1.234', '04.03.2024'],
  ['c', '1.234,56', number(20_240_304)],
  ['d', number(1234.5), '2024-03-04'],
  ['e', '1234.5', '04.03.2024'],
]

for (const bookType of ['xlsx', 'biff8'] as const) {
  test(`a ${bookType} says of each cell whether it is a number or a date, and the format is for texts`, async (t) => {
    const bench = await importBench(t)
    await bench.configure({ max_rejects: null, file_pattern: '*' })
    await bench.query(`insert into dba.importcolumn (config_name, column_name, type, format)
      values ('prices', 'price', 'numeric', '1.234,56'), ('prices', 'day', 'date', 'dd.MM.yyyy | yyyyMMdd')`)
    await bench.put('inbox/book', workbook({ Data: rows }, bookType))
    await bench.run()
    assert.deepEqual(await bench.query('select id, price, day::text from feeds.price order by id'), [
      { id: 'a', price: '1.234', day: '2024-03-04' },
      { id: 'b', price: '1234', day: '2024-03-04' },
      { id: 'c', price: '1234.56', day: '2024-03-04' },
    ])
    assert.deepEqual(await bench.query('select line, column_name, value, rule from dba.reject order by line'), [
      { line: 5, column_name: 'day', value: '2024-03-04', rule: 'not_a_date' },
      { line: 6, column_name: 'price', value: '1234.5', rule: 'not_a_number' },
    ])
  })
}

test('a corrected row that joins its dataset keeps the numbers of its other cells, or is refused', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ max_rejects: null, file_pattern: '*' })
  await bench.query(`insert into dba.importcolumn (config_name, column_name, type, format)
    values ('prices', 'price', 'numeric', '1.234,56'), ('prices', 'pieces', 'integer', null)`)
  const sheet = [
    ['price', 'pieces'],
    [number(1), number(1)],
    [number(1234.5), 'x'],
    [number(1.234), 'y'],
  ]
  await bench.put('inbox/book', workbook({ Data: sheet }, 'xlsx'))
  await bench.run()
  await bench.query(`update dba.reject set fixed = raw || '{"pieces": "7"}', state = 'retry'`)
  await bench.run()
  assert.deepEqual(await bench.query('select price, pieces from feeds.price order by price'), [
    { price: '1', pieces: 1 },
    { price: '1234.5', pieces: 7 },
  ])
  assert.deepEqual(await bench.query(`select line, rule from dba.reject where state = 'open'`), [{ line: 4, rule: 'ambiguous_number' }])
})

test('a column is widened for a number that only its cell tells', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ max_rejects: null, file_pattern: '*' })
  await bench.query(
    `insert into dba.importcolumn (config_name, column_name, type, format) values ('prices', 'price', 'numeric(6,1)', '1.234,56')`,
  )
  await bench.put(
    'inbox/first',
    workbook(
      {
        Data: [
          ['id', 'price'],
          ['a', number(1.5)],
        ],
      },
      'xlsx',
    ),
  )
  await bench.run()
  await bench.put(
    'inbox/second',
    workbook(
      {
        Data: [
          ['id', 'price'],
          ['b', number(1_234_567.5)],
        ],
      },
      'xlsx',
    ),
  )
  await bench.run()
  assert.deepEqual(await bench.query('select price from feeds.price order by id'), [{ price: '1.5' }, { price: '1234567.5' }])
})
