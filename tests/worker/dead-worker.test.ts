import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reapDeadWorkers } from '../../src/control-plane/workers.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/engine.ts'
import { kill, launch } from '../helpers/launch.ts'
import { startOwnWorker } from '../helpers/own-jobs.ts'
import { startWorkerProcess } from '../helpers/worker-process.ts'
import { gatedSchedule } from './gated-schedule.ts'
import { processJobs } from './process-jobs.ts'

const ownProcess = new URL('./own-process.ts', import.meta.url)

test('a run whose worker was killed is ended as worker_lost and carried out by another one', async (t) => {
  const database = await freshDatabase(t)
  const run = await gatedRun(database)
  const doomed = await launch(t, ownProcess, [database.url, database.dataDir])
  await begun(database, run, 1)
  const heir = await startOwnWorker({ ...database, jobs: processJobs })
  t.after(() => heir.stop(0))
  await kill(doomed.process)
  await begun(database, run, 2)
  await database.query('insert into public.gate values (true)')
  await eventually(() => database.query(`select from dba.run where run_id = $1 and state = 'succeeded'`, [run]))
  const attempts = await database.query(
    `select attempt, worker, outcome, error_code, finished_at is not null as is_ended from dba.attempt where run_id = $1 order by attempt`,
    [run],
  )
  assert.deepEqual(attempts, [
    { attempt: 1, worker: doomed.said.worker, outcome: 'lost', error_code: 'worker_lost', is_ended: true },
    { attempt: 2, worker: heir.name, outcome: 'succeeded', error_code: null, is_ended: true },
  ])
  assert.deepEqual(await database.query('select state from dba.worker where worker = $1', [doomed.said.worker]), [{ state: 'lost' }])
  assert.deepEqual(await database.query('select attempt from public.effect'), [{ attempt: 2 }])
})

test('a worker that was frozen for too long commits nothing when it wakes up, and takes runs again', async (t) => {
  const database = await freshDatabase(t)
  const run = await gatedRun(database)
  const zombie = await launch(t, ownProcess, [database.url, database.dataDir])
  await begun(database, run, 1)
  zombie.process.kill('SIGSTOP')
  const heir = await startOwnWorker({ ...database, jobs: processJobs })
  t.after(() => heir.stop(0))
  await begun(database, run, 2, 40)
  const [lost] = await database.query<{ outcome: string; error_code: string; error_message: string }>(
    'select outcome, error_code, error_message from dba.attempt where run_id = $1 and attempt = 1',
    [run],
  )
  assert.deepEqual(lost, { outcome: 'lost', error_code: 'worker_lost', error_message: `worker ${zombie.said.worker} gave no sign of life` })

  // Both transactions may commit now; only the one that holds the run does.
  zombie.process.kill('SIGCONT')
  await eventually(() => database.query(`select from dba.worker where worker = $1 and state = 'running'`, [zombie.said.worker]))
  await database.query('insert into public.gate values (true)')
  await eventually(() => database.query(`select from dba.run where run_id = $1 and state = 'succeeded'`, [run]))
  await eventually(
    () =>
      database.query<{ left: number }>('select count(*)::integer as left from pg_locks where relation = $1::regclass and granted', [
        'public.effect',
      ]),
    ([row]) => row?.left === 0,
  )
  assert.deepEqual(await database.query('select attempt from public.effect'), [{ attempt: 2 }])
  assert.deepEqual(await database.query('select attempt, outcome from dba.attempt where run_id = $1 order by attempt', [run]), [
    { attempt: 1, outcome: 'lost' },
    { attempt: 2, outcome: 'succeeded' },
  ])

  await heir.stop(0)
  await database.query(`insert into dba.run (schedule_name) values ('a')`)
  await eventually(() => database.query(`select from dba.run where worker = $1 and state = 'succeeded'`, [zombie.said.worker]))
})

test('a lost worker counts as an attempt: without another one left the run is failed', async (t) => {
  const database = await freshDatabase(t)
  const run = await gatedRun(database, 'max_attempts = 1')
  const doomed = await launch(t, ownProcess, [database.url, database.dataDir])
  await begun(database, run, 1)
  await kill(doomed.process)
  assert.deepEqual(
    (await reapDeadWorkers(database.pool, [String(doomed.said.worker)], false)).map(({ runId, state }) => ({ runId, state })),
    [{ runId: run, state: 'failed' }],
  )
  assert.deepEqual(await database.query('select state, error_code, error_hint from dba.run where run_id = $1', [run]), [
    { state: 'failed', error_code: 'worker_lost', error_hint: 'Look at dba.worker and at the log of that machine.' },
  ])
})

test('two workers that find a dead one at the same moment end its run once', async (t) => {
  const database = await freshDatabase(t)
  const run = await gatedRun(database)
  const doomed = await launch(t, ownProcess, [database.url, database.dataDir])
  await begun(database, run, 1)
  await kill(doomed.process)
  const gone = [String(doomed.said.worker)]
  const [first, second] = await Promise.all([reapDeadWorkers(database.pool, gone, true), reapDeadWorkers(database.pool, gone, true)])
  assert.equal(first.length + second.length, 1)
  assert.deepEqual(await database.query('select state, attempt from dba.run where run_id = $1', [run]), [{ state: 'waiting', attempt: 1 }])
})

test('rota worker that was killed is followed by the next one', async (t) => {
  const database = await freshDatabase(t)
  const heir = await startOwnWorker({ ...database, jobs: [], lanes: ['default'] })
  await heir.stop(0)
  await database.query(`insert into dba.scheduler (schedule_name, job, args) values ('long', 'noop', '{"seconds": 2}')`)
  const first = await startWorkerProcess(database)
  t.after(() => kill(first.process))
  await database.query(`insert into dba.run (schedule_name) values ('long')`)
  await eventually(() => database.query(`select from dba.run where state = 'running'`))
  await kill(first.process)
  const second = await startWorkerProcess(database)
  t.after(() => kill(second.process))
  await eventually(() => database.query(`select from dba.run where state = 'succeeded' and worker = $1`, [second.name]))
})

/** A run of job gated, with the tables it needs; nobody has taken it yet. */
async function gatedRun({ query }: TestDatabase, terms = 'description = null'): Promise<string> {
  await gatedSchedule(query)
  await query(`update dba.scheduler set ${terms}`)
  const [run] = await query<{ run_id: string }>(`insert into dba.run (schedule_name) values ('a') returning run_id`)
  assert.ok(run)
  return run.run_id
}

/** Waits until this attempt of the run has written its row and waits at the gate. */
async function begun({ query }: TestDatabase, run: string, attempt: number, limitSeconds = 20): Promise<void> {
  const isWritten = `select from dba.logentry where run_id = $1 and attempt = $2 and message = 'Written, not committed'`
  await eventually(() => query(isWritten, [run, attempt]), undefined, limitSeconds)
}
