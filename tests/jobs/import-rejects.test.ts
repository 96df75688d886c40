import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ImportBench, importBench } from './import-harness.ts'

const allowed = { max_rejects: null }

async function target(bench: ImportBench, columns: string): Promise<void> {
  await bench.query(
    `create schema feeds authorization rota_target; create table feeds.price (${columns}); alter table feeds.price owner to rota_target`,
  )
}

test('rows that do not fit are left out and stand in dba.reject with line, column, value, rule and the row', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, name text, amount integer not null')
  await bench.configure(allowed)
  await bench.put('inbox/1.csv', 'name,amount\na,1\nb,x\nc,\nd,4\ne,5,6\n')
  const outcome = await bench.run()
  assert.equal(outcome.rowsWritten, 2)
  assert.deepEqual(await bench.query('select name, amount from feeds.price'), [
    { name: 'a', amount: 1 },
    { name: 'd', amount: 4 },
  ])
  assert.deepEqual(await bench.query('select line, column_name, value, rule, state, dataset_id from dba.reject order by line'), [
    { line: 3, column_name: 'amount', value: 'x', rule: 'not_a_number', state: 'open', dataset_id: 1 },
    { line: 4, column_name: 'amount', value: null, rule: 'required', state: 'open', dataset_id: 1 },
    { line: 6, column_name: null, value: '6', rule: 'too_many_fields', state: 'open', dataset_id: 1 },
  ])
  assert.deepEqual(await bench.query('select raw from dba.reject where line = 3'), [{ raw: { name: 'b', amount: 'x' } }])
  assert.deepEqual(await bench.query('select rows_read, rows_written, rows_rejected from dba.dataset'), [
    { rows_read: 5, rows_written: 2, rows_rejected: 3 },
  ])
})

test('what only Postgres can judge is refused row by row: checks, keys, types of other people', async (t) => {
  const bench = await importBench(t)
  await bench.query(`create schema feeds authorization rota_target; create type feeds.mood as enum ('sad', 'glad'); grant usage on type feeds.mood to rota_target;
    create table feeds.kind (kind text primary key); insert into feeds.kind values ('x'); alter table feeds.kind owner to rota_target;
    create table feeds.price (dataset_id bigint, id text unique, amount integer constraint amount_is_positive check (amount > 0), mood feeds.mood, kind text references feeds.kind);
    alter table feeds.price owner to rota_target`)
  await bench.configure(allowed)
  const good = Array.from({ length: 3000 }, (_, index) => `g${index},1,glad,x`)
  const bad = ['b1,-1,sad,x', 'g5,1,sad,x', 'b2,1,angry,x', 'b3,1,sad,y']
  await bench.put('inbox/1.csv', `id,amount,mood,kind\n${[...good.slice(0, 1500), ...bad, ...good.slice(1500)].join('\n')}\n`)
  const outcome = await bench.run()
  assert.equal(outcome.rowsWritten, 3000)
  const rejects = await bench.query<{ line: number; rule: string; message: string; raw: unknown }>(
    'select line, column_name, rule, message, raw from dba.reject order by line',
  )
  assert.deepEqual(
    rejects.map(({ line, rule }) => [line, rule]),
    [
      [1502, 'check'],
      [1503, 'unique'],
      [1504, 'value_refused'],
      [1505, 'foreign_key'],
    ],
  )
  assert.match(rejects[0]?.message ?? '', /amount_is_positive/)
  assert.deepEqual(rejects[2], { ...rejects[2], column_name: 'mood', raw: { id: 'b2', amount: '1', mood: 'angry', kind: 'x' } })
})

test('above max_rejects the file fails as a whole, nothing is loaded, and the refused rows stand there all the same', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, amount integer')
  await bench.configure({ max_rejects: 1 })
  await bench.put('inbox/1.csv', 'amount\n1\nx\ny\n')
  await assert.rejects(bench.run(), {
    code: 'too_many_rejects',
    message: '2 of 3 rows of "1.csv" do not fit, and max_rejects is 1',
    detail: /Line 3: .*"x".*\nLine 4: /s,
  })
  assert.deepEqual(await bench.query('select count(*) as rows from feeds.price'), [{ rows: 0 }])
  assert.deepEqual(await bench.query('select line, value, state, dataset_id from dba.reject order by line'), [
    { line: 3, value: 'x', state: 'open', dataset_id: null },
    { line: 4, value: 'y', state: 'open', dataset_id: null },
  ])
})

