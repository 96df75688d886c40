import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../helpers/refusal.ts'
import { addRun, one, type People, peopleOf } from '../helpers/rows.ts'

test('run_now asks for a run that is due at once, in the name of the caller', async (t) => {
  const { dba, worker } = await houseOf(t)
  const id = await one(dba, `select dba.run_now('prices', reason => 'new file') as value`)
  const [run] = await worker(
    `select state, trigger, requested_by, requested_reason, args, due_at <= clock_timestamp() as is_due from dba.run where run_id = $1`,
    [id],
  )
  assert.deepEqual(run, {
    state: 'planned',
    trigger: 'request',
    requested_by: 'rota_dba',
    requested_reason: 'new file',
    args: {},
    is_due: true,
  })
})

test('run_now takes args from a DBA, judged like those of the schedule, and none from an operator', async (t) => {
  const { dba, operator } = await houseOf(t)
  await dba(`select dba.run_now('prices', '{"seconds": 2}')`)
  const unknown = await refusal(dba(`select dba.run_now('prices', '{"secnods": 2}')`))
  assert.equal(unknown.message, 'job "noop" takes no args key "secnods"')
  assert.match(unknown.hint, /Did you mean "seconds"\?/)
  assert.match((await refusal(dba(`select dba.run_now('prices', '[1]')`))).message, /must be a JSON object/)
  const refused = await refusal(operator(`select dba.run_now('prices', '{"seconds": 2}')`))
  assert.equal(refused.message, 'an operator may not set args')
  assert.equal(refused.code, '42501')
})

test('a schedule that is not there is answered with the nearest name, its new name, or the way to bring it back', async (t) => {
  const { dba } = await houseOf(t)
  const nearest = await refusal(dba(`select dba.run_now('prises')`))
  assert.equal(nearest.message, 'no schedule "prises"')
  assert.match(nearest.hint, /Did you mean "prices"\? There is: /)
  assert.equal((await refusal(dba(`select dba.pause(null)`))).message, 'no schedule ""')

  await dba(`update dba.scheduler set schedule_name = 'daily prices' where schedule_name = 'prices'`)
  assert.match((await refusal(dba(`select dba.resume('prices')`))).hint, /It is called "daily prices" now/)

  await dba(`delete from dba.scheduler where schedule_name = 'on request'`)
  const gone = await refusal(dba(`select dba.run_now('on request')`))
  const restore = /select dba\.restore\(\d+\)/.exec(gone.hint)?.[0]
  assert.ok(restore, gone.hint)
  await dba(restore)
  await dba(`select dba.run_now('on request')`)
})

test('rerun repeats an ended run with its args and as_of = the fire it stood for', async (t) => {
  const { operator, worker } = await houseOf(t)
  const original = await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed', { args: { seconds: 7 } })
  const first = await one(operator, `select dba.rerun($1, 'again') as value`, [original])
  const [run] = await worker(`select state, rerun_of, args, requested_by, requested_reason from dba.run where run_id = $1`, [first])
  assert.deepEqual(run, {
    state: 'planned',
    rerun_of: original,
    args: { seconds: 7, as_of: '2015-03-02T05:20:00Z' },
    requested_by: 'rota_operator',
    requested_reason: 'again',
  })

  await worker(`update dba.run set state = 'succeeded', finished_at = clock_timestamp() where run_id = $1`, [first])
  const second = await one(operator, `select dba.rerun($1) as value`, [first])
  const [again] = await worker(`select rerun_of, args ->> 'as_of' as as_of from dba.run where run_id = $1`, [second])
  assert.deepEqual(again, { rerun_of: first, as_of: '2015-03-02T05:20:00Z' })
})

test('a rerun is refused while the run is open, for a run nobody knows, and when its schedule is gone', async (t) => {
  const { dba, worker } = await houseOf(t)
  const open = await one(dba, `select dba.run_now('prices') as value`)
  const early = await refusal(dba(`select dba.rerun($1)`, [open]))
  assert.equal(early.message, `run ${open} has not ended: it is planned`)
  assert.match(early.hint, /select dba\.cancel\('.*'\)/)
  assert.match((await refusal(dba(`select dba.rerun(gen_random_uuid())`))).message, /^no run /)
  assert.match((await refusal(dba(`select dba.rerun(null)`))).message, /needs the run/)

  const orphan = await addRun(worker, 'on request', '2015-03-02 05:20Z', 'succeeded')
  await dba(`delete from dba.scheduler where schedule_name = 'on request'`)
  const gone = await refusal(dba(`select dba.rerun($1)`, [orphan]))
  assert.equal(gone.message, 'schedule "on request" of that run is gone')
  assert.match(gone.hint, /select dba\.restore\(\d+\)/)
})

test('an operator cannot smuggle args into a schedule by way of a rerun', async (t) => {
  const { operator, worker } = await houseOf(t)
  const original = await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed', { args: { seconds: 7 } })
  const other = await refusal(operator(`insert into dba.run (schedule_name, rerun_of) values ('on request', $1)`, [original]))
  assert.equal(other.message, `run ${original} is one of "prices"`)
  const changed = await refusal(operator(`insert into dba.run (rerun_of, args) values ($1, '{"seconds": 1}')`, [original]))
  assert.equal(changed.message, 'an operator may not set args')
})

