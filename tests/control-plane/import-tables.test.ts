import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Query } from '../helpers/database.ts'
import { refusal } from '../helpers/refusal.ts'
import { type People, peopleOf } from '../helpers/rows.ts'

test('the least row of a column is text from the header of its name, and a type is kept as Postgres calls it', async (t) => {
  const { dba } = await houseOf(t)
  const [least] = await dba(
    `insert into dba.importcolumn (config_name, column_name) values ('prices', 'isin') returning type, is_required, source_name, version, created_by`,
  )
  assert.deepEqual(least, { type: 'text', is_required: false, source_name: null, version: 1, created_by: 'rota_dba' })
  await dba(
    `create schema feeds; create type feeds.mood as enum ('good', 'bad'); create domain feeds.share as numeric check (value between 0 and 1)`,
  )
  for (const [written, kept] of [
    ['int', 'integer'],
    [' Int8 ', 'bigint'],
    ['decimal( 12 , 2 )', 'numeric(12,2)'],
    ['numeric', 'numeric'],
    ['varchar(20)', 'character varying(20)'],
    ['char(3)', 'character(3)'],
    ['timestamptz', 'timestamp with time zone'],
    ['timestamp(3)', 'timestamp(3) without time zone'],
    ['time', 'time without time zone'],
    ['float8', 'double precision'],
    ['bool', 'boolean'],
    ['text[]', 'text[]'],
    ['interval', 'interval'],
    ['feeds.mood', 'feeds.mood'],
    ['feeds.share', 'feeds.share'],
  ]) {
    const [row] = await dba(`update dba.importcolumn set type = $1 returning type`, [written])
    assert.deepEqual(row, { type: kept }, written)
  }
})

const wrongColumns: [column: Record<string, unknown>, message: RegExp, hint: RegExp][] = [
  [{ config_name: 'pricess' }, /no config "pricess" in dba\.importconfig/, /Did you mean "prices"/],
  [{ column_name: '' }, /column name is a name that a column can have/, /63 bytes/],
  [{ column_name: null }, /column "column_name" .* must not be empty/, /Column of the target/],
  [{ source_name: '  ' }, /source name is not blank/, /as it stands in the file/],
  [{ source_name: '/Price (/' }, /source_name "Price \(" is not right/, /come in pairs/],
  [{ source_name: '/\\yPrice/' }, /source name means the same everywhere/, /\\b/],
  [{ type: 'nummeric' }, /there is no type "nummeric"/, /Did you mean "numeric"/],
  [{ type: 'serial' }, /"serial" is no type but a way to make a column/, /integer or bigint/],
  [{ type: 'integer; drop table x' }, /type "integer; drop table x" is not right|there is no type/, /Write a type of Postgres/],
  [{ type: 'numeric(0)' }, /type "numeric\(0\)" is not right/, /numeric\(12,2\)/],
  [{ type: 'record' }, /type "record" is none that a column of a file can have/, /text/],
  [{ type: 'dba.run' }, /is none that a column of a file can have/, /text/],
  [{ type: '' }, /type is not blank/, /Write text/],
  [{ type: 'text', format: 'dd.MM.yyyy' }, /type text takes no format/, /transform/],
  [{ type: 'integer', format: 'whole' }, /number format "whole": it is no number/, /1\.234,56/],
  [{ type: 'numeric', format: '1.234' }, /whether 1\.234 is a thousand or more/, /1\.234,56/],
  [{ type: 'numeric', format: '1.2345.678,9' }, /not grouped rightly/, /1\.234,56/],
  [{ type: 'numeric', format: '(1,234.50' }, /one of its parentheses is missing/, /1,234\.56/],
  [{ type: 'numeric', format: '€ 12,5 %' }, /both a percent sign and a unit/, /12,5 %/],
  [{ type: 'numeric', format: '1,234.56 #' }, /"#" is no sign of a currency or unit/, /1,234\.56/],
  [{ type: 'date', format: 'MM.yyyy' }, /date format "MM\.yyyy": it has no day/, /dd\.MM\.yyyy/],
  [{ type: 'date', format: 'dd.MM.yyyy yy' }, /"yy" is a second year/, /dd\.MM\.yyyy/],
  [{ type: 'timestamptz', format: 'dd.MM.yyyy hh:mm' }, /h and hh go with a/, /h:mm a/],
  [{ type: 'timestamp', format: 'yyyy-MM-dd ss' }, /it has a second and no minute/, /HH/],
  [{ type: 'timestamp', format: "yyyy-MM-dd 'at HH:mm" }, /a quote is not closed/, /quotes/],
  [{ type: 'date', format: 'yyyyMd' }, /where "M" ends nobody can tell/, /yyyyMMdd/],
  [{ type: 'time', format: 'dd HH:mm' }, /it has a date/, /HH/],
  [{ type: 'interval', format: 'dd HH:mm' }, /only H, HH, mm, ss and SSS/, /HH/],
  [{ type: 'boolean', format: 'ja' }, /not two words with a slash/, /ja\/nein/],
  [{ type: 'boolean', format: 'ja/nein | ja/nee' }, /has a word that would mean both/, /ja\/nein/],
  [{ type: 'uuid', format: 'x' }, /type uuid takes no format/, /Leave format empty/],
  [{ type: 'integer', default_value: 'none' }, /default_value "none" is no integer/, /1234\.5/],
  [{ type: 'varchar(2)', default_value: 'EUR' }, /default_value "EUR" is longer than character varying\(2\)/, /shorter/],
  [{ type: 'date', default_value: '31.02.2026' }, /default_value "31\.02\.2026" is no date/, /2026-01-31/],
  [{ null_tokens: ['NA', null] }, /null tokens are texts/, /\{"NULL"\}/],
  [{ transform: 'trimm' }, /transform "trimm" cannot be read from "trimm" on/, /collapse/],
  [{ transform: 'trim |' }, /lacks a step at its end/, /Join steps/],
  [{ transform: 'prefix(x)' }, /cannot be read from "prefix\(x\)" on/, /prefix\("x"\)/],
  [{ transform: 'trim upper' }, /cannot be read from "trim upper" on/, /Join steps/],
  [{ transform: 'regexp_replace(/a/x, "")' }, /cannot be read/, /regexp_replace/],
  [{ transform: `regexp_replace(/${'a'.repeat(201)}/, "")` }, /longer than 200 characters/, /shorter/],
  [{ transform: 'date("MM.yyyy")' }, /it has no day/, /dd\.MM\.yyyy/],
]

