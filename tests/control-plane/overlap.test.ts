import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addSchedule, dispatch, plan, type RunRow, runsOf } from '../helpers/clockwork.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'

test('overlap skip: a fire while the run before it is open is skipped and names it', async (t) => {
  const database = await freshDatabase(t)
  const open = await openRun(database, { overlap: 'skip' })
  await fire(database)
  assert.deepEqual(await outcomes(database), [['skipped', `overlap: run ${open} is still running`]])
})

test('overlap queue: it waits, and starts when that one has ended', async (t) => {
  const database = await freshDatabase(t)
  const open = await openRun(database, { overlap: 'queue' })
  await fire(database)
  assert.deepEqual(await outcomes(database), [['waiting', `overlap: run ${open} is still running`]])
  await end(database, open)
  assert.equal((await dispatch(database)).length, 1)
})

test('overlap cancel: the open run is told to stop, and the fire runs when it has', async (t) => {
  const database = await freshDatabase(t)
  const open = await openRun(database, { overlap: 'cancel' })
  await fire(database)
  assert.deepEqual(await outcomes(database), [['waiting', `overlap: run ${open} is still running and was told to stop`]])
  const [told] = await database.query<RunRow>('select * from dba.run where run_id = $1', [open])
  assert.equal(told?.cancel_requested, true)
  await end(database, open)
  assert.equal((await dispatch(database)).length, 1)
})

test('overlap cancel: a run that is only queued is cancelled at once, and the fire takes its place in the same look', async (t) => {
  const database = await freshDatabase(t)
  const open = await openRun(database, { overlap: 'cancel' }, 'queued')
  const messages = await fire(database)
  const runs = await database.query<RunRow>(`select * from dba.run where state <> 'planned' order by due_at`)
  assert.deepEqual(
    runs.map((run) => [run.state, run.run_id === open]),
    [
      ['cancelled', true],
      ['queued', false],
    ],
  )
  assert.equal(messages.length, 1)
})

test('overlap allow: it starts beside the open run', async (t) => {
  const database = await freshDatabase(t)
  await openRun(database, { overlap: 'allow' })
  assert.equal((await fire(database)).length, 1)
})

test('two schedules on one resource take turns, oldest first', async (t) => {
  const database = await freshDatabase(t)
  for (const name of ['a', 'b', 'c']) await addSchedule(database, { schedule_name: name, resource: 'erp' })
  for (const name of ['b', 'a', 'c']) await database.query('insert into dba.run (schedule_name) values ($1)', [name])
  assert.equal((await dispatch(database)).length, 1)
  const [b] = await runsOf(database, 'b')
  assert.deepEqual(
    [b?.state, ...(await Promise.all(['a', 'c'].map(async (name) => (await runsOf(database, name))[0]?.reason)))],
    ['queued', ...Array(2).fill(`resource "erp" is in use by run ${b?.run_id} of "b"`)],
  )
  await end(database, b?.run_id)
  await dispatch(database)
  const [a] = await runsOf(database, 'a')
  const [c] = await runsOf(database, 'c')
  assert.deepEqual([a?.state, c?.reason], ['queued', `resource "erp" is in use by run ${a?.run_id} of "a"`])
})

test('a fire is skipped also while the one before it still waits for the resource', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'holder', resource: 'erp' })
  await database.query(`insert into dba.run (schedule_name) values ('holder')`)
  await dispatch(database)
  await addSchedule(database, { schedule_name: 'one', cron: '* * * * * *', resource: 'erp' })
  await fire(database)
  await fire(database)
  const [first, second] = await outcomes(database)
  assert.equal(first?.[0], 'waiting')
  assert.equal(second?.[0], 'skipped')
  assert.match(second?.[1] ?? '', /^overlap: run \S+ is still waiting for its resource$/)
})

test('no more runs of a job are open than dba.job.max_running', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`update dba.job set max_running = 2 where job = 'noop'`)
  for (const name of ['a', 'b', 'c']) {
    await addSchedule(database, { schedule_name: name })
    await database.query('insert into dba.run (schedule_name) values ($1)', [name])
  }
  assert.equal((await dispatch(database)).length, 2)
  const [c] = await runsOf(database, 'c')
  assert.equal(c?.reason, '2 runs of job "noop" are open, and dba.job.max_running is 2')
  await end(database, (await runsOf(database, 'a'))[0]?.run_id)
  assert.equal((await dispatch(database)).length, 1)
})

test('600 runs that wait for their turn do not keep the dispatcher from ending its look', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`update dba.job set max_running = 1 where job = 'noop'`)
  await database.query(`insert into dba.scheduler (schedule_name, job) select 'one of many ' || n, 'noop' from generate_series(1, 600) n`)
  await database.query(`insert into dba.run (schedule_name) select schedule_name from dba.scheduler`)
  assert.equal((await dispatch(database)).length, 1)
  assert.deepEqual(await dispatch(database), [])
  await database.pool.query(`update dba.run set state = 'succeeded', finished_at = now() where state = 'queued'`)
  assert.equal((await dispatch(database)).length, 1)
})

