import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { rota, startRota } from './rota-process.ts'
import { addressOf, ask, dataFolder, pressCtrlC, startUp, untilTrue } from './up-process.ts'

test('up fills the tables of the demo, stops on Ctrl-C, and goes on where it was', async (t) => {
  const env = { ROTA_DATA_DIR: await dataFolder(t) }
  const first = startUp(t, env)
  const address = await addressOf(first)
  assert.equal(first.said().match(/postgres:\/\//g)?.length, 1)
  assert.deepEqual(await ask(address, 'select session_user::text as login'), [{ login: 'rota_dba' }])
  const configured = 'select target_table from dba.importconfig union all select target_table from dba.scrapeconfig'
  const targets = (await ask<{ target_table: string }>(address, configured)).map((row) => row.target_table)
  assert.equal(targets.length, 7)
  for (const target of targets) {
    await untilTrue(`${target} has rows`, async () => {
      const [found] = await ask<{ exists: boolean }>(address, `select to_regclass('${target}') is not null as exists`)
      return found?.exists === true && (await ask(address, `select from ${target} limit 1`)).length === 1
    })
  }
  await first.until(/ succeeded /)
  await untilTrue('mail, page and folder are told', async () => {
    const told = await ask<{ told: string[] }>(address, toldByTrace)
    return told[0]?.told.join() === 'mail,page,pages of demo events,unknown'
  })
  await ask(address, `delete from dba.scheduler where schedule_id = (select min(schedule_id) from dba.scheduler)`)
  const [before] = await ask<{ schedules: string }>(address, 'select count(*) as schedules from dba.scheduler')
  const site = /web site is at (\S+)$/m.exec(first.said())?.[1] ?? ''
  assert.equal((await fetch(site)).status, 200)
  assert.equal(await pressCtrlC(first), 0)
  await assert.rejects(fetch(site))

  const second = startUp(t, env)
  assert.equal(await addressOf(second), address)
  assert.deepEqual(await ask(address, 'select count(*) as schedules from dba.scheduler'), [before])
  assert.equal(await pressCtrlC(second), 0)
})

test('a second start on the same data says who has it; a worker joins; kill -9 is healed by the next start', async (t) => {
  const env = { ROTA_DATA_DIR: await dataFolder(t), ROTA_DEMO: 'off' }
  const first = startUp(t, env)
  const address = await addressOf(first)
  assert.deepEqual(await ask(address, leftByDemo), [{ rows: '0' }])
  assert.ok(!(await readdir(env.ROTA_DATA_DIR)).includes('demo'))

  const refused = await rota(['up'], { env })
  assert.equal(refused.code, 1)
  assert.equal(refused.out, '')
  assert.match(refused.err, new RegExp(`Process ${first.child.pid} holds the folder[^]*npx rota worker[^]*CODE: {2}already_running`))

  const worker = startRota(['worker'], { env })
  t.after(() => worker.child.kill('SIGKILL'))
  await worker.until(/takes runs of default/)
  assert.deepEqual(await ask(address, `select count(*)::integer as live from dba.worker where state = 'running'`), [{ live: 2 }])
  worker.child.kill('SIGTERM')
  assert.equal((await worker.ended).code, 0)

  first.child.kill('SIGKILL')
  await first.ended
  const second = startUp(t, env)
  assert.equal(await addressOf(second), address)
  assert.match(second.said(), /was still running/)
  const { out } = await rota(['url', 'rota_dba'], { env })
  assert.equal(out.trim(), address)
  assert.equal(await pressCtrlC(second), 0)
  const stopped = await rota(['status'], { env })
  assert.deepEqual([stopped.code, /CODE: {2}no_database/.test(stopped.err)], [1, true])
})

test('a second Ctrl-C does not wait for what goes on, and one that npm repeats does not count', async (t) => {
  const env = { ROTA_DATA_DIR: await dataFolder(t), ROTA_DEMO: 'off' }
  const up = startUp(t, env)
  const address = await addressOf(up)
  await ask(address, `insert into dba.scheduler (schedule_name, job, args) values ('rest', 'noop', '{"seconds": 600}')`)
  await ask(address, `insert into dba.run (schedule_name) values ('rest')`)
  await untilTrue('the run goes on', async () => (await ask(address, `select from dba.run where state = 'running'`)).length === 1)
  up.child.kill('SIGINT')
  up.child.kill('SIGINT')
  await up.until(/no more runs are taken/)
  assert.equal(up.child.exitCode, null)
  await pause(600)
  assert.equal(await pressCtrlC(up), 0)
  const again = startUp(t, env)
  await addressOf(again)
  await untilTrue(
    'the run goes on again',
    async () => (await ask(address, `select from dba.run where state = 'running' and attempt = 2`)).length === 1,
  )
  await pressCtrlC(again)
})

const toldByTrace = `
  select array_agg(distinct case when mail <> 'unknown' then 'mail' when page like 'http%' then 'page' else page end collate "C") as told
  from dba.trace where dataset_state = 'active'`

const leftByDemo = `
  select (select count(*) from dba.scheduler) + (select count(*) from dba.jobconfig) + (select count(*) from dba.connection) + (select count(*) from dba.run)
    + (select count(*) from pg_namespace where nspname = 'demo') as rows`
