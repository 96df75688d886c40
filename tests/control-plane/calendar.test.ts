import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addSchedule, dispatch, plan, type RunRow, runsOf } from '../helpers/clockwork.ts'
import type { TestDatabase } from '../helpers/database.ts'
import { freshDatabase } from '../helpers/database.ts'

test('on_holiday skip leaves a skipped row that names the holiday', async (t) => {
  const database = await freshDatabase(t)
  await addHolidays(database, [2], 'Founding Day')
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *', calendar: 'plant' })
  await plan(database)
  const runs = await runsOf(database, 'daily')
  const [holiday] = runs.filter((run) => run.state === 'skipped')
  assert.equal(await dayOf(database, holiday), 2)
  assert.match(holiday?.reason ?? '', /^holiday: \d+ \w+ \(Founding Day\) in calendar "plant"$/)
  const [schedule] = await database.query<{ next_fires: string[] }>('select next_fires from dba.scheduler')
  assert.ok(!schedule?.next_fires.includes(holiday?.local_time ?? ''))
})

test('on_holiday run takes no notice of the calendar', async (t) => {
  const database = await freshDatabase(t)
  await addHolidays(database, [1, 2, 3, 4, 5])
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *', calendar: 'plant', on_holiday: 'run' })
  await plan(database)
  for (const run of await runsOf(database, 'daily')) assert.deepEqual([run.state, run.reason], ['planned', null])
})

test('on_holiday next moves a fire over a long holiday to the day after it, at the same time of day', async (t) => {
  const database = await freshDatabase(t)
  await addHolidays(database, [2, 3, 4, 5])
  await addSchedule(database, { schedule_name: 'once', cron: await cronOf(database, 2), calendar: 'plant', on_holiday: 'next' })
  await plan(database)
  const [moved] = await runsOf(database, 'once')
  assert.equal(await dayOf(database, moved), 2)
  assert.equal(await daysBetween(database, moved), 4)
  assert.match(moved?.reason ?? '', /; moved to \d{4}-\d\d-\d\d$/)
})

test('on_holiday previous moves a fire to the day before the holiday', async (t) => {
  const database = await freshDatabase(t)
  await addHolidays(database, [3, 4, 5])
  await addSchedule(database, { schedule_name: 'once', cron: await cronOf(database, 5), calendar: 'plant', on_holiday: 'previous' })
  await plan(database)
  const [moved] = await runsOf(database, 'once')
  assert.equal(await dayOf(database, moved), 5)
  assert.equal(await daysBetween(database, moved), -3)
})

test('fires of several free days that move to one moment are one run', async (t) => {
  const database = await freshDatabase(t)
  await addHolidays(database, [2, 3])
  await addSchedule(database, { schedule_name: 'twice', cron: await cronOf(database, 2, 3), calendar: 'plant', on_holiday: 'next' })
  await plan(database)
  const [first, second] = await runsOf(database, 'twice')
  assert.deepEqual([first?.state, second?.state], ['planned', 'skipped'])
  assert.match(second?.reason ?? '', /; the schedule runs on \d{4}-\d\d-\d\d anyway$/)
})

test('they are one run also when the planner comes to them one by one', async (t) => {
  const database = await freshDatabase(t)
  await addHolidays(database, [2, 3])
  await addSchedule(database, { schedule_name: 'twice', cron: await cronOf(database, 2, 3), calendar: 'plant', on_holiday: 'next' })
  const [second] = await database.query(
    `select f.state, f.reason from dba.scheduler s, dba.fires(s, ((now() at time zone 'UTC')::date + 3)::timestamp at time zone 'UTC' - interval '1 second', 'infinity', 1) f`,
  )
  assert.equal(second?.state, 'skipped')
})

test('a fire that moves to a moment at which the schedule fires anyway is no second run', async (t) => {
  const database = await freshDatabase(t)
  await addHolidays(database, [2])
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *', calendar: 'plant', on_holiday: 'next' })
  await plan(database)
  const runs = await runsOf(database, 'daily')
  const dues = runs.filter((run) => run.state === 'planned').map((run) => run.due_at.getTime())
  assert.equal(new Set(dues).size, dues.length)
  assert.equal(runs.filter((run) => run.state === 'skipped').length, 1)
})

test('a holiday inserted later replans at once, and one that is taken away does too', async (t) => {
  const database = await freshDatabase(t)
  await addHolidays(database, [])
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *', calendar: 'plant' })
  await plan(database)
  await addHolidays(database, [2])
  await plan(database)
  assert.deepEqual(await skippedDays(database, 'daily'), [2])
  await database.query('delete from dba.calendarday')
  await plan(database)
  assert.deepEqual(await skippedDays(database, 'daily'), [])
  assert.equal((await runsOf(database, 'daily')).filter((run) => run.state === 'planned').length, 5)
})