test('the share of refused rows is limited too', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, amount integer')
  await bench.configure({ max_rejects: null, max_reject_percent: 25 })
  await bench.put('inbox/1.csv', 'amount\n1\n2\n3\nx\n')
  assert.equal((await bench.run()).rowsWritten, 3)
  await bench.put('inbox/2.csv', 'amount\n1\n2\nx\n')
  await assert.rejects(bench.run(), { code: 'too_many_rejects', message: /max_reject_percent is 25/ })
})

test('a corrected row joins the dataset of its loaded file with the next run', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, name text, amount integer, source_file text, source_row bigint, metadata_label text')
  await bench.configure(allowed)
  await bench.put('inbox/1.csv', 'Name,Amount\na,1\nb,x\nc,y\n')
  await bench.run()
  const dba = await bench.as('rota_dba')
  await dba.query(`update dba.reject set fixed = '{"Amount": 2}', state = 'retry' where line = 3`)
  await dba.query(`update dba.reject set fixed = '{"Amount": "z"}', state = 'retry' where line = 4`)
  await bench.run()
  assert.deepEqual(await bench.query('select * from feeds.price order by source_row'), [
    { dataset_id: 1, name: 'a', amount: 1, source_file: '1.csv', source_row: 2, metadata_label: '1' },
    { dataset_id: 1, name: 'b', amount: 2, source_file: '1.csv', source_row: 3, metadata_label: '1' },
  ])
  assert.deepEqual(await bench.query('select line, state, value, dataset_id from dba.reject order by line'), [
    { line: 3, state: 'loaded', value: 'x', dataset_id: 1 },
    { line: 4, state: 'open', value: 'z', dataset_id: 1 },
  ])
  assert.deepEqual(await bench.query('select rows_written, rows_rejected from dba.dataset'), [{ rows_written: 2, rows_rejected: 1 }])
  await bench.run()
  assert.deepEqual(await bench.query('select count(*) as rows from feeds.price'), [{ rows: 2 }])
})

test('two runs at once let a corrected row join once', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, amount integer')
  await bench.configure(allowed)
  await bench.put('inbox/1.csv', 'amount\n1\nx\n')
  await bench.run()
  await bench.query(`update dba.reject set fixed = '{"amount": "2"}', state = 'retry'`)
  await Promise.all([bench.run(), bench.run(), bench.run()])
  assert.deepEqual(await bench.query('select amount from feeds.price order by amount'), [{ amount: 1 }, { amount: 2 }])
})

test('where the file failed as a whole, setting it to retry loads it with the corrected rows in place', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, amount integer check (amount < 100)')
  await bench.configure()
  await bench.put('inbox/1.csv', 'amount\n1\nx\n3\n')
  await assert.rejects(bench.run(), { code: 'too_many_rejects' })
  const dba = await bench.as('rota_dba')
  await dba.query(`update dba.reject set fixed = '{"amount": "500"}', state = 'retry'`)
  await dba.query(`update dba.file set state = 'retry'`)
  await assert.rejects(bench.run(), { code: 'too_many_rejects' })
  assert.deepEqual(await bench.query('select line, rule, state, fixed from dba.reject'), [
    { line: 3, rule: 'check', state: 'open', fixed: { amount: '500' } },
  ])
  await dba.query(`update dba.reject set fixed = '{"amount": "2"}', state = 'retry'`)
  await dba.query(`update dba.file set state = 'retry'`)
  await bench.run()
  assert.deepEqual(await bench.query('select amount from feeds.price order by amount'), [{ amount: 1 }, { amount: 2 }, { amount: 3 }])
  assert.deepEqual(await bench.query('select state, dataset_id from dba.reject'), [{ state: 'loaded', dataset_id: 3 }])
  await dba.query(`update dba.file set state = 'retry'`)
  await bench.run()
  assert.deepEqual(await bench.query('select amount from feeds.price order by amount'), [{ amount: 1 }, { amount: 2 }, { amount: 3 }])
})

test('a row that a person dismissed is left out in silence when its file is loaded again', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, amount integer')
  await bench.configure()
  await bench.put('inbox/1.csv', 'amount\n1\nx\n')
  await assert.rejects(bench.run(), { code: 'too_many_rejects' })
  await bench.query(`update dba.reject set state = 'dismissed'`)
  await bench.query(`update dba.file set state = 'retry'`)
  await bench.run()
  assert.deepEqual(await bench.query('select amount from feeds.price'), [{ amount: 1 }])
  assert.deepEqual(await bench.query('select state from dba.reject'), [{ state: 'dismissed' }])
})

