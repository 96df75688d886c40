import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { type Keeper, keepRunning } from '../../src/db/embedded/keep-running.ts'
import { waitForLock } from '../../src/db/embedded/kernel-lock.ts'
import { type EmbeddedServer, findEmbedded, startEmbedded } from '../../src/db/embedded/start.ts'
import { afterEverything } from '../helpers/after-everything.ts'
import { eventually } from '../helpers/engine.ts'
import { kill, launch } from '../helpers/launch.ts'

const launcher = new URL('embedded-launcher.ts', import.meta.url)

test('a killed server comes back on its port with what was committed, and each is said in one line', async (t) => {
  const { server, kept } = await keptServer(t)
  await ask(server.url, 'create table kept as select 42 as answer')
  killPostmaster(server)
  await kept.says(/runs again/)
  assert.deepEqual(await ask(server.url, 'select answer from kept'), [{ answer: 42 }])
  assert.match(
    kept.said.join('\n'),
    /^Postgres has died \(it ended with SIGKILL\) and is started again on port \d+\.\nPostgres runs again on port \d+, \d\.\d s after it died\.$/,
  )
})

test('a server that an earlier process had started is watched as well, time and again', async (t) => {
  const dataDir = openFolder(t)
  const { process: starter } = await launch(t, launcher, ['start', dataDir])
  await kill(starter)
  const { server, kept } = await keptServer(t, dataDir)
  assert.equal(server.adopted, true)
  for (const times of [1, 2]) {
    killPostmaster(server)
    await kept.says(/runs again/, times)
    assert.equal((await ask(server.url, 'select')).length, 1)
  }
  assert.match(kept.said[0] ?? '', /how is not known, since an earlier run had started it/)
})

test('a server that somebody stops in order is started again', async (t) => {
  const { server, kept } = await keptServer(t)
  await server.stop()
  await kept.says(/runs again/)
  assert.match(kept.said[0] ?? '', /it ended with exit code 0/)
})

test('a session in a long calculation, which does not see its server die, does not hinder the next', async (t) => {
  const { server, kept } = await keptServer(t)
  const busy = new Client({ connectionString: server.url, application_name: 'busy' })
  busy.on('error', () => {})
  await busy.connect()
  const calculation = busy.query('select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b where a + b < 0')
  const ended = assert.rejects(calculation)
  await until(
    async () => (await ask(server.url, `select from pg_stat_activity where application_name = 'busy' and state = 'active'`)).length > 0,
  )
  killPostmaster(server)
  await kept.says(/runs again/)
  await ended
})

test('a server that dies again and again is given up after five starts, with the end of its log', async (t) => {
  const { server, kept } = await keptServer(t)
  const failed = assert.rejects(kept.keeper.failed, (error: { code: string; message: string; detail: string; hint: string }) => {
    assert.equal(error.code, 'embedded_keeps_dying')
    assert.match(
      error.detail,
      /^It was started again 5 times within a minute; the last time it ended with SIGKILL\. Its log ends with:\n.*ready to accept/s,
    )
    assert.ok(error.hint.includes(join(server.logFile)))
    return true
  })
  for (const times of [1, 2, 3, 4, 5]) {
    killPostmaster(server)
    await kept.says(/runs again/, times)
  }
  killPostmaster(server)
  await failed
  assert.equal(await findEmbedded(kept.dataDir), null)
})

test('a server that cannot start again is tried until enough is enough, and what hinders it is said', async (t) => {
  const { server, kept } = await keptServer(t)
  const aside = join(kept.dataDir, 'aside')
  renameSync(join(server.folder, 'global'), aside)
  killPostmaster(server)
  await kept.says(/did not start: it ended with exit code \d; it is tried again in 1 s/)
  renameSync(aside, join(server.folder, 'global'))
  await kept.says(/runs again/)
})

test('stopped at any moment of a start, the server is gone, and the next start finds everything', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const dataDir = openFolder(t)
  for (const wait of [0, 5, 10, 20, 40, 80, 160]) {
    const { server, kept } = await keptServer(t, dataDir)
    killPostmaster(server)
    await kept.says(/is started again/)
    await pause(wait)
    await kept.keeper.stop()
    await server.stop()
    // What the killed postmaster left sees its death a moment later.
    await eventually(
      async () => processesIn(server.folder).map((pid) => ({ pid })),
      (left) => left.length === 0,
      10,
    )
    assert.equal(existsSync(join(server.folder, 'PG_VERSION')), true)
  }
})

test('stopped while it waits for another starter, it waits no longer', async (t) => {
  const { server, kept } = await keptServer(t)
  const lock = await waitForLock(`start ${server.folder}`)
  killPostmaster(server)
  await kept.says(/is started again/)
  await kept.keeper.stop()
  await lock.release()
  assert.equal(await findEmbedded(kept.dataDir), null)
})

test('work whose connection breaks with the server is done again when it is back; what fails otherwise is not', async (t) => {
  const { server, kept } = await keptServer(t)
  let tries = 0
  const answer = await kept.keeper.persist(async () => {
    tries += 1
    if (tries === 1) {
      const session = ask(server.url, 'select pg_sleep(60)')
      session.catch(() => {})
      killPostmaster(server)
      await session
    }
    return ask(server.url, 'select 42 as answer')
  })
  assert.deepEqual([answer, tries], [[{ answer: 42 }], 2])
  await assert.rejects(
    kept.keeper.persist(() => ask(server.url, 'select from nowhere')),
    { code: '42P01' },
  )
})

interface Kept {
  dataDir: string
  keeper: Keeper
  said: string[]
  /** Resolves when so many of its lines match. */
  says(pattern: RegExp, times?: number): Promise<void>
}

async function keptServer(t: TestContext, dataDir = openFolder(t)): Promise<{ server: EmbeddedServer; kept: Kept }> {
  const server = await startEmbedded({ dataDir, flags: ['-c', 'fsync=off'] })
  const said: string[] = []
  const keeper = keepRunning(server, (line) => said.push(line))
  t.after(async () => {
    await keeper.stop()
    await server.stop()
  })
  const says = (pattern: RegExp, times = 1) => until(async () => said.filter((line) => pattern.test(line)).length >= times)
  return { server, kept: { dataDir, keeper, said, says } }
}

function killPostmaster({ folder }: EmbeddedServer): void {
  process.kill(Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL')
}

/** Servers and their children; zombies have no folder. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc').filter((entry) => {
    try {
      return /^\d+$/.test(entry) && readlinkSync(`/proc/${entry}/cwd`) === folder
    } catch {
      return false
    }
  })
}

async function ask(url: string, query: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query(query)).rows
  } finally {
    await client.end().catch(() => {})
  }
}

/** Looks again until it is so, for half a minute at most. */
async function until(look: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000
  while (!(await look())) {
    assert.ok(performance.now() < end, 'not within half a minute')
    await pause(20)
  }
}

/** Whatever user the server runs as gets in. */
function openFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'rota-embedded-'))
  afterEverything(t, async () => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  return folder
}
