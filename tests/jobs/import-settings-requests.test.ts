import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { freshDatabase, type Query } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'

test('a config without any schedule loads a file by request, answers a dry run, and loads corrected rows and approved columns by itself', async (t) => {
  const { dba, operator, put } = await house(t)
  await dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, settle, on_new_column, max_rejects)
     values ('prices', 'inbox', '*.csv', 'feeds.price', '0 seconds', 'add', null)`,
  )
  await dba(`insert into dba.importcolumn (config_name, column_name, type) values ('prices', 'price', 'numeric')`)

  await put('monday.csv', 'isin,price\na,1.5\nb,x\n')
  const [asked] = await operator<{ id: string }>(`select dba.request_dry_run('prices', 'monday.csv') as id`)
  const answered = await eventually(() => dba(`select * from dba.dryrun where state in ('done', 'failed')`))
  assert.deepEqual(
    answered.map(({ dryrun_id, state, rows_read, rows_insert, rows_reject }) =>
      [dryrun_id, state, rows_read, rows_insert, rows_reject].map(String),
    ),
    [[String(asked?.id), 'done', '2', '1', '1']],
  )
  assert.deepEqual(await dba(`select to_regclass('feeds.price') as made`), [{ made: null }])

  await operator(`select dba.request_import('prices', 'monday.csv')`)
  await eventually(() => dba(`select from dba.file where state = 'loaded'`))
  await operator(`update dba.reject set fixed = '{"price": "2.5"}', state = 'retry'`)
  await eventually(() => dba(`select from dba.reject where state = 'loaded'`))
  assert.deepEqual(await dba(`select isin, price::text from feeds.price order by isin`), [
    { isin: 'a', price: '1.5' },
    { isin: 'b', price: '2.5' },
  ])

  // A run that goes on would take the next file by the terms it was queued under.
  await eventually(
    () => dba(`select from dba.run where state in ('planned', 'waiting', 'queued', 'running')`),
    (open) => open.length === 0,
  )
  await dba(`update dba.importconfig set on_new_column = 'propose'`)
  await put('tuesday.csv', 'isin,price,currency\nc,3,EUR\n')
  await operator(`select dba.request_import('prices', 'tuesday.csv')`)
  await eventually(() => dba(`select from dba.columnproposal where state = 'open'`))
  await eventually(() => dba(`select from dba.file where state = 'waiting'`))
  await dba(`update dba.columnproposal set state = 'approved'`)
  await eventually(() => dba(`select from dba.file where file_name = 'tuesday.csv' and state = 'loaded'`))
  assert.deepEqual(await dba(`select isin, currency from feeds.price where currency is not null`), [{ isin: 'c', currency: 'EUR' }])
})

test('rows that a check holds back come in force by one UPDATE', async (t) => {
  const { dba, operator, put } = await house(t)
  await dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, settle, load_mode, key_columns)
     values ('prices', 'inbox', '*.csv', 'feeds.price', '0 seconds', 'upsert', '{isin}')`,
  )
  await put('monday.csv', 'isin,price\na,1\n')
  await operator(`select dba.request_import('prices', 'monday.csv')`)
  await eventually(() => dba(`select from dba.file where state = 'loaded'`))
  await dba(
    `insert into dba.importcheck (config_name, check_name, kind, low, severity) values ('prices', 'not too few', 'min_rows', 3, 'quarantine')`,
  )
  await put('tuesday.csv', 'isin,price\na,2\nb,3\n')
  await operator(`select dba.request_import('prices', 'tuesday.csv')`)
  await eventually(() => dba(`select from dba.file where state = 'quarantined'`))
  assert.deepEqual(await dba(`select isin, price from feeds.price`), [{ isin: 'a', price: '1' }])
  const [problem] = await dba<{ fix: string }>(`select fix from dba.problem where message ~ 'held back'`)
  assert.match(problem?.fix ?? '', /^update dba\.dataset set state = 'active'/)
  await dba(problem?.fix.split('; or ')[0] ?? '')
  assert.deepEqual(await dba(`select isin, price from feeds.price order by isin`), [
    { isin: 'a', price: '2' },
    { isin: 'b', price: '3' },
  ])
  assert.deepEqual(await dba(`select state from dba.file order by file_id`), [{ state: 'loaded' }, { state: 'loaded' }])
})

async function house(t: { after(end: () => Promise<void>): void }) {
  const database = await freshDatabase(t)
  const inbox = join(database.dataDir, 'inbox')
  await mkdir(inbox)
  await workerOn(t, database)
  const queryAs = async (role: string): Promise<Query> => (await database.as(role)).query
  return {
    dba: await queryAs('rota_dba'),
    operator: await queryAs('rota_operator'),
    put: (name: string, content: string) => writeFile(join(inbox, name), content),
  }
}
