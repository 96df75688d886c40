import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Client } from 'pg'
import { readConfig } from '../../src/config.ts'
import { startLastResort } from '../../src/worker/last-resort.ts'
import { startMailStand } from '../control-plane/alerts/listeners.ts'
import { startOwnServer } from '../helpers/own-server.ts'

type Ending = { after(end: () => Promise<void>): void }

async function folder(t: Ending): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), `rota-test-${process.pid}-`))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

async function until(isReached: () => boolean): Promise<void> {
  for (let looks = 0; !isReached(); looks += 1) {
    assert.ok(looks < 1000, 'not reached within 20 s')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function mailOf(port: number) {
  const { lastResort } = readConfig({
    ROTA_LAST_RESORT_SMTP: `smtp://127.0.0.1:${port}?tls=off&from=rota@example.com`,
    ROTA_LAST_RESORT_TO: 'ann@example.com, bob@example.com',
  })
  assert.ok(lastResort)
  return lastResort
}

const pace = { lookMs: 25, patienceMs: 200 }

test('when Postgres is away one of several workers writes one mail, and another when it is back', async (t) => {
  const stand = await startMailStand(t)
  const dataDir = await folder(t)
  const server = await startOwnServer()
  t.after(() => server.end())
  const probe = async () => {
    const client = new Client({ connectionString: server.url })
    client.on('error', () => {})
    await client.connect()
    await client.query('select 1').finally(() => client.end())
  }
  const watchers = [1, 2, 3].map(() =>
    startLastResort({ mail: mailOf(stand.port), dataDir, probe, place: 'db.example/rota', say: () => {}, pace }),
  )
  t.after(async () => {
    await Promise.all(watchers.map((watcher) => watcher.stop()))
  })
  await probe()
  await server.stop()
  await until(() => stand.mails.length === 1)
  assert.equal(stand.mails[0]?.subject, '[Rota] the database is away: db.example/rota')
  assert.deepEqual(stand.mails[0]?.to, ['ann@example.com', 'bob@example.com'])
  await server.start()
  await until(() => stand.mails.length >= 2)
  await probe()
  assert.deepEqual(
    stand.mails.map(({ subject }) => subject),
    ['[Rota] the database is away: db.example/rota', '[Rota] the database is back: db.example/rota'],
  )
})

test('who dies before the mail is out leaves it to another; a short absence is nobody’s mail', async (t) => {
  const stand = await startMailStand(t)
  const dataDir = await folder(t)
  let isAway = true
  const probe = async () => {
    if (isAway) throw new Error('connection refused')
  }
  // Process 0x7fffffff does not exist.
  await writeFile(
    join(dataDir, 'database-away.json'),
    JSON.stringify({ since: new Date().toISOString(), writer: 'another', pid: 2_147_483_647, isTold: false }),
  )
  const watcher = startLastResort({ mail: mailOf(stand.port), dataDir, probe, place: 'here', say: () => {}, pace })
  t.after(() => watcher.stop())
  await until(() => stand.mails.length === 1)
  isAway = false
  await until(() => stand.mails.length === 2)
  isAway = true
  await new Promise((resolve) => setTimeout(resolve, pace.patienceMs / 2))
  isAway = false
  await new Promise((resolve) => setTimeout(resolve, pace.patienceMs))
  assert.equal(stand.mails.length, 2)
})

test('the environment says by which server and to whom, and is refused without its password', () => {
  const { lastResort } = readConfig({
    ROTA_LAST_RESORT_SMTP: 'smtps://rota%40example.com:p%3Aw@mail.example',
    ROTA_LAST_RESORT_TO: 'a@b.example',
  })
  assert.deepEqual(lastResort, {
    to: ['a@b.example'],
    sender: 'rota@example.com',
    server: { host: 'mail.example', port: 465, tls: 'verify', isImplicitTls: true, user: 'rota@example.com', login: { password: 'p:w' } },
  })
  assert.equal(readConfig({}).lastResort, undefined)
  for (const env of [
    { ROTA_LAST_RESORT_SMTP: 'mail.example s3cr3t', ROTA_LAST_RESORT_TO: 'a@b.example' },
    { ROTA_LAST_RESORT_SMTP: 'smtp://u:s3cr3t@mail.example' },
    { ROTA_LAST_RESORT_SMTP: 'smtp://u:s3cr3t@mail.example', ROTA_LAST_RESORT_TO: 'ann' },
    { ROTA_LAST_RESORT_TO: 'a@b.example' },
  ]) {
    assert.throws(
      () => readConfig(env),
      (error: Error) => error.message.includes('ROTA_LAST_RESORT') && !JSON.stringify(error).includes('s3cr3t'),
    )
  }
})
