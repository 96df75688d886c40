import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ImportBench, importBench } from './import-harness.ts'

async function columnsOf(bench: ImportBench): Promise<unknown> {
  const rows = await bench.query<{ attname: string }>(
    `select attname from pg_attribute where attrelid = 'feeds.price'::regclass and attnum > 0 order by attnum`,
  )
  return rows.map(({ attname }) => attname)
}

test('add/null: a new column is added before the load, so its values are kept', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a,b\n1,2\n')
  await bench.put('inbox/2.csv', 'a,Mkt Cap ($mm)\n3,4\n')
  await bench.run()
  assert.deepEqual(await columnsOf(bench), ['price_id', 'dataset_id', 'a', 'b', 'mkt_cap_($mm)'])
  assert.deepEqual(await bench.query('select a, b, "mkt_cap_($mm)" as cap from feeds.price order by a'), [
    { a: '1', b: '2', cap: null },
    { a: '3', b: null, cap: '4' },
  ])
})

test('ignore/null: a new column is left out and said in the log', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ on_new_column: 'ignore' })
  await (await bench.as('rota_dba')).query('create schema feeds create table price (dataset_id bigint, a text, b text)')
  await bench.put('inbox/1.csv', 'x,a\n9,1\n')
  await bench.run()
  assert.deepEqual(await bench.query('select * from feeds.price'), [{ dataset_id: 1, a: '1', b: null }])
  assert.deepEqual(bench.log.find((line) => line.level === 'warning')?.data.ignored, ['x'])
})

test('ignore/fail: a missing column fails the file', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ on_new_column: 'ignore', on_missing_column: 'fail' })
  await (await bench.as('rota_dba')).query('create schema feeds create table price (dataset_id bigint, a text, b text)')
  await bench.put('inbox/1.csv', 'a,x\n1,9\n')
  await assert.rejects(bench.run(), { code: 'missing_column' })
  assert.deepEqual(await bench.names('failed'), ['1.1.csv', '1.1.csv.reason.txt'])
})

test('on_new_column fail refuses the file and adds nothing', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ on_new_column: 'fail' })
  await (await bench.as('rota_dba')).query('create schema feeds create table price (dataset_id bigint, a text)')
  await bench.put('inbox/1.csv', 'a,x\n1,9\n')
  await assert.rejects(bench.run(), { code: 'new_column' })
  assert.deepEqual(await columnsOf(bench), ['dataset_id', 'a'])
})

test('a file in which fewer than half of the columns are found fails with both lists', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a,b,c\n1,2,3\n')
  await bench.run()
  await bench.put('inbox/2.csv', 'Report of today,c,x,y\n1,2,3,4\n')
  await assert.rejects(bench.run(), { code: 'header_not_recognised', detail: /"report_of_today", "c", "x", "y".*"a", "b", "c"/ })
  assert.deepEqual(await columnsOf(bench), ['price_id', 'dataset_id', 'a', 'b', 'c'])
})

test('where tables are not made, a missing one fails the file', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ on_new_column: 'ignore' })
  await bench.put('inbox/1.csv', 'a\n1\n')
  await assert.rejects(bench.run(), { code: 'target_not_found' })
})

test('a table without a column for its dataset gets one, and one with datasetid keeps it', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.query('create schema feeds authorization rota_target')
  await bench.query('create table feeds.price (a text); alter table feeds.price owner to rota_target')
  await bench.query(`insert into feeds.price values ('old')`)
  await bench.put('inbox/1.csv', 'a\n1\n')
  await bench.run()
  assert.deepEqual(await bench.query('select a, dataset_id from feeds.price order by a'), [
    { a: '1', dataset_id: 1 },
    { a: 'old', dataset_id: null },
  ])
})

test('values that a typed column does not take fail the file with the line', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.query('create schema feeds authorization rota_target')
  await bench.query('create table feeds.price (dataset_id bigint, a integer not null); alter table feeds.price owner to rota_target')
  await bench.put('inbox/1.csv', 'a\n1\n')
  await bench.put('inbox/2.csv', 'a\n1\nx\n')
  await bench.put('inbox/3.csv', 'a,b\n,1\n')
  await assert.rejects(bench.run(), {
    code: 'files_failed',
    message: '2 of 3 files could not be loaded',
    detail: /"2.csv": .*Line 3: Column "a" needs a whole number.*"x".*\n"3.csv": .*Line 2: Column "a" needs a value/s,
  })
  assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: 1 }])
})

test('more columns than a table can have fail the file and not the others', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const wide = Array.from({ length: 1700 }, (_, index) => `c${index}`)
  await bench.put('inbox/1.csv', `${wide.join(',')}\n${wide.join(',')}\n`)
  await bench.put('inbox/2.csv', 'a\n1\n')
  await assert.rejects(bench.run(), { code: 'files_failed', detail: /1600/ })
  assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: '1' }])
})
