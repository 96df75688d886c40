import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { rota, startRota } from './rota-process.ts'

async function withSchedule(t: { after(end: () => Promise<void>): void }): Promise<{ db: TestDatabase; env: Record<string, string> }> {
  const db = await freshDatabase(t)
  const env = { DATABASE_URL: db.url, ROTA_DATA_DIR: db.dataDir }
  const migrated = await rota(['migrate'], { env })
  assert.equal(migrated.code, 0, migrated.err)
  await db.query(`insert into dba.lane (lane) values ('plant_a')`)
  await db.query(`insert into dba.scheduler (schedule_name, job, lane, max_attempts) values ('rest', 'noop', 'plant_a', 1)`)
  return { db, env }
}

test('run follows a run of a lane without a worker to its end, and its exit code tells the outcome', async (t) => {
  const { db, env } = await withSchedule(t)
  const done = await rota(['run', 'rest', '--args', '{"seconds": 0}', '--reason', 'trying it'], { env })
  assert.equal(done.code, 0, done.err)
  assert.match(done.err, /No live worker takes part in lane "plant_a": one is started here/)
  assert.match(done.out, /info +rest +/)
  assert.match(done.out, /^Run [0-9a-f-]{36} of "rest": succeeded, /m)
  const failed = await rota(['run', 'rest', '--json', '--args', '{"fail": "the sender is away"}'], { env })
  assert.equal(failed.code, 1)
  const { state, error_code, message } = JSON.parse(failed.out)
  assert.deepEqual([state, error_code, message], ['failed', 'noop_failed', 'the sender is away'])
  assert.deepEqual(await db.query('select state, requested_reason from dba.run order by queued_at'), [
    { state: 'succeeded', requested_reason: 'trying it' },
    { state: 'failed', requested_reason: null },
  ])
})

test('Ctrl-C cancels the run that is followed', async (t) => {
  const { db, env } = await withSchedule(t)
  const following = startRota(['run', 'rest', '--args', '{"seconds": 600}'], { env })
  await following.until(/info +rest +/)
  following.child.kill('SIGINT')
  const { code, out } = await following.ended
  assert.equal(code, 1)
  assert.match(out, /^Run .* of "rest": cancelled/m)
  assert.deepEqual(await db.query('select state, requested_reason from dba.run'), [{ state: 'cancelled', requested_reason: 'Ctrl-C' }])
})

test('a schedule that is not there, and args that are no object, are refused before anything runs', async (t) => {
  const { db, env } = await withSchedule(t)
  const unknown = await rota(['run', 'rests'], { env })
  assert.deepEqual([unknown.code, /Did you mean "rest"/.test(unknown.err)], [1, true])
  assert.equal((await rota(['run', 'rest', '--args', '[1]'], { env })).code, 2)
  const wrongKey = await rota(['run', 'rest', '--args', '{"secondss": 1}'], { env })
  assert.deepEqual([wrongKey.code, /secondss/.test(wrongKey.err)], [1, true])
  assert.deepEqual(await db.query('select from dba.run'), [])
})

test('a worker of its own takes runs until SIGTERM, which lets the run that goes on end', async (t) => {
  const { db, env } = await withSchedule(t)
  const worker = startRota(['worker'], { env: { ...env, ROTA_LANES: 'plant_a' } })
  await worker.until(/takes runs of plant_a/)
  const following = startRota(['run', 'rest', '--args', '{"seconds": 2}'], { env })
  await following.until(/info +rest +/)
  worker.child.kill('SIGTERM')
  assert.equal((await following.ended).code, 0)
  const ended = await worker.ended
  assert.equal(ended.code, 0)
  assert.match(ended.out, /succeeded +rest/)
  assert.deepEqual(await db.query('select state from dba.worker'), [{ state: 'stopped' }])
})
