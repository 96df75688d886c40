import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { freshDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'

test('files that arrive while another one is loading wait for their turn, and each is loaded', async (t) => {
  const database = await freshDatabase(t)
  const inbox = join(database.dataDir, 'inbox')
  await mkdir(inbox)
  await workerOn(t, database)
  const dba = await database.as('rota_dba')
  await dba.query(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, settle) values ('prices', 'inbox', '*.csv', 'feeds.price', '0.2 seconds')`,
  )
  await dba.query(
    `insert into dba.scheduler (schedule_name, job, config_name, on_file) values ('prices', 'import', 'prices', 'inbox/*.csv')`,
  )
  const names = Array.from({ length: 8 }, (_, index) => `day-${index}.csv`)
  await Promise.all(names.map((name, index) => writeFile(join(inbox, name), `day,price\n${index},1.5\n`)))
  await eventually(
    () => dba.query(`select state from dba.run where trigger = 'file'`),
    (runs) => runs.length === names.length && runs.every((run) => run.state === 'succeeded'),
  )
  assert.deepEqual(
    await dba.query('select day from feeds.price order by day'),
    names.map((_, index) => ({ day: String(index) })),
  )
})

test('a file that a person sets to retry is loaded again without anybody asking for a run', async (t) => {
  const database = await freshDatabase(t)
  const inbox = join(database.dataDir, 'inbox')
  await mkdir(inbox)
  await writeFile(join(inbox, 'a.csv'), 'day,price\n1,2\n')
  await workerOn(t, database)
  const dba = await database.as('rota_dba')
  await dba.query(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, settle) values ('prices', 'inbox', '*.csv', 'feeds.price', '0 seconds')`,
  )
  await dba.query(`insert into dba.scheduler (schedule_name, job, config_name) values ('prices', 'import', 'prices')`)
  await dba.query(`insert into dba.run (schedule_name) values ('prices')`)
  await eventually(() => dba.query(`select from dba.file where state in ('loaded', 'failed')`))
  const operator = await database.as('rota_operator')
  await operator.query(`update dba.file set state = 'retry'`)
  await eventually(() => dba.query(`select from dba.dataset where state = 'active' and rows_written = 1 and dataset_id > 1`))
  await eventually(() => dba.query(`select from dba.run where requested_by = 'rota' and state = 'succeeded'`))
  assert.deepEqual(await dba.query(`select requested_reason, state from dba.run where requested_by = 'rota'`), [
    { requested_reason: 'files were set to retry', state: 'succeeded' },
  ])
})
