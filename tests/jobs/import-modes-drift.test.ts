import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utils, write } from 'xlsx'
import { type ImportBench, importBench } from './import-harness.ts'

async function target(bench: ImportBench, columns: string): Promise<void> {
  await bench.query(
    `create schema feeds authorization rota_target; create table feeds.price (${columns}); alter table feeds.price owner to rota_target`,
  )
}

async function load(bench: ImportBench, name: string, content: string | Uint8Array) {
  await bench.put(`inbox/${name}`, content)
  return await bench.run()
}

async function typesOf(bench: ImportBench): Promise<unknown> {
  const rows = await bench.query<{ column: string; type: string }>(
    `select attname::text as column, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = 'feeds.price'::regclass and attnum > 0 and not attisdropped order by attnum`,
  )
  return Object.fromEntries(rows.map(({ column, type }) => [column, type]))
}

test('extra: values of new columns are kept in a jsonb column, which is made when it is missing', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ on_new_column: 'extra' })
  await load(bench, '1.csv', 'a,b\n1,2\n')
  await load(bench, '2.csv', 'a,New One,b,other\n3,x,4,\n5,,6,\n')
  assert.deepEqual(await bench.query('select a, b, extra from feeds.price order by a'), [
    { a: '1', b: '2', extra: null },
    { a: '3', b: '4', extra: { new_one: 'x' } },
    { a: '5', b: '6', extra: null },
  ])
})

test('propose: nothing is loaded, the DDL is a row to approve, and approving it lets the file be loaded', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, name text')
  await bench.configure({ on_new_column: 'propose' })
  await load(bench, '1.csv', 'name,amount\na,1.5\nb,2\n')
  assert.deepEqual(await bench.query('select kind, column_name, ddl, state from dba.columnproposal'), [
    { kind: 'add_column', column_name: 'amount', ddl: 'alter table "feeds"."price" add column "amount" numeric;', state: 'open' },
  ])
  assert.deepEqual(await bench.query('select state, reason from dba.file'), [
    { state: 'waiting', reason: 'Waits for a decision about column "amount".' },
  ])
  assert.deepEqual(await bench.query('select count(*) as datasets from dba.dataset'), [{ datasets: 0 }])
  assert.deepEqual(await bench.names('inbox'), [])
  const dba = await bench.as('rota_dba')
  await dba.query(`update dba.columnproposal set state = 'approved'`)
  assert.deepEqual(await bench.query('select state from dba.file'), [{ state: 'retry' }])
  await bench.run()
  assert.deepEqual(await bench.query('select name, amount from feeds.price order by name'), [
    { name: 'a', amount: '1.5' },
    { name: 'b', amount: '2' },
  ])
})

test('propose: a missing table is proposed whole with types that its values have', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ on_new_column: 'propose' })
  await load(bench, '1.csv', 'id,day,code\n1,2026-01-31,007\n2,2026-02-28,008\n')
  const [proposal] = await bench.query<{ kind: string; ddl: string }>('select kind, ddl from dba.columnproposal')
  assert.equal(proposal?.kind, 'create_table')
  assert.match(proposal?.ddl ?? '', /"id" (integer|bigint|smallint),\s+"day" date,\s+"code" text/)
  await (await bench.as('rota_dba')).query(`update dba.columnproposal set state = 'approved'`)
  await bench.run()
  assert.deepEqual(await bench.query('select code, dataset_id from feeds.price order by code'), [
    { code: '007', dataset_id: 2 },
    { code: '008', dataset_id: 2 },
  ])
})

test('propose: a refused column fails the file that waited, and is left out when a person has it loaded all the same', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, name text')
  await bench.configure({ on_new_column: 'propose' })
  await load(bench, '1.csv', 'name,amount\na,1.5\n')
  const dba = await bench.as('rota_dba')
  await dba.query(`update dba.columnproposal set state = 'refused', decided_reason = 'too odd'`)
  const [file] = await bench.query<{ state: string; reason: string }>('select state, reason from dba.file')
  assert.equal(file?.state, 'failed')
  assert.match(
    file?.reason ?? '',
    /^Refused by \w+ in dba\.columnproposal 1: column "amount" \(too odd\)\. To load it without: update dba\.file set/,
  )
  assert.match(String((await bench.query('select fix from dba.problem'))[0]?.fix), /set state = 'retry' where config_name = 'prices'/)
  await dba.query(`update dba.file set state = 'retry' where file_id = 1`)
  await bench.run()
  assert.deepEqual(await bench.query('select name from feeds.price'), [{ name: 'a' }])
})

