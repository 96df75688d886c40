import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ImportBench, importBench } from './import-harness.ts'

async function check(bench: ImportBench, row: Record<string, unknown>): Promise<void> {
  const all = { config_name: 'prices', ...row }
  const places = Object.keys(all).map((_, index) => `$${index + 1}`)
  await bench.query(`insert into dba.importcheck (${Object.keys(all).join(', ')}) values (${places.join(', ')})`, Object.values(all))
}

async function load(bench: ImportBench, name: string, content: string) {
  await bench.put(`inbox/${name}`, content)
  return await bench.run()
}

const typed =
  'create schema feeds authorization rota_target; create table feeds.price (dataset_id bigint, ticker text, amount integer); alter table feeds.price owner to rota_target'

for (const [title, row, bad, detail] of [
  ['too few rows', { kind: 'min_rows', low: 2 }, 'ticker,amount\nA,1\n', 'Check "c": 1 rows, at least 2 expected.'],
  ['too many rows', { kind: 'max_rows', high: 1 }, 'ticker,amount\nA,1\nB,2\n', 'Check "c": 2 rows, at most 1 expected.'],
  [
    'too many empty values',
    { kind: 'null_share', column_name: 'amount', high: 0.25 },
    'ticker,amount\nA,\nB,2\n',
    'Check "c": 50 % of "amount" is empty (1 of 2 rows), at most 25 % expected.',
  ],
  [
    'a value twice',
    { kind: 'unique', column_name: 'ticker' },
    'ticker,amount\nA,1\nA,2\n',
    'Check "c": "ticker" is not unique: 1 value more than once, as "A" 2 times.',
  ],
  [
    'a value that is not allowed',
    { kind: 'allowed', column_name: 'ticker', allowed: ['A', 'B'] },
    'ticker,amount\nA,1\nX,2\n,3\n',
    'Check "c": "ticker" has values that are not allowed in 1 row: "X" (1).',
  ],
  [
    'a condition that a row does not meet',
    { kind: 'expression', expression: 'amount > 0' },
    'ticker,amount\nA,1\nB,-1\nC,\n',
    'Check "c": 1 row does not meet it: amount > 0.',
  ],
  [
    'a query over all rows',
    { kind: 'expression', expression: 'select sum(amount) > 10 from staging' },
    'ticker,amount\nA,1\nB,2\n',
    'Check "c": not true: select sum(amount) > 10 from staging.',
  ],
] as const) {
  test(`a check fails the file: ${title}`, async (t) => {
    const bench = await importBench(t)
    await bench.query(typed)
    await bench.configure()
    await check(bench, { check_name: 'c', ...row })
    await assert.rejects(load(bench, '1.csv', bad), { code: 'check_failed', detail })
    assert.deepEqual(await bench.query('select count(*) as rows from feeds.price'), [{ rows: 0 }])
    assert.deepEqual(await bench.query(`select tablename from pg_tables where schemaname = 'rota_staging'`), [])
    assert.equal(
      (await load(bench, '2.csv', 'ticker,amount\nA,7\nB,5\n').catch((error) => error.code)) === 'check_failed',
      title === 'too many rows',
    )
  })
}

test('the number of rows is compared with the median of the last good files', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await check(bench, { check_name: 'usual', kind: 'rows_near_median', low: 0.5, high: 2 })
  const rows = (count: number, name: string) => `a\n${Array.from({ length: count }, (_, index) => `${name}${index}`).join('\n')}\n`
  for (const name of ['x', 'y', 'z']) await load(bench, `${name}.csv`, rows(10, name))
  await assert.rejects(load(bench, 'few.csv', rows(4, 'few')), {
    code: 'check_failed',
    detail: 'Check "usual": 4 rows, 5 to 20 expected: the last 3 good files had 10 in the middle.',
  })
  assert.equal((await load(bench, 'some.csv', rows(5, 'some'))).rowsWritten, 5)
})

test('a check that only warns is said in the log and at the dataset', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await check(bench, { check_name: 'enough', kind: 'min_rows', low: 2, severity: 'warn' })
  await load(bench, '1.csv', 'a\n1\n')
  assert.deepEqual(await bench.query('select state, reason from dba.dataset'), [
    { state: 'active', reason: 'Check "enough": 1 rows, at least 2 expected.' },
  ])
  assert.ok(bench.log.some((line) => line.level === 'warning' && line.message === 'Check "enough": 1 rows, at least 2 expected.'))
})

test('an expression is evaluated as rota_job, which sees no control table and changes nothing', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await check(bench, { check_name: 'nosy', kind: 'expression', expression: 'select count(*) > 0 from dba.secret' })
  await assert.rejects(load(bench, '1.csv', 'a\n1\n'), { code: 'check_not_evaluated', message: /permission denied/ })
})

