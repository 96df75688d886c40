/** A sheet whose first rows have three columns and a later one five. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workbook } from '../systemscripts/workbooks.ts'
import { type ImportBench, importBench } from './import-harness.ts'

function lateBook(): Buffer {
  const rows = Array.from({ length: 600 }, (_, row) => [`n${row}`, row, 'x', ...(row === 500 ? ['late', 'later'] : [])])
  return workbook({ Data: [['name', 'amount', 'note'], ...rows] }, 'xlsx')
}

async function loaded(bench: ImportBench, onNewColumn: string, more: Record<string, unknown> = {}): Promise<void> {
  await bench.query(`create schema feeds authorization rota_target;
    create table feeds.price (dataset_id bigint, name text, amount integer, note text); alter table feeds.price owner to rota_target`)
  await bench.configure({ file_pattern: '*', on_new_column: onNewColumn, max_rejects: null, ...more })
  await bench.put('inbox/book.xlsx', lateBook())
}

test('with add, values below the first rows get columns named by their place', async (t) => {
  for (const more of [{}, { load_mode: 'upsert', key_columns: ['name'] }]) {
    const bench = await importBench(t)
    await loaded(bench, 'add', more)
    await bench.run()
    assert.deepEqual(await bench.query(`select name, amount, note, column_4, column_5 from feeds.price where column_4 is not null`), [
      { name: 'n500', amount: 500, note: 'x', column_4: 'late', column_5: 'later' },
    ])
    assert.deepEqual(await bench.query('select rows_read, rows_written, rows_rejected from dba.dataset'), [
      { rows_read: 600, rows_written: 600, rows_rejected: 0 },
    ])
  }
})

test('with extra, they are kept in extra', async (t) => {
  const bench = await importBench(t)
  await loaded(bench, 'extra')
  await bench.run()
  assert.deepEqual(await bench.query('select name, extra from feeds.price where extra is not null'), [
    { name: 'n500', extra: { column_4: 'late', column_5: 'later' } },
  ])
})

test('with fail, the file fails and says which columns they are', async (t) => {
  const bench = await importBench(t)
  await loaded(bench, 'fail')
  await bench.run().catch(() => {})
  const [file] = await bench.query<{ state: string; reason: string }>('select state, reason from dba.file')
  assert.equal(file?.state, 'failed')
  assert.match(file?.reason ?? '', /"column_4", "column_5"/)
})

test('with propose, people are asked first', async (t) => {
  const bench = await importBench(t)
  await loaded(bench, 'propose')
  await bench.run()
  assert.deepEqual(await bench.query('select column_name from dba.columnproposal order by 1'), [
    { column_name: 'column_4' },
    { column_name: 'column_5' },
  ])
})

test('with ignore, the row is loaded without them, and the log says so', async (t) => {
  const bench = await importBench(t)
  await loaded(bench, 'ignore')
  await bench.run()
  assert.deepEqual(await bench.query('select count(*)::integer as rows from feeds.price'), [{ rows: 600 }])
  assert.ok(
    bench.log.some((line) => /column_4.*column_5/.test(JSON.stringify(line))),
    JSON.stringify(bench.log),
  )
})

test('a corrected row keeps them', async (t) => {
  const bench = await importBench(t)
  await loaded(bench, 'add')
  await bench.query(`alter table feeds.price add constraint amount_is_other check (amount <> 500)`)
  await bench.run()
  assert.deepEqual(await bench.query(`select raw from dba.reject`), [
    { raw: { name: 'n500', amount: '500', note: 'x', column_4: 'late', column_5: 'later' } },
  ])
  await bench.query(`update dba.reject set fixed = raw || '{"amount": "501"}', state = 'retry'`)
  await bench.run()
  assert.deepEqual(await bench.query(`select amount, column_4, column_5 from feeds.price where name = 'n500'`), [
    { amount: 501, column_4: 'late', column_5: 'later' },
  ])
})
