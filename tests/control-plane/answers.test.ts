import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { addSchedule, plan } from '../helpers/clockwork.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'

test('a written schedule is explained, checked and answered', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'morning', cron: '20 6 * * MON-FRI', time_zone: 'Europe/Warsaw', calendar: 'weekdays' })
  const [row] = await answered(database, 'morning')
  assert.equal(row?.config_state, 'ok')
  assert.equal(row?.config_message, 'ready')
  assert.equal(
    row?.explained,
    'Runs noop at 06:20, Monday through Friday (Europe/Warsaw), not on free days of calendar "weekdays"; skipped while the run before it is open.',
  )
})

test('an edit sets unchecked, and is answered again', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'morning', cron: '20 6 * * *' })
  await answered(database, 'morning')
  const [edited] = await database.query(`update dba.scheduler set overlap = 'queue' returning config_state`)
  assert.equal(edited?.config_state, 'unchecked')
  const [row] = await answered(database, 'morning')
  assert.match(String(row?.explained), /waits while the run before it is open/)
})

test('a lane without a live worker is said on the row, and mended when one comes', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await database.query(`insert into dba.lane (lane) values ('plant_a')`)
  await addSchedule(database, { schedule_name: 'far', cron: '20 6 * * *', lane: 'plant_a' })
  const [row] = await answered(database, 'far')
  assert.deepEqual(
    [row?.config_state, row?.config_message],
    ['invalid', 'lane "plant_a" has no live worker: start one with ROTA_LANES=plant_a'],
  )
  await workerOn(t, database, { ROTA_LANES: 'plant_a' })
  await eventually(() => database.query(`select from dba.scheduler where config_state = 'ok'`), undefined, 40)
})

test('on_file is answered with how many files match on which host', async (t) => {
  const database = await freshDatabase(t)
  await mkdir(join(database.dataDir, 'inbox'))
  for (const name of ['a.csv', 'b.csv', 'c.txt']) await writeFile(join(database.dataDir, 'inbox', name), 'x')
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'files', on_file: 'inbox/*.csv', paused_until: 'infinity' })
  const [row] = await answered(database, 'files')
  assert.match(String(row?.config_message), /^on_file: 2 files there now on host \S+$/)
  await addSchedule(database, { schedule_name: 'no folder', on_file: 'nowhere/*.csv' })
  const [missing] = await answered(database, 'no folder')
  assert.equal(missing?.config_state, 'invalid')
  assert.match(String(missing?.config_message), /^on_file: Folder ".*nowhere" does not exist/)
})

test('an uncommitted edit holds up neither the answers of others nor, once it is over, its own', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'held', cron: '20 6 * * *' })
  await workerOn(t, database)
  await answered(database, 'held')
  const dba = await database.as('rota_dba')
  await dba.query('begin')
  await dba.query(`update dba.scheduler set cron = '30 7 * * *', schedule_name = 'held open' where schedule_name = 'held'`)
  await addSchedule(database, { schedule_name: 'other', cron: '0 5 * * *' })
  assert.equal((await answered(database, 'other'))[0]?.config_state, 'ok')
  await dba.query('commit')
  const [row] = await answered(database, 'held open')
  assert.match(String(row?.explained), /at 07:30/)
})

test('next_fire_at that could not be answered while somebody held the row is answered after the rollback', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *' })
  await plan(database)
  const dba = await database.as('rota_dba')
  await dba.query('begin')
  await dba.query(`update dba.scheduler set description = 'held'`)
  const operator = await database.as('rota_operator')
  await operator.query(`update dba.run set cancel_requested = true where run_id = (select run_id from dba.run order by due_at limit 1)`)
  await plan(database)
  await dba.query('rollback')
  await plan(database)
  const [row] = await database.query<{ is_right: boolean }>(
    `select next_fire_at = (select min(due_at) from dba.run where state = 'planned') as is_right from dba.scheduler`,
  )
  assert.equal(row?.is_right, true)
})

test('during a pause next_fire_at is the first fire after it', async (t) => {
  const database = await freshDatabase(t)
  const [until] = await database.query<{ at: Date }>(
    `select date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' + interval '20 days 6 hours' as at`,
  )
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *', paused_until: until?.at })
  await plan(database)
  const [row] = await database.query<{ next_fire_at: Date; next_fires: string[] }>('select next_fire_at, next_fires from dba.scheduler')
  assert.deepEqual(row?.next_fire_at, until?.at)
  assert.equal(row?.next_fires.length, 5)
})

test('1,000 schedules inserted in one statement are all answered', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await database.query(
    `insert into dba.scheduler (schedule_name, job, cron) select 'bulk ' || n, 'noop', format('%s %s * * *', n % 60, n % 24) from generate_series(1, 1000) n`,
  )
  await eventually(
    () =>
      database.query<{ left: number }>(
        `select count(*)::int as left from dba.scheduler where config_state = 'unchecked' or explained is null`,
      ),
    ([row]) => row?.left === 0,
    40,
  )
  const [planned] = await database.query(`select count(distinct schedule_id)::int as schedules from dba.run where state = 'planned'`)
  assert.equal(planned?.schedules, 1000)
})

test('a worker whose listening connection is cut still notices what is written', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await eventually(() =>
    database.query(`select from pg_stat_activity where application_name = 'rota listen' and datname = current_database()`),
  )
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rota listen' and datname = current_database()`,
  )
  await addSchedule(database, { schedule_name: 'unheard', cron: '* * * * * *' })
  await eventually(() => database.query(`select from dba.run where schedule_name = 'unheard' and state = 'succeeded'`), undefined, 40)
})

test('a worker that hears nothing at all finds what was written by looking', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'first' })
  await answered(database, 'first')
  // What rota_worker writes is not announced, as where a pooler swallows NOTIFY.
  await database.pool.query(`insert into dba.scheduler (schedule_name, job, cron) values ('unheard', 'noop', '* * * * * *')`)
  await database.pool.query(
    `insert into dba.plan (schedule_id) select schedule_id from dba.scheduler where schedule_name = 'unheard' on conflict do nothing`,
  )
  await eventually(() => database.query(`select from dba.run where schedule_name = 'unheard' and state = 'succeeded'`), undefined, 45)
})

function answered({ query }: TestDatabase, scheduleName: string): Promise<Record<string, unknown>[]> {
  return eventually(() =>
    query(`select * from dba.scheduler where schedule_name = $1 and config_state <> 'unchecked' and explained is not null`, [scheduleName]),
  )
}
