import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { importBench } from './import-harness.ts'

const sameKey = { load_mode: 'replace_dataset', label_from: 'static', label_spec: 'list', date_from: 'static', date_spec: '20261122' }

test('the same bytes under another name are not loaded again, and a row names the earlier file', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.run()
  await bench.put('inbox/b.csv', 'a\n1\n')
  const outcome = await bench.run()
  assert.equal(outcome.note, '1 duplicate not loaded again.')
  const [file] = await bench.query<{ state: string; reason: string; dataset_id: number | null; kept_path: string }>(
    'select state, reason, dataset_id, kept_path from dba.file where file_id = 2',
  )
  assert.equal(file?.state, 'duplicate')
  assert.match(file?.reason ?? '', /^Same bytes as file 1 "a.csv", loaded \d{4}-\d\d-\d\d/)
  assert.equal(file?.dataset_id, null)
  assert.deepEqual(await bench.query('select count(*) as rows from feeds.price'), [{ rows: 1 }])
  assert.deepEqual(await bench.names('archive'), ['a.1.csv', 'b.2.csv'])
})

test('the same name with other bytes is another file', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.run()
  await bench.put('inbox/a.csv', 'a\n2\n')
  await bench.run()
  assert.deepEqual(await bench.query('select a from feeds.price order by a'), [{ a: '1' }, { a: '2' }])
  assert.deepEqual(await bench.names('archive'), ['a.1.csv', 'a.2.csv'])
})

test('append keeps former datasets in force', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ ...sameKey, load_mode: 'append' })
  await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.put('inbox/b.csv', 'a\n2\n')
  await bench.run()
  assert.deepEqual(await bench.query('select state from dba.dataset'), [{ state: 'active' }, { state: 'active' }])
})

test('replace_dataset takes out the rows of the former one of the same source, type, label and date, and of no other', async (t) => {
  const bench = await importBench(t)
  await bench.configure(sameKey)
  await bench.configure({ ...sameKey, config_name: 'others', source_folder: 'others' })
  await bench.put('others/z.csv', 'a\n0\n')
  await bench.run({ config: 'others' })
  await bench.put('inbox/a.csv', 'a\n1\n2\n')
  await bench.run()
  await bench.put('inbox/b.csv', 'a\n3\n')
  await bench.run()
  assert.deepEqual(await bench.query('select dataset_id, a from feeds.price order by a'), [
    { dataset_id: 1, a: '0' },
    { dataset_id: 3, a: '3' },
  ])
  assert.deepEqual(
    await bench.query('select dataset_id, state, reason, valid_to is not null as ended from dba.dataset order by dataset_id'),
    [
      { dataset_id: 1, state: 'active', reason: null, ended: false },
      { dataset_id: 2, state: 'superseded', reason: 'superseded by dataset 3', ended: true },
      { dataset_id: 3, state: 'active', reason: null, ended: false },
    ],
  )
})

test('a failed file supersedes nothing', async (t) => {
  const bench = await importBench(t)
  await bench.configure(sameKey)
  await bench.put('inbox/a.csv', 'a,b\n1,2\n')
  await bench.run()
  await bench.put('inbox/b.csv', 'a,b\n3,4\n5,6,7\n')
  await assert.rejects(bench.run(), { code: 'too_many_rejects' })
  assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: '1' }])
  assert.deepEqual(await bench.query('select state from dba.dataset order by dataset_id'), [{ state: 'active' }, { state: 'failed' }])
})

test('a file with column names only is an empty dataset that supersedes nothing and makes no table', async (t) => {
  const bench = await importBench(t)
  await bench.configure(sameKey)
  await bench.put('inbox/a.csv', 'a,b\n')
  const outcome = await bench.run()
  assert.equal(outcome.note, '1 file loaded, 0 rows; 1 of them empty.')
  assert.deepEqual(await bench.query(`select to_regclass('feeds.price') as target`), [{ target: null }])

  await bench.put('inbox/b.csv', 'a,b\n1,2\n')
  await bench.run()
  await bench.put('inbox/c.csv', 'a,b,c\n')
  await bench.run()
  assert.deepEqual(await bench.query('select state, reason from dba.dataset order by dataset_id'), [
    { state: 'empty', reason: 'The file has column names and no rows.' },
    { state: 'active', reason: null },
    { state: 'empty', reason: 'The file has column names and no rows.' },
  ])
  assert.deepEqual(await bench.query('select to_jsonb(p) - $1 as row from feeds.price p', ['price_id']), [
    { row: { a: '1', b: '2', dataset_id: 2 } },
  ])
})