test('a fire that moved over a free day moves on when its new day becomes a holiday', async (t) => {
  const database = await freshDatabase(t)
  // The free day is today, and its fire is over.
  await addHolidays(database, [0])
  await addSchedule(database, { schedule_name: 'once', cron: await cronOf(database, 0, 20), calendar: 'plant', on_holiday: 'next' })
  await database.pool.query(
    `update dba.plan set planned_through = (now() at time zone 'UTC')::date::timestamp at time zone 'UTC' - interval '1 second'`,
  )
  await database.pool.query(`
    insert into dba.run (schedule_id, schedule_name, job, trigger, fire_key, scheduled_for, due_at, local_time, state, reason)
    select s.schedule_id, s.schedule_name, s.job, 'cron', dba.fire_key(f.scheduled_for), f.scheduled_for, f.due_at, '', f.state, f.reason
    from dba.scheduler s, dba.fires(s, (now() at time zone 'UTC')::date::timestamp at time zone 'UTC' - interval '1 second', now(), 1) f`)
  await plan(database)
  const [before] = await runsOf(database, 'once')
  assert.equal(await daysBetween(database, before), 1)
  await addHolidays(database, [1])
  await plan(database)
  const [after] = await runsOf(database, 'once')
  assert.equal(after?.run_id, before?.run_id)
  assert.equal(await daysBetween(database, after), 2)
})

test('a schedule that fires each minute goes on after free days', async (t) => {
  const database = await freshDatabase(t)
  await addHolidays(database, [0, 1, 2, 3, 4])
  await addSchedule(database, { schedule_name: 'each minute', cron: '* * * * *', calendar: 'plant' })
  await plan(database)
  const runs = await runsOf(database, 'each minute')
  assert.ok(runs.length <= 10, `${runs.length} rows for the free days ahead`)
  assert.deepEqual((await Promise.all(runs.filter((run) => run.state === 'planned').map((run) => dayOf(database, run)))).slice(0, 1), [5])
  const [schedule] = await database.query<{ refill_at: Date; next_fires: string[] }>(
    'select refill_at, next_fires from dba.plan join dba.scheduler using (schedule_id)',
  )
  assert.ok((schedule?.refill_at.getTime() ?? 0) < Date.now() + 120_000)
  assert.equal(schedule?.next_fires.length, 5)
})

test('a request on a holiday runs and says that it is one', async (t) => {
  const database = await freshDatabase(t)
  await addHolidays(database, [0], 'Founding Day')
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *', calendar: 'plant' })
  await plan(database)
  await database.query(`insert into dba.run (schedule_name) values ('daily')`)
  assert.equal((await dispatch(database)).length, 1)
  const [run] = await database.query<RunRow>(`select * from dba.run where trigger = 'request'`)
  assert.match(run?.reason ?? '', /^holiday: \d+ \w+ \(Founding Day\) in calendar "plant"; it runs because a person asked for it$/)
})

test('a fire moved to a working day that was over when the schedule was written does not run', async (t) => {
  const database = await freshDatabase(t)
  await addHolidays(database, [0, 1])
  await addSchedule(database, { schedule_name: 'once', cron: await cronOf(database, 1), calendar: 'plant', on_holiday: 'previous' })
  await plan(database)
  const [late] = await runsOf(database, 'once')
  assert.equal(late?.state, 'skipped')
  assert.match(late?.reason ?? '', /; moved to \d{4}-\d\d-\d\d, before the schedule was written$/)
  assert.deepEqual(await dispatch(database), [])
})

/** Calendar "plant" without weekends; `days` from today on are holidays. */
async function addHolidays({ query }: TestDatabase, days: number[], note: string | null = null): Promise<void> {
  await query(`insert into dba.calendar (calendar, weekend) values ('plant', '{}') on conflict do nothing`)
  await query(
    `insert into dba.calendarday (calendar, day, note) select 'plant', (now() at time zone 'UTC')::date + d, $2 from unnest($1::int[]) d`,
    [days, note],
  )
}

/** Fires at 00:00 UTC on these days from today on, each year. */
async function cronOf({ query }: TestDatabase, ...days: number[]): Promise<string> {
  const [row] = await query<{ days: string; months: string }>(
    `select string_agg(distinct to_char((now() at time zone 'UTC')::date + d, 'FMDD'), ',') as days, string_agg(distinct to_char((now() at time zone 'UTC')::date + d, 'FMMM'), ',') as months from unnest($1::int[]) d`,
    [days],
  )
  return `0 0 ${row?.days} ${row?.months} *`
}

/** How many days from today the nominal fire lies. */
async function dayOf({ query }: TestDatabase, run: RunRow | undefined): Promise<number | undefined> {
  const [row] = await query<{ day: number }>(
    `select ($1::timestamptz at time zone 'UTC')::date - (now() at time zone 'UTC')::date as day`,
    [run?.scheduled_for],
  )
  return row?.day
}

async function daysBetween({ query }: TestDatabase, run: RunRow | undefined): Promise<number | undefined> {
  const [row] = await query<{ days: number }>(`select extract(epoch from $2::timestamptz - $1::timestamptz)::float8 / 86400 as days`, [
    run?.scheduled_for,
    run?.due_at,
  ])
  return row?.days
}

async function skippedDays(database: TestDatabase, scheduleName: string): Promise<(number | undefined)[]> {
  const skipped = (await runsOf(database, scheduleName)).filter((run) => run.state === 'skipped')
  return Promise.all(skipped.map((run) => dayOf(database, run)))
}
