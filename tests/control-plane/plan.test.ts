import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addSchedule, dispatch, plan, runsOf, sleepFor } from '../helpers/clockwork.ts'
import { freshDatabase } from '../helpers/database.ts'

test('a schedule has its next five fires as planned rows', async (t) => {
  const database = await freshDatabase(t)
  const { next_fires } = await addSchedule(database, { schedule_name: 'hourly', cron: '0 * * * *', time_zone: 'Europe/Warsaw' })
  await plan(database)
  const runs = await runsOf(database, 'hourly')
  assert.deepEqual(
    runs.map((run) => [run.state, run.trigger, run.attempt, run.due_at.getTime() - run.scheduled_for.getTime()]),
    Array(5).fill(['planned', 'cron', 0, 0]),
  )
  assert.deepEqual(
    runs.map((run) => run.local_time),
    next_fires,
  )
})

test('none is planned more than seven days ahead but the first', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'yearly', cron: '0 6 1 1 *' })
  await addSchedule(database, { schedule_name: 'weekly', cron: '0 6 * * 1' })
  await addSchedule(database, { schedule_name: 'twice a week', cron: '0 6 * * 1,4' })
  await plan(database)
  assert.equal((await runsOf(database, 'yearly')).length, 1)
  assert.equal((await runsOf(database, 'weekly')).length, 1)
  assert.equal((await runsOf(database, 'twice a week')).length, 2)
})

test('planning again changes nothing', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'hourly', cron: '0 * * * *', calendar: 'weekdays' })
  await plan(database)
  const before = await runsOf(database, 'hourly')
  await database.query('update dba.plan set refill_at = now()')
  await plan(database)
  assert.deepEqual(await runsOf(database, 'hourly'), before)
})

test('when fires have passed, as many more are planned', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'each second', cron: '* * * * * *' })
  await plan(database)
  const first = await runsOf(database, 'each second')
  await database.query('select pg_sleep_until(refill_at) from dba.plan')
  await plan(database)
  const seconds = (await runsOf(database, 'each second')).map((run) => run.scheduled_for.getTime() / 1000)
  assert.ok(seconds.length >= first.length + 4, `${first.length}, then ${seconds.length}`)
  for (const [index, second] of seconds.entries()) assert.equal(second, (seconds[0] ?? 0) + index)
})

test('@every is counted from the epoch, whenever the schedule was written', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'every', cron: '@every 90s' })
  await plan(database)
  const runs = await runsOf(database, 'every')
  assert.equal(runs.length, 5)
  for (const run of runs) assert.equal((run.scheduled_for.getTime() / 1000) % 90, 0)
})

test('six fields begin with the second', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'seconds', cron: '*/20 * * * * *' })
  await plan(database)
  for (const run of await runsOf(database, 'seconds')) assert.equal(run.scheduled_for.getSeconds() % 20, 0)
})

test('an edit replaces the planned fires', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *' })
  await plan(database)
  await database.query(`update dba.scheduler set cron = '30 7 * * *' where schedule_name = 'daily'`)
  await plan(database)
  const runs = await runsOf(database, 'daily')
  assert.equal(runs.length, 5)
  for (const run of runs) assert.match(run.local_time, / 07:30 UTC$/)
})

test("an edit leaves a person's skip and a one-off", async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *' })
  await plan(database)
  const dba = await database.as('rota_dba')
  const [, second] = await runsOf(database, 'daily')
  await dba.query(`update dba.run set state = 'skipped', requested_reason = 'audit' where run_id = $1`, [second?.run_id])
  await dba.query(`insert into dba.run (schedule_name, scheduled_for) values ('daily', now() + interval '36 hours')`)
  await dba.query(`update dba.scheduler set cron = '0 6,18 * * *' where schedule_name = 'daily'`)
  await plan(database)
  const runs = await runsOf(database, 'daily')
  assert.deepEqual(
    runs.filter((run) => run.run_id === second?.run_id).map(({ state, reason }) => ({ state, reason })),
    [{ state: 'skipped', reason: 'skipped by rota_dba: audit' }],
  )
  assert.equal(runs.filter((run) => run.trigger === 'request' && run.state === 'planned').length, 1)
  assert.equal(runs.filter((run) => run.trigger === 'cron' && run.state === 'planned').length, 4)
})

