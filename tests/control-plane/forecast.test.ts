import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../helpers/refusal.ts'
import { addRun, one, type People, peopleOf, plan } from '../helpers/rows.ts'

test('a window shows every fire of every active cron schedule, in order of due_at, its end excluded', async (t) => {
  const { forecast, dba } = await houseOf(t)
  await dba(
    `insert into dba.scheduler (schedule_name, job, cron, is_active) values ('b', 'noop', '30 6,7 * * *', true), ('off', 'noop', '* * * * *', false), ('always', 'noop', '@always', true)`,
  )
  assert.deepEqual(await forecast('2099-03-02 06:00Z', '2099-03-02 07:30Z'), [
    ['a', '2099-03-02 06:00', 'planned', null],
    ['b', '2099-03-02 06:30', 'planned', null],
    ['a', '2099-03-02 07:00', 'planned', null],
  ])
})

test('holidays are skipped or moved with their reason, also into the window from outside', async (t) => {
  const { forecast, dba } = await houseOf(t)
  await dba(`insert into dba.calendarday (calendar, day, note) values ('weekdays', '2099-03-04', 'Founders Day')`)
  await dba(`update dba.scheduler set cron = '0 8 * * SAT,WED', calendar = 'weekdays' where schedule_name = 'a'`)
  const holiday = 'holiday: 4 March (Founders Day) in calendar "weekdays"'
  assert.deepEqual(await forecast('2099-03-04', '2099-03-05'), [['a', '2099-03-04 08:00', 'skipped', holiday]])
  await dba(`update dba.scheduler set on_holiday = 'next'`)
  assert.deepEqual(await forecast('2099-03-05', '2099-03-06'), [['a', '2099-03-05 08:00', 'planned', `${holiday}; moved to 2099-03-05`]])
  assert.deepEqual(await forecast('2099-03-04', '2099-03-05'), [])
})

test('pauses of schedule and lane, and a config that is switched off, show as what becomes of the fire', async (t) => {
  const { forecast, dba, operator, database } = await houseOf(t)
  await dba(`insert into dba.lane (lane) values ('plant')`)
  await database.query(`insert into dba.jobconfig (job, config_name, is_active) values ('noop', 'quiet', false)`)
  await dba(
    `insert into dba.scheduler (schedule_name, job, cron, lane) values ('b', 'noop', '0 6 * * *', 'plant'), ('c', 'noop', '0 6 * * *', 'default')`,
  )
  await database.query(
    `set session_replication_role = replica; update dba.scheduler set config_name = 'quiet' where schedule_name = 'c'; set session_replication_role = origin`,
  )
  await operator(`select dba.pause('a', '2099-03-02 06:30+00', 'move')`)
  await operator(`update dba.lane set paused_until = 'infinity', pause_reason = 'network' where lane = 'plant'`)
  assert.deepEqual(await forecast('2099-03-02 06:00Z', '2099-03-02 07:30Z'), [
    ['a', '2099-03-02 06:00', 'skipped', 'schedule is paused by rota_operator until Mon 2099-03-02 06:30 UTC: move'],
    ['b', '2099-03-02 06:00', 'waiting', 'lane "plant" is paused by rota_operator until somebody resumes it: network'],
    ['c', '2099-03-02 06:00', 'skipped', 'config "quiet" is switched off (is_active is false)'],
    ['a', '2099-03-02 07:00', 'planned', null],
  ])
})

test('what people decided stands in it once: a fire taken out, and a one-off', async (t) => {
  const { forecast, operator, worker } = await houseOf(t)
  await plan(worker)
  await operator(
    `insert into dba.run (schedule_name, scheduled_for, state, requested_reason) values ('a', '2099-03-02 06:00Z', 'skipped', 'not tonight')`,
  )
  await operator(`insert into dba.run (schedule_name, scheduled_for) values ('a', '2099-03-02 06:10Z')`)
  assert.deepEqual(await forecast('2099-03-02 06:00Z', '2099-03-02 07:30Z'), [
    ['a', '2099-03-02 06:00', 'skipped', 'skipped by rota_operator: not tonight'],
    ['a', '2099-03-02 06:10', 'planned', null],
    ['a', '2099-03-02 07:00', 'planned', null],
  ])
})

