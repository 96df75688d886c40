import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ImportBench, importBench } from './import-harness.ts'

const rows = 'isin,price\nA,1\nB,2\nC,3\n'

for (const [what, ddl, said] of [
  ['a view', `create view feeds.price as select 'A' as isin`, 'a view'],
  ['a materialized view', `create materialized view feeds.price as select 'A' as isin`, 'a materialized view'],
  ['a sequence', `create sequence feeds.price`, 'a sequence'],
  [
    'a foreign table',
    `create foreign data wrapper w; create server s foreign data wrapper w; create foreign table feeds.price (isin text) server s`,
    'a foreign table',
  ],
] as const) {
  test(`a target that is ${what} is called what it is`, async (t) => {
    const bench = await benchWith(t, ddl)
    await assert.rejects(load(bench, rows), { code: 'target_is_no_table', message: `"feeds.price" is not a table but ${said}` })
  })
}

test('a table of somebody else says which columns it lacks, and how to keep it', async (t) => {
  const bench = await benchWith(t, `create table feeds.price (isin text); alter table feeds.price owner to rota_dba`)
  await assert.rejects(load(bench, rows), {
    code: 'target_not_owned',
    detail:
      'It lacks "dataset_id", "price". To keep it: alter table "feeds"."price" add column "dataset_id" bigint, add column "price" text;',
    hint: 'alter table "feeds"."price" owner to rota_target; grant usage, create on schema "feeds" to rota_target;',
  })
})

test('a column cannot be added where somebody else owns a table below, or where it is a partition: each is said, at the schedule too', async (t) => {
  const bench = await benchWith(
    t,
    `create table feeds.price (isin text, dataset_id bigint); create table feeds.child () inherits (feeds.price);
     alter table feeds.child owner to rota_dba; alter table feeds.price owner to rota_target`,
  )
  const message = 'Table "feeds.child" below "feeds.price" belongs to "rota_dba", so Rota cannot add columns to it or change them'
  const hint = 'alter table "feeds"."child" owner to rota_target; grant usage, create on schema "feeds" to rota_target;'
  await assert.rejects(load(bench, rows), { code: 'target_not_owned', message, hint })
  assert.equal((await bench.check()).message, `${message}. ${hint} (1 file matches now on host here)`)
  await bench.query(
    `drop table feeds.child; drop table feeds.price; create table feeds.whole (isin text, dataset_id bigint) partition by list (isin);
     create table feeds.price partition of feeds.whole default; alter table feeds.whole owner to rota_target; alter table feeds.price owner to rota_target`,
  )
  await assert.rejects(load(bench, `${rows}D,4\n`), { code: 'target_is_partition', detail: 'It lacks "price".' })
  assert.match((await bench.check()).message, /is a partition, which gets no columns of its own/)
  await bench.query(`update dba.importconfig set target_table = 'feeds.whole'`)
  await bench.run()
  assert.deepEqual(await bench.query('select isin, price from feeds.price where isin > $1 order by isin', ['B']), [
    { isin: 'C', price: '3' },
    { isin: 'D', price: '4' },
  ])
})

for (const [type, text] of [
  ['name', 'text'],
  ['"char"', 'text'],
  ['name[]', 'text[]'],
  ['feeds.short', 'text'],
] as const) {
  test(`a column of type ${type} would cut values, and is not filled`, async (t) => {
    const bench = await benchWith(
      t,
      `create domain feeds.short as name;
       create table feeds.price (isin ${type}, price text, loaded_by name default current_user, dataset_id bigint); alter table feeds.price owner to rota_target`,
    )
    const hint = `alter table "feeds"."price" alter column "isin" type ${text} using "isin"::${text};`
    await assert.rejects(load(bench, rows), { code: 'column_cuts_values', hint })
    assert.match((await bench.check()).message, /which cuts values that are too long for it/)
  })
}