test('a wrong column is refused at the write, in words and with a hint', async (t) => {
  const { dba } = await houseOf(t)
  for (const [column, message, hint] of wrongColumns) {
    const refused = await refusal(insert(dba, 'importcolumn', { config_name: 'prices', column_name: 'amount', ...column }))
    assert.match(refused.message, message, JSON.stringify(column))
    assert.match(refused.hint, hint, `hint for ${JSON.stringify(column)}`)
  }
})

const rightColumns: Record<string, unknown>[] = [
  { column_name: '% change', source_name: '% Change', type: 'numeric', format: '12,5 %' },
  { type: 'numeric(12,2)', format: '€ 1.234,56', default_value: '0' },
  { type: 'numeric', format: '(1,234.50)' },
  { type: 'numeric', format: "1'234.56 round" },
  { type: 'numeric', format: '1 234,56' },
  { type: 'numeric', format: '12,34,567.50' },
  { type: 'numeric', format: '1.234,56-' },
  { type: 'double precision', format: '1,5E+03' },
  { type: 'integer', format: '1.234.567' },
  { type: 'numeric', format: 'round' },
  { type: 'numeric', format: '$ £ 1,234.50' },
  { type: 'date', format: 'dd.MM.yyyy | yyyy-MM-dd', default_value: '2026-01-31', is_required: true },
  { type: 'date', format: 'EEE, d. MMMM@de yyyy' },
  { type: 'timestamptz', format: 'M/d/yy h:mm:ss.SSS a' },
  { type: 'timestamptz', format: 'yyyy-MM-ddTHH:mm:ssXXX' },
  { type: 'timestamp', format: "yyyyMMdd 'at' HHmm round" },
  { type: 'time', format: 'HHmm' },
  { type: 'interval', format: 'mm:ss' },
  { type: 'boolean', format: 'ja/nein | j/n', null_tokens: ['', '-'], default_value: 'false' },
  { type: 'varchar(3)', default_value: 'EUR' },
  { transform: 'trim | collapse, UPPER' },
  { transform: 'regexp_replace(/[^0-9\\/]+/gi, "\\1-\\"x\\"") | lpad(5, "0") | nullif_blank' },
  { transform: 'replace("a|b", "c,d") | prefix("(") | suffix(")") | date("dd.MM.yyyy")' },
  { transform: 'regexp_replace(/[/\\]]+$/, "") | upper' },
  { source_name: '/^Price \\(/', description: 'of the day' },
]

