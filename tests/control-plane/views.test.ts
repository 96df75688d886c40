import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addRun, one, type People, peopleOf, plan } from '../helpers/rows.ts'

test('next_run shows what is planned, waiting and queued in order of due_at, in words', async (t) => {
  const { dba, operator, reader, worker } = await houseOf(t)
  await operator(`insert into dba.run (schedule_name, scheduled_for) values ('prices', now() + interval '2 hours 10 minutes 30 seconds')`)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'queued')
  await addRun(worker, 'prices', '2015-03-01 05:20Z', 'waiting', { reason: 'resource "erp" is in use' })
  await addRun(worker, 'prices', '2015-02-28 05:20Z', 'succeeded')
  await dba(`update dba.scheduler set priority = 5 where schedule_name = 'prices'`)
  const rows = await reader(
    `select schedule_name, state, reason, priority, lane from dba.next_run where trigger = 'request' or state <> 'planned'`,
  )
  assert.deepEqual(rows, [
    { schedule_name: 'prices', state: 'waiting', reason: 'resource "erp" is in use', priority: 5, lane: 'default' },
    { schedule_name: 'prices', state: 'queued', reason: null, priority: 5, lane: 'default' },
    { schedule_name: 'prices', state: 'planned', reason: null, priority: 5, lane: 'default' },
  ])
  assert.equal(await one(reader, `select in_words as value from dba.next_run where trigger = 'request'`), 'in 2 h 10 min')
  assert.match(await one(reader, `select in_words as value from dba.next_run where state = 'queued'`), / d ago$/)
})

test('next_run foretells what a pause will do to a planned fire', async (t) => {
  const { operator, reader, worker } = await houseOf(t)
  await plan(worker)
  await operator(`select dba.pause('prices', null, 'storage move')`)
  assert.equal(
    await one(reader, `select reason as value from dba.next_run limit 1`),
    'will be skipped: schedule is paused by rota_operator until somebody resumes it: storage move',
  )
})

test('recent_run shows what went on, newest first, with its outcome in one line', async (t) => {
  const { reader, worker } = await houseOf(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'succeeded', { more: { note: '3 files', rows_written: 120 } })
  await addRun(worker, 'prices', '2015-03-03 05:20Z', 'failed')
  await addRun(worker, 'prices', '2015-03-04 05:20Z', 'skipped', { reason: 'holiday' })
  await addRun(worker, 'prices', '2015-03-05 05:20Z', 'running', { more: { progress_note: 'file 2 of 5' } })
  await addRun(worker, 'prices', '2015-03-06 05:20Z', 'planned')
  await addRun(worker, 'prices', '2099-03-07 05:20Z', 'skipped', { reason: 'taken out' })
  const rows = await reader(`select state, extract(epoch from duration)::float8 as seconds, rows, message from dba.recent_run`)
  assert.deepEqual(
    rows.map((row) => ({ ...row, seconds: row.state === 'running' ? 'so far' : row.seconds })),
    [
      { state: 'running', seconds: 'so far', rows: null, message: 'file 2 of 5' },
      { state: 'skipped', seconds: null, rows: null, message: 'holiday' },
      { state: 'failed', seconds: 5, rows: null, message: 'Printer has no paper' },
      { state: 'succeeded', seconds: 5, rows: 120, message: '3 files' },
    ],
  )
})

test('run_log shows the lines of a run with the name of its schedule', async (t) => {
  const { reader, worker } = await houseOf(t)
  const run = await addRun(worker, 'prices', '2015-03-02 05:20Z', 'succeeded')
  await worker(
    `insert into dba.logentry (run_id, attempt, message) values ($1, 1, 'first'), ($1, 1, 'second'), (null, null, 'worker started')`,
    [run],
  )
  assert.deepEqual(await reader(`select schedule_name, message, run_state from dba.run_log where run_id = $1 order by log_id`, [run]), [
    { schedule_name: 'prices', message: 'first', run_state: 'succeeded' },
    { schedule_name: 'prices', message: 'second', run_state: 'succeeded' },
  ])
  assert.deepEqual(await reader(`select schedule_name, message from dba.run_log limit 1`), [
    { schedule_name: null, message: 'worker started' },
  ])
})

