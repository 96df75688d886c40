import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installQueue } from '../../src/worker/queue.ts'
import { addSchedule, dispatch, plan, type RunRow, runsOf } from '../helpers/clockwork.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'
import { kill } from '../helpers/launch.ts'
import { startWorkerProcess } from '../helpers/worker-process.ts'

test('an @always schedule has one open run, without timeout', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'listen', cron: '@always' })
  await plan(database)
  await plan(database)
  assert.equal((await dispatch(database)).length, 1)
  await plan(database)
  assert.deepEqual(
    (await runsOf(database, 'listen')).map(({ state, trigger, timeout }) => ({ state, trigger, timeout })),
    [{ state: 'queued', trigger: 'always', timeout: null }],
  )
})

test('when its worker is killed another one takes it over', async (t) => {
  const database = await freshDatabase(t)
  await installQueue(database.url)
  await addSchedule(database, { schedule_name: 'listen', cron: '@always', args: { seconds: 3600 }, max_attempts: 1 })
  const first = await startWorkerProcess(database)
  t.after(() => kill(first.process))
  const [begun] = await running(database, 'listen')
  const second = await startWorkerProcess(database)
  t.after(() => kill(second.process))
  await kill(first.process)
  const [taken] = await eventually(
    () => database.query<RunRow>(`select * from dba.run where state = 'running' and worker <> $1`, [begun?.worker]),
    undefined,
    40,
  )
  assert.equal(taken?.run_id, begun?.run_id)
  assert.deepEqual(await database.query('select attempt, outcome from dba.attempt order by attempt'), [
    { attempt: 1, outcome: 'lost' },
    { attempt: 2, outcome: null },
  ])
})

test('an edit of the schedule restarts it with the new terms', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'listen', cron: '@always', args: { seconds: 3600 } })
  const [before] = await running(database, 'listen')
  await database.query(`update dba.scheduler set args = '{"seconds": 3601}'`)
  const [after] = await eventually(() =>
    database.query<RunRow>(`select * from dba.run where state = 'running' and run_id <> $1`, [before?.run_id]),
  )
  assert.deepEqual(after?.args, { seconds: 3601 })
  const [ended] = await database.query<RunRow>('select state, reason from dba.run where run_id = $1', [before?.run_id])
  assert.deepEqual(ended, { state: 'cancelled', reason: 'restarted by an edit of the schedule' })
})

test('a pause stops it, and it begins again when the pause is over', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'listen', cron: '@always', args: { seconds: 3600 } })
  await running(database, 'listen')
  await database.query(`update dba.scheduler set paused_until = now() + interval '3 seconds', pause_reason = 'audit'`)
  const [stopped] = await eventually(() => database.query<RunRow>(`select * from dba.run where state = 'cancelled'`))
  assert.match(stopped?.reason ?? '', /^schedule is paused by \w+ until .*: audit$/)
  await running(database, 'listen', 10)
})

test('a config that is switched off stops it and makes no rows', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`
    insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'inbox', '*.csv', 'feeds.price')`)
  await addSchedule(database, { schedule_name: 'listen', job: 'import', config_name: 'prices', cron: '@always' })
  await plan(database)
  await database.query('update dba.importconfig set is_active = false')
  for (let looks = 0; looks < 3; looks += 1) {
    await plan(database)
    await dispatch(database)
  }
  assert.deepEqual(
    (await runsOf(database, 'listen')).map((run) => [run.state, run.reason]),
    [['cancelled', 'config "prices" is switched off (is_active is false)']],
  )
})

test('an edit of its config restarts it', async (t) => {
  const database = await freshDatabase(t)
  await database.query(`
    insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'inbox', '*.csv', 'feeds.price')`)
  await addSchedule(database, { schedule_name: 'listen', job: 'import', config_name: 'prices', cron: '@always' })
  await plan(database)
  await dispatch(database)
  await database.query(`update dba.importconfig set file_pattern = '*.txt'`)
  await plan(database)
  assert.deepEqual(
    (await runsOf(database, 'listen')).map((run) => [run.state, run.reason]),
    [
      ['cancelled', 'restarted by an edit of the config'],
      ['planned', null],
    ],
  )
})

test('a cron that becomes @always leaves no fires of the cron, and one that was @always fires by the clock', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'listen', cron: '0 6 * * *' })
  await plan(database)
  await database.query(`update dba.scheduler set cron = '@always'`)
  await plan(database)
  assert.deepEqual(
    (await runsOf(database, 'listen')).map((run) => run.trigger),
    ['always'],
  )
  await database.query(`update dba.scheduler set cron = '0 6 * * *'`)
  // Another worker may look at the runs for ever before one looks at the edited schedules.
  await database.pool.query('select dba.plan_always()')
  await plan(database)
  assert.deepEqual(
    (await runsOf(database, 'listen')).map((run) => [run.trigger, run.state]),
    [['always', 'cancelled'], ...Array(5).fill(['cron', 'planned'])],
  )
})

test('a run for ever that fails is tried again however often it has failed', async (t) => {
  const database = await freshDatabase(t)
  await workerOn(t, database)
  await addSchedule(database, {
    schedule_name: 'listen',
    cron: '@always',
    args: { fail: true },
    max_attempts: 1,
    retry_delay: '0',
    retry_backoff: 1,
  })
  await eventually(() => database.query('select from dba.attempt where attempt = 4'))
  assert.equal((await runsOf(database, 'listen')).length, 1)
})

function running({ query }: TestDatabase, scheduleName: string, limitSeconds = 20): Promise<RunRow[]> {
  return eventually(
    () => query<RunRow>(`select * from dba.run where schedule_name = $1 and state = 'running'`, [scheduleName]),
    undefined,
    limitSeconds,
  )
}
