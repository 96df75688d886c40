import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ImportBench, importBench } from './import-harness.ts'

const narrowTable =
  'create schema feeds authorization rota_target; create table feeds.price (dataset_id bigint, a varchar(3), b smallint); alter table feeds.price owner to rota_target'

async function load(bench: ImportBench, content: string): Promise<void> {
  await bench.put('inbox/1.csv', content)
  await bench.run()
}

async function decide(bench: ImportBench, column: string, state: 'approved' | 'refused'): Promise<void> {
  const dba = await bench.as('rota_dba')
  await dba.query(`update dba.columnproposal set state = $2 where column_name = $1 and state = 'open'`, [column, state])
}

const loaded = (bench: ImportBench) => bench.query('select a, b from feeds.price order by a, b')

async function typesOfPrice(bench: ImportBench): Promise<unknown[]> {
  const rows = await bench.query<{ type: string }>(
    `select format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = 'feeds.price'::regclass and attnum > 0 order by attnum`,
  )
  return rows.map(({ type }) => type)
}

const files = (bench: ImportBench) => bench.query('select state, reason from dba.file')

test('a dry run says which columns would become wider, and leaves them as they are', async (t) => {
  const bench = await importBench(t)
  await bench.query(narrowTable)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a,b\nlonger,70000\n')
  const dba = await bench.as('rota_dba')
  const [asked] = await dba.query<{ id: number }>(`select dba.request_dry_run('prices', '1.csv') as id`)
  await bench.run({ args: { file: 'inbox/1.csv', dry_run: true, dryrun_id: asked?.id } })
  assert.deepEqual(await dba.query('select message, ddl, rows_insert from dba.dryrun'), [
    {
      message: 'The file would be loaded. Column "a" would become text. Column "b" would become integer.',
      ddl: 'alter table "feeds"."price" alter column "a" type text, alter column "b" type integer;',
      rows_insert: 1,
    },
  ])
  await assert.rejects(bench.query(`insert into feeds.price (a) values ('four')`), /too long/)
})

test('a dry run says which new column may be an old one with another name', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await load(bench, 'id,name,price\n1,a,2\n')
  await bench.put('inbox/2.csv', 'id,name,prices\n1,a,2\n')
  const dba = await bench.as('rota_dba')
  const [asked] = await dba.query<{ id: number }>(`select dba.request_dry_run('prices', '2.csv') as id`)
  await bench.run({ args: { file: 'inbox/2.csv', dry_run: true, dryrun_id: asked?.id } })
  const [answer] = await dba.query<{ message: string }>('select message from dba.dryrun')
  assert.match(String(answer?.message), /^The file would be loaded\. "prices" may be a new name of "price": /)
})

test('a dry run has the statements that make a new table', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a,b\n1,2\n')
  const dba = await bench.as('rota_dba')
  const [asked] = await dba.query<{ id: number }>(`select dba.request_dry_run('prices', '1.csv') as id`)
  await bench.run({ args: { file: 'inbox/1.csv', dry_run: true, dryrun_id: asked?.id } })
  const [answer] = await dba.query<{ ddl: string }>('select ddl from dba.dryrun')
  assert.match(String(answer?.ddl), /create table "feeds"."price" \([^;]*"a" text,\s+"b" text\s*\);/)
})

test('propose: a column that is too narrow waits for a decision, and approving it loads the file', async (t) => {
  const bench = await importBench(t)
  await bench.query(narrowTable)
  await bench.configure({ on_new_column: 'propose' })
  await load(bench, 'a,b\nlonger,1\n')
  assert.deepEqual(await bench.query('select kind, column_name, ddl from dba.columnproposal'), [
    { kind: 'widen_column', column_name: 'a', ddl: 'alter table "feeds"."price" alter column "a" type text;' },
  ])
  assert.deepEqual(await files(bench), [{ state: 'waiting', reason: 'Waits for a decision about a wider column "a".' }])
  await decide(bench, 'a', 'approved')
  await bench.run()
  assert.deepEqual(await loaded(bench), [{ a: 'longer', b: 1 }])
})

test('propose: where a wider column was refused, the rows that do not fit are refused, and it is not proposed again', async (t) => {
  const bench = await importBench(t)
  await bench.query(narrowTable)
  await bench.configure({ on_new_column: 'propose', max_rejects: null })
  await load(bench, 'a,b\nlonger,1\nabc,2\n')
  await decide(bench, 'a', 'refused')
  await bench.query(`update dba.file set state = 'retry'`)
  await bench.run()
  assert.deepEqual(await loaded(bench), [{ a: 'abc', b: 2 }])
  assert.deepEqual(await bench.query('select state from dba.columnproposal'), [{ state: 'refused' }])
  assert.deepEqual(await bench.query('select line, rule from dba.reject'), [{ line: 2, rule: 'too_long' }])
})

