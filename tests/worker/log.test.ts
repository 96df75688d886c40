import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { defineJob, type Job, type JobContext } from '../../src/job/define-job.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'
import { declareJobs, startOwnWorker } from '../helpers/own-jobs.ts'

test('all lines of a failed run stand in dba.logentry when the run is said to have failed', async (t) => {
  const database = await freshDatabase(t)
  await running(t, database, ({ log }) => {
    for (let line = 1; line <= 2500; line++) log(`Line ${line}`, { line })
    throw new Error('and then it broke')
  })
  await eventually(() => database.query(`select from dba.run where state = 'failed'`))
  const [found] = await database.query(
    `select count(*) filter (where message like 'Line %')::integer as lines, count(*) filter (where level = 'error')::integer as errors,
       bool_and(step_seconds >= 0 and total_seconds >= step_seconds) as has_seconds from dba.logentry where run_id is not null`,
  )
  assert.deepEqual(found, { lines: 2500, errors: 1, has_seconds: true })
})

test('while the log cannot be written the run goes on, and its lines come later', async (t) => {
  const database = await freshDatabase(t)
  const blocker = await database.pool.connect()
  await blocker.query('begin')
  await blocker.query('lock table dba.logentry in exclusive mode')
  await running(t, database, async ({ log }) => {
    log('Heard later')
    return { note: 'done' }
  })
  await eventually(() => database.query(`select from dba.run where state = 'succeeded'`))
  assert.deepEqual(await database.query(`select from dba.logentry where message = 'Heard later'`), [])
  await blocker.query('rollback')
  blocker.release()
  await eventually(() => database.query(`select from dba.logentry where message = 'Heard later'`))
})

test('a failed run does not wait for a log that cannot be written', async (t) => {
  const database = await freshDatabase(t)
  await database.query('alter table dba.logentry rename to logentry_away')
  await running(t, database, ({ log }) => {
    log('Heard later')
    throw new Error('broken')
  })
  await eventually(() => database.query(`select from dba.run where state = 'failed'`))
  await database.query('alter table dba.logentry_away rename to logentry')
  await eventually(() => database.query(`select from dba.logentry where message = 'Heard later'`))
})

test('a month without partition gets one', async (t) => {
  const database = await freshDatabase(t)
  const [partition] = await database.query<{ name: string }>(
    `select 'dba.logentry_' || to_char(now() at time zone 'UTC', 'YYYY_MM') as name`,
  )
  await database.query(`drop table ${partition?.name}`)
  await running(t, database, async ({ log }) => {
    log('In a new month')
    return {}
  })
  await eventually(() => database.query(`select from dba.logentry where message = 'In a new month'`))
})

test('texts that Postgres cannot hold are mended, and keep no other line out', async (t) => {
  const database = await freshDatabase(t)
  await running(t, database, async ({ log, progress }) => {
    log('A NUL \0 and half a pair \ud83d', { 'key \udc00': 'value \0', literal: '\\u0000' })
    log('The next line')
    progress(0.5, 'a note with \0')
    return { note: 'ends with \0', result: { half: '\ud800' } }
  })
  await eventually(() => database.query(`select from dba.logentry where message = 'The next line'`))
  assert.deepEqual(await database.query(`select message, data from dba.logentry where message like 'A NUL%'`), [
    { message: 'A NUL \ufffd and half a pair \ufffd', data: { 'key \ufffd': 'value \ufffd', literal: '\\u0000' } },
  ])
  await eventually(() => database.query(`select from dba.run where state = 'succeeded'`))
  assert.deepEqual(await database.query('select note, result from dba.run'), [{ note: 'ends with \ufffd', result: { half: '\ufffd' } }])
})

test('a line that the table refuses is left to the file, and the others are written', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`create function public.refuse() returns trigger language plpgsql as $$ begin
    if new.message like 'Refused%' then raise program_limit_exceeded; end if; return new; end $$`)
  await database.query('create trigger refuse before insert on dba.logentry for each row execute function public.refuse()')
  await running(t, database, async ({ log }) => {
    for (let line = 1; line <= 40; line++) log(line % 13 === 0 ? `Refused ${line}` : `Line ${line}`)
    return {}
  })
  await eventually(() =>
    database.query(`select from dba.logentry where message = '3 lines were refused by the database; the log file has them'`),
  )
  assert.deepEqual(await database.query(`select count(*)::integer as lines from dba.logentry where message like 'Line %'`), [{ lines: 37 }])
})

test('an outcome that the ledger cannot hold fails the run for good, with the reason', async (t) => {
  const database = await freshDatabase(t)
  await running(t, database, async () => ({ rowsWritten: 1.5 }))
  await eventually(() => database.query(`select from dba.run where state = 'failed'`))
  assert.deepEqual(await database.query('select attempt, error_code, error_detail from dba.run'), [
    { attempt: 1, error_code: 'outcome_not_stored', error_detail: 'invalid input syntax for type bigint: "1.5"' },
  ])
})

test('the log file has the same lines as the table', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await database.query(`insert into dba.scheduler (schedule_name, job, args) values ('a', 'noop', '{"note": "Said twice"}')`)
  await database.query(`insert into dba.run (schedule_name) values ('a')`)
  await eventually(() => database.query(`select from dba.run where state = 'succeeded'`))
  await eventually(() => database.query(`select from dba.logentry where message = 'Said twice'`))
  const file = await readFile(join(database.dataDir, 'logs', 'rota.log'), 'utf8')
  assert.match(file, /^\S+Z info {4}\S+ [0-9a-f]{8} "a" Said twice \{"seconds":0,"attempt":1\}$/m)
})

/** A worker whose one job does this, and a run of it. */
async function running(
  t: { after(end: () => Promise<void>): void },
  database: TestDatabase,
  run: (context: JobContext<unknown>) => ReturnType<Parameters<typeof defineJob>[0]['run']>,
): Promise<void> {
  const job: Job = defineJob({ name: 'spoken', config: (row): unknown => row, run: async (context) => run(context) })
  await declareJobs(database.query, [job])
  const worker = await startOwnWorker({ ...database, jobs: [job] })
  t.after(() => worker.stop(0))
  await database.query(`insert into dba.scheduler (schedule_name, job, max_attempts) values ('a', 'spoken', 1)`)
  await database.query(`insert into dba.run (schedule_name) values ('a')`)
}
