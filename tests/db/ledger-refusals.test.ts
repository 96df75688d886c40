import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../helpers/refusal.ts'
import { type People, peopleOf } from '../helpers/rows.ts'

const ledgers = [
  ['file', /retry or dismissed/],
  ['reject', /fixed/],
  ['dataset', /deleted .* or active/],
  ['columnproposal', /approved or refused/],
  ['alert', /acknowledged/],
] as const

test('what the system writes down is neither inserted nor deleted by people, who are told what they may do', async (t) => {
  const { dba } = await ledgersOf(t)
  for (const [table, hint] of ledgers) {
    for (const statement of [`delete from dba.${table}`, `insert into dba.${table} default values`]) {
      const refused = await refusal(dba(statement))
      assert.equal(refused.message, `rows of dba.${table} are written by Rota, and stay`)
      assert.equal(refused.code, '42501')
      assert.match(refused.hint ?? '', hint)
    }
  }
})

test('a state that is left empty is refused in words', async (t) => {
  const { dba } = await ledgersOf(t)
  for (const [table] of ledgers) {
    const refused = await refusal(dba(`update dba.${table} set state = null`))
    assert.equal(refused.message, `column "state" of dba.${table} must not be empty`)
    assert.ok(refused.hint)
  }
})

test('a superuser mends a ledger by hand', async (t) => {
  const { database } = await ledgersOf(t)
  for (const [table] of ledgers) await database.query(`delete from dba.${table}`)
})

test('a proposal of a config that is gone is not carried out; what waits for that config stands in dba.problem', async (t) => {
  const { dba, worker } = await ledgersOf(t)
  await dba(`delete from dba.importconfig`)
  const refused = await refusal(dba(`update dba.columnproposal set state = 'approved'`))
  assert.match(refused.message, /^config "prices", whose file asked for it, no longer exists$/)
  assert.match(refused.hint ?? '', /dba\.restore.*refused/)
  await worker(`update dba.file set state = 'retry'`)
  const [problem] = await dba<{ message: string; fix: string }>(
    `select message, fix from dba.problem where message like '%no longer exists%'`,
  )
  assert.equal(problem?.message, 'a file waits for a config that no longer exists, the latest "a.csv"')
  const [restore] = (problem?.fix ?? '').split(';')
  await dba(restore ?? '')
  assert.deepEqual(await dba(`select config_name from dba.importconfig`), [{ config_name: 'prices' }])
  assert.deepEqual(await dba(`select message from dba.problem where message like '%no longer exists%'`), [])
})

/** A row of each ledger, of config "prices". */
async function ledgersOf(t: Parameters<typeof peopleOf>[0]): Promise<People> {
  const people = await peopleOf(t)
  await people.dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'inbox', '*', 'feeds.price')`,
  )
  const { worker } = people
  await worker(
    `insert into dba.file (config_name, file_name, path, size_bytes, state, kept_path) values ('prices', 'a.csv', '/in/a.csv', 1, 'waiting', '/kept/a.csv')`,
  )
  await worker(`insert into dba.reject (file_id, raw, rule, message) select file_id, '{"a": "1"}', 'x', 'y' from dba.file`)
  await worker(
    `insert into dba.dataset (label, dataset_date, datasettype, datasource, state, config_name) values ('a', '2015-03-02', 'file', 'prices', 'empty', 'prices')`,
  )
  await worker(
    `insert into dba.columnproposal (config_name, kind, target_table, ddl, reason) values ('prices', 'create_table', 'feeds.price', 'create schema feeds', 'x')`,
  )
  await worker(`insert into dba.alert (kind, subject) values ('failed', 'prices')`)
  return people
}