test('empty_when makes a file empty wherever its first column says so, and leaves no trace in the target', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ ...sameKey, empty_when: '^Invalid Event ID' })
  await bench.put('inbox/a.csv', 'a,b\n1,2\n')
  await bench.run()
  await bench.put('inbox/b.xls', '<table><tr><td>Invalid Event ID: 120399</td></tr></table>')
  const many = Array.from({ length: 5000 }, (_, index) => `${index},x,y`).join('\n')
  await bench.put('inbox/c.csv', `a,b,new\n${many}\nInvalid Event ID: 5,,\n`)
  const outcome = await bench.run()
  assert.equal(outcome.note, '2 files loaded, 0 rows; 2 of them empty.')
  assert.deepEqual(await bench.query('select state, reason from dba.dataset where dataset_id > 1 order by dataset_id'), [
    { state: 'empty', reason: 'The first column says "Invalid Event ID: 120399" in line 1.' },
    { state: 'empty', reason: 'The first column says "Invalid Event ID: 5" in line 5002.' },
  ])
  assert.deepEqual(await bench.query('select to_jsonb(p) - $1 as row from feeds.price p', ['price_id']), [
    { row: { a: '1', b: '2', dataset_id: 1 } },
  ])
})

test('deleting a dataset takes its rows out in the same transaction', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.put('inbox/b.csv', 'a\n2\n')
  await bench.run()
  const dba = await bench.as('rota_dba')
  await dba.query('begin')
  await dba.query(`update dba.dataset set state = 'deleted' where dataset_id = 1`)
  assert.deepEqual(await bench.query('select a from feeds.price order by a'), [{ a: '1' }, { a: '2' }])
  await dba.query('commit')
  assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: '2' }])
  assert.deepEqual(await bench.query('select state, valid_to is not null as ended from dba.dataset where dataset_id = 1'), [
    { state: 'deleted', ended: true },
  ])
})

test('retry loads the kept bytes again in the place of the rows they had become', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/a.csv', 'a;b\n1;2\n')
  await bench.run()
  const dba = await bench.as('rota_dba')
  await dba.query(`update dba.importconfig set name_rule = 'readable', delimiter = ';'`)
  await dba.query(`update dba.file set state = 'retry' where file_name = 'a.csv'`)

  const outcome = await bench.run()
  assert.equal(outcome.files, 1)
  assert.deepEqual(await bench.query('select a, b, dataset_id from feeds.price'), [{ a: '1', b: '2', dataset_id: 2 }])
  assert.deepEqual(await bench.query('select state from dba.dataset order by dataset_id'), [{ state: 'superseded' }, { state: 'active' }])
  assert.deepEqual(await bench.query('select state, dataset_id from dba.file'), [{ state: 'loaded', dataset_id: 2 }])
  assert.deepEqual(await bench.names('archive'), ['a.1.csv'])
})

test('a failed file that was mended where it is kept loads by retry and moves to the archive', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/a.csv', 'a,b\n1,2,3\n')
  await assert.rejects(bench.run())
  const [failed] = await bench.query<{ kept_path: string }>('select kept_path from dba.file')
  await writeFile(failed?.kept_path ?? '', 'a,b\n1,2\n')
  await bench.query(`update dba.file set state = 'retry'`)
  await bench.run()
  assert.deepEqual(await bench.query('select a, b from feeds.price'), [{ a: '1', b: '2' }])
  assert.deepEqual(await bench.names('failed'), [])
  const [kept] = await bench.query<{ kept_path: string; state: string }>('select kept_path, state from dba.file')
  assert.equal(kept?.state, 'loaded')
  assert.equal(await readFile(kept?.kept_path ?? '', 'utf8'), 'a,b\n1,2\n')
})

test('a retry whose kept bytes are gone fails and says where they were', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.run()
  await rm(`${bench.dataDir}/archive`, { recursive: true })
  await bench.query(`update dba.file set state = 'retry'`)
  await assert.rejects(bench.run(), { code: 'kept_file_missing', detail: /archive\/prices\/.*a\.1\.csv/ })
  assert.deepEqual(await bench.query('select state from dba.file'), [{ state: 'failed' }])
  assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: '1' }])
})