test('when a person takes the only planned fire out, the one behind it is planned and answered', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'yearly', cron: '0 6 1 1 *' })
  await plan(database)
  const [first] = await runsOf(database, 'yearly')
  const dba = await database.as('rota_dba')
  await dba.query(`update dba.run set state = 'skipped' where run_id = $1`, [first?.run_id])
  await plan(database)
  const [skipped, next] = await runsOf(database, 'yearly')
  assert.deepEqual([skipped?.state, next?.state], ['skipped', 'planned'])
  const [schedule] = await database.query(`select next_fire_at, next_fires from dba.scheduler`)
  assert.deepEqual(schedule?.next_fire_at, next?.due_at)
  assert.equal(Array.isArray(schedule?.next_fires) && schedule.next_fires.length, 5)
})

test('when a person cancels a planned fire, next_fire_at goes on to the one behind it', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *' })
  await plan(database)
  const dba = await database.as('rota_dba')
  const [first, second] = await runsOf(database, 'daily')
  await dba.query(`update dba.run set cancel_requested = true where run_id = $1`, [first?.run_id])
  await plan(database)
  const [schedule] = await database.query(`select next_fire_at from dba.scheduler`)
  assert.deepEqual(schedule?.next_fire_at, second?.due_at)
})

test('the not-yet-planned 24 December can be taken out ahead of time', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'yearly', cron: '0 6 24 12 *' })
  const dba = await database.as('rota_dba')
  await dba.query(`
    insert into dba.run (schedule_name, scheduled_for, state, requested_reason)
    select schedule_name, next_fire_at, 'skipped', 'nobody is there' from dba.scheduler`)
  await plan(database)
  const [skipped, next, ...others] = await runsOf(database, 'yearly')
  assert.deepEqual([skipped?.state, skipped?.reason], ['skipped', 'skipped by rota_dba: nobody is there'])
  assert.equal(next?.state, 'planned')
  assert.equal(Number(next?.local_time.slice(4, 8)) - Number(skipped?.local_time.slice(4, 8)), 1)
  assert.equal(others.length, 0)
})

test('a fire that was taken out can be put back, and fires', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *' })
  await plan(database)
  const dba = await database.as('rota_dba')
  const [first] = await runsOf(database, 'daily')
  await dba.query(`update dba.run set state = 'skipped' where run_id = $1`, [first?.run_id])
  await dba.query(`update dba.run set state = 'planned' where run_id = $1`, [first?.run_id])
  await database.pool.query('update dba.run set due_at = now() where run_id = $1', [first?.run_id])
  assert.deepEqual(
    (await dispatch(database)).map((message) => message.runId),
    [first?.run_id],
  )
  assert.equal((await runsOf(database, 'daily')).find((run) => run.run_id === first?.run_id)?.reason, 'planned again by rota_dba')
})

test('a schedule that is switched off has no planned fires, and its skips and one-offs stay', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *' })
  await plan(database)
  await database.query(`insert into dba.run (schedule_name, scheduled_for) values ('daily', now() + interval '1 hour')`)
  await database.query('update dba.scheduler set is_active = false')
  await plan(database)
  assert.deepEqual(
    (await runsOf(database, 'daily')).map((run) => run.trigger),
    ['request'],
  )
})

test('a cron that is taken away takes its planned fires along', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *' })
  await plan(database)
  await database.query('update dba.scheduler set cron = null')
  await plan(database)
  assert.deepEqual(await runsOf(database, 'daily'), [])
})

test('what is deleted fires no more; what ran stays readable', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *' })
  await plan(database)
  const [first] = await runsOf(database, 'daily')
  await database.pool.query(`update dba.run set state = 'succeeded', finished_at = now() where run_id = $1`, [first?.run_id])
  await database.query('delete from dba.scheduler')
  await plan(database)
  assert.deepEqual(
    (await runsOf(database, 'daily')).map((run) => run.run_id),
    [first?.run_id],
  )
  assert.deepEqual(await database.query('select * from dba.plan'), [])
})

