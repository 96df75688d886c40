import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dispatchDueRuns } from '../../src/control-plane/dispatch.ts'
import type { Query } from '../helpers/database.ts'
import { refusal } from '../helpers/refusal.ts'
import { addRun, addWorker, one, type People, peopleOf } from '../helpers/rows.ts'

test('backfill opens missed and skipped fires again, reruns ended ones with as_of, and makes rows where there are none', async (t) => {
  const { operator, worker } = await houseOf(t)
  const missed = await addRun(worker, 'prices', '2015-03-02 05:20Z', 'missed', { reason: 'no worker was up' })
  const skipped = await addRun(worker, 'prices', '2015-03-03 05:20Z', 'skipped', { reason: 'schedule is paused' })
  const failed = await addRun(worker, 'prices', '2015-03-04 05:20Z', 'failed', { args: { seconds: 3 } })
  await addRun(worker, 'prices', '2015-03-06 05:20Z', 'missed')

  // Four fires lie before to_at, which is exclusive and means the zone of the schedule.
  const filled = await operator(`select run_id, scheduled_for, what from dba.backfill('prices', '2015-03-02 06:20', '2015-03-06 06:20')`)
  assert.deepEqual(
    filled.map((row) => row.what),
    ['reopened: it was missed', 'reopened: it was skipped', 'runs again: it had failed', 'runs: it had no row'],
  )
  assert.deepEqual(filled.map((row) => row.run_id).slice(0, 2), [missed, skipped])

  const runs = await worker(
    `select to_char(scheduled_for at time zone 'UTC', 'DD') as day, trigger, args, rerun_of, reason, requested_by, count(*) over (partition by due_at)::int as due_together
      from dba.run where state = 'planned' order by due_at, scheduled_for`,
  )
  assert.deepEqual(runs, [
    line('02', { reason: 'backfill; it was missed: no worker was up' }),
    line('03', { reason: 'backfill; it was skipped: schedule is paused' }),
    line('04', { args: { seconds: 3, as_of: '2015-03-04T05:20:00Z' }, rerun_of: failed, reason: 'backfill; it had failed' }),
    line('05', { reason: 'backfill; it had no row' }),
  ])
})

test('backfilled fires run one after another in the order of their times', async (t) => {
  const { database, operator, worker } = await houseOf(t)
  await addRun(worker, 'prices', '2015-03-03 05:20Z', 'succeeded')
  await addWorker(worker)
  await worker(`update dba.plan set planned_version = 1`)
  await operator(`select * from dba.backfill('prices', '2015-03-02', '2015-03-05')`)
  const order: string[] = []
  for (let turn = 1; turn <= 3; turn += 1) {
    await dispatchDueRuns(database.pool, async () => {})
    const queued = await worker<{ run_id: string; day: string }>(
      `select run_id, to_char(scheduled_for at time zone 'UTC', 'DD') as day from dba.run where state = 'queued'`,
    )
    assert.equal(queued.length, 1)
    order.push(queued[0]?.day ?? '')
    await worker(
      `update dba.run set state = 'succeeded', started_at = clock_timestamp(), finished_at = clock_timestamp() where run_id = $1`,
      [queued[0]?.run_id],
    )
  }
  assert.deepEqual(order, ['02', '03', '04'])
})

test('backfill asked for twice makes nothing twice and leaves what is open', async (t) => {
  const { operator, worker } = await houseOf(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'succeeded')
  await addRun(worker, 'prices', '2015-03-03 05:20Z', 'running')
  const text = `select what from dba.backfill('prices', '2015-03-02', '2015-03-05')`
  assert.deepEqual(await whatOf(operator, text), ['runs again: it had succeeded', 'left: it is running', 'runs: it had no row'])
  assert.deepEqual(await whatOf(operator, text), ['left: its rerun is planned', 'left: it is running', 'left: it is planned'])
})

test('two backfills of one stretch at the same moment make each fire once', async (t) => {
  const { dba, operator, worker } = await houseOf(t)
  const text = `select what from dba.backfill('prices', '2015-03-02', '2015-03-12')`
  await Promise.all([whatOf(dba, text), whatOf(operator, text)])
  assert.equal(await one(worker, `select count(*)::int as value from dba.run`), 10)
})

test('backfill leaves the free days of the calendar, and says which', async (t) => {
  const { dba, operator } = await houseOf(t)
  await dba(`insert into dba.calendarday (calendar, day, note) values ('weekdays', '2015-03-04', 'Founders Day')`)
  await dba(`update dba.scheduler set calendar = 'weekdays' where schedule_name = 'prices'`)
  assert.deepEqual(await whatOf(operator, `select what from dba.backfill('prices', '2015-03-03', '2015-03-09')`), [
    'runs: it had no row',
    'left: holiday: 4 March (Founders Day) in calendar "weekdays"',
    'runs: it had no row',
    'runs: it had no row',
    'left: holiday: 7 March is a Saturday in calendar "weekdays"',
    'left: holiday: 8 March is a Sunday in calendar "weekdays"',
  ])
})

