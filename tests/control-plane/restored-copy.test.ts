import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { addSchedule, dispatch, plan, runsOf } from '../helpers/clockwork.ts'
import { type emptyDatabase, freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'

test('a restored copy plans nothing and starts nothing', async (t) => {
  const database = await copyOf(t)
  const before = await runsOf(database, 'each second')
  await database.query(`select pg_sleep_until($1)`, [before[1]?.due_at])
  await plan(database)
  assert.deepEqual(await dispatch(database), [])
  assert.deepEqual(await runsOf(database, 'each second'), before)
})

test('a worker on a restored copy says why it takes no runs', async (t) => {
  const database = await copyOf(t)
  await workerOn(t, database)
  const [worker] = await eventually(() => database.query<{ message: string }>(`select message from dba.worker where state = 'still'`))
  assert.match(
    worker?.message ?? '',
    /^this database is a copy or not live: update dba\.setting set value = 'true' where name = 'is_live'$/,
  )
})

test('a worker on a restored copy leaves the ledger as it is, and answers what is written there', async (t) => {
  const database = await copyOf(t)
  await database.query(`update dba.run set state = 'skipped' where due_at = (select min(due_at) from dba.run where state = 'planned')`)
  await database.query(`select pg_sleep_until((select due_at from dba.run where state = 'skipped'))`)
  await database.query(`delete from dba.scheduler where schedule_name = 'each second'`)
  const before = await runsOf(database, 'each second')
  assert.ok(before.length > 0)
  await workerOn(t, database)
  const [answered] = await eventually(() => database.query(`select config_message from dba.scheduler where config_state <> 'unchecked'`))
  assert.equal(answered?.config_message, 'ready')
  assert.deepEqual(await runsOf(database, 'each second'), before)
})

test('files that come on a restored copy make no run', async (t) => {
  const database = await copyOf(t)
  await addSchedule(database, { schedule_name: 'files', on_file: 'inbox/*.csv' })
  await mkdir(join(database.dataDir, 'inbox'))
  await writeFile(join(database.dataDir, 'inbox', 'a.csv'), 'x')
  await workerOn(t, database)
  await eventually(() =>
    database.query(`select from dba.scheduler where schedule_name = 'files' and config_message like '%1 file there now%'`),
  )
  assert.deepEqual(await runsOf(database, 'files'), [])
  await database.query(`update dba.setting set value = 'true' where name = 'is_live'`)
  await eventually(() => database.query(`select from dba.run where schedule_name = 'files' and state = 'succeeded'`), undefined, 8)
})

test('once a person has set is_live, the fires before that are missed and the next ones run', async (t) => {
  const database = await copyOf(t)
  const before = await runsOf(database, 'each second')
  await database.query(`select pg_sleep_until($1)`, [before[1]?.due_at])
  await database.query(`insert into dba.run (schedule_name) values ('asked for')`)
  const dba = await database.as('rota_dba')
  await dba.query(`update dba.setting set value = 'true' where name = 'is_live'`)
  await plan(database)
  await dispatch(database)
  const past = await database.query<{ state: string; reason: string }>(
    `select state, reason from dba.run where due_at < (select value::timestamptz from dba.setting where name = 'live_since') and missed_count is null`,
  )
  assert.ok(past.length >= 2)
  for (const run of past) assert.deepEqual(run, { state: 'missed', reason: 'this database became the live one after that fire' })
  await workerOn(t, database)
  await eventually(() => database.query(`select from dba.run where schedule_name = 'each second' and state = 'succeeded'`))
})

test('what was open when the copy was made is missed or failed, not run again', async (t) => {
  const database = await copyOf(t)
  await database.pool.query(`
    insert into dba.run (schedule_id, schedule_name, job, fire_key, due_at, state, attempt, reason)
    select schedule_id, schedule_name, job, v.state, now(), v.state, case v.state when 'running' then 1 else 0 end, 'because'
    from dba.scheduler, (values ('waiting'), ('queued'), ('running')) v (state) where schedule_name = 'asked for'`)
  await database.query(`update dba.setting set value = 'true' where name = 'is_live'`)
  assert.deepEqual(
    await database.query(
      `select fire_key as was, state, finished_at is not null as is_ended from dba.run where schedule_name = 'asked for' order by 1`,
    ),
    [
      { was: 'queued', state: 'missed', is_ended: true },
      { was: 'running', state: 'failed', is_ended: true },
      { was: 'waiting', state: 'missed', is_ended: true },
    ],
  )
})

test('what is asked of a new database before its first worker comes runs', async (t) => {
  const database = await freshDatabase(t)
  await database.pool.query(`update dba.setting set value = null where name in ('home', 'live_since')`)
  await addSchedule(database, { schedule_name: 'asked for' })
  await database.query(`insert into dba.run (schedule_name) values ('asked for')`)
  await workerOn(t, database)
  await eventually(() => database.query(`select from dba.run where state = 'succeeded'`))
})

test('is_live set to false stops everything until it is true again', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'asked for' })
  await database.query(`update dba.setting set value = 'false' where name = 'is_live'`)
  await database.query(`insert into dba.run (schedule_name) values ('asked for')`)
  assert.deepEqual(await dispatch(database), [])
  await database.query(`update dba.setting set value = 'true' where name = 'is_live'`)
  assert.equal((await dispatch(database)).length, 1)
})

/** A database whose home is another one, as after a restore: schedule `each second` with its planned fires, and `asked for`. */
async function copyOf(t: Parameters<typeof emptyDatabase>[0]): Promise<TestDatabase> {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'each second', cron: '* * * * * *' })
  await addSchedule(database, { schedule_name: 'asked for' })
  await plan(database)
  await database.pool.query(`update dba.setting set value = 'another cluster/1' where name = 'home'`)
  return database
}
