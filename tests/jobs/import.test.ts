import assert from 'node:assert/strict'
import { copyFile, mkdir } from 'node:fs/promises'
import { test } from 'node:test'
import { utils, write } from 'xlsx'
import type { JobError } from '../../systemscripts/errors.ts'
import { importBench } from './import-harness.ts'

test('a CSV becomes a table of its columns as text, with its dataset and its key', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/prices_20261122.csv', 'Ticker,Unit Price,note\nABC,00123,\nNA,"1,5",""\n', new Date('2026-11-20T23:30:00Z'))
  const outcome = await bench.run()

  assert.deepEqual(await bench.query('select price_id, ticker, unit_price, note, dataset_id from feeds.price order by price_id'), [
    { price_id: 1, ticker: 'ABC', unit_price: '00123', note: null, dataset_id: 1 },
    { price_id: 2, ticker: 'NA', unit_price: '1,5', note: '', dataset_id: 1 },
  ])
  assert.deepEqual(
    await bench.query(
      'select label, dataset_date, datasource, datasettype, state, rows_read, rows_written, target_table, file_id from dba.dataset',
    ),
    [
      {
        label: 'prices_20261122',
        dataset_date: '2026-11-20',
        datasource: 'prices',
        datasettype: 'file',
        state: 'active',
        rows_read: 2,
        rows_written: 2,
        target_table: 'feeds.price',
        file_id: 1,
      },
    ],
  )
  assert.deepEqual(outcome, { note: '1 file loaded, 2 rows.', rowsRead: 2, rowsWritten: 2, rowsRejected: 0, bytesRead: 46, files: 1 })
})

test('the table belongs to rota_target, has a key and a small index on its dataset, and its DBA can read and write it', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.run()
  const [owner] = await bench.query(`
    select pg_get_userbyid(c.relowner) as table_owner, pg_get_userbyid(n.nspowner) as schema_owner,
           (select array_agg(pg_get_constraintdef(k.oid) order by contype) from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'f')) as keys
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = 'feeds.price'::regclass`)
  assert.deepEqual(owner, {
    table_owner: 'rota_target',
    schema_owner: 'rota_target',
    keys: ['PRIMARY KEY (price_id)'],
  })
  const dba = await bench.as('rota_dba')
  assert.deepEqual(await dba.query(`update feeds.price set a = '2' returning a`), [{ a: '2' }])
})

test('four kinds of file, told by their bytes, load into one table', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const book = utils.book_new()
  utils.book_append_sheet(
    book,
    utils.aoa_to_sheet([
      ['code', 'name'],
      ['001', 'x'],
    ]),
    'Data',
  )
  await bench.put('inbox/1.xlsx', write(book, { type: 'buffer', bookType: 'xlsx' }))
  await bench.put('inbox/2.xls', write(book, { type: 'buffer', bookType: 'biff8' }))
  await bench.put(
    'inbox/3.xls',
    '<html><body><table><tr><th>code</th><th>name</th></tr><tr><td>001</td><td>x</td></tr></table></body></html>',
  )
  await bench.put('inbox/4.csv', 'code;name\n001;x\n')
  const outcome = await bench.run()
  assert.equal(outcome.files, 4)
  assert.deepEqual(await bench.query('select dataset_id, code, name from feeds.price order by dataset_id'), [
    { dataset_id: 1, code: '001', name: 'x' },
    { dataset_id: 2, code: '001', name: 'x' },
    { dataset_id: 3, code: '001', name: 'x' },
    { dataset_id: 4, code: '001', name: 'x' },
  ])
})

test('the original is archived by day under a name of its own, and the ledger knows where', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const path = await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.run()
  const [file] = await bench.query<{ kept_path: string; state: string; path: string; sha256: string }>(
    'select kept_path, state, path, sha256 from dba.file',
  )
  assert.match(file?.kept_path ?? '', /archive\/prices\/\d{4}-\d\d-\d\d\/a\.1\.csv$/)
  assert.equal(file?.state, 'loaded')
  assert.equal(file?.path, path)
  assert.equal(file?.sha256.length, 64)
  assert.deepEqual(await bench.names('inbox'), [])
  assert.deepEqual(await bench.names('archive/prices'), ['a.1.csv'])
})

test('a second run finds nothing to do', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ file_pattern: '*.csv' })
  await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.run()
  const outcome = await bench.run()
  assert.equal(outcome.files, 0)
  assert.match(outcome.note ?? '', /No file matches .*inbox\/\*\.csv/)
  assert.deepEqual(await bench.query('select count(*) as rows from feeds.price'), [{ rows: 1 }])
})

