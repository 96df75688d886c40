import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { migrate } from '../../src/db/migrate.ts'
import { openPool } from '../../src/db/open.ts'
import { installQueue } from '../../src/worker/queue.ts'
import type { Ending } from '../helpers/after-everything.ts'
import type { Query } from '../helpers/database.ts'
import { eventually } from '../helpers/engine.ts'
import { kill, launch } from '../helpers/launch.ts'
import { type OwnServer, startOwnServer } from '../helpers/own-server.ts'
import { startWorkerProcess } from '../helpers/worker-process.ts'
import { gatedSchedule } from './gated-schedule.ts'

const ownProcess = new URL('./own-process.ts', import.meta.url)

test('Postgres goes and comes back: the worker reconnects, the run that went on ends as itself, no fire is lost or doubled', async (t) => {
  const server = await migratedServer(t)
  const worker = await startWorkerProcess(server)
  t.after(() => kill(worker.process))
  await server.query(`insert into dba.scheduler (schedule_name, job, args) values ('long', 'noop', '{"seconds": 5}')`)
  await server.query(
    `insert into dba.scheduler (schedule_name, job, cron, overlap, catch_up, max_catch_up) values ('each second', 'noop', '* * * * * *', 'allow', 'all', 1000)`,
  )
  await server.query(`insert into dba.run (schedule_name) values ('long')`)
  await eventually(() => server.query(`select from dba.run where schedule_name = 'long' and state = 'running'`))
  await eventually(() => server.query(`select from dba.run where schedule_name = 'each second' and state = 'succeeded'`))

  await server.stop()
  await eventually(async () => ((await logOf(server)).includes('No sign of life could be given') ? [{}] : []))
  await server.start()

  await eventually(() => server.query(`select from dba.run where schedule_name = 'long' and state = 'succeeded'`))
  assert.deepEqual(await server.query(`select attempt, worker from dba.run where schedule_name = 'long'`), [
    { attempt: 1, worker: worker.name },
  ])
  await server.query(`update dba.scheduler set is_active = false`)
  await eventually(
    () =>
      server.query(`select from dba.run where state in ('planned', 'waiting', 'queued', 'running')
      union all select from dba.plan join dba.scheduler s using (schedule_id) where planned_version is distinct from s.version`),
    (rows) => rows.length === 0,
  )
  assert.deepEqual(
    await server.query(
      `select f from dba.scheduler s, dba.cron_between(s.cron, s.time_zone, s.created_at, s.updated_at) f
       where cron is not null and 1 <> (select count(*) from dba.run r join dba.attempt a using (run_id)
         where r.schedule_id = s.schedule_id and r.fire_key = dba.fire_key(f) and r.state = 'succeeded')`,
    ),
    [],
  )
  assert.equal(worker.process.exitCode, null)
})

test('a worker that is stopped while Postgres is away ends its process; its run goes on elsewhere', async (t) => {
  const server = await migratedServer(t)
  await gatedSchedule(server.query)
  const { process: stranded } = await launch(t, ownProcess, [server.url, server.dataDir])
  await server.query(`insert into dba.run (schedule_name) values ('a')`)
  await eventually(() => server.query(`select from dba.run where state = 'running'`))
  await server.stop()
  const ended = once(stranded, 'exit')
  stranded.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
  await server.start()
  await server.query('insert into public.gate values (true)')
  const next = await launch(t, ownProcess, [server.url, server.dataDir])
  await eventually(() => server.query(`select from dba.run where state = 'succeeded' and worker = $1 and attempt = 2`, [next.said.worker]))
})

interface MigratedServer extends OwnServer {
  query: Query
}

async function migratedServer(t: Ending): Promise<MigratedServer> {
  const server = await startOwnServer()
  const pool = openPool(server.url, { applicationName: 'rota test', max: 2 })
  t.after(async () => {
    await pool.end()
    await server.end()
  })
  await migrate(server.url)
  await installQueue(server.url)
  return { ...server, query: async (text, values) => (await pool.query(text, values)).rows }
}

async function logOf({ dataDir }: MigratedServer): Promise<string> {
  return await readFile(join(dataDir, 'logs', 'rota.log'), 'utf8').catch(() => '')
}
