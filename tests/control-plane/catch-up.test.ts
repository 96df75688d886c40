import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addSchedule, dispatch, plan, type RunRow, runsOf, sleepFor } from '../helpers/clockwork.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'

test('catch_up last: of the fires missed in an outage the last one runs and the others say why not', async (t) => {
  const database = await freshDatabase(t)
  await missed(database, '3 hours', { catch_up: 'last' })
  const runs = await pastRuns(database)
  assert.deepEqual(states(runs), ['missed', 'missed', 'queued'])
  assert.match(
    runs[0]?.reason ?? '',
    /^no worker was up from .+ UTC to .+ UTC; a later fire is caught up in its place \(catch_up is last\)$/,
  )
  assert.match(runs[2]?.reason ?? '', /^caught up: no worker was up from .+ UTC to .+ UTC$/)
  assert.equal(runs[2]?.trigger, 'catch_up')
})

test('catch_up skip: nothing that was missed runs', async (t) => {
  const database = await freshDatabase(t)
  await missed(database, '3 hours', { catch_up: 'skip' })
  assert.deepEqual(states(await pastRuns(database)), ['missed', 'missed', 'missed'])
})

test('catch_up all: everything that was missed runs, one after another, oldest first', async (t) => {
  const database = await freshDatabase(t)
  await missed(database, '3 hours', { catch_up: 'all' })
  assert.deepEqual(states(await pastRuns(database)), ['queued', 'waiting', 'waiting'])
  await endQueued(database)
  await dispatch(database)
  const runs = await pastRuns(database)
  assert.deepEqual(states(runs), ['succeeded', 'queued', 'waiting'])
  assert.equal(runs[1]?.trigger, 'catch_up')
  assert.match(runs[1]?.reason ?? '', /^caught up: no worker was up/)
})

test('catch_up all: fires of a few seconds that come due together all run, one after another', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'each second', cron: '* * * * * *', catch_up: 'all', overlap: 'skip' })
  await plan(database)
  await database.query(`select pg_sleep_until((select due_at from dba.run order by due_at offset 3 limit 1))`)
  await dispatch(database)
  const together = (await pastRuns(database)).map((run) => run.run_id)
  assert.ok(together.length >= 4)
  for (const runId of together) {
    const [run] = await database.query<RunRow>(`select * from dba.run where state = 'queued'`)
    assert.equal(run?.run_id, runId)
    await endQueued(database)
    await dispatch(database)
  }
})

test('catch_up all: no more run than max_catch_up, the latest ones', async (t) => {
  const database = await freshDatabase(t)
  await missed(database, '5 hours', { catch_up: 'all', max_catch_up: 2, overlap: 'allow' })
  const runs = await pastRuns(database)
  const [summary, ...others] = runs
  assert.deepEqual([summary?.state, Number(summary?.missed_count)], ['missed', 3])
  assert.deepEqual(states(others), ['queued', 'queued'])
})

test('max_late: what is older is missed', async (t) => {
  const database = await freshDatabase(t)
  await missed(database, '4 hours', { catch_up: 'all', overlap: 'allow', max_late: '150 minutes' })
  const runs = await pastRuns(database)
  const limit = Date.now() - 150 * 60_000
  assert.equal(runs.length, 4)
  assert.deepEqual(
    states(runs),
    runs.map((run) => (run.due_at.getTime() < limit ? 'missed' : 'queued')),
  )
  assert.match(runs[0]?.reason ?? '', /too late to be caught up \(max_late\)$/)
})

test('a long outage is one missed row with from, until and how many, and the fires that may be caught up', async (t) => {
  const database = await freshDatabase(t)
  await missed(database, '100 hours', { max_catch_up: 3 })
  const [summary, ...others] = await pastRuns(database)
  assert.equal(Number(summary?.missed_count), 97)
  assert.equal(summary?.state, 'missed')
  assert.equal(Date.parse(String(summary?.missed_until)) - Date.parse(String(summary?.missed_from)), 96 * 3_600_000)
  assert.match(summary?.reason ?? '', /^97 fires: no worker was up from /)
  assert.deepEqual(states(others), ['missed', 'missed', 'queued'])
})

test('an outage of a day of a schedule that fires each second is planned in few rows', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'each second', cron: '* * * * * *' })
  await plan(database)
  await sleepFor(database, '1 day', 'each second')
  await plan(database)
  const rows = await runsOf(database, 'each second')
  assert.ok(rows.length < 40, `${rows.length} rows`)
  assert.ok(Number(rows[0]?.missed_count) > 86_300)
})

test('every fire of a long outage is accounted for', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'each ten seconds', cron: '*/10 * * * * *' })
  await plan(database)
  await sleepFor(database, '3 hours', 'each ten seconds')
  const [span] = await database.query<{ planned_through: Date }>('select planned_through from dba.plan')
  await plan(database)
  const [sums] = await database.query<{ fires: string; rows: string }>(
    `select dba.cron_count('*/10 * * * * *', 'UTC', $1, max(scheduled_for)) as fires, sum(coalesce(missed_count, 1)) as rows from dba.run`,
    [span?.planned_through],
  )
  assert.equal(Number(sums?.rows), Number(sums?.fires))
})

