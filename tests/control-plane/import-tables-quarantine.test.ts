import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../helpers/refusal.ts'
import { one, type People, peopleOf } from '../helpers/rows.ts'

test('releasing a quarantined dataset brings its rows into the target and ends its file well', async (t) => {
  const { dba, held } = await houseOf(t)
  const dataset = await held('append', [
    ['a', '1'],
    ['b', null],
  ])
  await dba(`update dba.dataset set state = 'active' where dataset_id = $1`, [dataset])
  assert.deepEqual(await rowsOf(dba), [`${dataset} a 1`, `${dataset} b -`])
  assert.deepEqual(await dba(`select * from feeds.price_quarantine`), [])
  assert.deepEqual(
    await dba(
      `select d.state, d.rows_written::int, d.valid_from is not null as valid, d.reason, f.state as file from dba.dataset d join dba.file f using (file_id)`,
    ),
    [{ state: 'active', rows_written: 2, valid: true, reason: 'released by rota_dba; it was held back: too few', file: 'loaded' }],
  )
})

test('deleting one drops its rows and dismisses its file; so does the system when it is superseded', async (t) => {
  const { dba, worker, held } = await houseOf(t)
  const [dropped, superseded] = [await held('append', [['a', '1']]), await held('append', [['b', '2']])]
  await dba(`update dba.dataset set state = 'deleted' where dataset_id = $1`, [dropped])
  await worker(`update dba.dataset set state = 'superseded' where dataset_id = $1`, [superseded])
  assert.deepEqual(await dba(`select * from feeds.price_quarantine`), [])
  assert.deepEqual(await rowsOf(dba), [])
  assert.deepEqual(await dba(`select state from dba.file order by file_id`), [{ state: 'dismissed' }, { state: 'quarantined' }])
})

for (const [mode, keys, expected] of [
  ['append', null, ['1 a 1', '1 b 2', '2 c 3', '3 a 1', '3 b 9', '3 d -']],
  ['replace', null, ['3 a 1', '3 b 9', '3 d -']],
  // dataset 1 is of the same label and date, dataset 2 is not
  ['replace_dataset', null, ['2 c 3', '3 a 1', '3 b 9', '3 d -']],
  ['upsert', ['isin'], ['2 c 3', '3 a 1', '3 b 9', '3 d -']],
  ['append_new', ['isin'], ['1 a 1', '1 b 2', '2 c 3', '3 d -']],
  ['append_new', null, ['1 a 1', '1 b 2', '2 c 3', '3 b 9', '3 d -']],
] as const) {
  test(`a release under ${mode}${keys ? ` by ${keys}` : ''} does what the load would have done`, async (t) => {
    const { dba, active, held } = await houseOf(t)
    await active('monday', [
      ['a', '1'],
      ['b', '2'],
    ])
    await active('sunday', [['c', '3']])
    const dataset = await held(
      mode,
      [
        ['a', '1'],
        ['b', '9'],
        ['d', null],
      ],
      keys,
    )
    await dba(`update dba.dataset set state = 'active' where dataset_id = $1`, [dataset])
    assert.deepEqual(await rowsOf(dba), expected)
    const superseded = await dba(`select dataset_id::int from dba.dataset where state = 'superseded' order by 1`)
    assert.deepEqual(
      superseded.map((row) => row.dataset_id),
      mode === 'replace' ? [1, 2] : mode === 'replace_dataset' ? [1] : [],
    )
  })
}

test('a release under append_new without keys brings a row in once that is held twice', async (t) => {
  const { dba, held } = await houseOf(t)
  const rows: [string, string | null][] = [
    ['a', '1'],
    ['b', null],
    ['a', '1'],
    ['b', null],
    ['a', '2'],
  ]
  const [other, dataset] = [await held('append_new', rows), await held('append_new', rows)]
  await dba(`update dba.dataset set state = 'active' where dataset_id = $1`, [dataset])
  assert.deepEqual(await rowsOf(dba), [`${dataset} a 1`, `${dataset} a 2`, `${dataset} b -`])
  assert.deepEqual(await dba('select rows_written::int from dba.dataset where dataset_id = $1', [dataset]), [{ rows_written: 3 }])
  assert.deepEqual(await dba('select dataset_id::int, count(*)::int as rows from feeds.price_quarantine group by 1'), [
    { dataset_id: other, rows: 5 },
  ])
})

test('a dataset that was quarantined before its way of loading was kept is released as its config says', async (t) => {
  const { dba, active, held } = await houseOf(t)
  await dba(`update dba.importconfig set load_mode = 'upsert', key_columns = '{isin}'`)
  await active('monday', [['a', '1']])
  const dataset = await held(null, [['a', '2']])
  await dba(`update dba.dataset set state = 'active' where dataset_id = $1`, [dataset])
  assert.deepEqual(await rowsOf(dba), ['2 a 2'])
})

