import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../helpers/refusal.ts'
import { one, type People, peopleOf } from '../helpers/rows.ts'

test('approving a proposal carries out its ddl with the rights of whoever approves, and the files that wait are loaded again', async (t) => {
  const { dba, operator, worker } = await houseOf(t)
  await worker(`create table feeds.price (isin text); alter table feeds.price owner to rota_target`)
  const file = await addFile(worker, 'waiting')
  const [currency, amount] = [await propose(worker, 'currency'), await propose(worker, 'amount')]
  assert.equal((await refusal(operator(`update dba.columnproposal set state = 'approved'`))).code, '42501')

  await dba(`update dba.columnproposal set state = 'approved' where proposal_id = $1`, [currency])
  assert.equal(await one(dba, `select state as value from dba.file where file_id = $1`, [file]), 'waiting', 'another one is open')
  await dba(
    `update dba.columnproposal set state = 'approved', ddl = 'alter table feeds.price add column amount numeric; comment on column feeds.price.amount is ''in euro''', decided_reason = 'better' where proposal_id = $1`,
    [amount],
  )
  assert.deepEqual(await dba(`select state, reason from dba.file where file_id = $1`, [file]), [
    { state: 'retry', reason: `loaded again: proposal ${amount} was decided by rota_dba` },
  ])
  assert.deepEqual(
    await dba(
      `select attname as column, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = 'feeds.price'::regclass and attnum > 1`,
    ),
    [
      { column: 'currency', type: 'text' },
      { column: 'amount', type: 'numeric' },
    ],
  )
  assert.deepEqual(await dba(`select distinct state, decided_by, decided_at > created_at as decided from dba.columnproposal`), [
    { state: 'approved', decided_by: 'rota_dba', decided: true },
  ])
  assert.match((await refusal(dba(`update dba.columnproposal set ddl = 'x'`))).message, /was approved by rota_dba/)
})

test('refused proposals fail the files that wait, and say why; a refused one may still be approved, and brings its files only', async (t) => {
  const { dba, worker } = await houseOf(t)
  await dba(`create table feeds.price (isin text)`)
  const file = await addFile(worker, 'waiting')
  const other = await addFile(worker, 'failed', 'tuesday.csv')
  const proposal = await propose(worker, 'currency')
  await dba(`update dba.columnproposal set state = 'refused', decided_reason = 'noise'`)
  const reason = `Refused by rota_dba in dba.columnproposal ${proposal}: column "currency" (noise). To load it without: update dba.file set state = 'retry' where file_id = ${file};`
  assert.deepEqual(await dba(`select state, reason from dba.file where file_id = $1`, [file]), [{ state: 'failed', reason }])
  assert.match((await refusal(dba(`update dba.columnproposal set state = 'open'`))).message, /was refused by rota_dba/)
  await dba(`update dba.columnproposal set state = 'approved'`)
  assert.equal(await one(dba, `select state as value from dba.file where file_id = $1`, [file]), 'retry')
  assert.equal(await one(dba, `select state as value from dba.file where file_id = $1`, [other]), 'failed')
})

test('a ddl that fails decides nothing and says how to go on', async (t) => {
  const { dba, worker } = await houseOf(t)
  await addFile(worker, 'waiting')
  const id = await propose(worker, 'currency')
  const refused = await refusal(dba(`update dba.columnproposal set state = 'approved'`))
  assert.match(refused.message, new RegExp(`the ddl of proposal ${id} cannot be carried out: relation "feeds.price" does not exist`))
  assert.match(refused.hint, /Correct it in the same UPDATE/)
  assert.match(refused.detail, /add column if not exists currency/)
  assert.equal(await one(dba, `select state as value from dba.columnproposal`), 'open')
  for (const statement of [
    `update dba.columnproposal set kind = 'create_table'`,
    `update dba.columnproposal set decided_by = 'me'`,
    `insert into dba.columnproposal (config_name, kind, ddl, reason) values ('prices', 'add_column', 'select 1', 'x')`,
    `delete from dba.columnproposal`,
  ]) {
    assert.equal((await refusal(dba(statement))).code, '42501', statement)
  }
  assert.match((await refusal(dba(`update dba.columnproposal set ddl = ' '`))).message, /ddl is not blank/)
})