test('cancel ends what has not begun, tells what is running, and says when it is too late', async (t) => {
  const { operator, worker } = await houseOf(t)
  const waiting = await one(operator, `select dba.run_now('prices') as value`)
  assert.match(await one(operator, `select dba.cancel($1, 'not needed') as value`, [waiting]), /is cancelled; it had not begun/)
  assert.equal(
    await one(worker, `select reason as value from dba.run where run_id = $1`, [waiting]),
    'cancelled by rota_operator: not needed',
  )

  const running = await one(operator, `select dba.run_now('prices') as value`)
  await worker(`update dba.run set state = 'running', started_at = clock_timestamp(), attempt = 1 where run_id = $1`, [running])
  assert.match(await one(operator, `select dba.cancel($1) as value`, [running]), /was told to stop/)
  assert.match(await one(operator, `select dba.cancel($1) as value`, [running]), /told to stop already, by rota_operator/)
  assert.deepEqual(await worker(`select state, cancel_requested from dba.run where run_id = $1`, [running]), [
    { state: 'running', cancel_requested: true },
  ])

  const done = await addRun(worker, 'prices', '2015-03-02 05:20Z', 'succeeded')
  assert.match((await refusal(operator(`select dba.cancel($1)`, [done]))).message, /has already ended: succeeded/)
  assert.match((await refusal(operator(`select dba.cancel(gen_random_uuid())`))).message, /^no run /)
})

test('pause understands what people type as its end, in the zone of the schedule', async (t) => {
  const { operator, worker } = await houseOf(t)
  const until = async (typed: string | null): Promise<string> => {
    await operator(`select dba.pause('prices', $1, 'storage move')`, [typed])
    return await one(
      worker,
      `select case when paused_until = 'infinity' then 'infinity' else to_char(paused_until at time zone 'UTC', 'YYYY-MM-DD HH24:MI') end as value
        from dba.scheduler where schedule_name = 'prices'`,
    )
  }
  assert.equal(await until(null), 'infinity')
  assert.equal(await until('infinity'), 'infinity')
  assert.equal(await until('2099-12-24 06:20'), '2099-12-24 05:20')
  assert.equal(await until('2099-12-24'), '2099-12-23 23:00')
  assert.equal(await until('2099-12-24 06:20+05:30'), '2099-12-24 00:50')
  assert.equal(await until('2099-12-24 06:20 America/New_York'), '2099-12-24 11:20')
  assert.equal(await until('2099-12-24T06:20:00Z'), '2099-12-24 06:20')
  for (const length of ['2 hours', '90 minutes', '1 day', '1h 30m', 'P2D', 'PT2H', 'tomorrow 06:20', '23:59:59']) {
    await until(length)
    const [ahead] = await worker(
      `select paused_until > now() and paused_until <= now() + interval '2 days' as is_near from dba.scheduler where schedule_name = 'prices'`,
    )
    assert.deepEqual(ahead, { is_near: true }, length)
  }
  for (const wrong of ['3 foos', 'soon', '2020-01-01', '2015-13-01', '-2 hours', '25:61']) {
    const { message, hint } = await refusal(operator(`select dba.pause('prices', $1)`, [wrong]))
    assert.match(message, /is not a moment|neither a length of time nor a moment|lies in the past/, wrong)
    assert.notEqual(hint, '', wrong)
  }
})

test('pause and resume answer in a sentence, name who did it, and resume without a pause says so', async (t) => {
  const { operator, worker } = await houseOf(t)
  assert.equal(
    await one(operator, `select dba.pause('prices', '2099-12-24 06:20', 'storage move') as value`),
    'Schedule "prices" is paused until Thu 2099-12-24 06:20 Europe/Warsaw: storage move.',
  )
  assert.deepEqual(await worker(`select paused_by, pause_reason from dba.scheduler where schedule_name = 'prices'`), [
    { paused_by: 'rota_operator', pause_reason: 'storage move' },
  ])
  assert.match(
    await one(operator, `select dba.resume('prices') as value`),
    /^Schedule "prices" goes on and fires next at .* Europe\/Warsaw\.$/,
  )
  assert.equal(await one(operator, `select dba.resume('prices') as value`), 'Schedule "prices" is not paused.')
  assert.deepEqual(await worker(`select paused_until, pause_reason, paused_by from dba.scheduler where schedule_name = 'prices'`), [
    { paused_until: null, pause_reason: null, paused_by: null },
  ])
})

test('check_connection marks the row for a worker and says where the answer will stand', async (t) => {
  const { dba, operator, worker } = await houseOf(t)
  await dba(`insert into dba.connection (connection_name, kind, host) values ('warehouse', 'smtp', 'mail.example')`)
  const answer = await one(operator, `select dba.check_connection('warehouse') as value`)
  assert.match(answer, /none is up/)
  assert.match(answer, /select check_state, check_message, checked_at from dba\.connection where connection_name = 'warehouse'/)
  assert.deepEqual(await worker(`select check_state, version from dba.connection`), [{ check_state: 'asked', version: 1 }])
  assert.match((await refusal(operator(`select dba.check_connection('warehuose')`))).hint, /Did you mean "warehouse"\?/)
})

async function houseOf(t: Parameters<typeof peopleOf>[0]): Promise<People> {
  const people = await peopleOf(t)
  await people.dba(
    `insert into dba.scheduler (schedule_name, job, cron, time_zone) values ('prices', 'noop', '20 6 * * *', 'Europe/Warsaw')`,
  )
  await people.dba(`insert into dba.scheduler (schedule_name, job) values ('on request', 'noop')`)
  return people
}