for (const onNewColumn of ['add', 'extra', 'ignore']) {
  for (const mode of ['append', 'upsert']) {
    test(`${onNewColumn}: a column that is too narrow becomes wider (${mode})`, async (t) => {
      const bench = await importBench(t)
      await bench.query(narrowTable)
      await bench.configure({ on_new_column: onNewColumn, load_mode: mode, ...(mode === 'upsert' ? { key_columns: ['b'] } : {}) })
      await load(bench, 'a,b\nlonger,70000\nabc,2\n')
      assert.deepEqual(await loaded(bench), [
        { a: 'abc', b: 2 },
        { a: 'longer', b: 70000 },
      ])
      assert.deepEqual(await typesOfPrice(bench), ['bigint', 'text', 'integer'])
    })
  }
}

test('fail: a column that is too narrow fails the file, as any drift does', async (t) => {
  const bench = await importBench(t)
  await bench.query(narrowTable)
  await bench.configure({ on_new_column: 'fail' })
  await assert.rejects(load(bench, 'a,b\nlonger,1\n'), { code: 'too_many_rejects' })
  assert.deepEqual(await typesOfPrice(bench), ['bigint', 'character varying(3)', 'smallint'])
})

test('ignore: where a column cannot become wider, its rows are refused: a partition, a column that parts the rows, a table of a type', async (t) => {
  const narrow: [string, string][] = [
    [
      'a column that parts the rows',
      'create table feeds.price (dataset_id bigint, a varchar(3), b smallint) partition by list (a); create table feeds.rest partition of feeds.price default',
    ],
    [
      'a partition',
      'create table feeds.whole (dataset_id bigint, a varchar(3), b smallint) partition by list (b); create table feeds.price partition of feeds.whole default',
    ],
    [
      'a table of a type',
      'create type feeds.shape as (dataset_id bigint, a varchar(3), b smallint); create table feeds.price of feeds.shape',
    ],
  ]
  for (const [what, statements] of narrow) {
    await t.test(what, async (t) => {
      const bench = await importBench(t)
      await bench.query(
        `create schema feeds authorization rota_target; grant create on schema feeds to rota_target; set role rota_target; ${statements}; reset role`,
      )
      await bench.configure({ on_new_column: 'ignore', max_rejects: null })
      await load(bench, 'a,b\nlonger,1\nabc,2\n')
      assert.deepEqual(await loaded(bench), [{ a: 'abc', b: 2 }])
      assert.deepEqual(await bench.query('select line, rule from dba.reject'), [{ line: 2, rule: 'too_long' }])
    })
  }
})

test('propose: a corrected row that is too long for its column asks nobody, and is refused again', async (t) => {
  const bench = await importBench(t)
  await bench.query(narrowTable)
  await bench.configure({ on_new_column: 'propose', max_rejects: null })
  await load(bench, 'a,b\nabc,x\nabd,2\n')
  await bench.query(`update dba.reject set fixed = '{"a": "longer", "b": "1"}', state = 'retry'`)
  await bench.run()
  assert.deepEqual(await loaded(bench), [{ a: 'abd', b: 2 }])
  assert.deepEqual(await typesOfPrice(bench), ['bigint', 'character varying(3)', 'smallint'])
  assert.deepEqual(await bench.query('select state from dba.columnproposal'), [])
})

test('the column extra is none that files must have, once new columns are no longer kept there', async (t) => {
  const bench = await importBench(t)
  await bench.query(
    'create schema feeds authorization rota_target; create table feeds.price (dataset_id bigint, a text, b text, extra jsonb); alter table feeds.price owner to rota_target',
  )
  await bench.configure({ on_missing_column: 'fail' })
  await load(bench, 'a,b\n1,2\n')
  await bench.query(`update dba.importconfig set on_missing_column = 'null'`)
  await load(bench, 'a\n3\n')
  assert.deepEqual(await bench.query('select a, b from feeds.price order by a'), [
    { a: '1', b: '2' },
    { a: '3', b: null },
  ])
})

test('thirty thousand refused rows are kept one by one, and an error after them is not lost', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ max_rejects: null })
  await bench.query(
    `insert into dba.importcolumn (config_name, column_name, type) values ('prices', 'n', 'integer'), ('prices', 'd', 'date')`,
  )
  await load(bench, `n,d\n${'x,2026-01-01\n'.repeat(30_000)}1,2026-01-01\n2,never\n`)
  assert.deepEqual(
    await bench.query('select column_name, rejects::integer, first_line::integer from dba.reject_group order by rejects desc'),
    [
      { column_name: 'n', rejects: 30_000, first_line: 2 },
      { column_name: 'd', rejects: 1, first_line: 30_003 },
    ],
  )
})
