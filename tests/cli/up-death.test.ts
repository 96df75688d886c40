import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { waitForLock } from '../../src/db/embedded/kernel-lock.ts'
import { type RotaProcess, rota } from './rota-process.ts'
import { addressOf, ask, dataFolder, pressCtrlC, startUp, untilTrue } from './up-process.ts'

test('up survives kill -9 of its Postgres: the run that went on ends as itself, fires go on, and Ctrl-C still ends it', async (t) => {
  const env = { ROTA_DATA_DIR: await dataFolder(t), ROTA_DEMO: 'off' }
  const up = startUp(t, env)
  const address = await addressOf(up)
  await ask(address, `insert into dba.scheduler (schedule_name, job, args) values ('long', 'noop', '{"seconds": 5}')`)
  await ask(address, `insert into dba.scheduler (schedule_name, job, cron, overlap) values ('each second', 'noop', '* * * * * *', 'allow')`)
  await ask(address, `insert into dba.run (schedule_name) values ('long')`)
  await untilTrue(
    'the run goes on',
    async () => (await ask(address, `select from dba.run where schedule_name = 'long' and state = 'running'`)).length === 1,
  )

  killPostgres(up)
  await up.until(/^Postgres has died \(it ended with SIGKILL\) and is started again on port \d+\.$/m)
  await up.until(/^Postgres runs again on port \d+/m)
  const [back] = await ask<{ at: Date }>(address, 'select clock_timestamp() as at')
  await untilTrue(
    'the run has ended',
    async () =>
      (await ask(address, `select from dba.run where schedule_name = 'long' and state = 'succeeded' and attempt = 1`)).length === 1,
  )
  await untilTrue(
    'a fire after the death ran',
    async () =>
      (
        await ask(
          address,
          `select from dba.run where schedule_name = 'each second' and state = 'succeeded' and scheduled_for > '${back?.at.toISOString()}'`,
        )
      ).length > 0,
  )
  assert.equal(await pressCtrlC(up), 0)
})

test('up that adopted its Postgres after kill -9 of node watches it, too', async (t) => {
  const env = { ROTA_DATA_DIR: await dataFolder(t), ROTA_DEMO: 'off' }
  const first = startUp(t, env)
  const address = await addressOf(first)
  first.child.kill('SIGKILL')
  await first.ended
  const second = startUp(t, env)
  await addressOf(second)
  killPostgres(second)
  await second.until(/^Postgres runs again on port/m)
  await untilTrue(
    'a live worker',
    async () =>
      (await ask(address, `select from dba.worker where state = 'running' and heartbeat_at > now() - interval '4 seconds'`)).length > 0,
  )
  assert.equal(await pressCtrlC(second), 0)
})

test('up whose Postgres dies again and again ends with exit code 1 and says in four fields what to do', async (t) => {
  const env = { ROTA_DATA_DIR: await dataFolder(t), ROTA_DEMO: 'off' }
  const up = startUp(t, env)
  await addressOf(up)
  for (const times of [1, 2, 3, 4, 5]) {
    killPostgres(up)
    await up.until(new RegExp(`(Postgres runs again.*){${times}}`, 's'))
  }
  killPostgres(up)
  const { code, err } = await up.ended
  assert.equal(code, 1)
  assert.match(
    err,
    /ERROR: {2}The embedded Postgres dies again and again\nDETAIL: {2}It was started again 5 times.*\nHINT: {2}Read .*\nCODE: {2}embedded_keeps_dying\n/s,
  )
})

test('while Postgres starts again other commands wait for it, and Ctrl-C ends all within five seconds', async (t) => {
  const env = { ROTA_DATA_DIR: await dataFolder(t), ROTA_DEMO: 'off' }
  const up = startUp(t, env)
  const address = await addressOf(up)
  await ask(address, `insert into dba.scheduler (schedule_name, job, args) values ('long', 'noop', '{"seconds": 600}')`)
  await ask(address, `insert into dba.run (schedule_name) values ('long')`)
  await untilTrue('the run goes on', async () => (await ask(address, `select from dba.run where state = 'running'`)).length === 1)
  // whoever has the lock makes the start as long as it likes
  const hold = async () => waitForLock(`start ${await realpath(folderOf(up))}`)
  const first = await hold()
  try {
    killPostgres(up)
    await up.until(/is started again/)
    const status = rota(['status'], { env }).then(({ code }) => `it ended with ${code}`)
    assert.equal(await Promise.race([status, up.until(/No sign of life could be given/).then(() => 'it waits')]), 'it waits')
    await first.release()
    assert.equal(await status, 'it ended with 0')
  } finally {
    await first.release()
  }

  const second = await hold()
  try {
    killPostgres(up)
    await up.until(/(is started again.*){2}/s)
    assert.equal(await pressCtrlC(up), 0)
  } finally {
    await second.release()
  }
})

/** What it says of its Postgres's data. */
function folderOf(up: RotaProcess): string {
  return /^Postgres runs on port \d+, its data in (.+)$/m.exec(up.said())?.[1] ?? ''
}

function killPostgres(up: RotaProcess): void {
  process.kill(Number(readFileSync(join(folderOf(up), 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL')
}
