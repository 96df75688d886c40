import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { reapDeadWorkers } from '../../src/control-plane/workers.ts'
import { eventually, workerOn } from '../helpers/engine.ts'
import { scrapeBench } from './scrape-harness.ts'
import { tablePage } from './scrape-site.ts'

test('a scan longer than its timeout goes on attempt by attempt, at the page where it stood, with one attempt allowed', async (t) => {
  const bench = await scrapeBench(t, async (_, response, path) => {
    await sleep(400)
    response.end(tablePage([[path]]))
  })
  await bench.query(`update dba.scrapehost set parallel = 2 where host = '*'`)
  await bench.configure({ start_url: `${bench.site.origin}/{id}`, ids_from: 'range', ids_spec: '1..24', row_selector: 'tr' }, [
    { column_name: 'name', selector: 'td' },
  ])
  await bench.query(
    `insert into dba.scheduler (schedule_name, job, config_name, timeout, max_attempts, retry_delay) values ('scan', 'scrape', 'pages', '3 seconds', 1, '1 hour')`,
  )
  await workerOn(t, bench)
  await bench.query(`insert into dba.run (schedule_name) values ('scan')`)
  const [run] = await eventually(() =>
    bench.query<{ state: string; attempt: number; max_attempts: number }>(
      `select state, attempt, max_attempts from dba.run where state in ('succeeded', 'failed')`,
    ),
  )
  assert.equal(run?.state, 'succeeded')
  assert.ok((run?.attempt ?? 0) >= 2 && run?.attempt === run?.max_attempts, JSON.stringify(run))
  const attempts = await bench.query<{ outcome: string; error_code: string | null; got_ahead: boolean }>(
    'select outcome, error_code, advanced_at is not null as got_ahead from dba.attempt order by attempt',
  )
  assert.deepEqual(attempts[0], { outcome: 'failed', error_code: 'timed_out', got_ahead: true })
  assert.deepEqual(await bench.query('select count(*)::integer as rows, count(distinct name)::integer as pages from feeds.page'), [
    { rows: 24, pages: 24 },
  ])
})

test('an attempt that gets nowhere in its time counts, as ever', async (t) => {
  const bench = await scrapeBench(t, (_, response) => {
    response.write('<p>')
  })
  await bench.configure({ start_url: `${bench.site.origin}/{id}`, ids_from: 'range', ids_spec: '1..5', row_selector: 'tr' }, [
    { column_name: 'name', selector: 'td' },
  ])
  await bench.query(
    `insert into dba.scheduler (schedule_name, job, config_name, timeout, max_attempts, retry_delay) values ('scan', 'scrape', 'pages', '1 second', 2, '0')`,
  )
  await workerOn(t, bench)
  await bench.query(`insert into dba.run (schedule_name) values ('scan')`)
  const [run] = await eventually(() => bench.query(`select state, attempt, error_code from dba.run where state in ('succeeded', 'failed')`))
  assert.deepEqual(run, { state: 'failed', attempt: 2, error_code: 'timed_out' })
})

test('a lost worker costs no attempt where it got ahead, and one where it did not', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end(''))
  await bench.configure({ start_url: `${bench.site.origin}/a` }, [])
  const ahead = await bench.openRun()
  const behind = await bench.openRun()
  await bench.pool.query(`update dba.run set max_attempts = 1, worker = 'gone'`)
  await bench.pool.query(
    `insert into dba.attempt (run_id, attempt, worker, advanced_at) values ($1, 1, 'gone', clock_timestamp()), ($2, 1, 'gone', null)`,
    [ahead, behind],
  )
  await reapDeadWorkers(bench.pool, [], true)
  const runs = await bench.query<{ run_id: string }>('select run_id, state, max_attempts, reason, error_code from dba.run')
  assert.deepEqual(
    runs.find(({ run_id }) => run_id === ahead),
    {
      run_id: ahead,
      state: 'waiting',
      max_attempts: 2,
      reason: 'worker gone was lost in attempt 1; the next goes on where it stood',
      error_code: 'worker_lost',
    },
  )
  assert.deepEqual(
    runs.find(({ run_id }) => run_id === behind),
    { run_id: behind, state: 'failed', max_attempts: 1, reason: null, error_code: 'worker_lost' },
  )
})
