import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'

test('a run whose row somebody holds open neither loses its worker nor holds up the runs of others', async (t) => {
  const database = await freshDatabase(t)
  const worker = await workerOn(t, database)
  const dba = await database.as('rota_dba')
  await dba.query(`insert into dba.scheduler (schedule_name, job, args) values ('held', 'noop', '{"seconds": 1}'), ('other', 'noop', '{}')`)
  await dba.query(`insert into dba.run (schedule_name) values ('held')`)
  await eventually(() => database.query(`select from dba.run where schedule_name = 'held' and state = 'running'`))

  const holder = await database.as('rota_dba')
  await holder.query('begin')
  await holder.query(`update dba.run set requested_reason = 'looking at it' where schedule_name = 'held'`)
  const [seen] = await database.query<{ at: Date }>(`select heartbeat_at as at from dba.worker where worker = $1`, [worker.worker])
  await dba.query(`insert into dba.run (schedule_name) values ('other')`)
  await eventually(() => database.query(`select from dba.run where schedule_name = 'other' and state = 'succeeded'`))
  await eventually(() => database.query(`select from dba.worker where worker = $1 and heartbeat_at > $2`, [worker.worker, seen?.at]))
  await holder.query('rollback')

  await eventually(() => database.query(`select from dba.run where schedule_name = 'held' and state = 'succeeded'`))
  assert.deepEqual(
    await database.query(`select attempt, outcome from dba.attempt join dba.run using (run_id, attempt) where schedule_name = 'held'`),
    [{ attempt: 1, outcome: 'succeeded' }],
  )
})