test('a value that is too long or too exact for a domain is refused, whatever the lane, and the domain stays', async (t) => {
  const bench = await benchWith(
    t,
    `create domain feeds.code as varchar(5); create domain feeds.symbol as feeds.code check (value <> 'BAD'); create domain feeds.amount as numeric(5,1);
     create domain feeds.letters as char(3); create table feeds.price (isin feeds.symbol, kind feeds.letters, price feeds.amount, dataset_id bigint);
     alter table feeds.price owner to rota_target`,
    { max_rejects: null },
  )
  await load(bench, 'isin,kind,price\nA,abc,1.5\nBBBBBB,a,1\nC,abcd,1\nD,a,1.25\n')
  await bench.put('inbox/2.csv', 'isin,kind,price\nE,abc,2\nFFFFFF,a,1\nBAD,a,1\n')
  await bench.run()
  assert.deepEqual(await bench.query('select isin, kind, price::text from feeds.price'), [
    { isin: 'A', kind: 'abc', price: '1.5' },
    { isin: 'E', kind: 'abc', price: '2.0' },
  ])
  assert.deepEqual(await bench.query('select line, column_name, rule from dba.reject order by reject_id'), [
    { line: 3, column_name: 'isin', rule: 'too_long' },
    { line: 4, column_name: 'kind', rule: 'too_long' },
    { line: 5, column_name: 'price', rule: 'too_many_decimals' },
    { line: 3, column_name: 'isin', rule: 'too_long' },
    { line: 4, column_name: 'isin', rule: 'check' },
  ])
})

test('a table with a rule is refused: its rows would depend on the way they take', async (t) => {
  const bench = await benchWith(
    t,
    `create table feeds.price (isin text, price text, dataset_id bigint); alter table feeds.price owner to rota_target;
     create rule nothing as on insert to feeds.price do instead nothing`,
  )
  await assert.rejects(load(bench, rows), {
    code: 'target_has_rule',
    hint: 'drop rule "nothing" on "feeds"."price"; a trigger can do what it does.',
  })
  assert.equal((await bench.check()).isOk, false)
})

test('row level security that would hide rows from a load is said, with what lifts it', async (t) => {
  const bench = await benchWith(
    t,
    `create table feeds.price (isin text, price text, dataset_id bigint); alter table feeds.price owner to rota_target;
     alter table feeds.price enable row level security; alter table feeds.price force row level security`,
  )
  const refused = { code: 'target_has_policies', hint: 'alter table "feeds"."price" no force row level security;' }
  await assert.rejects(load(bench, rows), refused)
  await bench.query(refused.hint)
  await load(bench, rows)
  assert.equal((await bench.query('select from feeds.price')).length, 3)
})

test('a column that may not be empty and that the file lacks fails the file at once; a trigger may fill it', async (t) => {
  const bench = await benchWith(
    t,
    `create table feeds.price (isin text, price text, site text not null, dataset_id bigint); alter table feeds.price owner to rota_target`,
    { max_rejects: null },
  )
  await assert.rejects(load(bench, rows), {
    code: 'required_column_missing',
    message: 'File "1.csv" lacks "site", which "feeds.price" cannot be without',
  })
  assert.deepEqual(await bench.query('select from dba.reject'), [])
  await bench.query(
    `create function feeds.fill() returns trigger language plpgsql as $$ begin new.site := 'north'; return new; end $$;
     create trigger fill before insert on feeds.price for each row execute function feeds.fill()`,
  )
  await load(bench, 'isin,price\nA,1\n')
  assert.deepEqual(await bench.query('select isin, site from feeds.price'), [{ isin: 'A', site: 'north' }])
})

test('numbers of the file go into a column that Postgres would number, in every lane; an upsert leaves those that are there', async (t) => {
  const bench = await benchWith(
    t,
    `create table feeds.price (id bigint generated always as identity primary key, isin text unique, price text, dataset_id bigint);
     alter table feeds.price owner to rota_target`,
  )
  await load(bench, 'id,isin,price\n77,A,1\n')
  await bench.query(`update dba.importconfig set load_mode = 'upsert', key_columns = '{isin}'`)
  await load(bench, 'id,isin,price\n78,A,2\n79,B,3\n')
  assert.deepEqual(await bench.query('select id, isin, price from feeds.price order by id'), [
    { id: 77, isin: 'A', price: '2' },
    { id: 79, isin: 'B', price: '3' },
  ])
})

for (const code of ['P0001', '45000', 'ROTA1']) {
  test(`a row that a trigger refuses with code ${code} is a reject, the others are loaded`, async (t) => {
    const bench = await benchWith(t, refusing(`raise exception 'no B today' using errcode = '${code}'`), { max_rejects: 1 })
    await load(bench, rows)
    assert.deepEqual(await bench.query('select line, rule, message from dba.reject'), [{ line: 3, rule: 'trigger', message: 'no B today' }])
    assert.equal((await bench.query('select from feeds.price')).length, 2)
  })
}