for (const [lane, row] of [
  ['directly', { kind: 'min_rows', low: 2 }],
  ['by the staging table', { kind: 'expression', expression: `a <> '1'` }],
] as const) {
  test(`quarantined ${lane}, rows stand beside the target, and are released or dropped by an UPDATE`, async (t) => {
    const bench = await importBench(t)
    const sameKey = { label_from: 'static', label_spec: 'list', date_from: 'static', date_spec: '20261122', load_mode: 'replace_dataset' }
    await bench.configure(sameKey)
    await load(bench, '0.csv', 'a,b\n0,x\n0,y\n')
    await check(bench, { check_name: 'c', severity: 'quarantine', ...row })
    await load(bench, '1.csv', 'a,b\n1,x\n')
    assert.deepEqual(await bench.query('select a, b, dataset_id from feeds.price_quarantine'), [{ a: '1', b: 'x', dataset_id: 2 }])
    assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: '0' }, { a: '0' }])
    assert.deepEqual(await bench.query('select state from dba.dataset order by dataset_id'), [
      { state: 'active' },
      { state: 'quarantined' },
    ])
    const [file] = await bench.query<{ state: string; reason: string }>('select state, reason from dba.file where file_id = 2')
    assert.equal(file?.state, 'quarantined')
    assert.match(file?.reason ?? '', /^Check "c": /)
    assert.deepEqual(await bench.names('inbox'), [])

    const dba = await bench.as('rota_dba')
    await dba.query(`update dba.dataset set state = 'active' where dataset_id = 2`)
    assert.deepEqual(await bench.query('select a, b, dataset_id from feeds.price'), [{ a: '1', b: 'x', dataset_id: 2 }])
    assert.deepEqual(await bench.query('select count(*) as rows from feeds.price_quarantine'), [{ rows: 0 }])

    await load(bench, '2.csv', 'a,b,c\n1,z,new\n')
    assert.deepEqual(await bench.query('select a, b, c from feeds.price_quarantine'), [{ a: '1', b: 'z', c: 'new' }])
    await dba.query(`update dba.dataset set state = 'deleted' where dataset_id = 3`)
    assert.deepEqual(await bench.query('select count(*) as rows from feeds.price_quarantine'), [{ rows: 0 }])
    assert.deepEqual(await bench.query('select a, b from feeds.price'), [{ a: '1', b: 'x' }])
  })
}

test('a quarantined file that is loaded again leaves one dataset in quarantine', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await check(bench, { check_name: 'c', kind: 'min_rows', low: 2, severity: 'quarantine' })
  await load(bench, '1.csv', 'a\n1\n')
  await bench.query(`update dba.file set state = 'retry'`)
  await bench.run()
  assert.deepEqual(await bench.query('select dataset_id from feeds.price_quarantine'), [{ dataset_id: 2 }])
  await bench.query('delete from dba.importcheck')
  await bench.query(`update dba.file set state = 'retry'`)
  await bench.run()
  assert.deepEqual(await bench.query('select dataset_id from feeds.price_quarantine'), [])
  assert.deepEqual(await bench.query('select dataset_id, a from feeds.price'), [{ dataset_id: 3, a: '1' }])
  assert.deepEqual(await bench.query('select state from dba.dataset order by dataset_id'), [
    { state: 'superseded' },
    { state: 'superseded' },
    { state: 'active' },
  ])
})

test('quarantined rows that share keys with those in force leave them as they are', async (t) => {
  const bench = await importBench(t)
  await bench.query(
    'create schema feeds authorization rota_target; create table feeds.price (dataset_id bigint, a text primary key); alter table feeds.price owner to rota_target',
  )
  await bench.configure({ load_mode: 'replace' })
  await load(bench, '1.csv', 'a\nx\ny\n')
  await check(bench, { check_name: 'c', kind: 'min_rows', low: 2, severity: 'quarantine' })
  await load(bench, '2.csv', 'a\nx\n')
  assert.deepEqual(await bench.query('select a, dataset_id from feeds.price order by a'), [
    { a: 'x', dataset_id: 1 },
    { a: 'y', dataset_id: 1 },
  ])
  assert.deepEqual(await bench.query('select a, dataset_id from feeds.price_quarantine'), [{ a: 'x', dataset_id: 2 }])
})

test('a run says what it read of a quarantined file, and what is held back', async (t) => {
  const bench = await importBench(t)
  await bench.query(typed)
  await bench.configure({ max_rejects: null })
  await check(bench, { check_name: 'c', kind: 'max_rows', high: 1, severity: 'quarantine' })
  const outcome = await load(bench, '1.csv', 'ticker,amount\nA,1\nB,2\nC,x\n')
  const { note, rowsRead, rowsWritten, rowsRejected } = outcome
  assert.deepEqual(
    { note, rowsRead, rowsWritten, rowsRejected },
    {
      note: '1 row refused (dba.reject); 1 file in quarantine (dba.dataset), 2 rows held back.',
      rowsRead: 3,
      rowsWritten: 0,
      rowsRejected: 1,
    },
  )
})
