import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { readConfig } from '../../src/config.ts'
import { defineJob } from '../../src/job/define-job.ts'
import { createScheduleAnswers } from '../../src/worker/answer.ts'
import { addSchedule } from '../helpers/clockwork.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'
import { declareJobs } from '../helpers/own-jobs.ts'

test('a check that hangs delays the answers of no other schedule, and is answered itself when it ends', async (t) => {
  const { database, answer, letGo } = await houseOf(t)
  await database.query(
    `insert into dba.scheduler (schedule_name, job, args) select 'no ' || n, 'hangs', jsonb_build_object('hangs', n % 200 = 7) from generate_series(1, 450) n`,
  )
  await answer()
  assert.deepEqual(await unanswered(database), ['no 7', 'no 207', 'no 407'])
  await addSchedule(database, { schedule_name: 'later', job: 'hangs' })
  await answer()
  assert.deepEqual(await unanswered(database), ['no 7', 'no 207', 'no 407'])
  letGo()
  await eventually(
    () => unanswered(database).then((names) => names.map((name) => ({ name }))),
    (rows) => rows.length === 0,
  )
})

test('a schedule that is edited while its check hangs is looked at afresh', async (t) => {
  const { database, answer, letGo } = await houseOf(t)
  await addSchedule(database, { schedule_name: 'edited', job: 'hangs', args: { hangs: true } })
  await answer()
  assert.deepEqual(await unanswered(database), ['edited'])
  await database.query(`update dba.scheduler set args = '{}'`)
  await answer()
  assert.deepEqual(await unanswered(database), [])
  letGo()
})

test('a connection that hangs delays neither the schedules nor a connection that is written after it', async (t) => {
  const database = await freshDatabase(t)
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  silent.on('connection', (socket) => t.after(() => socket.destroy()))
  await workerOn(t, database)
  const address = silent.address()
  assert.ok(address !== null && typeof address === 'object')
  await database.query(
    `insert into dba.connection (connection_name, kind, host, port, database_name, user_name, tls) values ('hangs', 'postgres', '127.0.0.1', $1, 'x', 'x', 'off')`,
    [address.port],
  )
  await once(silent, 'connection')
  await database.query(`insert into dba.connection (connection_name, kind, database_name) values ('here', 'folder', '.')`)
  await addSchedule(database, { schedule_name: 'a' })
  await eventually(() => database.query(`select from dba.connection where connection_name = 'here' and check_state = 'ok'`), undefined, 4)
  await eventually(() => database.query(`select from dba.scheduler where config_state = 'ok'`), undefined, 4)
  const [hanging] = await database.query(`select check_state from dba.connection where connection_name = 'hangs'`)
  assert.equal(hanging?.check_state, 'unchecked')
})

interface House {
  database: TestDatabase
  answer(): Promise<void>
  /** Ends the checks that hang. */
  letGo(): void
}

/** Job `hangs`, whose check does so when its args say `hangs`. */
async function houseOf(t: TestContext): Promise<House> {
  const database = await freshDatabase(t)
  const { promise: released, resolve: letGo } = Promise.withResolvers<void>()
  const hangs = defineJob({
    name: 'hangs',
    config: (row) => row,
    async check({ args }) {
      if (args.hangs === true) await released
      return { isOk: true, message: 'looked' }
    },
    run: async () => ({}),
  })
  await declareJobs(database.query, [hangs], ['hangs'])
  await database.query(`insert into dba.worker (worker, host, pid, version, lanes) values ('here', 'test-host', 1, '0', '{default}')`)
  const answer = createScheduleAnswers({
    control: database.pool,
    jobs: new Map([[hangs.name, hangs]]),
    lanes: ['default'],
    config: readConfig({ ROTA_DATA_DIR: database.dataDir }),
    connections: { get: noConnections, jobDatabaseUrl: noConnections, queryDatabaseUrl: noConnections },
    redact: (text) => text,
    onError: (error) => assert.ifError(error),
  })
  return { database, answer, letGo }
}

async function noConnections(): Promise<never> {
  throw new Error('this test has no connections')
}

async function unanswered({ query }: TestDatabase): Promise<string[]> {
  const rows = await query<{ schedule_name: string }>(
    `select schedule_name from dba.scheduler where config_state = 'unchecked' order by schedule_id`,
  )
  return rows.map((row) => row.schedule_name)
}