test('what the workers can read is taken', async (t) => {
  const { dba } = await houseOf(t)
  for (const [index, column] of rightColumns.entries()) {
    await insert(dba, 'importcolumn', { config_name: 'prices', column_name: `column ${index}`, ...column })
  }
})

const wrongChecks: [check: Record<string, unknown>, message: RegExp, hint: RegExp][] = [
  [{ config_name: 'x', kind: 'min_rows', low: 1 }, /no config "x"/, /There is: "prices"/],
  [{ kind: 'rows' }, /check kind is known/, /min_rows/],
  [{ kind: 'min_rows' }, /min rows stands in low/, /into low/],
  [{ kind: 'min_rows', high: 5 }, /min rows stands in low/, /into low/],
  [{ kind: 'max_rows', low: 5 }, /max rows stands in high/, /into high/],
  [{ kind: 'min_rows', low: -1 }, /low and high are not negative/, /0 or more/],
  [{ kind: 'rows_near_median', low: 2, high: 0.5 }, /low is not above high/, /smaller/],
  [{ kind: 'null_share', high: 0.1 }, /kind needs column name/, /column_name/],
  [{ kind: 'null_share', column_name: 'a', high: 5 }, /a share is between 0 and 1/, /0\.05/],
  [{ kind: 'unique' }, /kind needs column name/, /column_name/],
  [{ kind: 'unique', column_name: 'a', high: 1 }, /kind takes no low and high/, /empty/],
  [{ kind: 'min_rows', low: 1, column_name: 'a' }, /only kinds of one column take column name/, /empty/],
  [{ kind: 'allowed', column_name: 'a' }, /kind allowed needs the values/, /\{EUR,USD\}/],
  [{ kind: 'unique', column_name: 'a', allowed: ['x'] }, /only kind allowed takes values/, /empty/],
  [{ kind: 'expression' }, /kind expression needs an expression/, /price > 0/],
  [{ kind: 'min_rows', low: 1, expression: 'true' }, /only kind expression takes an expression/, /empty/],
  [{ kind: 'expression', expression: 'true', high: 0.5 }, /rows broken is a whole number in high/, /how many rows/],
  [{ kind: 'min_rows', low: 1, severity: 'reject' }, /severity is warn quarantine or fail/, /Write warn/],
  [{ kind: 'min_rows', low: 1, check_name: '' }, /check name is not blank/, /not too few/],
]

test('a wrong check is refused at the write, in words and with a hint', async (t) => {
  const { dba } = await houseOf(t)
  for (const [check, message, hint] of wrongChecks) {
    const refused = await refusal(insert(dba, 'importcheck', { config_name: 'prices', check_name: 'c', ...check }))
    assert.match(refused.message, message, JSON.stringify(check))
    assert.match(refused.hint, hint, `hint for ${JSON.stringify(check)}`)
  }
  for (const [index, check] of [
    { kind: 'min_rows', low: 1 },
    { kind: 'max_rows', high: 1e6, severity: 'warn' },
    { kind: 'rows_near_median' },
    { kind: 'null_share', column_name: 'a', high: 0.05, severity: 'quarantine' },
    { kind: 'unique', column_name: 'isin, price_date' },
    { kind: 'allowed', column_name: 'currency', allowed: ['EUR', 'USD'] },
    { kind: 'expression', expression: 'price > 0', high: 3 },
  ].entries()) {
    await insert(dba, 'importcheck', { config_name: 'prices', check_name: `c ${index}`, ...check })
  }
})

test('an expression is parsed at the write and never run: what is no expression, or would break out of one, is refused', async (t) => {
  const { dba, database } = await houseOf(t)
  await dba(`create schema feeds; create table feeds.touched (x int)`)
  for (const wrong of [
    'price >',
    'price > 0;',
    'price > 0; drop table feeds.touched',
    'true); drop table feeds.touched; select (true',
    'true) or (true',
    'true then 1 when true',
    'true /* open',
    "name = 'open",
    'select 1; select 2',
    'select true) or (select true',
    'select true; end; drop table feeds.touched; begin perform 1',
    'delete from feeds.touched',
    'selec 1',
    'a, b then',
    '$$',
  ]) {
    const refused = await refusal(
      insert(dba, 'importcheck', { config_name: 'prices', check_name: 'c', kind: 'expression', expression: wrong }),
    )
    assert.match(refused.message, /is not right/, wrong)
    assert.match(refused.hint, /price > 0/, wrong)
  }
  for (const right of [
    'price > 0',
    'price > 0 -- of course',
    `currency in ('EUR', 'it''s; x') and "% change" is not null`,
    'coalesce(no_such_column, 1) = no_such_function(2)',
    'pg_sleep(3600) is null',
    '(select count(*) from feeds.other) > price',
    'select sum(price) > 0 from staging',
    '  SELECT count(distinct isin) = count(*) from staging s where exists (select from feeds.other o where o.x = s.x)',
    `name ~ '^[A-Z]+$' and note <> $$a;b)$$`,
  ]) {
    await dba(`delete from dba.importcheck`)
    await insert(dba, 'importcheck', { config_name: 'prices', check_name: 'c', kind: 'expression', expression: right })
  }
  assert.deepEqual(await database.query('select * from feeds.touched'), [])
})