test('fires that the planner has written and fires that are only computed meet without gap or double', async (t) => {
  const { worker, reader } = await houseOf(t)
  await plan(worker)
  const [found] = await reader(
    `select count(*)::int as fires, count(distinct scheduled_for)::int as moments, count(*) filter (where state = 'planned')::int as planned
      from dba.forecast(date_trunc('hour', now()) + interval '1 hour', date_trunc('hour', now()) + interval '25 hours')`,
  )
  assert.deepEqual(found, { fires: 24, moments: 24, planned: 24 })
})

test('a schedule that runs after others is foretold after their fires, by their usual durations, link by link', async (t) => {
  const { forecast, dba, worker } = await houseOf(t)
  await dba(
    `insert into dba.scheduler (schedule_name, job, run_after) values ('b', 'noop', '{a}'), ('c', 'noop', '{b}'), ('if it fails', 'noop', '{a}')`,
  )
  await dba(`update dba.scheduler set run_after_state = 'failed' where schedule_name = 'if it fails'`)
  for (const end of ['06:05', '07:07', '08:59']) {
    await addRun(worker, 'a', `2015-03-02 ${end.slice(0, 2)}:00Z`, 'succeeded', { more: { finished_at: `2015-03-02 ${end}Z` } })
  }
  assert.deepEqual(await forecast('2099-03-02 06:00Z', '2099-03-02 07:05Z'), [
    ['a', '2099-03-02 06:00', 'planned', null],
    ['b', '2099-03-02 06:07', 'planned', 'foretold: after "a"; "a" usually takes 00:07:00'],
    ['c', '2099-03-02 06:07', 'planned', 'foretold: after "b"'],
    ['a', '2099-03-02 07:00', 'planned', null],
  ])
  assert.deepEqual(
    (await forecast('2099-03-02 07:05Z', '2099-03-02 07:55Z')).map(([name]) => name),
    ['b', 'c'],
  )
})

test('a schedule that runs after several is foretold once they have all ended, what has ended already counted in', async (t) => {
  const { reader, dba, worker } = await houseOf(t)
  await dba(`update dba.scheduler set cron = '0 6 2 3 *' where schedule_name = 'a'`)
  await dba(`insert into dba.scheduler (schedule_name, job, cron) values ('slow', 'noop', '0 9 2 3 *')`)
  await dba(`insert into dba.scheduler (schedule_name, job) values ('asked', 'noop')`)
  await dba(`insert into dba.scheduler (schedule_name, job, run_after) values ('both', 'noop', '{a,slow}'), ('wakes', 'noop', '{a,asked}')`)
  const names = async () =>
    (await reader<{ schedule_name: string }>(`select schedule_name from dba.forecast(now(), now() + interval '1 year')`)).map(
      (row) => row.schedule_name,
    )
  assert.deepEqual((await names()).slice(0, 3), ['a', 'both', 'slow'])
  await worker(`update dba.plan set waits_since = now() - interval '1 hour'`)
  const now = await one(worker, `select clock_timestamp()::text as value`)
  await addRun(worker, 'asked', now, 'succeeded', { trigger: 'request', more: { finished_at: now } })
  assert.deepEqual((await names()).slice(0, 4), ['a', 'wakes', 'both', 'slow'])
})

