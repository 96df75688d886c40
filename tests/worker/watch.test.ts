import assert from 'node:assert/strict'
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { addSchedule, type RunRow, runsOf } from '../helpers/clockwork.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'
import { kill } from '../helpers/launch.ts'
import { startWorkerProcess } from '../helpers/worker-process.ts'

test('each file that arrives makes one run, with its path in the args', async (t) => {
  const { database, inbox } = await withInbox(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'files', on_file: 'inbox/*.csv' })
  for (const name of ['a.csv', 'b.csv', 'other.txt']) await writeFile(join(inbox, name), 'x')
  const runs = await succeeded(database, 2)
  assert.deepEqual(runs.map((run) => run.args.file).sort(), [join(inbox, 'a.csv'), join(inbox, 'b.csv')])
  assert.deepEqual([...new Set(runs.map((run) => run.trigger))], ['file'])
})

test('a file that is still growing is not taken', async (t) => {
  const { database, inbox } = await withInbox(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'files', on_file: 'inbox/*.csv' })
  const growing = join(inbox, 'growing.csv')
  await writeFile(join(inbox, 'whole.csv'), 'x')
  // It grows for as long as it takes a file that does not to be taken.
  let isTaken = false
  const taken = succeeded(database, 1).finally(() => {
    isTaken = true
  })
  while (!isTaken) {
    await appendFile(growing, 'another line\n')
    await pause(200)
  }
  assert.deepEqual(
    (await taken).map((run) => run.args.file),
    [join(inbox, 'whole.csv')],
  )
  const runs = await succeeded(database, 2)
  assert.equal(runs.at(-1)?.args.file, growing)
})

test('the same name again later is another file', async (t) => {
  const { database, inbox } = await withInbox(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'files', on_file: 'inbox/*.csv' })
  await writeFile(join(inbox, 'prices.csv'), 'monday')
  await succeeded(database, 1)
  await rename(join(inbox, 'prices.csv'), join(database.dataDir, 'archived.csv'))
  await writeFile(join(inbox, 'prices.csv'), 'tuesday')
  assert.equal((await succeeded(database, 2)).length, 2)
})

test('a file that was there before the worker and one that came while none was up are taken, once', async (t) => {
  const { database, inbox } = await withInbox(t)
  await addSchedule(database, { schedule_name: 'files', on_file: 'inbox/*.csv' })
  await writeFile(join(inbox, 'early.csv'), 'x')
  const first = await workerOn(t, database)
  await succeeded(database, 1)
  await first.stop(0)
  await writeFile(join(inbox, 'meanwhile.csv'), 'x')
  await workerOn(t, database)
  const runs = await succeeded(database, 2)
  assert.deepEqual(
    runs.map((run) => run.args.file),
    [join(inbox, 'early.csv'), join(inbox, 'meanwhile.csv')],
  )
})

test('two workers make one run of a file', async (t) => {
  const { database, inbox } = await withInbox(t)
  await workerOn(t, database)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'files', on_file: 'inbox/*.csv' })
  for (let file = 0; file < 5; file += 1) await writeFile(join(inbox, `${file}.csv`), 'x')
  await succeeded(database, 5)
  assert.equal((await runsOf(database, 'files')).length, 5)
})

test('when the worker that watches is killed another one watches', async (t) => {
  const { database, inbox } = await withInbox(t)
  await workerOn(t, database).then((worker) => worker.stop(0))
  await addSchedule(database, { schedule_name: 'files', on_file: 'inbox/*.csv' })
  const first = await startWorkerProcess(database)
  t.after(() => kill(first.process))
  await writeFile(join(inbox, 'first.csv'), 'x')
  await succeeded(database, 1)
  await workerOn(t, database)
  await kill(first.process)
  await writeFile(join(inbox, 'second.csv'), 'x')
  await succeeded(database, 2)
})

test('a path that is no folder does not keep the files of others waiting', async (t) => {
  const { database, inbox } = await withInbox(t)
  await writeFile(join(database.dataDir, 'a-file'), 'x')
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'wrong', on_file: `${'x'.repeat(300)}/*.csv` })
  await addSchedule(database, { schedule_name: 'wrong too', on_file: 'a-file/*.csv' })
  await addSchedule(database, { schedule_name: 'files', on_file: 'inbox/*.csv' })
  await writeFile(join(inbox, 'a.csv'), 'x')
  await succeeded(database, 1)
})

