import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dispatchDueRuns, untilNextDue } from '../../src/control-plane/dispatch.ts'
import { openPool } from '../../src/db/open.ts'
import { addSchedule, dispatch, forget, plan, type RunRow, runsOf } from '../helpers/clockwork.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'

test('two dispatchers at the same moment queue a due run once', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'monthly', cron: '20 6 1 * *' })
  await makeDue(database)
  const other = openPool(database.url, { role: 'rota_worker', applicationName: 'other dispatcher', max: 2 })
  t.after(() => other.end())
  const [first, second] = await Promise.all([dispatchDueRuns(database.pool, forget), dispatchDueRuns(other, forget)])
  assert.equal(first.length + second.length, 1)
})

test('a queue that refuses the message leaves the run as it was', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'monthly', cron: '20 6 1 * *' })
  await makeDue(database)
  const refuse = async () => {
    throw new Error('the queue is away')
  }
  await assert.rejects(dispatchDueRuns(database.pool, refuse), /the queue is away/)
  assert.equal((await dispatch(database)).length, 1)
})

test('a run keeps the terms it was queued under', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'monthly', cron: '20 6 1 * *', args: { seconds: 1 }, max_attempts: 5, priority: 7 })
  await makeDue(database)
  await dispatch(database)
  await database.query(
    `update dba.scheduler set args = '{"seconds": 2}', max_attempts = 9, timeout = '2 hours', priority = 1, resource = 'erp'`,
  )
  await plan(database)
  const [run] = await database.query<RunRow>(
    `select args, max_attempts, timeout::text, priority, resource from dba.run where state = 'queued'`,
  )
  assert.deepEqual(run, { args: { seconds: 1 }, max_attempts: 5, timeout: '01:00:00', priority: 7, resource: null })
})

test('a fire that is due under terms that were just edited is planned anew before it may start', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'monthly', cron: '20 6 1 * *' })
  await plan(database)
  await database.query(`update dba.scheduler set cron = '30 6 1 * *'`)
  await database.pool.query(`update dba.run set due_at = now() where state = 'planned'`)
  assert.deepEqual(await dispatch(database), [])
  await plan(database)
  assert.deepEqual(await dispatch(database), [])
  assert.match((await runsOf(database, 'monthly'))[0]?.local_time ?? '', / 06:30 UTC$/)
})

test('a higher priority is queued first', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'low', priority: 1 })
  await addSchedule(database, { schedule_name: 'high', priority: 5 })
  await database.query(`insert into dba.run (schedule_name) values ('low'), ('high')`)
  assert.deepEqual(
    (await dispatch(database)).map((message) => message.priority),
    [5, 1],
  )
})

test('1,200 runs due at one moment are all queued in one look', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`insert into dba.scheduler (schedule_name, job) select 'one of many ' || n, 'noop' from generate_series(1, 1200) n`)
  await database.query(`insert into dba.run (schedule_name) select schedule_name from dba.scheduler`)
  assert.equal((await dispatch(database)).length, 1200)
})

test('the reason why a fire was moved stays when it is queued', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`insert into dba.calendar (calendar, weekend) values ('plant', '{}')`)
  await database.query(`insert into dba.calendarday (calendar, day) select 'plant', (now() at time zone 'UTC')::date + 1`)
  await addSchedule(database, { schedule_name: 'moved', cron: '0 6 * * *', calendar: 'plant', on_holiday: 'next' })
  await database.query(
    `update dba.scheduler set cron = (select format('0 6 %s %s *', to_char(d, 'FMDD'), to_char(d, 'FMMM')) from (select (now() at time zone 'UTC')::date + 1 as d) x)`,
  )
  await makeDue(database)
  await dispatch(database)
  const [run] = await database.query<RunRow>(`select reason from dba.run where state = 'queued'`)
  assert.match(run?.reason ?? '', /^holiday: .*; moved to \d{4}-\d\d-\d\d$/)
})

test('an uncommitted edit of a schedule in another session stops neither its fires nor its planning', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'each second', cron: '* * * * * *' })
  await plan(database)
  const dba = await database.as('rota_dba')
  await dba.query('begin')
  await dba.query(`update dba.scheduler set schedule_name = 'renamed', cron = '0 0 1 1 *', description = 'not decided yet'`)
  await firesGoOn(database, 'each second')
  await dba.query('rollback')
})

test('an uncommitted rename of a config stops neither the fires of its schedules nor what their runs write', async (t) => {
  const database = await freshDatabase(t)
  await addImport(database, 'prices')
  await addSchedule(database, { schedule_name: 'each second', job: 'import', config_name: 'prices', cron: '* * * * * *', overlap: 'allow' })
  await plan(database)
  const dba = await database.as('rota_dba')
  await dba.query('begin')
  await dba.query(`update dba.importconfig set config_name = 'renamed'`)
  await firesGoOn(database, 'each second')
  await database.pool.query(`update dba.bookmark set value = '2'`)
  await database.pool.query(`update dba.file set state = 'failed'`)
  await database.pool.query(`update dba.dataset set state = 'active'`)
  await dba.query('commit')
  assert.deepEqual(
    await database.query(
      `select config_name from dba.bookmark union select config_name from dba.bookmarkhistory union select config_name from dba.file
       union select config_name from dba.dataset union select config_name from dba.run where state in ('planned', 'queued')`,
    ),
    [{ config_name: 'renamed' }],
  )
})

