import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { rota, startRota } from './rota-process.ts'

/** A schedule with a run that succeeded, one that failed, one that is to come, and three lines of log. */
async function addHistory({ query }: TestDatabase): Promise<{ succeeded: string; failed: string }> {
  await query(
    `insert into dba.scheduler (schedule_name, job, cron, owner, alert_to) values ('load prices', 'noop', '20 6 * * *', 'ada', '{ada@example.org}')`,
  )
  const ended = `insert into dba.run (schedule_id, schedule_name, job, fire_key, scheduled_for, due_at, started_at, finished_at, state, rows_written, note, error_code, error_message, error_hint)
    select schedule_id, schedule_name, job, $1, now() - $2::interval, now() - $2::interval, now() - $2::interval, now() - $2::interval + interval '65 seconds', $3, $4, $5, $6, $7, $8
    from dba.scheduler returning run_id`
  const asWorker = async (values: unknown[]) => {
    await query('set role rota_worker')
    const [row] = await query<{ run_id: string }>(ended, values)
    await query('reset role')
    return row?.run_id ?? ''
  }
  const failed = await asWorker([
    'a',
    '3 hours',
    'failed',
    null,
    null,
    'sheet_not_found',
    'Workbook has no sheet "Budgt"',
    'Correct the sheet.',
  ])
  const succeeded = await asWorker(['b', '1 hour', 'succeeded', 412, '3 files', null, null, null])
  await query(
    `insert into dba.logentry (run_id, attempt, level, step, message, data) values
       ($1, 1, 'info', null, 'Reading file', '{"file": "a.csv", "size_bytes": 120}'),
       ($1, 1, 'warning', 'a.csv', 'A column is new', null),
       ($1, 1, 'debug', null, 'Left out', null)`,
    [succeeded],
  )
  await query(`insert into dba.run (schedule_name) values ('load prices')`)
  return { succeeded, failed }
}

test('runs lists what ran, newest first, by schedule, state and age', async (t) => {
  const db = await freshDatabase(t)
  const { succeeded, failed } = await addHistory(db)
  const env = { DATABASE_URL: db.url, TZ: 'UTC' }
  const list = await rota(['runs'], { env })
  assert.equal(list.code, 0)
  const [titles, newest, oldest] = list.out.split('\n')
  assert.match(titles ?? '', /^AT \(UTC\) +STATE +RUN +SCHEDULE +TOOK +ROWS +MESSAGE$/)
  assert.match(newest ?? '', new RegExp(`succeeded +${succeeded.slice(0, 8)} +load prices +1 min 5 s +412 +3 files$`))
  assert.match(
    oldest ?? '',
    new RegExp(`failed +${failed.slice(0, 8)} +load prices +1 min 5 s +sheet_not_found: Workbook has no sheet "Budgt"$`),
  )
  const idsOf = async (...words: string[]) =>
    JSON.parse((await rota(['runs', '--json', ...words], { env })).out).map((run: { run_id: string }) => run.run_id)
  assert.deepEqual(await idsOf(), [succeeded, failed])
  assert.deepEqual(await idsOf('--state', 'failed,cancelled'), [failed])
  assert.deepEqual(await idsOf('--since', '2 hours'), [succeeded])
  assert.deepEqual(await idsOf('--limit', '1'), [succeeded])
  assert.deepEqual(await idsOf('--schedule', 'another'), [])
  const wrong = await rota(['runs', '--state', 'faild'], { env })
  assert.equal(wrong.code, 2)
  assert.match(wrong.err, /Did you mean "failed"/)
})

test('logs shows one run by the beginning of its id, from a level upward', async (t) => {
  const db = await freshDatabase(t)
  const { succeeded } = await addHistory(db)
  const env = { DATABASE_URL: db.url }
  const { out } = await rota(['logs', '--run', succeeded.slice(0, 8)], { env })
  const lines = out.trimEnd().split('\n')
  assert.equal(lines.length, 2)
  assert.match(lines[0] ?? '', /info +load prices +Reading file +file=a\.csv size_bytes=120$/)
  assert.match(lines[1] ?? '', /warning +load prices +a\.csv: A column is new$/)
  const warnings = await rota(['logs', '--json', '--level', 'warning'], { env })
  assert.equal(JSON.parse(warnings.out).message, 'A column is new')
  const unknown = await rota(['logs', '--run', 'ffffffff'], { env })
  assert.equal(unknown.code, 1)
  assert.match(unknown.err, /CODE: {2}run_not_found/)
})

test('logs -f goes on with what is said, each line once, until Ctrl-C', async (t) => {
  const db = await freshDatabase(t)
  const { succeeded } = await addHistory(db)
  const logs = startRota(['logs', '-f', '--limit', '1'], { env: { DATABASE_URL: db.url } })
  await logs.until(/A column is new/)
  await db.query(`insert into dba.logentry (run_id, attempt, message) values ($1, 1, 'One more')`, [succeeded])
  await logs.until(/One more/)
  await db.query(`insert into dba.logentry (run_id, attempt, message) values ($1, 1, 'The last')`, [succeeded])
  await logs.until(/The last/)
  logs.child.kill('SIGINT')
  const { code, out } = await logs.ended
  assert.equal(code, 0)
  assert.deepEqual(
    out
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/.* load prices +/, '')),
    ['a.csv: A column is new', 'One more', 'The last'],
  )
})

test('next and status show what comes; status ends with 1 while a problem is severe', async (t) => {
  const db = await freshDatabase(t)
  await addHistory(db)
  const env = { DATABASE_URL: db.url }
  const [first] = JSON.parse((await rota(['next', '--json'], { env })).out)
  assert.equal(first.schedule_name, 'load prices')
  assert.equal(first.state, 'planned')
  const text = await rota(['status'], { env })
  assert.equal(text.code, 1)
  assert.match(text.out, /^severe .*default +no live worker takes part in this lane/m)
  const status = JSON.parse((await rota(['status', '--json'], { env })).out)
  assert.deepEqual(Object.keys(status), ['workers', 'lanes', 'counts', 'next', 'problems'])
  assert.deepEqual(status.counts, [
    { state: 'planned', now: 1, last_24_hours: 0 },
    { state: 'succeeded', now: 0, last_24_hours: 1 },
    { state: 'failed', now: 0, last_24_hours: 1 },
  ])
  await db.query(`insert into dba.worker (worker, host, pid, version, lanes) values ('w', 'h', 1, '0', '{default}')`)
  const healthy = await rota(['status', '--json'], { env })
  assert.deepEqual([healthy.code, JSON.parse(healthy.out).problems], [0, []])
})

test('a person with the login of rota_reader can look, and is refused in words when acting', async (t) => {
  const db = await freshDatabase(t)
  await addHistory(db)
  const env = { DATABASE_URL: db.urlAs('rota_reader') }
  assert.equal((await rota(['runs'], { env })).code, 0)
  assert.equal((await rota(['next'], { env })).code, 0)
  const refused = await rota(['pause', 'load prices'], { env })
  assert.equal(refused.code, 1)
  assert.match(refused.err, /role "rota_reader" may not pause schedules/)
})
