import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addSchedule, dispatch, plan, type RunRow, runsOf } from '../helpers/clockwork.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'

test('a schedule runs after its upstream has succeeded, and names the run that caused it', async (t) => {
  const database = await chain(t)
  const upstream = await end(database, 'load', 'succeeded')
  await plan(database)
  assert.deepEqual(
    (await runsOf(database, 'report')).map(({ state, trigger, caused_by }) => ({ state, trigger, caused_by })),
    [{ state: 'planned', trigger: 'after', caused_by: upstream }],
  )
  assert.equal((await dispatch(database)).length, 1)
})

test('one end makes one run, however often it is looked at', async (t) => {
  const database = await chain(t)
  await end(database, 'load', 'succeeded')
  await plan(database)
  await dispatch(database)
  await plan(database)
  assert.equal((await runsOf(database, 'report')).length, 1)
})

for (const [state, words] of [
  ['failed', 'failed (the disk is full)'],
  ['cancelled', 'was cancelled (because)'],
  ['skipped', 'was skipped (because)'],
  ['missed', 'was missed (because)'],
] as const) {
  test(`an upstream that ${words.split(' (')[0]} leaves a skipped row that names it`, async (t) => {
    const database = await chain(t)
    const upstream = await end(database, 'load', state)
    await plan(database)
    assert.deepEqual(
      (await runsOf(database, 'report')).map((run) => [run.state, run.reason, run.caused_by]),
      [['skipped', `upstream "load" ${words}`, upstream]],
    )
  })
}

test('run_after_state failed: it runs after a failure and not after a success', async (t) => {
  const database = await chain(t, { run_after_state: 'failed' })
  await end(database, 'load', 'succeeded')
  await plan(database)
  await end(database, 'load', 'failed')
  await plan(database)
  assert.deepEqual(
    (await runsOf(database, 'report')).map((run) => [run.state, run.reason]),
    [
      ['skipped', 'upstream "load" succeeded'],
      ['planned', null],
    ],
  )
})

test('run_after_state finished: it runs after either', async (t) => {
  const database = await chain(t, { run_after_state: 'finished' })
  await end(database, 'load', 'failed')
  await plan(database)
  await endRuns(database, 'report')
  await end(database, 'load', 'succeeded')
  await plan(database)
  assert.deepEqual(
    (await runsOf(database, 'report')).map((run) => run.state),
    ['succeeded', 'planned'],
  )
})

test('with several upstreams it runs when all of them have ended, once for each round', async (t) => {
  const database = await chain(t, { run_after: '{load,rates}' })
  await end(database, 'load', 'succeeded')
  await plan(database)
  assert.deepEqual(await runsOf(database, 'report'), [])
  await end(database, 'load', 'succeeded')
  await end(database, 'rates', 'succeeded')
  await plan(database)
  assert.equal((await runsOf(database, 'report')).length, 1)
  await endRuns(database, 'report')
  await end(database, 'rates', 'succeeded')
  await plan(database)
  assert.equal((await runsOf(database, 'report')).length, 1)
  await end(database, 'load', 'succeeded')
  await plan(database)
  assert.equal((await runsOf(database, 'report')).length, 2)
})

test('an upstream that fails and then succeeds still counts', async (t) => {
  const database = await chain(t, { run_after: '{load,rates}' })
  await end(database, 'load', 'failed')
  await end(database, 'rates', 'succeeded')
  await plan(database)
  await end(database, 'load', 'succeeded')
  await plan(database)
  assert.deepEqual(
    (await runsOf(database, 'report')).map((run) => run.state),
    ['skipped', 'planned'],
  )
})

test('an end that comes while the run before still goes on is not lost', async (t) => {
  const database = await chain(t)
  await end(database, 'load', 'succeeded')
  await plan(database)
  await dispatch(database)
  await end(database, 'load', 'succeeded')
  await plan(database)
  await dispatch(database)
  assert.deepEqual(
    (await runsOf(database, 'report')).map((run) => run.state),
    ['queued', 'waiting'],
  )
  await endRuns(database, 'report', 'queued')
  assert.equal((await dispatch(database)).length, 1)
})

test('a run that still waits takes in further ends, and remembers the last one', async (t) => {
  const database = await chain(t)
  for (let round = 0; round < 4; round += 1) {
    await end(database, 'load', 'succeeded')
    await plan(database)
    await dispatch(database)
  }
  const last = (await runsOf(database, 'load')).at(-1)
  const runs = await runsOf(database, 'report')
  assert.deepEqual(
    runs.map((run) => run.state),
    ['queued', 'waiting'],
  )
  assert.equal(runs[1]?.caused_by, last?.run_id)
})

test('two ends before anybody looked are one run, after the later one', async (t) => {
  const database = await chain(t)
  await end(database, 'load', 'succeeded')
  const second = await end(database, 'load', 'succeeded')
  await plan(database)
  assert.deepEqual(
    (await runsOf(database, 'report')).map((run) => run.caused_by),
    [second],
  )
})