test('what cannot be released says why: no table, a column that is gone, a key that is none, a right that is missing', async (t) => {
  const { dba, database, held, worker } = await houseOf(t)
  const dataset = await held('upsert', [['a', '1']], ['isim'])
  const release = () => refusal(dba(`update dba.dataset set state = 'active' where dataset_id = $1`, [dataset]))
  const key = await release()
  assert.match(key.message, /key_columns of config "prices" name no column "isim" of "feeds\.price"/)
  await worker(`update dba.dataset set key_columns = '{isin}'`)

  await database.query(`alter table feeds.price rename column amount to value`)
  const column = await release()
  assert.match(column.message, /"feeds\.price" no longer has the column "amount"/)
  assert.match(column.hint, /alter table feeds\.price add column amount text/)
  await database.query(`alter table feeds.price rename column value to amount`)

  await database.query(`alter table feeds.price owner to postgres; revoke all on feeds.price from rota_dba, rota_target`)
  assert.equal((await release()).code, '42501')
  await database.query(`drop table feeds.price_quarantine`)
  const gone = await release()
  assert.match(gone.message, /cannot be released: table "feeds\.price_quarantine" with its rows is not there/)
  assert.match(gone.hint, /set state = 'retry' where file_id = /)
  assert.equal(await one(dba, `select state as value from dba.dataset`), 'quarantined')
})

test('only a quarantined dataset is released, and nobody supersedes one by hand', async (t) => {
  const { dba, operator, active } = await houseOf(t)
  await active('monday', [['a', '1']])
  assert.match((await refusal(dba(`update dba.dataset set state = 'superseded'`))).message, /cannot be set to "superseded" by hand/)
  await dba(`update dba.dataset set state = 'deleted'`)
  assert.match((await refusal(dba(`update dba.dataset set state = 'active'`))).message, /only a quarantined one is released/)
  assert.equal((await refusal(operator(`update dba.dataset set state = 'active'`))).code, '42501')
})

test('a dataset that rows of a target belong to is not deleted, whoever tries; its rows need no foreign key', async (t) => {
  const { dba, database, worker, active, held } = await houseOf(t)
  const [first] = [await active('monday', [['a', '1']]), await held('append', [['b', '2']])]
  for (const who of [worker, database.query]) {
    const refused = await refusal(who(`delete from dba.dataset where state = 'active'`))
    assert.match(refused.message, new RegExp(`dataset ${first} is active: rows of "feeds.price" carry its number`))
    assert.match(refused.hint, new RegExp(`set state = 'deleted' where dataset_id = ${first}`))
    assert.match((await refusal(who(`delete from dba.dataset where state = 'quarantined'`))).message, /rows of "feeds\.price_quarantine"/)
  }
  assert.match((await refusal(database.query(`truncate dba.dataset cascade`))).message, /is not truncated/)
  await dba(`update dba.dataset set state = 'deleted'`)
  await worker(`delete from dba.dataset`)
  assert.deepEqual(await rowsOf(dba), [])
})

test('a name that leaves no room is cut before the word, so that rows never lie in the target itself', async (t) => {
  const { dba } = await houseOf(t)
  const long = 'x'.repeat(63)
  const [row] = await dba(`select dba.quarantine_table('feeds.price') as short, dba.quarantine_table($1) as long`, [`feeds.${long}`])
  assert.deepEqual(row, { short: 'feeds.price_quarantine', long: `feeds.${'x'.repeat(52)}_quarantine` })
})

type Row = [isin: string, amount: string | null]

interface House extends People {
  /** A dataset in force, and its rows. */
  active(label: string, rows: Row[]): Promise<number>
  /** One of label monday that is held back. */
  held(mode: string | null, rows: Row[], keys?: readonly string[] | null): Promise<number>
}

async function houseOf(t: Parameters<typeof peopleOf>[0]): Promise<House> {
  const people = await peopleOf(t)
  const { dba, worker } = people
  await dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'inbox/prices', '*.xlsx', 'feeds.price')`,
  )
  await worker(`
    create schema feeds;
    create table feeds.price (price_id bigint generated always as identity, dataset_id bigint not null, isin text, amount text, twice text generated always as (amount || amount) stored);
    create table feeds.price_quarantine (dataset_id bigint not null, isin text, amount text);
    alter schema feeds owner to rota_target; alter table feeds.price owner to rota_target; alter table feeds.price_quarantine owner to rota_target`)
  return {
    ...people,
    active: (label, rows) => add(label, 'active', 'append', rows, null),
    held: (mode, rows, keys = null) => add('monday', 'quarantined', mode, rows, keys),
  }

  async function add(label: string, state: string, mode: string | null, rows: Row[], keys: readonly string[] | null): Promise<number> {
    const file = await one(
      worker,
      `insert into dba.file (file_name, path, size_bytes, state, kept_path, config_name) values ('f', '/f', 1, $1, '/k', 'prices') returning file_id as value`,
      [state === 'active' ? 'loaded' : state],
    )
    const dataset = await one(
      worker,
      `insert into dba.dataset (label, dataset_date, datasource, datasettype, state, file_id, config_name, target_table, dataset_column, load_mode, key_columns, reason)
       values ($2, '2026-01-31', 'prices', 'file', $3, $1, 'prices', 'feeds.price', 'dataset_id', $4, $5, $6) returning dataset_id as value`,
      [file, label, state, mode, keys, state === 'active' ? null : 'too few'],
    )
    const table = state === 'active' ? 'price' : 'price_quarantine'
    for (const [isin, amount] of rows)
      await worker(`insert into feeds.${table} (dataset_id, isin, amount) values ($1, $2, $3)`, [dataset, isin, amount])
    return Number(dataset)
  }
}

async function rowsOf(query: People['dba']): Promise<string[]> {
  const rows = await query<{ dataset_id: string; isin: string; amount: string | null }>(
    `select dataset_id, isin, amount from feeds.price order by 1, 2, 3`,
  )
  return rows.map(({ dataset_id, isin, amount }) => `${dataset_id} ${isin} ${amount ?? '-'}`)
}