test('label and date come from the name, by part or by expression, and from the folder', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ label_spec: '1', date_from: 'filename', date_spec: '^(\\d{8}T\\d{6})', date_format: 'yyyyMMddTHHmmss' })
  await bench.configure({
    config_name: 'sites',
    source_folder: 'sites',
    recurse: true,
    label_from: 'folder',
    date_from: 'static',
    date_spec: '24.12.2026',
    date_format: 'dd.MM.yyyy',
  })
  await bench.put('inbox/20261122T061500_120399.csv', 'a\n1\n')
  await bench.put('sites/north/hall/x.csv', 'a\n1\n')
  await bench.run()
  await bench.run({ config: 'sites' })
  assert.deepEqual(await bench.query('select label, dataset_date from dba.dataset order by dataset_id'), [
    { label: '120399', dataset_date: '2026-11-22' },
    { label: 'hall', dataset_date: '2026-12-24' },
  ])
})

test('source_file, source_row, metadata_label and event_date are filled where the target has them', async (t) => {
  const bench = await importBench(t)
  const dba = await bench.as('rota_dba')
  await dba.query('create schema feeds')
  await dba.query(
    'create table feeds.price (id serial primary key, datasetid bigint, a text, source_file text, source_row integer, metadata_label text, event_date date, loaded_at timestamptz default now())',
  )
  await bench.configure({
    on_new_column: 'ignore',
    on_missing_column: 'fail',
    label_from: 'static',
    label_spec: 'Hall 1',
    date_from: 'static',
    date_spec: '20261122',
  })
  await bench.put('inbox/x.csv', 'title\n\nb,a\n2,1\n4,3\n')
  await bench.run()
  assert.deepEqual(
    await bench.query(
      'select datasetid, a, source_file, source_row, metadata_label, event_date, loaded_at is not null as loaded from feeds.price order by a',
    ),
    [
      { datasetid: 1, a: '1', source_file: 'x.csv', source_row: 4, metadata_label: 'Hall 1', event_date: '2026-11-22', loaded: true },
      { datasetid: 1, a: '3', source_file: 'x.csv', source_row: 5, metadata_label: 'Hall 1', event_date: '2026-11-22', loaded: true },
    ],
  )
})

test('a column of the file that is named as one of ours is numbered', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/x.csv', 'price_id,dataset_id,a\n7,8,9\n')
  await bench.put('inbox/y.csv', 'price_id,dataset_id,a\n10,11,12\n')
  await bench.run()
  assert.deepEqual(await bench.query('select price_id, dataset_id, price_id_2, dataset_id_2, a from feeds.price order by price_id'), [
    { price_id: 1, dataset_id: 1, price_id_2: '7', dataset_id_2: '8', a: '9' },
    { price_id: 2, dataset_id: 2, price_id_2: '10', dataset_id_2: '11', a: '12' },
  ])
})

test('a run for one file takes that one only', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const path = await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.put('inbox/b.csv', 'a\n2\n')
  const outcome = await bench.run({ args: { file: path } })
  assert.equal(outcome.files, 1)
  assert.deepEqual(await bench.names('inbox'), ['b.csv'])

  const secondFire = await bench.run({ args: { file: path }, trigger: 'file' })
  assert.equal(secondFire.files, 0)
  await assert.rejects(bench.run({ args: { file: path } }), (error: JobError) => {
    assert.equal(error.code, 'file_not_found')
    assert.match(error.detail ?? '', /dealt with before/)
    return true
  })
  await assert.rejects(bench.run({ args: { file: 'inbox/never.csv' } }), { code: 'file_not_found' })
})

test('with a done-file a file waits for it, and the done-file goes with it', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ done_file: '.done' })
  await bench.put('inbox/a.csv', 'a\n1\n')
  assert.equal((await bench.run()).files, 0)
  await bench.put('inbox/a.csv.done', '')
  assert.equal((await bench.run()).files, 1)
  assert.deepEqual(await bench.names('inbox'), [])
})

test('odd names of folders and files do no harm', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ source_folder: 'in box/čšž', file_pattern: '*.csv' })
  await mkdir(`${bench.dataDir}/in box/čšž`, { recursive: true })
  const path = await bench.put('in box/čšž/it\'s "1" $(x) %s.csv', 'a\n1\n')
  await copyFile(path, `${bench.dataDir}/in box/čšž/.hidden.csv`)
  assert.equal((await bench.run()).files, 1)
  assert.deepEqual(await bench.names('archive/prices'), ['it\'s "1" $(x) %s.1.csv'])
})

test('a copy that comes while its original is wanted again is a duplicate', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.run()
  await bench.query(`update dba.file set state = 'retry'`)
  const copy = await bench.put('inbox/b.csv', 'a\n1\n')
  await bench.run({ args: { file: copy }, trigger: 'file' })
  await bench.run()
  assert.deepEqual(await bench.query('select file_name, state from dba.file order by file_id'), [
    { file_name: 'a.csv', state: 'loaded' },
    { file_name: 'b.csv', state: 'duplicate' },
  ])
  assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: '1' }])
})