test('a deleted schedule that is restored is planned again', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *' })
  await plan(database)
  await database.query('delete from dba.scheduler')
  await database.query('select dba.restore(max(audit_id)) from dba.configaudit')
  await plan(database)
  assert.equal((await runsOf(database, 'daily')).filter((run) => run.state === 'planned').length, 5)
})

test('planned runs take a new name of their schedule along', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'daily', cron: '0 6 * * *' })
  await plan(database)
  await database.query(`update dba.scheduler set schedule_name = 'each day'`)
  await plan(database)
  assert.equal((await runsOf(database, 'each day')).length, 5)
})

test('1,000 schedules inserted in one statement are planned', async (t) => {
  const database = await freshDatabase(t)
  await database.query(
    `insert into dba.scheduler (schedule_name, job, cron, time_zone)
     select 'bulk ' || n, 'noop', format('%s %s * * *', n % 60, n % 24), 'Europe/Warsaw' from generate_series(1, 1000) n`,
  )
  await plan(database)
  const [count] = await database.query(
    `select count(*)::int as rows, count(distinct schedule_id)::int as schedules from dba.run where state = 'planned'`,
  )
  assert.deepEqual(count, { rows: 5000, schedules: 1000 })
})

test('a schedule that cannot be planned is told of and does not hold up the others', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'broken', cron: '0 6 * * *' })
  await addSchedule(database, { schedule_name: 'well', cron: '0 6 * * *' })
  await database.pool.query(`update dba.scheduler set cron = 'no cron' where schedule_name = 'broken'`)
  await assert.rejects(plan(database), { code: 'schedule_not_planned', message: /^Schedule \d+ could not be planned: .*no cron/ })
  assert.equal((await runsOf(database, 'well')).length, 5)
})

test('fires in the hour that the clocks leave out or repeat stand in the ledger with the right moment', async (t) => {
  const database = await freshDatabase(t)
  // zone, cron of the weekend on which the clocks change, gap, fold, then the moments in UTC
  const cases = [
    ['Europe/Warsaw', '30 2 * 3 7L', 'shift', 'first', '01:30'],
    ['Europe/Warsaw', '30 2 * 10 7L', 'shift', 'first', '00:30'],
    ['Europe/Warsaw', '30 2 * 10 7L', 'shift', 'last', '01:30'],
    ['Europe/Warsaw', '30 2 * 10 7L', 'shift', 'both', '00:30', '01:30'],
    ['Europe/Warsaw', '30 2 * 3 7L', 'skip', 'first'],
    ['America/New_York', '30 2 * 3 0#2', 'shift', 'first', '07:30'],
    ['America/New_York', '30 1 * 11 0#1', 'shift', 'both', '05:30', '06:30'],
    ['Australia/Sydney', '30 2 * 10 0#1', 'shift', 'first', '16:30'],
    ['Australia/Sydney', '30 2 * 4 0#1', 'shift', 'both', '15:30', '16:30'],
    ['Australia/Lord_Howe', '15 2 * 10 0#1', 'shift', 'first', '15:45'],
    ['Australia/Lord_Howe', '45 1 * 4 0#1', 'shift', 'both', '14:45', '15:15'],
  ] as const
  const names = cases.map((_, index) => `case ${index}`)
  for (const [index, [time_zone, cron, dst_gap, dst_fold]] of cases.entries()) {
    await addSchedule(database, { schedule_name: `case ${index}`, cron, time_zone, dst_gap, dst_fold })
  }
  await sleepFor(database, '365 days', ...names)
  await plan(database)
  for (const [index, [time_zone, cron, , , ...expected]] of cases.entries()) {
    const past = await database.query<{ utc: string; wall: string; text: string }>(
      `select to_char(scheduled_for at time zone 'UTC', 'HH24:MI') as utc, to_char(scheduled_for at time zone $2, 'YYYY-MM-DD HH24:MI') as wall, local_time as text
       from dba.run where schedule_name = $1 and scheduled_for <= now() order by scheduled_for`,
      [`case ${index}`, time_zone],
    )
    assert.deepEqual(
      past.map((row) => row.utc),
      expected,
      `${cron} in ${time_zone}`,
    )
    for (const row of past) assert.ok(row.text.slice(4).startsWith(`${row.wall} ${time_zone}`), `${row.text} is ${row.wall}`)
  }
})
