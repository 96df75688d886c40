import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createSecureContext, TLSSocket } from 'node:tls'
import { openPostgres, type PostgresServer } from '../../systemscripts/postgres.ts'
import { freshDatabase } from '../helpers/database.ts'

const certificate = makeCertificate()
const needsCertificate = certificate === null ? { skip: 'openssl is not installed' } : {}

test('a certificate that no known authority signed is refused, and the hint says where its authority goes', needsCertificate, async (t) => {
  const server = await tlsServer(t)
  await assert.rejects(open({ ...server, tls: 'verify' }), {
    name: 'PermanentError',
    code: 'certificate_not_trusted',
    detail: /self-signed certificate/,
    hint: /\{"ca":/,
  })
})

test('with its authority in the options, or unchecked, a connection by TLS comes as far as the login', needsCertificate, async (t) => {
  const server = await tlsServer(t)
  const refused = { name: 'PermanentError', code: 'database_login_refused', detail: 'come by TLS' }
  await assert.rejects(open({ ...server, tls: 'verify', options: { ca: certificate?.cert } }), refused)
  await assert.rejects(open({ ...server, tls: 'require' }), refused)
})

test('a missing password is not made up for by one in the environment of this process', async (t) => {
  const { hostname, port, pathname, password } = new URL((await freshDatabase(t)).urlAs('rota_reader'))
  process.env.PGPASSWORD = password
  t.after(() => {
    delete process.env.PGPASSWORD
  })
  const server = { ...plain, host: hostname, port: Number(port), databaseName: pathname.slice(1), userName: 'rota_reader' }
  await (await open({ ...server, secret: password })).end()
  await assert.rejects(open(server), {
    code: 'database_login_refused',
    detail: /password must be a non-empty string/,
    hint: /the secret of the connection/,
  })
})

test('a statement ends on the server within seconds when its process is killed', { skip: process.platform === 'win32' }, async (t) => {
  const database = await freshDatabase(t)
  const code = `
    const { runStatement } = await import(${JSON.stringify(new URL('../../systemscripts/run-statement.ts', import.meta.url).href)})
    await runStatement('create table public.a (n int); select pg_sleep(600)', {
      server: process.env.SERVER, applicationName: 'killed', inTransaction: true, signal: new AbortController().signal, onNotice() {}, async beforeCommit() {} })`
  const worker = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: 'inherit',
    env: { ...process.env, SERVER: database.urlAs('rota_job') },
  })
  t.after(() => void worker.kill('SIGKILL'))
  const sleeping = () => database.query(`select from pg_stat_activity where application_name = 'killed' and wait_event = 'PgSleep'`)
  await until(async () => (await sleeping()).length === 1)
  worker.kill('SIGKILL')
  await until(async () => (await database.query(`select from pg_stat_activity where application_name = 'killed'`)).length === 0)
  assert.deepEqual(await database.query(`select to_regclass('public.a') as a`), [{ a: null }])
})

const plain: PostgresServer = {
  host: '127.0.0.1',
  port: null,
  databaseName: 'rota',
  userName: 'rota',
  secret: null,
  tls: 'off',
  options: {},
  isReadOnly: false,
}

function open(server: PostgresServer) {
  return openPostgres(server, { applicationName: 'test', signal: new AbortController().signal })
}

/** Speaks Postgres's protocol by TLS up to the first message, which it answers with a refusal. */
async function tlsServer(t: TestContext): Promise<PostgresServer> {
  assert.ok(certificate)
  const secureContext = createSecureContext(certificate)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write('S')
      const secure = new TLSSocket(socket, { isServer: true, secureContext })
      secure.on('error', () => {})
      secure.once('data', () => secure.end(refusal('28P01', 'come by TLS')))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { ...plain, port: address.port }
}

/** Source: ErrorResponse in "Message Formats" of Postgres's manual. */
function refusal(state: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${state}\0M${message}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

function makeCertificate(): { cert: string; key: string } | null {
  const folder = mkdtempSync(join(tmpdir(), 'rota-tls-'))
  const [cert, key] = [join(folder, 'cert'), join(folder, 'key')]
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject], {
      stdio: 'ignore',
    })
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  } catch {
    return null
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function until(isReached: () => Promise<boolean>): Promise<void> {
  while (!(await isReached())) await new Promise((resolve) => setImmediate(resolve))
}