test('a proposal that waits for a table in use is told so after five seconds', { timeout: 30_000 }, async (t) => {
  const { dba, worker, database } = await houseOf(t)
  await dba(`create table feeds.price (isin text)`)
  await propose(worker, 'currency')
  const loader = await database.as('rota_dba')
  await loader.query('begin')
  await loader.query('insert into feeds.price values ($1)', ['x'])
  const refused = await refusal(dba(`update dba.columnproposal set state = 'approved'`))
  assert.match(refused.message, /waits for a table that is in use/)
  assert.match(refused.hint, /Approve it again/)
  await loader.query('rollback')
  await dba(`update dba.columnproposal set state = 'approved'`)
})

test('the same change is proposed once, and a rename of the config takes it along', async (t) => {
  const { dba, worker } = await houseOf(t)
  await propose(worker, 'currency')
  assert.equal(await propose(worker, 'currency'), '')
  await dba(`update dba.importconfig set config_name = 'quotes'`)
  assert.equal(await one(dba, `select config_name as value from dba.columnproposal`), 'quotes')
})

test('what is corrected of a refused row is judged at the write', async (t) => {
  const { operator, worker } = await houseOf(t)
  const file = await addFile(worker, 'loaded')
  await addReject(worker, file, { Price: 'abc', Currency: 'EUR' })
  for (const [set, message, hint] of [
    [`state = 'retry'`, /has no corrected values/, /fixed = raw/],
    [`fixed = '["a"]'`, /fixed must be a JSON object/, /"price"|"Price"/],
    [`fixed = '{"Prise": "1"}'`, /the row has no column "Prise"/, /Did you mean "Price"/],
    [`fixed = '{"Price": {"a": 1}}'`, /the value of "Price" is no single value/, /quotes/],
    [`state = 'loaded'`, /cannot be set to "loaded" by hand/, /retry or dismissed/],
    [`message = 'x'`, /column "message" of dba\.reject is kept by Rota/, /fixed/],
  ] as const) {
    const refused = await refusal(operator(`update dba.reject set ${set}`))
    assert.match(refused.message, message, set)
    assert.match(refused.hint, hint, set)
  }
  await operator(`update dba.reject set fixed = '{"Price": 12.50}', state = 'retry'`)
  assert.deepEqual(await operator(`select state, fixed, decided_by, decided_at is not null as decided from dba.reject`), [
    { state: 'retry', fixed: { Price: 12.5 }, decided_by: 'rota_operator', decided: true },
  ])
  await worker(`update dba.reject set state = 'loaded'`)
  assert.match((await refusal(operator(`update dba.reject set state = 'retry'`))).message, /has been loaded/)
})

test('the same error in ten thousand rows is one line, and so it stands in dba.problem', async (t) => {
  const { reader, worker } = await houseOf(t)
  const file = await addFile(worker, 'loaded')
  await worker(
    `insert into dba.reject (file_id, line, raw, column_name, value, rule, message)
     select $1, n + 1, '{}', 'price', 'x' || n, 'not_a_number', format('"x%s" in line %s is no number', n, n) from generate_series(1, 10000) n`,
    [file],
  )
  await addReject(worker, file, { Isin: '' }, 'isin', 'required')
  const groups = await reader(
    `select config_name, file_name, column_name, rule, message, rejects::int, open::int, first_line::int, example from dba.reject_group order by rejects desc`,
  )
  assert.deepEqual(groups[0], {
    config_name: 'prices',
    file_name: 'monday.csv',
    column_name: 'price',
    rule: 'not_a_number',
    message: '"x1" in line 1 is no number',
    rejects: 10000,
    open: 10000,
    first_line: 2,
    example: 'x1',
  })
  assert.equal(groups.length, 2)
  assert.deepEqual(await reader(`select severity, message, fix from dba.problem where subject = 'prices'`), [
    {
      severity: 'warning',
      message: '10001 refused rows of file "monday.csv", first: price: "x1" in line 1 is no number',
      fix: `select * from dba.reject_group where config_name = 'prices';`,
    },
  ])
})