test('fires missed before an edit belong to the terms before it, those after it to the new ones', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'edited', cron: '0 * * * *' })
  await plan(database)
  await sleepFor(database, '6 hours', 'edited')
  await database.query(`update dba.scheduler set cron = '30 * * * *'`)
  await editedAgo(database, '3 hours')
  await plan(database)
  const [edit] = await database.query<{ changed_at: Date }>(
    `select changed_at from dba.configaudit where table_name = 'scheduler' and before is not null`,
  )
  const runs = await pastRuns(database)
  const minutesOf = (ofRuns: RunRow[]) => [...new Set(ofRuns.map((run) => run.scheduled_for.getUTCMinutes()))]
  assert.equal(runs.length, 6)
  assert.deepEqual(minutesOf(runs.filter((run) => run.scheduled_for < (edit?.changed_at ?? 0))), [0])
  assert.deepEqual(minutesOf(runs.filter((run) => run.scheduled_for > (edit?.changed_at ?? 0))), [30])
})

test('what had been planned ahead of an outage gives way to an edit made in it', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'edited', cron: '0 * * * *' })
  await plan(database)
  // Five hours ago its next five fires were planned; three hours ago it was edited.
  await sleepFor(database, '5 hours', 'edited')
  await database.pool.query(`
    insert into dba.run (schedule_id, schedule_name, job, trigger, fire_key, scheduled_for, due_at, local_time)
    select s.schedule_id, s.schedule_name, s.job, 'cron', dba.fire_key(f), f, f, dba.local_time_text(f, 'UTC')
    from dba.scheduler s, dba.cron_between('0 * * * *', 'UTC', now() - interval '5 hours', now()) f`)
  await database.pool.query('update dba.plan set planned_through = (select max(scheduled_for) from dba.run)')
  await database.query(`update dba.scheduler set cron = '30 * * * *'`)
  await editedAgo(database, '3 hours')
  await plan(database)
  const [edit] = await database.query<{ changed_at: Date }>(
    `select changed_at from dba.configaudit where table_name = 'scheduler' and before is not null`,
  )
  const runs = await pastRuns(database)
  assert.equal(runs.length, 5)
  for (const run of runs) assert.equal(run.scheduled_for.getUTCMinutes(), run.scheduled_for < (edit?.changed_at ?? 0) ? 0 : 30)
})

test('what a schedule would have fired while it was switched off is not owed', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'edited', cron: '0 * * * *' })
  await plan(database)
  await sleepFor(database, '6 hours', 'edited')
  await database.query('update dba.scheduler set is_active = false')
  await editedAgo(database, '4 hours')
  await database.query('update dba.scheduler set is_active = true')
  await editedAgo(database, '2 hours')
  await plan(database)
  assert.equal((await pastRuns(database)).length, 4)
})

test('fires of a pause in an outage are skipped with its reason, and not caught up', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'edited', cron: '0 * * * *', catch_up: 'all', overlap: 'allow' })
  await plan(database)
  await sleepFor(database, '6 hours', 'edited')
  const operator = await database.as('rota_operator')
  await operator.query(`update dba.scheduler set paused_until = 'infinity', pause_reason = 'storage move'`)
  await editedAgo(database, '4 hours')
  await operator.query('update dba.scheduler set paused_until = null, pause_reason = null')
  await editedAgo(database, '2 hours')
  await plan(database)
  await dispatch(database)
  const runs = await pastRuns(database)
  assert.deepEqual(states(runs), ['queued', 'queued', 'skipped', 'skipped', 'queued', 'queued'])
  assert.equal(runs[2]?.reason, 'schedule is paused by rota_operator until somebody resumes it: storage move')
})

test('a schedule written while no worker was up fires for the time since then', async (t) => {
  const database = await freshDatabase(t)
  await addSchedule(database, { schedule_name: 'early', cron: '0 * * * *' })
  await database.pool.query(`update dba.plan set planned_through = now() - interval '1 hour'`)
  await plan(database)
  await dispatch(database)
  assert.deepEqual(states(await pastRuns(database)), ['queued'])
})

/** An hourly schedule and an outage of so long; planned and dispatched afterwards. */
async function missed(database: TestDatabase, outage: string, columns: Record<string, unknown>): Promise<void> {
  await addSchedule(database, { schedule_name: 'hourly', cron: '0 * * * *', ...columns })
  await plan(database)
  await sleepFor(database, outage, 'hourly')
  await plan(database)
  await dispatch(database)
}

/** Moves the last edit into the past, with all that tells when it was. */
async function editedAgo({ pool, query }: TestDatabase, interval: string): Promise<void> {
  await pool.query(`update dba.scheduler set updated_at = now() - $1::interval`, [interval])
  await query(`update dba.configaudit set changed_at = now() - $1::interval where audit_id = (select max(audit_id) from dba.configaudit)`, [
    interval,
  ])
}

async function endQueued({ pool }: TestDatabase): Promise<void> {
  await pool.query(`update dba.run set state = 'succeeded', finished_at = now() where state = 'queued'`)
}

async function pastRuns({ query }: TestDatabase): Promise<RunRow[]> {
  return query<RunRow>('select * from dba.run where scheduled_for <= now() order by scheduled_for')
}

function states(runs: RunRow[]): string[] {
  return runs.map((run) => run.state)
}
