import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineJob, type Job } from '../../src/job/define-job.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/engine.ts'
import { declareJobs, startOwnWorker } from '../helpers/own-jobs.ts'

test('a run keeps the settings, args and terms that it was queued under; an edit counts from the next run', async (t) => {
  const database = await freshDatabase(t)
  const { job, seen } = await keptJob(database)
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

test('a queued run is carried out under its terms though schedule and config were deleted meanwhile', async (t) => {
  const database = await freshDatabase(t)
  const { job, seen } = await keptJob(database)
  const near = await startOwnWorker({ ...database, jobs: [job] })
  t.after(() => near.stop(0))
  await database.query(`insert into dba.run (schedule_name) values ('a')`)
  await eventually(() => database.query(`select from dba.run where state = 'queued'`))
  await database.query('delete from dba.scheduler')
  await database.query('delete from dba.keptconfig')
  const far = await startOwnWorker({ ...database, jobs: [job], lanes: ['far'] })
  t.after(() => far.stop(0))
  await eventually(() => database.query(`select from dba.run where state = 'succeeded'`))
  assert.deepEqual(seen, [{ target: 'old', size: 2, extra: 'old' }])
})

/** Schedule "a" of a job with a settings table, in lane "far"; what its runs saw. */
async function keptJob({ query }: TestDatabase): Promise<{ job: Job; seen: unknown[] }> {
  const seen: unknown[] = []
  const job = defineJob({
    name: 'kept',
    config: (row) => row,
    async run({ config }) {
      seen.push({ target: config.target, size: config.size, extra: config.extra })
      return {}
    },
  })
  await declareJobs(query, [job], ['extra'])
  await query(`create table dba.keptconfig (
    config_name text primary key, target text not null, size integer not null,
    is_active boolean not null default true, description text, owner text,
    created_at timestamptz not null default clock_timestamp(), created_by text not null default session_user,
    updated_at timestamptz not null default clock_timestamp(), updated_by text not null default session_user, version integer not null default 1)`)
  await query('alter table dba.keptconfig owner to rota_owner')
  await query(`update dba.job set config_table = 'keptconfig' where job = 'kept'`)
  await query(`select dba.adopt_config_table('kept')`)
  await query(`insert into dba.lane (lane) values ('far')`)
  await query(`insert into dba.keptconfig (config_name, target, size) values ('c', 'old', 1)`)
  await query(`insert into dba.scheduler (schedule_name, job, config_name, args, lane, max_attempts, timeout)
    values ('a', 'kept', 'c', '{"size": 2, "extra": "old"}', 'far', 7, '5 minutes')`)
  return { job, seen }
}