test('a file that comes in a pause is skipped with the reason', async (t) => {
  const { database, inbox } = await withInbox(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'files', on_file: 'inbox/*.csv', paused_until: 'infinity', pause_reason: 'audit' })
  await writeFile(join(inbox, 'a.csv'), 'x')
  const [run] = await eventually(() => database.query<RunRow>(`select * from dba.run where state = 'skipped'`))
  assert.match(run?.reason ?? '', /^schedule is paused by \w+ until somebody resumes it: audit$/)
})

test('on a restored copy no file makes a run until it is the live one', async (t) => {
  const { database, inbox } = await withInbox(t)
  await database.pool.query(`update dba.setting set value = 'another cluster/1' where name = 'home'`)
  await addSchedule(database, { schedule_name: 'files', on_file: 'inbox/*.csv' })
  await workerOn(t, database)
  await writeFile(join(inbox, 'a.csv'), 'x')
  await eventually(() => database.query(`select from dba.worker where state = 'still'`))
  assert.deepEqual(await runsOf(database, 'files'), [])
  await database.query(`update dba.setting set value = 'true' where name = 'is_live'`)
  await succeeded(database, 1)
})

test('each notification makes one run, with its payload in the args, in the order they came', async (t) => {
  const { database } = await withInbox(t)
  await workerOn(t, database)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'told', on_notify: 'orders_changed' })
  await listening(database, 'orders_changed')
  for (const payload of ['one', 'two', '']) await database.query('select pg_notify($1, $2)', ['orders_changed', payload])
  const runs = await succeeded(database, 3)
  assert.deepEqual(
    runs.map((run) => [run.trigger, run.args]),
    ['one', 'two', ''].map((payload) => ['notify', { payload }]),
  )
})

test('one notification runs every schedule that waits for it', async (t) => {
  const { database } = await withInbox(t)
  await workerOn(t, database)
  await database.query(
    `insert into dba.scheduler (schedule_name, job, on_notify) select n, 'noop', 'orders_changed' from unnest('{a,b}'::text[]) n`,
  )
  await listening(database, 'orders_changed')
  await database.query(`notify orders_changed, 'now'`)
  const runs = await succeeded(database, 2)
  assert.deepEqual(runs.map((run) => run.schedule_name).sort(), ['a', 'b'])
})

test('a channel is heard again after the listening connection was cut', async (t) => {
  const { database } = await withInbox(t)
  await workerOn(t, database)
  await addSchedule(database, { schedule_name: 'told', on_notify: 'orders_changed' })
  const before = await listening(database, 'orders_changed')
  await database.query('select pg_terminate_backend($1)', [before])
  // The new session listens before it takes the lane.
  await eventually(() =>
    database.query(
      `select from pg_locks join pg_stat_activity a using (pid) where locktype = 'advisory' and a.application_name = 'rota listen' and datname = current_database() and pid <> $1`,
      [before],
    ),
  )
  await database.query(`notify orders_changed, 'again'`)
  await succeeded(database, 1)
})

test('a schedule that was written while nobody listened is watched as soon as the connection is back', async (t) => {
  const { database, inbox } = await withInbox(t)
  await workerOn(t, database)
  const ears = `from pg_stat_activity where application_name = 'rota listen' and datname = current_database() and query = 'listen rota'`
  await eventually(() => database.query(`select ${ears}`))
  await database.query(`select pg_terminate_backend(pid, 5000) ${ears}`)
  await addSchedule(database, { schedule_name: 'files', on_file: 'inbox/*.csv' })
  await writeFile(join(inbox, 'a.csv'), 'x')
  // sooner than by the look at everything, every 30 s
  await eventually(() => database.query(`select from dba.run where state = 'succeeded'`))
})

async function withInbox(t: Parameters<typeof freshDatabase>[0]): Promise<{ database: TestDatabase; inbox: string }> {
  const database = await freshDatabase(t)
  const inbox = join(database.dataDir, 'inbox')
  await mkdir(inbox)
  return { database, inbox }
}

/** Waits until so many runs have succeeded; in the order they were made. */
function succeeded({ query }: TestDatabase, count: number): Promise<RunRow[]> {
  return eventually(
    () => query<RunRow>(`select * from dba.run where state = 'succeeded' order by scheduled_for`),
    (rows) => rows.length >= count,
    30,
  )
}

/** A session whose last statement is LISTEN to that channel, by a worker that holds the lane. */
const listeners = `select pid from pg_stat_activity where application_name = 'rota listen' and datname = current_database() and query = format('listen "%s"', $1::text)`

async function listening({ query }: TestDatabase, channel: string): Promise<number> {
  const [row] = await eventually(() => query<{ pid: number }>(listeners, [channel]))
  return row?.pid ?? 0
}