test('two configs that swap their names in one transaction take their own runs along', async (t) => {
  const database = await freshDatabase(t)
  for (const name of ['prices', 'orders']) {
    await addImport(database, name)
    await addSchedule(database, { schedule_name: `load ${name}`, job: 'import', config_name: name, cron: '0 6 * * *' })
  }
  await plan(database)
  const dba = await database.as('rota_dba')
  await dba.query(`
    begin;
    update dba.importconfig set config_name = 'aside' where config_name = 'prices';
    update dba.importconfig set config_name = 'prices' where config_name = 'orders';
    update dba.importconfig set config_name = 'orders' where config_name = 'aside';
    commit`)
  assert.deepEqual(
    await database.query(`select distinct schedule_name, config_name from dba.run where state = 'planned' order by schedule_name`),
    [
      { schedule_name: 'load orders', config_name: 'prices' },
      { schedule_name: 'load prices', config_name: 'orders' },
    ],
  )
  assert.deepEqual(await database.query(`select config_name, value from dba.bookmark order by config_name`), [
    { config_name: 'orders', value: 'prices' },
    { config_name: 'prices', value: 'orders' },
  ])
})

test('an uncommitted DELETE of a schedule stops neither its fires nor its planning', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'each second', cron: '* * * * * *' })
  await plan(database)
  const dba = await database.as('rota_dba')
  await dba.query('begin')
  await dba.query('delete from dba.scheduler')
  await firesGoOn(database, 'each second')
  await dba.query('rollback')
})

test('a run that somebody holds open stops neither the planner nor the other fires', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'held', cron: '0 6 * * *' })
  await addSchedule(database, { schedule_name: 'each second', cron: '* * * * * *' })
  await plan(database)
  const dba = await database.as('rota_dba')
  await dba.query('begin')
  await dba.query(`update dba.run set state = 'skipped' where schedule_name = 'held'`)
  await database.query(`update dba.scheduler set cron = '30 7 * * *' where schedule_name = 'held'`)
  await firesGoOn(database, 'each second')
  await dba.query('rollback')
  await database.pool.query('update dba.plan set refill_at = now()')
  await plan(database)
  for (const run of await runsOf(database, 'held')) assert.match(run.local_time, / 07:30 UTC$/)
})

test('an open run that somebody holds open does not stop the dispatcher that would cancel it', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'monthly', cron: '20 6 1 * *', overlap: 'cancel' })
  await database.query(`insert into dba.run (schedule_name) values ('monthly')`)
  await dispatch(database)
  const dba = await database.as('rota_dba')
  await dba.query('begin')
  await dba.query(`update dba.run set cancel_requested = true where state = 'queued'`)
  await makeDue(database)
  await addSchedule(database, { schedule_name: 'other' })
  await database.query(`insert into dba.run (schedule_name) values ('other')`)
  assert.equal((await dispatch(database)).length, 1)
  await dba.query('rollback')
})

test('what is due and undecided is known to be due', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'monthly', cron: '20 6 1 * *' })
  await makeDue(database)
  assert.ok(((await untilNextDue(database.pool)) ?? 1) <= 0)
  await dispatch(database)
  await plan(database)
  assert.ok(((await untilNextDue(database.pool)) ?? 0) > 0)
})

test('where nothing fires there is nothing to wait for', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'each second', cron: '* * * * * *' })
  await database.query(`update dba.setting set value = 'false' where name = 'is_live'`)
  assert.equal(await untilNextDue(database.pool), null)
})

/** Plans, and makes the first planned fire due. */
async function makeDue(database: TestDatabase): Promise<void> {
  await plan(database)
  await database.pool.query(
    `update dba.run set due_at = now() where run_id = (select run_id from dba.run where state = 'planned' and trigger = 'cron' order by due_at limit 1)`,
  )
}

/** Seven seconds of a schedule, more than are planned ahead, are queued or skipped one by one. */
async function firesGoOn(database: TestDatabase, scheduleName: string): Promise<void> {
  const [last] = await database.query<{ at: Date }>(`select date_trunc('second', now()) + interval '8 seconds' as at`)
  for (let second = 1; second <= 8; second += 1) {
    await database.query(`select pg_sleep_until($1::timestamptz - $2 * interval '1 second')`, [last?.at, 8 - second])
    await plan(database)
    await dispatch(database)
  }
  const runs = await database.query(
    `select from dba.run where schedule_name = $1 and state not in ('planned', 'missed') and scheduled_for between $2::timestamptz - interval '6 seconds' and $2`,
    [scheduleName, last?.at],
  )
  assert.equal(runs.length, 7)
}

/** A config with a bookmark, a file and a dataset in the ledgers; the bookmark's value is its name. */
async function addImport({ query, pool }: TestDatabase, name: string): Promise<void> {
  await query(`insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ($1, $1, '*', 'feeds.any')`, [
    name,
  ])
  await pool.query(`insert into dba.bookmark (job, config_name, value) values ('import', $1, to_jsonb($1::text))`, [name])
  await pool.query(`insert into dba.file (config_name, file_name, path, size_bytes, state) values ($1, 'a', 'a', 1, 'stored')`, [name])
  await pool.query(
    `insert into dba.dataset (config_name, datasource, datasettype, label, dataset_date) values ($1, $1, 'file', 'a', '2015-01-01')`,
    [name],
  )
}