test('ends before the schedule existed do not count', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'load' })
  await end(database, 'load', 'succeeded')
  await addSchedule(database, { schedule_name: 'report', run_after: '{load}' })
  await plan(database)
  assert.deepEqual(await runsOf(database, 'report'), [])
})

test('an end before the first look at a new schedule counts', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'load' })
  await addSchedule(database, { schedule_name: 'report', run_after: '{load}' })
  await end(database, 'load', 'succeeded')
  await plan(database)
  assert.equal((await runsOf(database, 'report')).length, 1)
})

for (const [title, edit] of [
  [
    'an edit of something else does not forget the ends that wait for the others',
    `update dba.scheduler set description = 'the morning report' where schedule_name = 'report'`,
  ],
  ['a renamed upstream is the same upstream', `update dba.scheduler set schedule_name = 'load prices' where schedule_name = 'load'`],
] as const) {
  test(title, async (t) => {
    const database = await chain(t, { run_after: '{load,rates}' })
    await plan(database)
    await end(database, 'load', 'succeeded')
    await database.query(edit)
    await plan(database)
    await end(database, 'rates', 'succeeded')
    await plan(database)
    assert.equal((await runsOf(database, 'report')).length, 1)
  })
}

test('an upstream that is added counts from then on', async (t) => {
  const database = await chain(t)
  await plan(database)
  await end(database, 'rates', 'succeeded')
  await database.query(`update dba.scheduler set run_after = '{rates}' where schedule_name = 'report'`)
  await plan(database)
  assert.deepEqual(await runsOf(database, 'report'), [])
  await end(database, 'rates', 'succeeded')
  await plan(database)
  assert.equal((await runsOf(database, 'report')).length, 1)
})

test('ends while the schedule was switched off do not make it run later', async (t) => {
  const database = await chain(t)
  await plan(database)
  await database.query(`update dba.scheduler set is_active = false where schedule_name = 'report'`)
  await plan(database)
  await end(database, 'load', 'succeeded')
  await plan(database)
  await database.query(`update dba.scheduler set is_active = true where schedule_name = 'report'`)
  await plan(database)
  assert.deepEqual(await runsOf(database, 'report'), [])
})

test('in a pause the run is skipped with the reason and not made up for', async (t) => {
  const database = await chain(t, { paused_until: 'infinity', pause_reason: 'audit' })
  await end(database, 'load', 'succeeded')
  await plan(database)
  await dispatch(database)
  await database.query(`update dba.scheduler set paused_until = null where schedule_name = 'report'`)
  await plan(database)
  const runs = await runsOf(database, 'report')
  assert.deepEqual(
    runs.map((run) => run.state),
    ['skipped'],
  )
  assert.match(runs[0]?.reason ?? '', /^schedule is paused by \w+ until somebody resumes it: audit$/)
})

test('a holiday of the upstream leaves a skipped row that names it', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`insert into dba.calendar (calendar, weekend) values ('plant', '{}')`)
  await database.query(
    `insert into dba.calendarday (calendar, day) select 'plant', (now() at time zone 'UTC')::date + d from generate_series(-1, 1) d`,
  )
  await addSchedule(database, { schedule_name: 'load', cron: '* * * * * *', calendar: 'plant' })
  await addSchedule(database, { schedule_name: 'report', run_after: '{load}' })
  await plan(database)
  const [first] = await runsOf(database, 'load')
  await database.query('select pg_sleep_until($1)', [first?.due_at])
  await plan(database)
  const [report] = await runsOf(database, 'report')
  assert.equal(report?.state, 'skipped')
  assert.match(report?.reason ?? '', /^upstream "load" was skipped \(holiday: /)
})

/** Schedules `load` and `rates`, and `report` that runs after `load` unless told otherwise. */
async function chain(t: Parameters<typeof freshDatabase>[0], columns: Record<string, unknown> = {}): Promise<TestDatabase> {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'load' })
  await addSchedule(database, { schedule_name: 'rates' })
  await addSchedule(database, { schedule_name: 'report', run_after: '{load}', ...columns })
  return database
}

/** A run of that schedule ends in that state now. */
async function end({ pool }: TestDatabase, scheduleName: string, state: string): Promise<string> {
  const { rows } = await pool.query<RunRow>(
    `insert into dba.run (schedule_id, schedule_name, job, fire_key, due_at, state, finished_at, reason, error_code, error_message)
     select schedule_id, schedule_name, job, gen_random_uuid(), clock_timestamp(), $2, clock_timestamp(), 'because',
       case when $2 = 'failed' then 'disk_full' end, case when $2 = 'failed' then 'the disk is full' end
     from dba.scheduler where schedule_name = $1 returning run_id`,
    [scheduleName, state],
  )
  return rows[0]?.run_id ?? ''
}

async function endRuns({ pool }: TestDatabase, scheduleName: string, state?: string): Promise<void> {
  await pool.query(
    `update dba.run set state = 'succeeded', finished_at = clock_timestamp() where schedule_name = $1 and state = coalesce($2, state) and state <> 'skipped'`,
    [scheduleName, state],
  )
}
