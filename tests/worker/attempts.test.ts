import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'

test('an attempt that takes longer than its timeout ends as timed_out and is tried again', async (t) => {
  const database = await freshDatabase(t)
  const run = await request(database, `{"seconds": 60}`, `timeout = '1 second', max_attempts = 2, retry_delay = '0'`)
  await workerOn(t, database)
  await ended(database, run)
  assert.deepEqual(await database.query(`select attempt, outcome, error_code from dba.attempt where run_id = $1 order by attempt`, [run]), [
    { attempt: 1, outcome: 'failed', error_code: 'timed_out' },
    { attempt: 2, outcome: 'failed', error_code: 'timed_out' },
  ])
  const [row] = await database.query('select state, error_code, error_message, error_hint from dba.run where run_id = $1', [run])
  assert.deepEqual(row, {
    state: 'failed',
    error_code: 'timed_out',
    error_message: 'The attempt took longer than 1 s',
    error_hint: 'Raise dba.scheduler.timeout, or find out in dba.run_log where the time went.',
  })
})

test('the wait before each further attempt grows by retry_backoff, a tenth more or less', async (t) => {
  const database = await freshDatabase(t)
  const run = await request(database, `{"fail": true}`, `retry_delay = '10 minutes', retry_backoff = 3, max_attempts = 5`)
  await workerOn(t, database)
  for (const [attempt, minutes] of [10, 30, 90].entries()) {
    await eventually(() =>
      database.query(`select from dba.run where run_id = $1 and state = 'waiting' and attempt = $2`, [run, attempt + 1]),
    )
    const [wait] = await database.query<{ minutes: number; waits_for: string; reason: string }>(
      `select extract(epoch from r.due_at - a.finished_at)::float8 / 60 as minutes, r.waits_for, r.reason
       from dba.run r join dba.attempt a using (run_id, attempt) where r.run_id = $1`,
      [run],
    )
    assert.ok(
      wait && wait.minutes > minutes * 0.89 && wait.minutes < minutes * 1.11,
      `${wait?.minutes} minutes instead of about ${minutes}`,
    )
    assert.equal(wait.waits_for, 'retry')
    assert.match(wait.reason, new RegExp(`^attempt ${attempt + 1} of 5 failed \\(noop_failed\\); the next begins in \\d\\d:\\d\\d:\\d\\d$`))
    await database.pool.query('update dba.run set due_at = clock_timestamp() where run_id = $1', [run])
    await database.pool.query(`select pg_notify('rota', 'ended')`)
  }
})

test('an error that a retry cannot mend ends the run at once', async (t) => {
  const database = await freshDatabase(t)
  const run = await request(database, `{"fail_permanently": "the sheet is gone"}`, 'max_attempts = 5')
  await workerOn(t, database)
  await ended(database, run)
  assert.deepEqual(
    await database.query('select state, attempt, error_code, error_message, error_hint from dba.run where run_id = $1', [run]),
    [
      {
        state: 'failed',
        attempt: 1,
        error_code: 'noop_failed',
        error_message: 'the sheet is gone',
        error_hint: 'It was asked to fail: take fail out of the args of the schedule or the request.',
      },
    ],
  )
})

test('after max_attempts the run is failed, and each attempt keeps its evidence', async (t) => {
  const database = await freshDatabase(t)
  const run = await request(database, `{"fail": "no answer"}`, `max_attempts = 3, retry_delay = '0'`)
  await workerOn(t, database)
  await ended(database, run)
  const [row] = await database.query(
    'select state, attempt, error_code, error_message, finished_at is not null as has_end from dba.run where run_id = $1',
    [run],
  )
  assert.deepEqual(row, { state: 'failed', attempt: 3, error_code: 'noop_failed', error_message: 'no answer', has_end: true })
  const attempts = await database.query(
    `select attempt, outcome, error_message, finished_at >= started_at as is_ended from dba.attempt where run_id = $1 order by attempt`,
    [run],
  )
  assert.deepEqual(
    attempts,
    [1, 2, 3].map((attempt) => ({ attempt, outcome: 'failed', error_message: 'no answer', is_ended: true })),
  )
})

test('a running run stops when somebody cancels it, and says who did and why', async (t) => {
  const database = await freshDatabase(t)
  const run = await request(database, `{"seconds": 60}`)
  await workerOn(t, database)
  await eventually(() => database.query(`select from dba.run where run_id = $1 and state = 'running'`, [run]))
  const operator = await database.as('rota_operator')
  await operator.query(`update dba.run set cancel_requested = true, requested_reason = 'wrong day' where run_id = $1`, [run])
  await ended(database, run)
  assert.deepEqual(
    await database.query('select r.state, r.reason, a.outcome from dba.run r join dba.attempt a using (run_id) where run_id = $1', [run]),
    [{ state: 'cancelled', reason: `cancelled by ${await requester(database, run)}: wrong day`, outcome: 'cancelled' }],
  )
})