test('propose: a refusal that is taken back brings the file that it had failed', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, name text')
  await bench.configure({ on_new_column: 'propose' })
  await load(bench, '1.csv', 'name,amount,note\na,1.5,x\n')
  const dba = await bench.as('rota_dba')
  await dba.query(`update dba.columnproposal set state = 'refused'`)
  assert.deepEqual(await bench.query('select state from dba.file'), [{ state: 'failed' }])
  await dba.query(`update dba.columnproposal set state = 'approved' where column_name = 'amount'`)
  assert.deepEqual(await bench.query('select state from dba.file'), [{ state: 'retry' }])
  await bench.run()
  assert.deepEqual(await bench.query('select name, amount from feeds.price'), [{ name: 'a', amount: '1.5' }])
})

test('a likely rename is said where columns come and go', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, ticker text, market_cap text, price text')
  await bench.configure({ on_new_column: 'fail' })
  await assert.rejects(load(bench, '1.csv', 'ticker,Market-Cap2,price\nA,1,2\n'), {
    code: 'new_column',
    detail: '"market_cap2" may be a new name of "market_cap": the names are much alike.',
  })
})

test('columns that are too narrow become wider where the table is ours, and nothing is cut', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, code varchar(3), small smallint, whole integer, price numeric(5,2)')
  await bench.configure()
  await load(bench, '1.csv', 'code,small,whole,price\nabcdef,70000,5000000000,123456.75\n')
  assert.deepEqual(await typesOf(bench), { dataset_id: 'bigint', code: 'text', small: 'integer', whole: 'bigint', price: 'numeric' })
  assert.deepEqual(await bench.query('select code, small, whole::text, price from feeds.price'), [
    { code: 'abcdef', small: 70000, whole: '5000000000', price: '123456.75' },
  ])
})

test('a column that a view stands on stays narrow, and rows that are too long are refused', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, code varchar(3)')
  await bench.query('create view feeds.seen as select code from feeds.price')
  await bench.configure({ max_rejects: null })
  await load(bench, '1.csv', 'code\nabc\nabcdef\n')
  assert.deepEqual(await bench.query('select code from feeds.price'), [{ code: 'abc' }])
  assert.deepEqual(await bench.query('select line, rule from dba.reject'), [{ line: 3, rule: 'too_long' }])
})

test('where any drift is to fail, a column that is too narrow stays, and the value that is too long is refused', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, code varchar(3)')
  await bench.configure({ on_new_column: 'fail', max_rejects: null })
  await load(bench, '1.csv', 'code\nabc\nabcdef\n')
  assert.deepEqual(await typesOf(bench), { dataset_id: 'bigint', code: 'character varying(3)' })
  assert.deepEqual(await bench.query('select value from dba.reject'), [{ value: 'abcdef' }])
})

for (const mode of ['append', 'upsert']) {
  test(`all sheets of a workbook are one dataset, and a later sheet may bring columns (${mode})`, async (t) => {
    const bench = await importBench(t)
    await bench.configure({ sheet: '*', load_mode: mode, ...(mode === 'upsert' ? { key_columns: ['id'] } : {}) })
    const book = utils.book_new()
    utils.book_append_sheet(
      book,
      utils.aoa_to_sheet([
        ['id', 'v'],
        ['1', 'a'],
        ['2', 'b'],
      ]),
      'North',
    )
    utils.book_append_sheet(
      book,
      utils.aoa_to_sheet([
        ['id', 'v', 'extra column'],
        ['3', 'c', 'x'],
      ]),
      'South',
    )
    utils.book_append_sheet(book, utils.aoa_to_sheet([['id', 'v']]), 'Empty')
    const outcome = await load(bench, '1.xlsx', new Uint8Array(write(book, { type: 'buffer', bookType: 'xlsx' })))
    assert.equal(outcome.rowsWritten, 3)
    assert.deepEqual(await bench.query('select id, v, extra_column, dataset_id from feeds.price order by id'), [
      { id: '1', v: 'a', extra_column: null, dataset_id: 1 },
      { id: '2', v: 'b', extra_column: null, dataset_id: 1 },
      { id: '3', v: 'c', extra_column: 'x', dataset_id: 1 },
    ])
  })
}

test('a rejected row of a sheet says which sheet, and joins by it', async (t) => {
  const bench = await importBench(t)
  await target(bench, 'dataset_id bigint, id integer')
  await bench.configure({ sheet: '*', max_rejects: null })
  const book = utils.book_new()
  utils.book_append_sheet(book, utils.aoa_to_sheet([['id'], ['1']]), 'North')
  utils.book_append_sheet(book, utils.aoa_to_sheet([['id'], ['x'], ['2']]), 'South')
  await load(bench, '1.xlsx', new Uint8Array(write(book, { type: 'buffer', bookType: 'xlsx' })))
  assert.deepEqual(await bench.query('select sheet, line from dba.reject'), [{ sheet: 'South', line: 2 }])
  await bench.query(`update dba.reject set fixed = '{"id": "3"}', state = 'retry'`)
  await bench.run()
  assert.deepEqual(await bench.query('select id from feeds.price order by id'), [{ id: 1 }, { id: 2 }, { id: 3 }])
})