test('a row that a trigger leaves out is not counted as written, and is told', async (t) => {
  const bench = await benchWith(t, refusing('return null'))
  const outcome = await load(bench, rows)
  assert.deepEqual([outcome.rowsRead, outcome.rowsWritten], [3, 2])
  assert.ok(bench.log.some(({ level, message }) => level === 'warning' && message === '1 row was left out by a trigger of "feeds.price".'))
})

test('a value that a type with a grammar of its own does not take is a reject of its column, and so is one outside its domain', async (t) => {
  const bench = await benchWith(
    t,
    `create domain feeds.positive as integer check (value > 0);
     create table feeds.price (isin text, query tsquery, amount feeds.positive, dataset_id bigint); alter table feeds.price owner to rota_target`,
    { max_rejects: null },
  )
  await load(bench, 'isin,query,amount\nA,a & b,1\nB,a &,1\nC,c,-1\n')
  assert.deepEqual(await bench.query('select line, column_name, value, rule from dba.reject order by line'), [
    { line: 3, column_name: 'query', value: 'a &', rule: 'value_refused' },
    { line: 4, column_name: 'amount', value: '-1', rule: 'check' },
  ])
})

test('a column that Rota fills itself cannot be one of dba.importcolumn', async (t) => {
  const bench = await benchWith(t, 'select 1')
  await bench.query(`insert into dba.importcolumn (config_name, column_name, source_name) values ('prices', 'price_id', 'isin')`)
  await assert.rejects(load(bench, rows), {
    code: 'column_not_fillable',
    message: 'Column "price_id" of "feeds.price" cannot be filled from a file',
    hint: /another column_name/,
  })
})

test('a check over values that Postgres cannot compare says so, and which column it is about', async (t) => {
  const bench = await benchWith(t, 'select 1')
  await bench.query(`insert into dba.importcolumn (config_name, column_name, type) values ('prices', 'price', 'json')`)
  await bench.query(`insert into dba.importcheck (config_name, check_name, kind, column_name) values ('prices', 'c', 'unique', 'price')`)
  await assert.rejects(load(bench, rows), { code: 'check_not_evaluated', message: /equality operator for type json/, hint: /jsonb/ })
})

test('what cannot be read in dba.importcolumn is answered at the schedule, before a file comes', async (t) => {
  const bench = await benchWith(t, 'select 1')
  assert.equal((await bench.check()).isOk, true)
  await bench.query(`insert into dba.importcolumn (config_name, column_name, transform) values ('prices', 'a', 'regexp_replace(/(/, "")')`)
  const { isOk, message } = await bench.check()
  assert.equal(isOk, false)
  assert.match(message, /^Transform "regexp_replace/)
})

for (const lane of ['direct', 'staged']) {
  test(`rows of a table that has had no column for its dataset are held back and released with the numbers they came with: ${lane}`, async (t) => {
    const bench = await benchWith(
      t,
      `create table feeds.price (id bigint generated always as identity primary key, seq bigint generated by default as identity, isin text);
       alter table feeds.price owner to rota_target`,
    )
    const condition = lane === 'direct' ? ['min_rows', null, 9] : ['expression', `isin = 'Z'`, null]
    await bench.query(
      `insert into dba.importcheck (config_name, check_name, kind, expression, low, severity) values ('prices', 'c', $1, $2, $3, 'quarantine')`,
      condition,
    )
    await load(bench, 'id,isin\n77,A\n')
    const { query: dba } = await bench.as('rota_dba')
    await dba(`update dba.dataset set state = 'active'`)
    assert.deepEqual(await bench.query('select id, seq is null as is_unnumbered, isin, dataset_id is null as is_lost from feeds.price'), [
      { id: 77, is_unnumbered: false, isin: 'A', is_lost: false },
    ])
  })
}

async function benchWith(t: Parameters<typeof importBench>[0], ddl: string, settings: Record<string, unknown> = {}): Promise<ImportBench> {
  const bench = await importBench(t)
  await bench.query(`create schema feeds authorization rota_target; ${ddl}`)
  await bench.configure(settings)
  return bench
}

async function load(bench: ImportBench, content: string) {
  await bench.put('inbox/1.csv', content)
  return await bench.run()
}

/** A table whose trigger does so with ISIN B. */
function refusing(statement: string): string {
  return `create table feeds.price (isin text, price text, dataset_id bigint); alter table feeds.price owner to rota_target;
    create function feeds.look() returns trigger language plpgsql as $$ begin if new.isin = 'B' then ${statement}; end if; return new; end $$;
    create trigger look before insert on feeds.price for each row execute function feeds.look()`
}
