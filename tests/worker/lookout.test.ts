import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineJob } from '../../src/job/define-job.ts'
import { startConductor } from '../../src/worker/conductor.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'
import { declareJobs, startOwnWorker } from '../helpers/own-jobs.ts'

const quick = defineJob({ name: 'quick', config: (row) => row, run: async () => ({}) })

test('a worker that is older than the schema neither plans, dispatches nor takes runs and says so, until it fits again', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`insert into dba.migration (migration_number, name, checksum) values (9999, '9999_tomorrow', 'x')`)
  const { worker } = await workerOn(t, database)
  await database.query(
    `insert into dba.scheduler (schedule_name, job, cron) values ('a', 'noop', null), ('each second', 'noop', '* * * * * *')`,
  )
  await database.query(`insert into dba.run (schedule_name) values ('a')`)
  await eventually(() => database.query(`select from dba.worker where state = 'outdated'`))
  const [{ message, known } = { message: '', known: 0 }] = await database.query<{ message: string; known: number }>(
    `select message, (select max(migration_number) from dba.migration where migration_number < 9999) as known from dba.worker where worker = $1`,
    [worker],
  )
  assert.equal(message, `this worker knows migrations up to ${known}, the database has 9999: update it`)
  await aSignOfLife(database, worker)
  assert.deepEqual(await database.query('select schedule_name, state from dba.run'), [{ schedule_name: 'a', state: 'planned' }])
  await database.query('delete from dba.migration where migration_number = 9999')
  await eventually(() => database.query(`select from dba.run where schedule_name = 'a' and state = 'succeeded'`))
  await eventually(() => database.query(`select from dba.run where schedule_name = 'each second' and state = 'succeeded'`))
  assert.deepEqual(await database.query('select state, message from dba.worker'), [{ state: 'running', message: null }])
})

test('a worker that a migration makes too old stops planning and dispatching at once', async (t) => {
  const database = await freshDatabase(t)
  const { worker } = await workerOn(t, database)
  await database.query(`insert into dba.scheduler (schedule_name, job, cron) values ('each second', 'noop', '* * * * * *')`)
  await eventually(() => database.query(`select from dba.run where state = 'succeeded'`))
  await database.query(
    `with newer as (insert into dba.migration (migration_number, name, checksum) values (9999, '9999_tomorrow', 'x')) select pg_notify('rota', 'migration')`,
  )
  await eventually(() => database.query(`select from dba.worker where state = 'outdated'`), undefined, 2)
  const ledger = () => database.query(`select run_id, state from dba.run where state in ('planned', 'queued') order by run_id`)
  const before = await ledger()
  await aSignOfLife(database, worker)
  assert.deepEqual(await ledger(), before)
})

test('a run of a job that this worker does not have is tried again elsewhere, with words that name both', async (t) => {
  const database = await freshDatabase(t)
  await declareJobs(database.query, [quick])
  await workerOn(t, database)
  await database.query(`insert into dba.scheduler (schedule_name, job) values ('a', 'quick')`)
  await database.query(`insert into dba.run (schedule_name) values ('a')`)
  await eventually(() => database.query(`select from dba.run where state = 'waiting'`))
  const [row] = await database.query('select error_code, error_message from dba.run')
  assert.deepEqual(row, { error_code: 'job_unknown_here', error_message: 'This worker has no job "quick"' })
})

test('a listening connection that was cut comes back, and requests start at once again', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await database.query(`insert into dba.scheduler (schedule_name, job) values ('a', 'noop')`)
  const listeners = () =>
    database.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and application_name = 'rota listen' and state = 'idle'`,
    )
  const [{ pid } = { pid: 0 }] = await eventually(listeners)
  await database.query('select pg_terminate_backend($1)', [pid])
  await eventually(listeners, ([session]) => session !== undefined && session.pid !== pid)
  await database.query(`insert into dba.run (schedule_name) values ('a')`)
  await eventually(() => database.query(`select from dba.run where state = 'succeeded'`), undefined, 4)
})

test('a worker that hears nothing finds queued runs by looking', async (t) => {
  const database = await freshDatabase(t)
  await declareJobs(database.query, [quick])
  await database.query(`insert into dba.lane (lane) values ('far')`)
  const deaf = await startOwnWorker({ ...database, jobs: [quick], lanes: ['far'], isListening: false })
  t.after(() => deaf.stop(0))
  await eventually(() => database.query('select from dba.worker'))
  await database.query(`insert into dba.scheduler (schedule_name, job, lane) values ('a', 'quick', 'far')`)
  await database.query(`insert into dba.run (schedule_name) values ('a')`)
  const hearing = await startOwnWorker({ ...database, jobs: [quick] })
  t.after(() => hearing.stop(0))
  await eventually(() => database.query(`select from dba.run where state = 'succeeded' and worker = $1`, [deaf.name]))
})

test('every connection of a worker may be cut at once: what goes on ends as itself', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await database.query(`insert into dba.scheduler (schedule_name, job, args) values ('a', 'noop', '{"seconds": 1.5}')`)
  await database.query(`insert into dba.run (schedule_name) values ('a')`)
  await eventually(() => database.query(`select from dba.run where state = 'running'`))
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name in ('rota worker', 'rota job', 'rota log', 'rota queue', 'rota listen')`,
  )
  await eventually(() => database.query(`select from dba.run where state = 'succeeded'`))
  assert.deepEqual(await database.query('select attempt, outcome from dba.attempt'), [{ attempt: 1, outcome: 'succeeded' }])
})

test('a message that the queue lost is sent again, by a worker that starts at the latest', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`insert into dba.lane (lane) values ('far')`)
  await workerOn(t, database)
  await database.query(`insert into dba.scheduler (schedule_name, job, lane) values ('a', 'noop', 'far')`)
  await database.query(`insert into dba.run (schedule_name) values ('a')`)
  await eventually(() => database.query(`select from dba.run where state = 'queued'`))
  await database.query('delete from pgboss.job')
  await database.pool.query(`update dba.run set queued_at = queued_at - interval '1 hour'`)
  await workerOn(t, database, { ROTA_LANES: 'far' })
  await eventually(() => database.query(`select from dba.run where state = 'succeeded'`))
})

test('a plan that somebody holds locked does not keep the conductor spinning', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`insert into dba.scheduler (schedule_name, job, cron) values ('a', 'noop', '* * * * * *')`)
  let looks = 0
  database.pool.on('acquire', () => looks++)
  const isPlanned = () => database.query('select from dba.run')
  const conductor = startConductor({
    pool: database.pool,
    enqueue: async () => undefined,
    onLookedAtAll: async () => undefined,
    onError: assert.ifError,
  })
  t.after(() => conductor.stop())
  conductor.follow('running')
  await eventually(isPlanned)
  const holder = await database.pool.connect()
  await holder.query('begin')
  await holder.query('select from dba.plan for update')
  await eventually(() => database.query(`select from dba.plan where refill_at < clock_timestamp() - interval '1 second'`))
  looks = 0
  await eventually(() => database.query(`select from dba.plan where refill_at < clock_timestamp() - interval '4 seconds'`))
  await holder.query('rollback')
  holder.release()
  assert.ok(looks < 60, `it used the database ${looks} times in three seconds`)
})

/** Longer than a fire a second takes to be planned and dispatched. */
async function aSignOfLife({ query }: TestDatabase, worker: string): Promise<void> {
  const [last] = await query<{ heartbeat_at: Date }>('select heartbeat_at from dba.worker where worker = $1', [worker])
  await eventually(() => query('select from dba.worker where worker = $1 and heartbeat_at > $2', [worker, last?.heartbeat_at]))
}
