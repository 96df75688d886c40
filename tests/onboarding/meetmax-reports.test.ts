import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'
import { keepQueryLogin } from '../jobs/report-harness.ts'
import { meetmaxFiles, readMeetmaxSql } from './meetmax-bench.ts'

test('the three former reports of MeetMax come switched off, and render as rota_query', async (t) => {
  const database = await freshDatabase(t)
  await keepQueryLogin(database)
  const { client, query: dba } = await database.as('rota_dba')
  for (const name of meetmaxFiles) await client.query(await readMeetmaxSql(name))
  await workerOn(t, database)
  const names = ['MeetMax event changes', 'MeetMax historical cancellations', 'MeetMax multi-conference cancellations']
  assert.deepEqual(
    await dba('select config_name, is_active from dba.reportconfig order by 1'),
    names.map((config_name) => ({ config_name, is_active: false })),
  )
  await dba(`update dba.reportconfig set is_active = true`)
  for (const name of names) await dba('select dba.request_preview($1)', [name])
  const ended = await eventually(
    () => dba(`select config_name, state, error_message from dba.run where trigger = 'request' and finished_at is not null order by 1`),
    (rows) => rows.length === names.length,
  )
  assert.deepEqual(
    ended,
    names.map((config_name) => ({ config_name, state: 'succeeded', error_message: null })),
  )
})
