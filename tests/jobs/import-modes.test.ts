import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ImportBench, importBench } from './import-harness.ts'

async function target(bench: ImportBench, columns: string): Promise<void> {
  await bench.query(
    `create schema feeds authorization rota_target; create table feeds.price (${columns}); alter table feeds.price owner to rota_target`,
  )
}

async function load(bench: ImportBench, name: string, content: string) {
  await bench.put(`inbox/${name}`, content)
  return await bench.run()
}

test('replace leaves only the rows of the new file, and readers see the old ones until then', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ load_mode: 'replace' })
  await load(bench, '1.csv', 'a\n1\n')
  await bench.query(`alter table feeds.price alter column dataset_id drop not null; insert into feeds.price (a) values ('by hand')`)
  let seen: unknown
  await bench.put('inbox/2.csv', 'a\n2\n3\n')
  await bench.run({
    beforeCommit: async (commit) => {
      if (commit === 4) seen = await bench.query('select a from feeds.price order by a')
    },
  })
  assert.deepEqual(seen, [{ a: '1' }, { a: 'by hand' }])
  assert.deepEqual(await bench.query('select a from feeds.price order by a'), [{ a: '2' }, { a: '3' }])
  assert.deepEqual(await bench.query('select state, reason from dba.dataset order by dataset_id'), [
    { state: 'superseded', reason: 'superseded by dataset 2' },
    { state: 'active', reason: null },
  ])
})

test('replace goes on where the target has a key of its own that old and new rows share', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, ticker text primary key, price numeric')
  await bench.configure({ load_mode: 'replace' })
  await load(bench, '1.csv', 'ticker,price\nA,1\nB,2\n')
  await load(bench, '2.csv', 'ticker,price\nB,3\n')
  assert.deepEqual(await bench.query('select ticker, price, dataset_id from feeds.price'), [{ ticker: 'B', price: '3', dataset_id: 2 }])
})

test('a replacing file that fails leaves the old rows and their dataset in force', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, ticker text primary key, price numeric')
  await bench.configure({ load_mode: 'replace' })
  await load(bench, '1.csv', 'ticker,price\nA,1\n')
  await assert.rejects(load(bench, '2.csv', 'ticker,price\nB,x\n'), { code: 'too_many_rejects' })
  assert.deepEqual(await bench.query('select ticker from feeds.price'), [{ ticker: 'A' }])
  assert.deepEqual(await bench.query('select state from dba.dataset order by dataset_id'), [{ state: 'active' }, { state: 'failed' }])
})

for (const key of ['a unique index', 'no index']) {
  test(`upsert with ${key} updates by key and inserts the others`, async (t) => {
    const bench = await importBench(t)
    const isUnique = key === 'a unique index'
    await target(
      bench,
      `dataset_id bigint, ticker text, day date, price numeric(9,2), note text${isUnique ? ', unique (day, ticker)' : ''}`,
    )
    await bench.configure({ load_mode: 'upsert', key_columns: ['ticker', 'day'] })
    await load(bench, '1.csv', 'ticker,day,price,note\nA,2026-01-01,1,old\nB,2026-01-01,2,old\n')
    const outcome = await load(bench, '2.csv', 'ticker,day,price\nB,2026-01-01,2.5\nC,2026-01-01,3\n')
    assert.equal(outcome.rowsWritten, 2)
    assert.deepEqual(await bench.query('select ticker, price, note, dataset_id from feeds.price order by ticker'), [
      { ticker: 'A', price: '1.00', note: 'old', dataset_id: 1 },
      { ticker: 'B', price: '2.50', note: 'old', dataset_id: 2 },
      { ticker: 'C', price: '3.00', note: null, dataset_id: 2 },
    ])
    assert.deepEqual(
      bench.log.filter((line) => line.message === 'File "2.csv" is loaded').map(({ data }) => [data.rows_written, data.rows_updated]),
      [[2, 1]],
    )
    assert.deepEqual(await bench.query(`select tablename from pg_tables where schemaname = 'rota_staging'`), [])
  })
}