test('what waits for a run that is going on is foretold for its usual end; behind a pause nothing is', async (t) => {
  const { dba, operator, worker, reader } = await houseOf(t)
  await dba(`insert into dba.scheduler (schedule_name, job) values ('asked', 'noop')`)
  await dba(`insert into dba.scheduler (schedule_name, job, run_after) values ('b', 'noop', '{asked}'), ('c', 'noop', '{b}')`)
  await addRun(worker, 'asked', '2015-03-02 06:00Z', 'succeeded', { more: { finished_at: '2015-03-02 07:00Z' } })
  const now = await one(worker, `select date_trunc('second', clock_timestamp())::text as value`)
  await addRun(worker, 'asked', now, 'running', { trigger: 'request' })
  const foretold = () =>
    reader<{ schedule_name: string; state: string }>(
      `select schedule_name, state, due_at = $1::timestamptz + interval '1 hour' as is_then from dba.forecast(now(), now() + interval '2 hours') where schedule_name in ('b', 'c')`,
      [now],
    )
  assert.deepEqual(await foretold(), [
    { schedule_name: 'b', state: 'planned', is_then: true },
    { schedule_name: 'c', state: 'planned', is_then: true },
  ])
  await operator(`select dba.pause('b')`)
  assert.deepEqual(await foretold(), [{ schedule_name: 'b', state: 'skipped', is_then: true }])
})

test('a window in the past shows what happened', async (t) => {
  const { forecast, worker } = await houseOf(t)
  await addRun(worker, 'a', '2015-03-02 06:00Z', 'succeeded')
  await addRun(worker, 'a', '2015-03-02 07:00Z', 'missed', { reason: 'no worker was up' })
  await addRun(worker, 'a', '2015-03-02 08:00Z', 'failed')
  assert.deepEqual(await forecast('2015-03-02 06:00Z', '2015-03-02 08:00Z'), [
    ['a', '2015-03-02 06:00', 'succeeded', null],
    ['a', '2015-03-02 07:00', 'missed', 'no worker was up'],
  ])
})

test('on a copy of the database nothing fires, and the forecast says so', async (t) => {
  const { forecast, dba } = await houseOf(t)
  await dba(`update dba.setting set value = 'false' where name = 'is_live'`)
  const [row] = await forecast('2099-03-02 06:00Z', '2099-03-02 06:30Z')
  assert.deepEqual(row?.slice(2), ['missed', 'nothing fires in this database: it is a copy, or dba.setting.is_live is false'])
})

test('without a window it shows one day; a window that is none is refused', async (t) => {
  const { dba, reader } = await houseOf(t)
  assert.equal(await one(reader, `select count(*)::int as value from dba.forecast()`), 24)
  assert.equal(await one(reader, `select count(*)::int as value from dba.forecast('2099-03-02 06:00Z')`), 24)
  for (const wrong of [`now(), now()`, `now(), 'infinity'`, `null`, `'infinity'`]) {
    assert.match((await refusal(reader(`select * from dba.forecast(${wrong})`))).message, /needs a window of time/)
  }
  await dba(`insert into dba.scheduler (schedule_name, job, cron) values ('often', 'noop', '* * * * * *')`)
  assert.equal(
    (await refusal(reader(`select * from dba.forecast(now(), now() + interval '3 days')`))).message,
    'schedule "often" fires more than 100000 times in that window',
  )
})

interface House extends People {
  forecast(from: string, to: string): Promise<(string | null)[][]>
}

/** A house with one schedule, "a", every hour. */
async function houseOf(t: Parameters<typeof peopleOf>[0]): Promise<House> {
  const people = await peopleOf(t)
  await people.dba(`insert into dba.scheduler (schedule_name, job, cron) values ('a', 'noop', '0 * * * *')`)
  const forecast = async (from: string, to: string): Promise<(string | null)[][]> => {
    const rows = await people.reader<{ schedule_name: string; due: string; state: string; reason: string | null }>(
      `select schedule_name, to_char(due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as due, state, reason from dba.forecast($1, $2)`,
      [from, to],
    )
    return rows.map((row) => [row.schedule_name, row.due, row.state, row.reason])
  }
  return { ...people, forecast }
}