test('fires that one row of a long outage stands for get rows of their own', async (t) => {
  const { operator, worker } = await houseOf(t)
  const summary = await addRun(worker, 'prices', '2015-03-02 05:20Z', 'missed', {
    more: {
      fire_key: 'missed from 2015-03-02T05:20:00Z',
      missed_from: '2015-03-02 05:20Z',
      missed_until: '2015-03-31 04:20Z',
      missed_count: 30,
    },
  })
  const refused = await refusal(operator(`select dba.rerun($1)`, [summary]))
  assert.equal(refused.message, `run ${summary} stands for 30 missed fires`)
  const statement = /select \* from dba\.backfill\(.*\)/.exec(refused.hint)?.[0]
  assert.ok(statement, refused.hint)
  assert.equal((await operator(statement)).length, 30)
})

test('the terms that held at the time decide which fires there were', async (t) => {
  const { database, dba, operator, worker } = await houseOf(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'missed')
  await dba(`update dba.scheduler set cron = '40 9 * * *' where schedule_name = 'prices'`)
  // The schedule is from January, and was edited on 4 March.
  await database.query(`update dba.configaudit set changed_at = '2015-03-04 00:00Z' where before is not null`)
  await database.query(
    `set session_replication_role = replica; update dba.scheduler set created_at = '2015-01-01'; set session_replication_role = origin`,
  )
  assert.deepEqual(
    await operator(
      `select to_char(scheduled_for at time zone 'UTC', 'DD HH24:MI') as at, what from dba.backfill('prices', '2015-03-02', '2015-03-06')`,
    ),
    [
      { at: '02 05:20', what: 'reopened: it was missed' },
      { at: '02 08:40', what: 'left: the schedule did not fire then, it was edited later' },
      { at: '03 08:40', what: 'left: the schedule did not fire then, it was edited later' },
      { at: '04 08:40', what: 'runs: it had no row' },
      { at: '05 08:40', what: 'runs: it had no row' },
    ],
  )
})

test('a stretch of more than a thousand fires is refused with one that is short enough', async (t) => {
  const { dba, operator } = await houseOf(t)
  await dba(`insert into dba.scheduler (schedule_name, job, cron) values ('often', 'noop', '* * * * *')`)
  const refused = await refusal(operator(`select * from dba.backfill('often', '2015-03-02', '2015-03-03')`))
  assert.equal(refused.message, '1440 fires of "often" lie in that stretch, more than the 1000 of one backfill')
  const statement = /select \* from dba\.backfill\(.*\)/.exec(refused.hint)?.[0]
  assert.ok(statement, refused.hint)
  assert.equal((await operator(statement)).length, 1000)
})

test('backfill refuses what it cannot do in words', async (t) => {
  const { operator, reader } = await houseOf(t)
  assert.match(
    (await refusal(operator(`select * from dba.backfill('on request', '2015-03-02')`))).message,
    /has no fires to fill in: it has no cron/,
  )
  assert.match(
    (await refusal(operator(`select * from dba.backfill('prices', '2015-03-02', '2015-03-01')`))).message,
    /^no time lies between/,
  )
  assert.match((await refusal(operator(`select * from dba.backfill('prices', null)`))).message, /^no time lies between/)
  assert.match((await refusal(operator(`select * from dba.backfill('prices', 'tomorrow 06:00')`))).message, /^no time lies between/)
  const refused = await refusal(reader(`select * from dba.backfill('prices', '2015-03-02', '2015-03-03')`))
  assert.equal(refused.message, 'role "rota_reader" may not ask for runs')
  assert.equal(refused.code, '42501')
})

async function houseOf(t: Parameters<typeof peopleOf>[0]): Promise<People> {
  const people = await peopleOf(t)
  await people.dba(
    `insert into dba.scheduler (schedule_name, job, cron, time_zone) values ('prices', 'noop', '20 6 * * *', 'Europe/Warsaw')`,
  )
  await people.dba(`insert into dba.scheduler (schedule_name, job) values ('on request', 'noop')`)
  return people
}

/** A backfilled run as it stands in the ledger, together with three others. */
function line(day: string, facts: object): object {
  return { day, trigger: 'request', args: {}, rerun_of: null, requested_by: 'rota_operator', due_together: 4, ...facts }
}

async function whatOf(query: Query, text: string): Promise<string[]> {
  return (await query<{ what: string }>(text)).map((row) => row.what)
}
