import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Client, type Pool } from 'pg'
import { ensureLogins, type LoginAnswer, loginRoles, loginUrl } from '../../src/control-plane/logins.ts'
import { createSecrets, openSecretKey, type Secrets } from '../../src/control-plane/secrets.ts'
import { type EmbeddedServer, startEmbedded } from '../../src/db/embedded/start.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openPool } from '../../src/db/open.ts'
import { createRedactor } from '../../systemscripts/redact.ts'

// A server of its own: passwords belong to roles, and roles to the whole server.
let dataDir: string
let server: EmbeddedServer
const pools: Pool[] = []

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'rota-logins-'))
  await chmod(dataDir, 0o755)
  server = await startEmbedded({ dataDir, flags: ['-c', 'fsync=off', '-c', 'log_statement=all'] })
  await migrate(server.url)
})

after(async () => {
  await Promise.all(pools.map((pool) => pool.end()))
  await server.stop()
  await rm(dataDir, { recursive: true, force: true })
})

test('the first call gives every login a password that works, and the second keeps it', async () => {
  const { admin, secrets } = await house(server.url)
  assert.deepEqual(
    states(await ensureLogins(admin, secrets)),
    loginRoles.map((role) => [role, 'set']),
  )
  for (const role of loginRoles) assert.equal(await loginAs(server.url, role, await secrets.get(`login.${role}`)), role)
  const first = await secrets.get('login.rota_dba')
  assert.deepEqual(
    states(await ensureLogins(admin, secrets)),
    loginRoles.map((role) => [role, 'kept']),
  )
  assert.equal(await secrets.get('login.rota_dba'), first)
})

test("no password stands in the server's log", async () => {
  const { secrets } = await house(server.url)
  const log = await readFile(join(dataDir, 'postgres.log'), 'utf8')
  assert.match(log, /alter role rota_dba password 'SCRAM-SHA-256/)
  for (const role of loginRoles) assert.ok(!log.includes(await secrets.get(`login.${role}`)), role)
})

test('a role without password gets the stored one again, as after a restore on a new server', async () => {
  const { admin, secrets } = await house(server.url)
  await admin.query('alter role rota_reader password null')
  assert.deepEqual(states(await ensureLogins(admin, secrets))[2], ['rota_reader', 'restored'])
  assert.equal(await loginAs(server.url, 'rota_reader', await secrets.get('login.rota_reader')), 'rota_reader')
})

test('a password that a person has set is left as it is, and said', async () => {
  const { admin, secrets } = await house(server.url)
  await admin.query(`alter role rota_reader password 'set by a person'`)
  const answer = (await ensureLogins(admin, secrets))[2]
  assert.equal(answer?.state, 'foreign')
  assert.match(answer?.message ?? '', /has another password than the stored one.*rota secret set login.rota_reader/)
  assert.equal(await loginAs(server.url, 'rota_reader', 'set by a person'), 'rota_reader')
  await secrets.set('login.rota_reader', 'set by a person')
  assert.deepEqual(states(await ensureLogins(admin, secrets))[2], ['rota_reader', 'kept'])
})

test('a second database of the server leaves the passwords of the first, names it, and can be told them', async () => {
  const { admin, secrets } = await house(server.url)
  await admin.query('create database second')
  const url = server.url.replace(/rota$/, 'second')
  await migrate(url)
  const second = await house(url)
  const answer = (await ensureLogins(second.admin, second.secrets))[0]
  assert.equal(answer?.state, 'foreign')
  assert.match(answer?.message ?? '', /was made for database "rota" of this server/)
  await second.secrets.set('login.rota_dba', await secrets.get('login.rota_dba'))
  assert.deepEqual(states(await ensureLogins(second.admin, second.secrets))[0], ['rota_dba', 'kept'])
  assert.deepEqual(states(await ensureLogins(admin, secrets))[0], ['rota_dba', 'kept'])
})

test('a stored password under another key is said, and nothing is changed', async () => {
  const { admin } = await house(server.url)
  const stranger = await house(server.url, 'another key than the first one')
  const [answer] = await ensureLogins(admin, stranger.secrets)
  assert.equal(answer?.state, 'unreadable')
  assert.match(answer?.message ?? '', /ROTA_SECRET_KEY/)
})

test('an administrator who may not look at passwords sets them once and knows it by the comment', async () => {
  const { admin } = await house(server.url)
  await admin.query('create database third')
  const url = server.url.replace(/rota$/, 'third')
  await admin.query(`create role manager login createrole password 'manager'`)
  await admin.query(
    'grant rota_owner, rota_worker, rota_target, rota_dba, rota_operator, rota_reader, rota_query, rota_job to manager with admin option',
  )
  await admin.query('alter role rota_query password null')
  await admin.query(`comment on role rota_query is 'Login for queries that people wrote (reports). Reads only.'`)
  await migrate(url)
  const managed = await house(loginUrl(url, 'manager', 'manager'))
  assert.deepEqual(states(await ensureLogins(managed.admin, managed.secrets)), [
    ['rota_dba', 'foreign'],
    ['rota_operator', 'foreign'],
    ['rota_reader', 'foreign'],
    ['rota_query', 'set'],
    ['rota_job', 'foreign'],
  ])
  assert.equal(await loginAs(url, 'rota_query', await managed.secrets.get('login.rota_query')), 'rota_query')
  assert.equal((await ensureLogins(managed.admin, managed.secrets))[3]?.state, 'kept')
})

test('several that come at the same moment agree on one password', async () => {
  const { admin } = await house(server.url)
  await admin.query('create database fourth')
  const url = server.url.replace(/rota$/, 'fourth')
  await migrate(url)
  for (const role of loginRoles) await admin.query(`alter role ${role} password null`)
  const houses = await Promise.all([1, 2, 3, 4].map(() => house(url)))
  const answers = await Promise.all(houses.map((each) => ensureLogins(each.admin, each.secrets)))
  assert.equal(answers.filter((each) => each[0]?.state === 'set').length, 1)
  const [first] = houses
  assert.ok(first)
  for (const role of loginRoles) assert.equal(await loginAs(url, role, await first.secrets.get(`login.${role}`)), role)
})

test('the address of another login keeps host, database and TLS, and drops what would name another role', () => {
  assert.equal(
    loginUrl('postgres://postgres:x@db.example:5433/rota?sslmode=verify-full&options=-c%20role%3Drota_owner', 'rota_dba', 'a/b'),
    'postgres://rota_dba:a%2Fb@db.example:5433/rota?sslmode=verify-full',
  )
})

const testKey = randomBytes(32).toString('base64')

async function house(url: string, secretKey = testKey): Promise<{ admin: Pool; secrets: Secrets }> {
  const admin = openPool(url, { applicationName: 'rota test', max: 2 })
  const worker = openPool(url, { role: 'rota_worker', applicationName: 'rota test', max: 2 })
  pools.push(admin, worker)
  const key = await openSecretKey({ secretKey, dataDir })
  return { admin, secrets: createSecrets({ db: worker, key, redactor: createRedactor(), dataDir }) }
}

function states(answers: LoginAnswer[]): [string, string][] {
  return answers.map(({ role, state }) => [role, state])
}

async function loginAs(url: string, role: string, password: string): Promise<string | undefined> {
  const client = new Client({ connectionString: loginUrl(url, role, password) })
  await client.connect()
  try {
    return (await client.query<{ login: string }>('select session_user as login')).rows[0]?.login
  } finally {
    await client.end()
  }
}