test('proposals, quarantines and files that wait stand in dba.problem with the SQL to type', async (t) => {
  const { reader, worker } = await houseOf(t)
  await addFile(worker, 'waiting')
  const proposal = await propose(worker, 'currency')
  const held = await addFile(worker, 'quarantined', 'held.csv')
  const dataset = await addDataset(worker, held, 'quarantined')
  assert.deepEqual(await reader(`select message, fix from dba.problem where subject = 'prices' order by message`), [
    {
      message: 'a change of "feeds.price" is proposed, and a file waits: file "monday.csv" has it',
      fix: `update dba.columnproposal set state = 'approved' where proposal_id = ${proposal}; or state = 'refused'. It would run: alter table feeds.price add column if not exists currency text`,
    },
    {
      message: `datasets held back: 1, the latest ${dataset}: too few`,
      fix: `update dba.dataset set state = 'active' where dataset_id = ${dataset}; or state = 'deleted'`,
    },
  ])
  await worker(`update dba.columnproposal set state = 'refused'`)
  assert.match(
    await one(reader, `select message as value from dba.problem where message ~ 'files'`),
    /files that could not be loaded: 1, the latest "monday\.csv": Refused by /,
  )
})

test('a file or a row set to retry has a run of its config made, on a schedule of its own where there is none', async (t) => {
  const { operator, dba, worker } = await houseOf(t)
  const [failed, loaded] = [await addFile(worker, 'failed'), await addFile(worker, 'loaded', 'tuesday.csv')]
  await addReject(worker, loaded, { Price: 'x' })
  assert.equal(await one(worker, `select dba.plan_retries() as value`), 0)

  await operator(`update dba.file set state = 'retry' where file_id = $1`, [failed])
  assert.equal(await one(worker, `select dba.plan_retries() as value`), 1)
  assert.equal(await one(worker, `select dba.plan_retries() as value`), 0, 'once')
  assert.deepEqual(await dba(`select schedule_name, config_name, trigger, args, state from dba.run`), [
    { schedule_name: 'prices (on request)', config_name: 'prices', trigger: 'request', args: {}, state: 'planned' },
  ])
  await worker(`update dba.run set state = 'running'; update dba.file set state = 'failed' where state = 'retry'`)

  await operator(`update dba.reject set state = 'retry', fixed = raw`)
  assert.equal(await one(worker, `select dba.plan_retries() as value`), 1)
  await worker(`update dba.run set state = 'running'; update dba.reject set state = 'open'`)
  await operator(`update dba.reject set state = 'retry'`)
  assert.equal(await one(worker, `select dba.plan_retries() as value`), 1, 'tried again after another correction')

  await dba(`insert into dba.scheduler (schedule_name, job, config_name, cron) values ('load prices', 'import', 'prices', '0 6 * * *')`)
  await operator(`update dba.file set state = 'retry' where file_id = $1`, [failed])
  await worker(`select dba.plan_retries()`)
  assert.equal((await dba(`select from dba.scheduler where generated_by is not null`)).length, 1)
})

test('a row of a file that failed as a whole waits until the file is set to retry', async (t) => {
  const { operator, worker } = await houseOf(t)
  await addReject(worker, await addFile(worker, 'failed'), { Price: 'x' })
  await operator(`update dba.reject set state = 'retry', fixed = '{"Price": "1"}'`)
  assert.equal(await one(worker, `select dba.plan_retries() as value`), 0)
  await operator(`update dba.file set state = 'retry'`)
  assert.equal(await one(worker, `select dba.plan_retries() as value`), 1)
})