test('columns by rules: types with formats, null tokens, defaults, transforms, patterns and one header for two columns', async (t) => {
  const bench = await importBench(t)
  await bench.configure(allowed)
  await bench.query(`insert into dba.importcolumn (config_name, column_name, source_name, type, format, null_tokens, transform, default_value, is_required) values
    ('prices', 'amount', 'Betrag (EUR)', 'numeric(12,2)', '1.234,56', '{-}', null, null, false),
    ('prices', 'booked', '/^Datum/', 'date', 'dd.MM.yyyy', null, null, null, true),
    ('prices', 'code', null, 'text', null, null, 'trim | upper', null, false),
    ('prices', 'raw_code', 'Code', 'text', null, null, null, null, false),
    ('prices', 'currency', null, 'text', null, null, null, 'EUR', false)`)
  await bench.put('inbox/1.csv', 'Code;Datum der Buchung;Betrag (EUR)\n ab ;31.12.2026;1.234,50\ncd;30.02.2026;1\nef;01.01.2026;-\n')
  await bench.run()
  assert.deepEqual(
    await bench.query('select to_jsonb(p) - $1::text[] as row from feeds.price p order by booked', [['price_id', 'dataset_id']]),
    [
      { row: { code: 'EF', raw_code: 'ef', booked: '2026-01-01', amount: null, currency: 'EUR' } },
      { row: { code: 'AB', raw_code: ' ab ', booked: '2026-12-31', amount: 1234.5, currency: 'EUR' } },
    ],
  )
  assert.deepEqual(await bench.query('select line, column_name, rule from dba.reject'), [
    { line: 3, column_name: 'booked', rule: 'no_such_day' },
  ])
})

test('a replacing file of which no row fits fails, whatever the limit, and the old rows stay', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, amount integer')
  await bench.configure({ load_mode: 'replace', max_rejects: null })
  await bench.put('inbox/1.csv', 'amount\n1\n')
  await bench.run()
  await bench.put('inbox/2.csv', 'amount\nx\n')
  await assert.rejects(bench.run(), { code: 'too_many_rejects', message: /none would be left/ })
  assert.deepEqual(await bench.query('select amount from feeds.price'), [{ amount: 1 }])
})

test('corrected rows whose sheet is read no more say so and stay out', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, amount integer')
  await bench.configure(allowed)
  await bench.put('inbox/1.csv', 'amount\n1\nx\n')
  await bench.run()
  await bench.pool.query(`update dba.reject set sheet = 'gone', fixed = '{"amount": "2"}', state = 'retry'`)
  await bench.run()
  assert.deepEqual(await bench.query('select state, rule, message from dba.reject'), [
    { state: 'open', rule: 'not_joined', message: '1 of 1 corrected rows belong to no sheet of "1.csv"' },
  ])
  assert.deepEqual(await bench.query('select amount from feeds.price'), [{ amount: 1 }])
})

test('many rows that Postgres refuses are found among many that it takes', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, id integer check (id % 97 <> 5)')
  await bench.configure(allowed)
  const ids = Array.from({ length: 20_000 }, (_, index) => index)
  await bench.put('inbox/1.csv', `id\n${ids.join('\n')}\n`)
  await bench.run()
  const bad = ids.filter((id) => id % 97 === 5)
  assert.deepEqual(await bench.query('select count(*) as rows, count(distinct id) as ids from feeds.price'), [
    { rows: ids.length - bad.length, ids: ids.length - bad.length },
  ])
  assert.deepEqual(
    (await bench.query<{ line: number }>('select line from dba.reject order by line')).map(({ line }) => line),
    bad.map((id) => id + 2),
  )
})

test('a file killed after its rows were refused by Postgres is loaded once, with each refused row once', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, a integer check (a < 10)')
  await bench.configure(allowed)
  await bench.put('inbox/1.csv', 'a\n1\n20\n')
  // Claim, hash, dataset, staging, load.
  for (const seam of ['before 5', 'after 5']) {
    const runId = await bench.runKilled(seam)
    await bench.pool.query(
      `update dba.run set state = 'failed', finished_at = now(), error_code = 'worker_lost', error_message = 'lost' where run_id = $1`,
      [runId],
    )
  }
  await bench.run()
  assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: 1 }])
  assert.deepEqual(await bench.query('select line from dba.reject'), [{ line: 3 }])
  assert.deepEqual(await bench.query('select state from dba.dataset'), [{ state: 'active' }])
})
