import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { defineJob, type Job } from '../../src/job/define-job.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'
import { kill } from '../helpers/launch.ts'
import { declareJobs, startOwnWorker } from '../helpers/own-jobs.ts'
import { startWorkerProcess } from '../helpers/worker-process.ts'

test('SIGTERM lets a run that goes on end, takes no other, and ends the process in order', async (t) => {
  const database = await freshDatabase(t)
  await (await workerOn(t, database)).stop(0)
  await schedule(database, 'noop', '{"seconds": 1}')
  const worker = await startWorkerProcess({ ...database, concurrency: 1 })
  t.after(() => kill(worker.process))
  const [first] = await request(database)
  await eventually(() => database.query(`select from dba.run where state = 'running'`))
  worker.process.kill('SIGTERM')
  await eventually(() => database.query(`select from dba.worker where worker = $1 and state = 'draining'`, [worker.name]))
  const [second] = await request(database)
  assert.equal(await worker.ended, 0)
  assert.deepEqual(await database.query('select run_id, state from dba.run order by started_at nulls last'), [
    { run_id: first, state: 'succeeded' },
    { run_id: second, state: 'planned' },
  ])
  assert.deepEqual(
    await database.query('select state, stopped_at is not null as has_end from dba.worker where worker = $1', [worker.name]),
    [{ state: 'stopped', has_end: true }],
  )
})

test('what does not end within the limit is handed back, does not count as an attempt, and goes on at the next worker', async (t) => {
  const database = await freshDatabase(t)
  await schedule(database, 'noop', '{"seconds": 60}', 'max_attempts = 1')
  const first = await workerOn(t, database)
  const [run] = await request(database)
  await eventually(() => database.query(`select from dba.run where state = 'running'`))
  await first.stop(0.1)
  assert.deepEqual(
    await database.query(
      'select r.state, r.waits_for, r.reason, a.outcome, a.error_code from dba.run r join dba.attempt a using (run_id) where run_id = $1',
      [run],
    ),
    [
      {
        state: 'waiting',
        waits_for: 'retry',
        reason: 'its worker was stopped; another one goes on with it',
        outcome: 'handed_back',
        error_code: 'worker_stopped',
      },
    ],
  )
  const second = await workerOn(t, database)
  await eventually(() => database.query(`select from dba.run where state = 'running' and attempt = 2 and worker = $1`, [second.worker]))
})

test('a job that does not listen is left behind: its run is handed back, and what it does afterwards is not committed', async (t) => {
  const database = await freshDatabase(t)
  const isReleased = Promise.withResolvers<void>()
  const outcome = Promise.withResolvers<unknown>()
  const deaf = defineJob({
    name: 'deaf',
    config: (row) => row,
    async run({ transaction }) {
      await transaction(async (client) => {
        await client.query('insert into public.effect default values')
        await isReleased.promise
      }).then(outcome.resolve, outcome.resolve)
      return {}
    },
  })
  await effects(database, [deaf])
  const worker = await startOwnWorker({ ...database, jobs: [deaf] })
  t.after(() => worker.stop(0))
  await schedule(database, 'deaf')
  const [run] = await request(database)
  await eventually(() => database.query(`select from pg_locks where relation = 'public.effect'::regclass`))
  const stopping = worker.stop(0)
  await eventually(() => database.query(`select from dba.run where run_id = $1 and state = 'waiting'`, [run]))
  isReleased.resolve()
  const end = await outcome.promise
  assert.ok(end instanceof Error && 'code' in end, String(end))
  assert.equal(end.code, 'worker_stopped')
  await stopping
  assert.deepEqual(await database.query('select from public.effect'), [])
})

test('a stop during the very start of a run loses nothing', async (t) => {
  const database = await freshDatabase(t)
  await schedule(database, 'noop', '{}', `overlap = 'allow'`)
  await (await workerOn(t, database)).stop(0)
  for (let round = 0; round < 3; round++) {
    await database.query(`insert into dba.run (schedule_name) select 'a' from generate_series(1, 20)`)
    const worker = await workerOn(t, database, { ROTA_CONCURRENCY: '2' })
    await pause(Math.random() * 60)
    await worker.stop(5)
    assert.deepEqual(await database.query(`select run_id, state, worker from dba.run where state = 'running'`), [])
  }
  await workerOn(t, database)
  await eventually(
    () => database.query(`select from dba.run where state <> 'succeeded'`),
    (rows) => rows.length === 0,
  )
  assert.deepEqual(await database.query(`select count(*)::integer as runs, max(attempt) as attempts from dba.run`), [
    { runs: 60, attempts: 1 },
  ])
})

async function schedule({ query }: TestDatabase, job: string, args = '{}', terms = 'description = null'): Promise<void> {
  await query(`insert into dba.scheduler (schedule_name, job, args) values ('a', $1, $2)`, [job, args])
  await query(`update dba.scheduler set ${terms}`)
}

async function request({ query }: TestDatabase): Promise<string[]> {
  return (await query<{ run_id: string }>(`insert into dba.run (schedule_name) values ('a') returning run_id`)).map((row) => row.run_id)
}

async function effects({ query }: TestDatabase, jobs: Job[]): Promise<void> {
  await declareJobs(query, jobs)
  await query('create table public.effect (done_at timestamptz default clock_timestamp())')
  await query('grant all on public.effect to rota_worker')
}
