import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addSchedule, dispatch, plan, type RunRow, runsOf } from '../helpers/clockwork.ts'
import { freshDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'

test('inserting a row into dba.run runs the schedule now', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'on request' })
  const operator = await database.as('rota_operator')
  const [asked] = await operator.query<RunRow>(
    `insert into dba.run (schedule_name, requested_reason) values ('on request', 'try it') returning *`,
  )
  const [ended] = await eventually(() =>
    database.query<RunRow>(`select * from dba.run where run_id = $1 and state = 'succeeded'`, [asked?.run_id]),
  )
  assert.deepEqual(
    [ended?.trigger, ended?.requested_by, ended?.requested_reason, ended?.reason],
    ['request', 'rota_operator', 'try it', null],
  )
})

test('a one-off with a future time waits for it and then runs', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'on request' })
  const dba = await database.as('rota_dba')
  await dba.query(`insert into dba.run (schedule_name, scheduled_for) values ('on request', now() + interval '2 hours')`)
  await plan(database)
  assert.deepEqual(await dispatch(database), [])
  await database.pool.query(`update dba.run set due_at = now()`)
  assert.equal((await dispatch(database)).length, 1)
})

test('a request on a paused schedule runs and says so', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'paused', paused_until: 'infinity', pause_reason: 'audit' })
  await database.query(`insert into dba.run (schedule_name) values ('paused')`)
  assert.equal((await dispatch(database)).length, 1)
  const [run] = await runsOf(database, 'paused')
  assert.match(run?.reason ?? '', /^the schedule is paused by \w+ until somebody resumes it: audit; it runs because a person asked for it$/)
})

test('a request on a schedule that is switched off runs and says so', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'off', is_active: false })
  await database.query(`insert into dba.run (schedule_name) values ('off')`)
  assert.equal((await dispatch(database)).length, 1)
  assert.equal((await runsOf(database, 'off'))[0]?.reason, 'the schedule is switched off; it runs because a person asked for it')
})

test('requests wait for an open run and run one after another in the order they were made', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'one' })
  for (const reason of ['first', 'second', 'third']) {
    await database.query(`insert into dba.run (schedule_name, requested_reason) values ('one', $1)`, [reason])
  }
  const order: unknown[] = []
  for (let round = 0; round < 3; round += 1) {
    assert.equal((await dispatch(database)).length, 1)
    const { rows } = await database.pool.query<RunRow>(
      `update dba.run set state = 'succeeded', finished_at = now() where state = 'queued' returning *`,
    )
    order.push(rows[0]?.requested_reason)
  }
  assert.deepEqual(order, ['first', 'second', 'third'])
})

for (const state of ['planned', 'waiting', 'queued']) {
  test(`a run that is ${state} is cancelled by an UPDATE, at once`, async (t) => {
    const database = await freshDatabase(t)
    await addSchedule(database, { schedule_name: 'one' })
    const dba = await database.as('rota_dba')
    await dba.query(`insert into dba.run (schedule_name, scheduled_for) values ('one', now() + interval '1 hour')`)
    await database.pool.query(`update dba.run set state = $1, reason = 'because'`, [state])
    await dba.query(`update dba.run set cancel_requested = true, requested_reason = 'wrong day'`)
    const [run] = await runsOf(database, 'one')
    assert.deepEqual([run?.state, run?.reason, run?.finished_at !== null], ['cancelled', 'cancelled by rota_dba: wrong day', true])
    await plan(database)
    assert.deepEqual(await dispatch(database), [])
  })
}

test('a running run is cancelled by an UPDATE, and is not tried again', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'long', args: { seconds: 3600 } })
  const dba = await database.as('rota_dba')
  await dba.query(`insert into dba.run (schedule_name) values ('long')`)
  await eventually(() => database.query(`select from dba.run where state = 'running'`))
  await dba.query(`update dba.run set cancel_requested = true, requested_reason = 'wrong file' where state = 'running'`)
  const [run] = await eventually(() => database.query<RunRow>(`select * from dba.run where state = 'cancelled'`))
  assert.equal(run?.reason, 'cancelled by rota_dba: wrong file')
})

test('dba.rerun repeats a run with its args and the fire it stood for', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'one', args: { note: 'as before' } })
  const [first] = await database.query<RunRow>(
    `insert into dba.run (schedule_name, scheduled_for) values ('one', '2026-01-05 06:20Z') returning *`,
  )
  await eventually(() => database.query(`select from dba.run where run_id = $1 and state = 'succeeded'`, [first?.run_id]))
  const [again] = await database.query<{ rerun: string }>('select dba.rerun($1)', [first?.run_id])
  const [ended] = await eventually(() =>
    database.query<RunRow>(`select * from dba.run where run_id = $1 and state = 'succeeded'`, [again?.rerun]),
  )
  assert.deepEqual(ended?.args, { note: 'as before', as_of: '2026-01-05T06:20:00Z' })
  assert.equal(ended?.rerun_of, first?.run_id)
})

test('dba.backfill runs a stretch of the past in order, one at a time', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'hourly', cron: '0 * * * *' })
  await database.query(`select * from dba.backfill('hourly', '2026-01-05 00:00', '2026-01-05 06:00')`)
  const runs = await eventually(
    () => database.query<RunRow>(`select * from dba.run where state = 'succeeded' order by started_at`),
    (rows) => rows.length === 6,
  )
  assert.deepEqual(
    runs.map((run) => run.scheduled_for.getUTCHours()),
    [0, 1, 2, 3, 4, 5],
  )
  const overlapping = await database.query(
    `select from dba.attempt a join dba.attempt b on a.run_id < b.run_id and a.started_at < b.finished_at and b.started_at < a.finished_at`,
  )
  assert.equal(overlapping.length, 0)
})