test('columns and checks follow their config in a rename and in a DELETE, and both ways are audited', async (t) => {
  const { dba } = await houseOf(t)
  await insert(dba, 'importcolumn', { config_name: 'prices', column_name: 'amount', type: 'numeric' })
  await insert(dba, 'importcheck', { config_name: 'prices', check_name: 'few', kind: 'min_rows', low: 1 })
  await dba(`update dba.importconfig set config_name = 'quotes'`)
  assert.deepEqual(await dba(`select c.config_name as column, k.config_name as check from dba.importcolumn c, dba.importcheck k`), [
    { column: 'quotes', check: 'quotes' },
  ])
  await dba(`delete from dba.importconfig`)
  assert.deepEqual(await dba(`select column_name from dba.importcolumn union all select check_name from dba.importcheck`), [])
  assert.deepEqual(
    await dba(`select table_name, row_key from dba.configaudit where after is null order by audit_id`).then((rows) =>
      rows.map(({ table_name, row_key }) => `${table_name}: ${row_key}`).sort(),
    ),
    ['importcheck: quotes, few', 'importcolumn: quotes, amount', 'importconfig: quotes'],
  )
  const restored = await dba(
    `select dba.restore(audit_id) as said from dba.configaudit where after is null order by table_name <> 'importconfig'`,
  )
  assert.equal(restored.length, 3)
  assert.deepEqual(await dba(`select config_name, column_name, type from dba.importcolumn`), [
    { config_name: 'quotes', column_name: 'amount', type: 'numeric' },
  ])
})

test('a change of a column or a check is another version of its config, whose schedules are answered anew', async (t) => {
  const { dba } = await houseOf(t)
  const version = async () => (await dba(`select version from dba.jobconfig where config_name = 'prices'`))[0]?.version
  assert.equal(await version(), 1)
  await insert(dba, 'importcolumn', { config_name: 'prices', column_name: 'amount' })
  assert.equal(await version(), 2)
  await dba(`update dba.importcolumn set type = 'numeric'`)
  await insert(dba, 'importcheck', { config_name: 'prices', check_name: 'few', kind: 'min_rows', low: 1 })
  await dba(`delete from dba.importcheck`)
  assert.equal(await version(), 5)
})

test('a reader reads columns, checks and proposals; nobody but a DBA writes columns and checks', async (t) => {
  const { dba, operator, reader } = await houseOf(t)
  await insert(dba, 'importcolumn', { config_name: 'prices', column_name: 'amount' })
  for (const who of [operator, reader]) {
    assert.equal((await who(`select * from dba.importcolumn`)).length, 1)
    await who(`select * from dba.importcheck, dba.columnproposal, dba.reject_group, dba.dryrun, dba.dryrunrow`)
    for (const statement of [
      `insert into dba.importcolumn (config_name, column_name) values ('prices', 'x')`,
      `update dba.importcolumn set type = 'text'`,
      `delete from dba.importcheck`,
      `update dba.columnproposal set state = 'approved'`,
      `insert into dba.dryrun (config_name, file) values ('prices', 'x')`,
    ]) {
      assert.equal((await refusal(who(statement))).code, '42501', statement)
    }
  }
})

async function houseOf(t: Parameters<typeof peopleOf>[0]): Promise<People> {
  const people = await peopleOf(t)
  await people.dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'inbox/prices', '*.xlsx', 'feeds.price')`,
  )
  return people
}

async function insert(query: Query, table: string, row: Record<string, unknown>): Promise<void> {
  const places = Object.keys(row).map((_, index) => `$${index + 1}`)
  await query(`insert into dba.${table} (${Object.keys(row).join(', ')}) values (${places.join(', ')})`, Object.values(row))
}