test('an upsert makes its table when there is none', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ load_mode: 'upsert', key_columns: ['id'] })
  await load(bench, '1.csv', 'id,v\n1,a\n2,b\n')
  await load(bench, '2.csv', 'id,v\n2,c\n')
  assert.deepEqual(await bench.query('select id, v from feeds.price order by id'), [
    { id: '1', v: 'a' },
    { id: '2', v: 'c' },
  ])
})

test('the same key twice in a file fails it, or the last or the first row counts', async (t) => {
  const bench = await importBench(t)
  const keyed = { load_mode: 'upsert', key_columns: ['id'] }
  await bench.configure(keyed)
  await assert.rejects(load(bench, '1.csv', 'id,v\n1,a\n2,b\n1,c\n'), { code: 'duplicate_key', detail: 'id "1": lines 2, 4' })
  for (const [config, rule, value] of [
    ['last', 'last', 'c'],
    ['first', 'first', 'a'],
  ]) {
    await bench.configure({ ...keyed, config_name: config, source_folder: config, on_duplicate_key: rule, target_table: `feeds.${config}` })
    await bench.put(`${config}/1.csv`, 'id,v\n1,a\n2,b\n1,c\n')
    await bench.run({ config: config ?? '' })
    assert.deepEqual(await bench.query(`select v from feeds.${config} where id = '1'`), [{ v: value }])
  }
})

test('keys are compared as the target holds them, and a row without a key is refused', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, id numeric(9,2), v text')
  await bench.configure({ load_mode: 'upsert', key_columns: ['id'], on_duplicate_key: 'last', max_rejects: 1 })
  await load(bench, '1.csv', 'id,v\n1.5,a\n1.50,b\n,c\n')
  assert.deepEqual(await bench.query('select id, v from feeds.price'), [{ id: '1.50', v: 'b' }])
  assert.deepEqual(await bench.query('select line, column_name, rule, raw from dba.reject'), [
    { line: 4, column_name: 'id', rule: 'key_is_empty', raw: { id: null, v: 'c' } },
  ])
})

test('a file without a key column fails, and says what it has', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ load_mode: 'upsert', key_columns: ['id'] })
  await assert.rejects(load(bench, '1.csv', 'a,b\n1,2\n'), { code: 'key_column_missing', detail: 'It has "a", "b".' })
  assert.deepEqual(await bench.query(`select to_regclass('feeds.price') as target`), [{ target: null }])
})

test('append_new by key leaves rows that are there as they are', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ load_mode: 'append_new', key_columns: ['id'] })
  await load(bench, '1.csv', 'id,v\n1,a\n')
  const outcome = await load(bench, '2.csv', 'id,v\n1,z\n2,b\n')
  assert.equal(outcome.rowsWritten, 1)
  assert.deepEqual(await bench.query('select id, v, dataset_id from feeds.price order by id'), [
    { id: '1', v: 'a', dataset_id: 1 },
    { id: '2', v: 'b', dataset_id: 2 },
  ])
})

test('append_new without a key knows rows by all their values, null and empty text apart', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ load_mode: 'append_new' })
  await load(bench, '1.csv', 'a,b\n1,\n2,x\n')
  await load(bench, '2.csv', 'a,b\n1,\n1,""\n2,y\n2,y\n')
  assert.deepEqual(await bench.query('select a, b, dataset_id from feeds.price order by price_id'), [
    { a: '1', b: null, dataset_id: 1 },
    { a: '2', b: 'x', dataset_id: 1 },
    { a: '1', b: '', dataset_id: 2 },
    { a: '2', b: 'y', dataset_id: 2 },
  ])
})

test('loading an upserted file again takes out what it brought and brings it anew', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ load_mode: 'upsert', key_columns: ['id'] })
  await load(bench, '1.csv', 'id,v\n1,a\n')
  await bench.query(`update dba.file set state = 'retry'`)
  await bench.run()
  assert.deepEqual(await bench.query('select id, v, dataset_id from feeds.price'), [{ id: '1', v: 'a', dataset_id: 2 }])
})

