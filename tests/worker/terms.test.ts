import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineJob } from '../../src/job/define-job.ts'
import { freshDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/engine.ts'
import { declareJobs, startOwnWorker } from '../helpers/own-jobs.ts'

test('a run keeps the settings, args and terms that it was queued under; an edit counts from the next run', async (t) => {
  const database = await freshDatabase(t)
  const seen: unknown[] = []
  const job = defineJob({
    name: 'kept',
    config: (row) => row,
    async run({ config }) {
      seen.push({ target: config.target, size: config.size, extra: config.extra })
      return {}
    },
  })
  await declareJobs(database.query, [job], ['extra'])
  await database.query(`create table dba.keptconfig (
    config_name text primary key, target text not null, size integer not null,
    is_active boolean not null default true, description text, owner text,
    created_at timestamptz not null default clock_timestamp(), created_by text not null default session_user,
    updated_at timestamptz not null default clock_timestamp(), updated_by text not null default session_user, version integer not null default 1)`)
  await database.query('alter table dba.keptconfig owner to rota_owner')
  await database.query(`select dba.adopt_config_table('kept')`)
  await database.query(`insert into dba.lane (lane) values ('far')`)
  await database.query(`insert into dba.keptconfig (config_name, target, size) values ('c', 'old', 1)`)
  await database.query(`insert into dba.scheduler (schedule_name, job, config_name, args, lane, max_attempts, timeout)
    values ('a', 'kept', 'c', '{"size": 2, "extra": "old"}', 'far', 7, '5 minutes')`)
  const near = await startOwnWorker({ ...database, jobs: [job] })
  t.after(() => near.stop(0))
  await database.query(`insert into dba.run (schedule_name) values ('a')`)
  await eventually(() => database.query(`select from dba.run where state = 'queued'`))

  await database.query(`update dba.keptconfig set target = 'new', size = 10`)
  await database.query(`update dba.scheduler set args = '{"extra": "new"}', max_attempts = 1, timeout = '9 minutes'`)
  const far = await startOwnWorker({ ...database, jobs: [job], lanes: ['far'] })
  t.after(() => far.stop(0))
  await eventually(() => database.query(`select from dba.run where state = 'succeeded'`))
  assert.deepEqual(await database.query('select args, config_version, max_attempts, timeout from dba.run'), [
    { args: { size: 2, extra: 'old' }, config_version: 1, max_attempts: 7, timeout: '00:05:00' },
  ])

  await database.query(`insert into dba.run (schedule_name) values ('a')`)
  await eventually(
    () => database.query(`select from dba.run where state = 'succeeded'`),
    (rows) => rows.length === 2,
  )
  assert.deepEqual(seen, [
    { target: 'old', size: 2, extra: 'old' },
    { target: 'new', size: 10, extra: 'new' },
  ])
})

test('a run whose config was deleted since says so and is not tried again', async (t) => {
  const database = await freshDatabase(t)
  const job = defineJob({ name: 'noop', config: (row) => row, run: async () => ({}) })
  const worker = await startOwnWorker({ ...database, jobs: [job] })
  t.after(() => worker.stop(0))
  await database.query(`insert into dba.scheduler (schedule_name, job) values ('a', 'noop')`)
  await database.pool.query(
    `insert into dba.run (schedule_id, schedule_name, job, config_name, config_version, trigger, fire_key, due_at, state, attempt, max_attempts, waits_for, reason, lane, overlap, priority)
     select schedule_id, schedule_name, job, 'gone', 1, 'cron', 'a test', clock_timestamp(), 'waiting', 0, 3, 'run', 'a test', lane, overlap, 0 from dba.scheduler`,
  )
  await database.pool.query(`update dba.run set attempt = 1, waits_for = 'retry'`)
  await database.query(`select pg_notify('rota', 'ended')`)
  await eventually(() => database.query(`select from dba.run where state = 'failed'`))
  assert.deepEqual(await database.query('select attempt, error_code, error_message from dba.run'), [
    { attempt: 2, error_code: 'config_not_found', error_message: 'Job "noop" has no config "gone"' },
  ])
})