test('a run that waits longest gets its turn, wherever its schedule stands', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`update dba.job set max_running = 1 where job = 'noop'`)
  await addSchedule(database, { schedule_name: 'young' })
  await addSchedule(database, { schedule_name: 'old' })
  await database.query(`insert into dba.run (schedule_name) values ('old')`)
  await database.query(`insert into dba.run (schedule_name) values ('old')`)
  await database.query(`insert into dba.run (schedule_name) values ('young')`)
  await dispatch(database)
  await database.pool.query(`update dba.run set state = 'succeeded', finished_at = now() where state = 'queued'`)
  await dispatch(database)
  const [queued] = await database.query(`select schedule_name from dba.run where state = 'queued'`)
  assert.equal(queued?.schedule_name, 'old')
})

test('a paused lane holds what is due, and catch_up applies when it goes on', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'one', cron: '* * * * * *' })
  const operator = await database.as('rota_operator')
  await operator.query(`update dba.lane set paused_until = 'infinity', pause_reason = 'storage move' where lane = 'default'`)
  await fire(database)
  assert.deepEqual(await outcomes(database), [
    ['waiting', 'lane "default" is paused by rota_operator until somebody resumes it: storage move'],
  ])
  await database.pool.query(`update dba.run set due_at = now() - interval '1 minute' where state = 'waiting'`)
  await operator.query(`update dba.lane set paused_until = null where lane = 'default'`)
  assert.equal((await dispatch(database)).length, 1)
  assert.deepEqual(await outcomes(database), [['queued', 'caught up: its lane was paused']])
})

test('a lane that is paused for long holds no more fires than catch_up will run', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'one', cron: '* * * * * *' })
  await database.query(`update dba.lane set paused_until = 'infinity' where lane = 'default'`)
  for (let fires = 0; fires < 4; fires += 1) await fire(database)
  const states = (await outcomes(database)).map(([state]) => state)
  assert.deepEqual(states, ['missed', 'missed', 'missed', 'waiting'])
  const [first] = await outcomes(database)
  assert.match(first?.[1] ?? '', /; a later fire is held in its place \(catch_up is last\)$/)
})

test('a retry in a paused lane waits for it and does not keep the dispatcher busy', async (t) => {
  const database = await freshDatabase(t)
  const open = await openRun(database, {})
  await database.pool.query(
    `update dba.run set state = 'waiting', waits_for = 'retry', attempt = 1, lane = 'default', reason = 'failed', due_at = now() where run_id = $1`,
    [open],
  )
  await database.query(`update dba.lane set paused_until = 'infinity' where lane = 'default'`)
  assert.deepEqual(await dispatch(database), [])
  const [held] = await database.query<RunRow>('select waits_for from dba.run where run_id = $1', [open])
  assert.equal(held?.waits_for, 'lane')
  await database.query(`update dba.lane set paused_until = null where lane = 'default'`)
  assert.deepEqual(
    (await dispatch(database)).map(({ runId, attempt }) => ({ runId, attempt })),
    [{ runId: open, attempt: 2 }],
  )
})

test('a fire in a pause is skipped with who, until when and why, and never caught up', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'one', cron: '0 6 * * *', catch_up: 'all' })
  const operator = await database.as('rota_operator')
  await operator.query(`update dba.scheduler set paused_until = '2099-01-01 00:00Z', pause_reason = 'audit'`)
  await fire(database)
  assert.deepEqual(await outcomes(database), [['skipped', 'schedule is paused by rota_operator until Thu 2099-01-01 00:00 UTC: audit']])
  await operator.query('update dba.scheduler set paused_until = null')
  assert.deepEqual(await dispatch(database), [])
})

/** Schedule `one`, which fires each second, with an open run. */
async function openRun(database: TestDatabase, columns: Record<string, unknown>, state = 'running'): Promise<string> {
  await addSchedule(database, { schedule_name: 'one', cron: '* * * * * *', ...columns })
  const { rows } = await database.pool.query<RunRow>(
    `insert into dba.run (schedule_id, schedule_name, job, fire_key, scheduled_for, due_at, state, overlap)
     select schedule_id, schedule_name, job, 'open', now() - interval '1 minute', now() - interval '1 minute', $1, overlap
     from dba.scheduler where schedule_name = 'one' returning run_id`,
    [state],
  )
  return rows[0]?.run_id ?? ''
}

/** Plans, makes the first planned fire of `one` due, leaves no other, and dispatches. */
async function fire(database: TestDatabase): ReturnType<typeof dispatch> {
  await plan(database)
  await database.pool.query(`
    with first as (select run_id from dba.run where schedule_name = 'one' and state = 'planned' order by due_at limit 1),
    others as (delete from dba.run where schedule_name = 'one' and state = 'planned' and run_id not in (select run_id from first))
    update dba.run set due_at = now() where run_id in (select run_id from first)`)
  const messages = await dispatch(database)
  await database.pool.query(
    `update dba.plan set planned_through = (select max(scheduled_for) from dba.run where trigger = 'cron'), refill_at = now()`,
  )
  return messages
}

/** State and reason of the fires of `one` that were decided, oldest first. */
async function outcomes({ query }: TestDatabase): Promise<[string, string | null][]> {
  const rows = await query<RunRow>(
    `select state, reason from dba.run where schedule_name = 'one' and trigger in ('cron', 'catch_up') and state <> 'planned' order by scheduled_for`,
  )
  return rows.map((row) => [row.state, row.reason])
}

async function end({ pool }: TestDatabase, runId: string | undefined): Promise<void> {
  await pool.query(`update dba.run set state = 'succeeded', finished_at = now() where run_id = $1`, [runId])
}