test('schedule_health counts the failures since the last success and knows the usual duration', async (t) => {
  const { reader, worker } = await houseOf(t)
  await addRun(worker, 'prices', '2015-03-01 05:20Z', 'failed')
  for (let day = 2; day <= 6; day += 1) await addRun(worker, 'prices', `2015-03-0${day} 05:20Z`, 'succeeded')
  await worker(`update dba.run set finished_at = started_at + interval '20 s' where scheduled_for = '2015-03-06 05:20Z'`)
  await addRun(worker, 'prices', '2015-03-07 05:20Z', 'failed', { more: { started_at: '2015-03-07 05:20:30Z' } })
  await addRun(worker, 'prices', '2015-03-08 05:20Z', 'failed', {
    more: { started_at: '2015-03-08 05:20:40Z', finished_at: '2015-03-08 05:21Z' },
  })
  const [health] = await reader(
    `select last_state, last_message, failure_streak, extract(epoch from usual_duration)::float8 as usual, extract(epoch from p95_duration)::float8 as p95,
        extract(epoch from lateness)::float8 as late, is_overdue, running_since, last_success_at = '2015-03-06 05:20:20Z' as knows_success
      from dba.schedule_health where schedule_name = 'prices'`,
  )
  assert.deepEqual(health, {
    last_state: 'failed',
    last_message: 'Printer has no paper',
    failure_streak: 2,
    usual: 5,
    p95: 17,
    late: 40,
    is_overdue: false,
    running_since: null,
    knows_success: true,
  })
})

test('schedule_health shows a fire that nobody takes as overdue, and the next one of a paused schedule after its pause', async (t) => {
  const { dba, operator, reader, worker } = await houseOf(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'planned')
  assert.equal(
    await one(reader, `select is_overdue and lateness > interval '1 day' as value from dba.schedule_health where schedule_name = 'prices'`),
    true,
  )
  await dba(`update dba.run set cancel_requested = true`)
  await plan(worker)
  await operator(`select dba.pause('prices', '2099-12-24 00:00')`)
  assert.equal(
    await one(
      reader,
      `select to_char(next_fire_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as value from dba.schedule_health where schedule_name = 'prices'`,
    ),
    '2099-12-24 05:20',
  )
})

test('due_by: not yet due, met, met late, late, free day', async (t) => {
  const { dba, reader, worker } = await houseOf(t)
  await dba(`update dba.scheduler set due_by = '{09:00,12:00}', calendar = 'weekdays' where schedule_name = 'prices'`)
  const stateAt = (at: string) =>
    one(reader, `select dba.due_by_state(s, $1) as value from dba.scheduler s where schedule_name = 'prices'`, [at])
  // Mondays and a Sunday in Warsaw, an hour ahead of UTC.
  assert.equal(await stateAt('2015-03-01 10:00Z'), 'free day')
  assert.equal(await stateAt('2015-03-02 07:59Z'), 'not yet due')
  assert.equal(await stateAt('2015-03-02 08:01Z'), 'late')
  await addRun(worker, 'prices', '2015-03-02 07:00Z', 'succeeded')
  assert.equal(await stateAt('2015-03-02 08:01Z'), 'late', 'a run that moved nothing does not count')
  await addRun(worker, 'prices', '2015-03-02 07:30Z', 'succeeded', { more: { rows_written: 3 } })
  assert.equal(await stateAt('2015-03-02 08:01Z'), 'met')
  assert.equal(await stateAt('2015-03-02 11:01Z'), 'late', 'the next due_by wants a run of its own')
  await addRun(worker, 'prices', '2015-03-02 11:30Z', 'succeeded', { more: { files: 1 } })
  assert.equal(await stateAt('2015-03-02 11:45Z'), 'met late')
  assert.equal(await one(reader, `select due_by_state as value from dba.schedule_health where schedule_name = 'other'`), null)
})

test('lengths of time read as people say them', async (t) => {
  const { reader } = await peopleOf(t)
  for (const [span, words] of [
    ['0.4 s', 'less than a second'],
    ['45 s', '45 s'],
    ['90 s', '1 min 30 s'],
    ['12 min 30 s', '12 min'],
    ['2 h 10 min 59 s', '2 h 10 min'],
    ['3 h', '3 h'],
    ['2 d 5 h 10 min', '2 d 5 h'],
    ['30 d 5 h', '30 d'],
  ]) {
    assert.equal(await one(reader, `select dba.span_words($1::interval) as value`, [span]), words)
  }
  assert.equal(await one(reader, `select dba.in_words(now() - interval '3 min', now()) as value`), '3 min ago')
  assert.equal(await one(reader, `select dba.in_words('infinity') as value`), 'never')
})

async function houseOf(t: Parameters<typeof peopleOf>[0]): Promise<People> {
  const people = await peopleOf(t)
  await people.dba(
    `insert into dba.scheduler (schedule_name, job, cron, time_zone) values ('prices', 'noop', '20 6 * * *', 'Europe/Warsaw')`,
  )
  await people.dba(`insert into dba.scheduler (schedule_name, job) values ('other', 'noop')`)
  return people
}
