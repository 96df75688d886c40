import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from '../helpers/database.ts'
import { findViolations } from './verdict.ts'

test('the judge of a storm sees a lost fire, a doubled success, an open run and a forgotten attempt', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`insert into dba.scheduler (schedule_name, job, cron) values ('a', 'noop', '* * * * * *')`)
  await database.query('update dba.scheduler set is_active = false')
  // Four seconds of a ledger: one without a row, one open, one with two successes, one whose attempt never ended.
  const worker = database.pool
  await worker.query(
    `update dba.scheduler set created_at = date_trunc('second', now()) - interval '5 seconds', updated_at = date_trunc('second', now()) - interval '1 millisecond'`,
  )
  await worker.query(`
    insert into dba.run (schedule_id, schedule_name, job, trigger, fire_key, scheduled_for, due_at, state, attempt, finished_at, overlap)
    select schedule_id, schedule_name, job, 'cron', dba.fire_key(at), at, at, case n when 2 then 'queued' else 'succeeded' end, n - 2,
      case when n > 2 then clock_timestamp() end, 'allow'
    from dba.scheduler, generate_series(2, 4) n, lateral (select created_at + make_interval(secs => n - 1) as at) moment`)
  await worker.query(`
    insert into dba.attempt (run_id, attempt, worker, finished_at, outcome)
    select run_id, 1, 'w', clock_timestamp(), 'succeeded' from dba.run where attempt > 0
    union all select run_id, 2, 'w', null, null from dba.run where attempt = 2`)
  await worker.query(
    `insert into dba.attempt (run_id, attempt, worker, finished_at, outcome) select run_id, 7, 'w', clock_timestamp(), 'succeeded' from dba.run where attempt = 1`,
  )
  const client = (await database.as('rota_worker')).client
  const broken = (await findViolations(client, [])).map((violation) => violation.slice(0, violation.indexOf(':')))
  assert.deepEqual(
    [...new Set(broken)],
    [
      'every nominal second has its row',
      'every run has ended',
      'every attempt has ended',
      'no run succeeds twice',
      'the run says how its last attempt ended',
      'attempts are counted without gaps',
    ],
  )
})