test('two upserts of the same key at once leave one row', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, id text, v text')
  await bench.configure({ load_mode: 'upsert', key_columns: ['id'] })
  for (const name of ['1', '2', '3']) await bench.put(`inbox/${name}.csv`, `id,v\n1,${name}\n`)
  await Promise.all(['1', '2', '3'].map((name) => bench.run({ args: { file: `inbox/${name}.csv` } })))
  assert.deepEqual(await bench.query('select count(*) as rows from feeds.price'), [{ rows: 1 }])
})

for (const seam of ['before 4', 'after 4', 'before 5', 'after 5', 'kept']) {
  test(`an upsert killed at the seam "${seam}" is loaded once, and its staging table is gone`, async (t) => {
    const bench = await importBench(t)
    await bench.configure({ load_mode: 'upsert', key_columns: ['a'] })
    await bench.put('inbox/a.csv', 'a\n1\n2\n')
    const runId = await bench.runKilled(seam)
    const outcome = await bench.run({ runId })
    assert.equal(outcome.rowsWritten, 2)
    assert.deepEqual(await bench.query('select state from dba.dataset'), [{ state: 'active' }])
    assert.deepEqual(await bench.query('select a from feeds.price order by a'), [{ a: '1' }, { a: '2' }])
    assert.deepEqual(await bench.names('archive'), ['a.1.csv'])
    assert.deepEqual(await bench.query(`select tablename from pg_tables where schemaname = 'rota_staging'`), [])
  })
}

test('both lanes load the same rows, however odd the values', async (t) => {
  const bench = await importBench(t)
  const columns =
    'dataset_id bigint, a text, b text not null, n numeric(12,3), d date, j jsonb, c varchar(5), f double precision, i inet, rota_line_2 text, source_row bigint'
  await bench.query(
    `create schema feeds authorization rota_target; create table feeds.direct (${columns}); create table feeds.staged (${columns}); alter table feeds.direct owner to rota_target; alter table feeds.staged owner to rota_target`,
  )
  for (const lane of ['direct', 'staged']) {
    await bench.configure({ config_name: lane, source_folder: lane, target_table: `feeds.${lane}`, max_rejects: null })
    await bench.put(
      `${lane}/1.csv`,
      [
        'a,b,n,d,j,c,f,i,rota_line',
        '"tab\there","back\\slash",1.5,2026-01-31,"{""k"": [1, null]}",ab,1e300,10.0.0.1,x',
        '"line\nbreak","\\.",0.125,2026-02-01,null,"",NaN,::1,',
        ',"",,,,,,,',
        '\\N,"zürich 🚀",-3,0044-03-15,"""text""",abcde,-0,192.168.0.0/24,""',
        'too long,x,1,2026-01-01,1,abcdefgh,1,10.0.0.1,',
        'no day,x,1,2026-02-30,1,abc,1,10.0.0.1,',
      ].join('\r\n'),
    )
  }
  await bench.query(`update dba.importconfig set on_new_column = 'fail'`)
  await bench.query(
    `insert into dba.importcheck (config_name, check_name, kind, expression) values ('staged', 'any', 'expression', 'source_row is null or b is not null')`,
  )
  for (const lane of ['direct', 'staged']) await bench.run({ config: lane })
  const rowsOf = async (table: string) =>
    await bench.query(`select to_jsonb(t) - 'dataset_id' as row from feeds.${table} t order by source_row`)
  const direct = await rowsOf('direct')
  assert.equal(direct.length, 4)
  assert.deepEqual(direct, await rowsOf('staged'))
  const rejectsOf = async (config: string) =>
    await bench.query(
      `select r.line, r.column_name, r.rule, r.value, r.raw from dba.reject r join dba.file f using (file_id) where f.config_name = $1 order by line`,
      [config],
    )
  const rejects = await rejectsOf('direct')
  assert.deepEqual(
    rejects.map(({ column_name: column, rule }) => [column, rule]),
    [
      ['c', 'too_long'],
      ['d', 'no_such_day'],
    ],
  )
  assert.deepEqual(rejects, await rejectsOf('staged'))
})