test('a config that somebody renames at this moment holds up no retry of others', async (t) => {
  const { dba, worker, database } = await houseOf(t)
  await dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('rates', 'inbox/rates', '*', 'feeds.rate')`,
  )
  await addFile(worker, 'retry')
  await worker(
    `insert into dba.file (file_name, path, size_bytes, state, kept_path, config_name) values ('r.csv', '/in/r.csv', 1, 'retry', '/k', 'rates')`,
  )
  const editor = await database.as('rota_dba')
  await editor.query('begin')
  await editor.query(`update dba.importconfig set config_name = 'quotes' where config_name = 'prices'`)
  assert.equal(await one(worker, `select dba.plan_retries() as value`), 1)
  await editor.query('commit')
  assert.equal(await one(worker, `select dba.plan_retries() as value`), 1)
  assert.deepEqual(await dba(`select config_name from dba.run order by 1`), [{ config_name: 'quotes' }, { config_name: 'rates' }])
})

test('a file of a config that is gone is not retried, in words; a waiting one may be retried or dismissed', async (t) => {
  const { dba, operator, worker } = await houseOf(t)
  const file = await addFile(worker, 'waiting')
  await operator(`update dba.file set state = 'retry'`)
  await operator(`update dba.file set state = 'dismissed'`)
  await dba(`delete from dba.importconfig`)
  assert.match(
    (await refusal(operator(`update dba.file set state = 'retry' where file_id = $1`, [file]))).message,
    /config "prices".* no longer exists/,
  )
})

async function houseOf(t: Parameters<typeof peopleOf>[0]): Promise<People> {
  const people = await peopleOf(t)
  await people.dba(`create schema feeds; alter default privileges in schema feeds grant all on tables to rota_target`)
  await people.dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'inbox/prices', '*.xlsx', 'feeds.price')`,
  )
  return people
}

async function addFile(worker: People['worker'], state: string, name = 'monday.csv'): Promise<string> {
  return await one(
    worker,
    `insert into dba.file (file_name, path, size_bytes, state, kept_path, config_name, reason) values ($2, '/in/' || $2, 1, $1, '/kept/' || $2, 'prices', 'a reason')
     returning file_id as value`,
    [state, name],
  )
}

async function addReject(worker: People['worker'], file: string, raw: object, column = 'price', rule = 'not_a_number'): Promise<void> {
  await worker(`insert into dba.reject (file_id, line, raw, column_name, rule, message) values ($1, 2, $2, $3, $4, 'it does not fit')`, [
    file,
    raw,
    column,
    rule,
  ])
}

async function addDataset(worker: People['worker'], file: string, state: string): Promise<string> {
  await worker(`insert into dba.datasource (datasource) values ('prices') on conflict do nothing`)
  return await one(
    worker,
    `insert into dba.dataset (label, dataset_date, datasource, datasettype, state, file_id, config_name, target_table, dataset_column, reason)
     values ('monday', '2026-01-31', 'prices', 'file', $2, $1, 'prices', 'feeds.price', 'dataset_id', 'too few') returning dataset_id as value`,
    [file, state],
  )
}

/** Its number; '' when the same is open already. */
async function propose(worker: People['worker'], column: string): Promise<string> {
  const [row] = await worker<{ proposal_id: string }>(
    `insert into dba.columnproposal (config_name, kind, target_table, column_name, ddl, reason)
     values ('prices', 'add_column', 'feeds.price', $1, format('alter table feeds.price add column if not exists %I text', $1::text), 'file "monday.csv" has it')
     on conflict do nothing returning proposal_id`,
    [column],
  )
  return row?.proposal_id ?? ''
}