test('a cancel ends the retries, too', async (t) => {
  const database = await freshDatabase(t)
  const run = await request(database, `{"fail": true}`, `retry_delay = '1 hour', max_attempts = 5`)
  await workerOn(t, database)
  await eventually(() => database.query(`select from dba.run where run_id = $1 and state = 'waiting'`, [run]))
  const operator = await database.as('rota_operator')
  await operator.query('update dba.run set cancel_requested = true where run_id = $1', [run])
  assert.deepEqual(await database.query('select state, attempt from dba.run where run_id = $1', [run]), [
    { state: 'cancelled', attempt: 1 },
  ])
})

test('a run that fails after a cancel was asked for is cancelled, not tried again', async (t) => {
  const database = await freshDatabase(t)
  const run = await request(database, `{"seconds": 1, "fail": true}`, `retry_delay = '0', max_attempts = 5`)
  await workerOn(t, database)
  await eventually(() => database.query(`select from dba.run where run_id = $1 and state = 'running'`, [run]))
  // Unheard by the worker, as when the notification is lost.
  await database.pool.query('update dba.run set cancel_requested = true where run_id = $1', [run])
  await ended(database, run)
  assert.deepEqual(await database.query('select state, attempt from dba.run where run_id = $1', [run]), [
    { state: 'cancelled', attempt: 1 },
  ])
})

test('a worker takes runs of its own lanes only', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`insert into dba.lane (lane) values ('plant_a'), ('plant_b')`)
  const ours = await request(database, '{}', `lane = 'plant_a'`, 'ours')
  const theirs = await request(database, '{}', `lane = 'plant_b'`, 'theirs')
  await workerOn(t, database, { ROTA_LANES: 'default,plant_a' })
  await ended(database, ours)
  await eventually(() => database.query(`select from dba.run where run_id = $1 and state = 'queued'`, [theirs]))
  const other = await workerOn(t, database, { ROTA_LANES: 'plant_b' })
  await ended(database, theirs)
  assert.deepEqual(await database.query('select worker from dba.run where run_id = $1', [theirs]), [{ worker: other.worker }])
})

test('a long backlog in one lane does not shut out another', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`insert into dba.lane (lane) values ('second')`)
  await request(database, '{"seconds": 0.05}', `overlap = 'allow'`, 'many')
  await database.query(`insert into dba.run (schedule_name) select 'many' from generate_series(1, 40)`)
  const one = await request(database, '{}', `lane = 'second'`, 'one')
  await workerOn(t, database, { ROTA_LANES: 'default,second', ROTA_CONCURRENCY: '1' })
  await ended(database, one)
  const [{ left } = { left: 0 }] = await database.query<{ left: number }>(
    `select count(*)::integer as left from dba.run where schedule_name = 'many' and (started_at is null or started_at > (select started_at from dba.run where run_id = $1))`,
    [one],
  )
  assert.ok(left > 20, `only ${left} of 41 came after it`)
})

test('a worker runs as many at once as ROTA_CONCURRENCY says', async (t) => {
  const database = await freshDatabase(t)
  await request(database, '{"seconds": 0.3}', `overlap = 'allow'`)
  await database.query(`insert into dba.run (schedule_name) select 'a' from generate_series(1, 6)`)
  await workerOn(t, database, { ROTA_CONCURRENCY: '3' })
  assert.equal(await mostAtOnce(database, 7), 3)
})

test('no more runs of a job go on at once than dba.job.max_running says', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`update dba.job set max_running = 2 where job = 'noop'`)
  await request(database, '{"seconds": 0.2}', `overlap = 'allow'`)
  await database.query(`insert into dba.run (schedule_name) select 'a' from generate_series(1, 6)`)
  await workerOn(t, database)
  assert.equal(await mostAtOnce(database, 7), 2)
})

/** Makes a schedule of job noop with these args and terms, and asks for a run of it. */
async function request({ query }: TestDatabase, args: string, terms = `description = null`, name = 'a'): Promise<string> {
  await query('insert into dba.scheduler (schedule_name, job, args) values ($1, $2, $3)', [name, 'noop', args])
  await query(`update dba.scheduler set ${terms} where schedule_name = $1`, [name])
  const [run] = await query<{ run_id: string }>('insert into dba.run (schedule_name) values ($1) returning run_id', [name])
  assert.ok(run)
  return run.run_id
}

async function ended({ query }: TestDatabase, run: string): Promise<void> {
  await eventually(() => query(`select from dba.run where run_id = $1 and state in ('succeeded', 'failed', 'cancelled')`, [run]))
}

async function requester({ query }: TestDatabase, run: string): Promise<string> {
  const [row] = await query<{ requested_by: string }>('select requested_by from dba.run where run_id = $1', [run])
  return row?.requested_by ?? ''
}

/** How many attempts went on at one moment, once so many runs have succeeded. */
async function mostAtOnce({ query }: TestDatabase, runs: number): Promise<number> {
  await eventually(
    () => query<{ done: number }>(`select count(*)::integer as done from dba.run where state = 'succeeded'`),
    ([row]) => row?.done === runs,
  )
  const [row] = await query<{ most: number }>(
    `select max((select count(*) from dba.attempt b where b.started_at <= a.started_at and b.finished_at > a.started_at))::integer as most from dba.attempt a`,
  )
  return row?.most ?? 0
}
