import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { answerConnections, type CheckConnectionOptions, checkConnection } from '../../src/control-plane/check-connections.ts'
import { createConnections } from '../../src/control-plane/connections.ts'
import { createSecrets, openSecretKey } from '../../src/control-plane/secrets.ts'
import { createRedactor } from '../../systemscripts/redact.ts'
import { freshDatabase } from '../helpers/database.ts'
import { errorBody, startGmailStandIn } from '../systemscripts/mail/gmail-stand-in.ts'

test('a connection is handed over with its secret resolved', async (t) => {
  const { connections, secrets, database } = await houseOf(t)
  await secrets.set('mail_password', 'open sesame')
  await database.query(
    `insert into dba.connection (connection_name, kind, host, user_name, secret_name) values ('mail', 'smtp', 'mail.example', 'rota', 'mail_password')`,
  )
  assert.deepEqual(await connections.get('mail'), {
    connectionName: 'mail',
    kind: 'smtp',
    host: 'mail.example',
    port: null,
    databaseName: null,
    userName: 'rota',
    secret: 'open sesame',
    tls: 'verify',
    options: {},
    isReadOnly: false,
  })
})

test('a connection that does not exist is told with the one that was probably meant', async (t) => {
  const { connections, database } = await houseOf(t)
  await database.query(`insert into dba.connection (connection_name, kind, host) values ('warehouse', 'postgres', 'localhost')`)
  await assert.rejects(connections.get('warehose'), {
    name: 'PermanentError',
    code: 'connection_not_found',
    hint: /Did you mean "warehouse"/,
  })
})

test('a connection whose secret is missing says how to set it', async (t) => {
  const { connections, database } = await houseOf(t)
  await database.query(
    `insert into dba.connection (connection_name, kind, host, secret_name) values ('mail', 'smtp', 'mail.example', 'mail_password')`,
  )
  await assert.rejects(connections.get('mail'), { code: 'secret_not_found', hint: 'Set it: rota secret set mail_password' })
})

test('the address for statements of people is that of rota_job', async (t) => {
  const { connections, secrets, database } = await houseOf(t)
  await assert.rejects(connections.jobDatabaseUrl(), { code: 'secret_not_found', hint: /rota migrate/ })
  await secrets.set('login.rota_job', 'for-tests-only')
  assert.equal(await connections.jobDatabaseUrl(), database.urlAs('rota_job'))
})

test('a Postgres that lets us in is answered with its version', async (t) => {
  const { options, secrets, database } = await houseOf(t)
  const { hostname, port, pathname, password } = new URL(database.urlAs('rota_reader'))
  await secrets.set('reader', password)
  await database.query(
    `insert into dba.connection (connection_name, kind, host, port, database_name, user_name, secret_name, tls)
     values ('right', 'postgres', $1, $2, $3, 'rota_reader', 'reader', 'off')`,
    [hostname, port, pathname.slice(1)],
  )
  const { state, message } = await checkConnection('right', options)
  assert.equal(state, 'ok', message)
  assert.match(message, /^PostgreSQL \d+.* answers on .*logged in as "rota_reader"\. Seen from test-host\.$/)
})

test('a Postgres that refuses is answered with its words and without the password', async (t) => {
  const { options, secrets, database } = await houseOf(t)
  const { hostname, port, pathname } = new URL(database.url)
  await secrets.set('wrong', 'not-the-password')
  await database.query(
    `insert into dba.connection (connection_name, kind, host, port, database_name, user_name, secret_name, tls)
     values ('wrong', 'postgres', $1, $2, $3, 'rota_reader', 'wrong', 'off'), ('no tls', 'postgres', $1, $2, $3, 'rota_reader', 'wrong', 'verify')`,
    [hostname, port, pathname.slice(1)],
  )
  const wrong = await checkConnection('wrong', options)
  assert.equal(wrong.state, 'failed')
  assert.match(wrong.message, /refuses the login "rota_reader".*password authentication failed.*Correct user_name/)
  assert.ok(!wrong.message.includes('not-the-password'))
  const plain = await checkConnection('no tls', options)
  assert.match(plain.message, /does not support SSL.*set tls of the connection to 'off'/)
})

test('a folder is answered with what may be done there and how much room is left', async (t) => {
  const { options, database } = await houseOf(t)
  await mkdir(join(database.dataDir, 'inbox'))
  await writeFile(join(database.dataDir, 'file'), '')
  await database.query(
    `insert into dba.connection (connection_name, kind, database_name)
     values ('inbox', 'folder', 'inbox'), ('file', 'folder', 'file'), ('gone', 'folder', 'gone'), ('blank', 'folder', null)`,
  )
  const message = async (name: string) => (await checkConnection(name, options)).message
  assert.match(await message('inbox'), /can be read and written; [\d.]+ GiB are free/)
  assert.match(await message('file'), /is a file. Name a folder/)
  assert.match(await message('gone'), /no such file or directory/)
  assert.match(await message('blank'), /dba.connection.database_name/)
})

test('other kinds are answered with whether their port can be reached', async (t) => {
  const { options, database } = await houseOf(t)
  const port = await listen(t)
  await database.query(
    `insert into dba.connection (connection_name, kind, host, port) values ('there', 'sftp', '127.0.0.1', $1), ('closed', 'imap', '127.0.0.1', 1), ('post', 'smtp', '127.0.0.1', 1)`,
    [port],
  )
  const there = await checkConnection('there', options)
  assert.equal(there.state, 'ok')
  assert.match(there.message, new RegExp(`Port ${port} of 127.0.0.1 answers .*the login is tried by the job`))
  const closed = await checkConnection('closed', options)
  assert.equal(closed.state, 'failed')
  assert.match(closed.message, /ECONNREFUSED.*Start the server there/)
  const post = await checkConnection('post', options)
  assert.equal(post.state, 'failed')
  assert.match(post.message, /^Mail server "127.0.0.1" cannot be reached/)
})

test('a webhook whose address would be refused at the first alert is answered so before', async (t) => {
  const { options, database, secrets } = await houseOf(t)
  await secrets.set('hook', `http://127.0.0.1:${await listen(t)}/hook`)
  await database.query(
    `insert into dba.connection (connection_name, kind, secret_name, tls, options)
     values ('hook', 'webhook', 'hook', 'verify', '{"allow_private": true}'), ('plain', 'webhook', 'hook', 'off', '{"allow_private": true}')`,
  )
  assert.match((await checkConnection('hook', options)).message, /begins with http:.*set tls = off/)
  assert.equal((await checkConnection('plain', options)).state, 'ok')
})

test('Gmail is answered with the account that it lets us into, or with why it does not', async (t) => {
  const { options, database, secrets } = await houseOf(t)
  const gmail = await startGmailStandIn(t)
  await secrets.set('google', JSON.stringify({ client_id: 'rota', refresh_token: '1//long', token_uri: gmail.tokenUrl }))
  await secrets.set('scrap', 'scraps of paper')
  await database.query(
    `insert into dba.connection (connection_name, kind, user_name, secret_name, options, is_read_only)
     values ('post', 'gmail', 'us@example.org', 'google', $1, false), ('reading', 'gmail', 'us@example.org', 'google', $1, true),
       ('wrong', 'gmail', 'us@example.org', 'scrap', $1, false), ('blank', 'gmail', null, 'google', $1, false)`,
    [{ root_url: gmail.url }],
  )
  const message = async (name: string) => (await checkConnection(name, options)).message
  assert.equal(await message('post'), 'Gmail answers for us@example.org. Seen from test-host.')
  assert.equal(await message('reading'), 'Gmail answers for us@example.org. Seen from test-host.')
  assert.match(await message('wrong'), /no JSON.*rota gmail-login/)
  assert.match(await message('blank'), /has no user_name/)
  gmail.failures.push({ path: /profile/, status: 403, body: errorBody(403, 'accessNotConfigured', 'The Gmail API is off.') })
  assert.match(await message('post'), /403.*The Gmail API is off.*Check that the Gmail API is enabled/)
  gmail.failures.push({ path: /token/, status: 400, body: { error: 'invalid_grant' } })
  assert.match(await message('post'), /invalid_grant.*Consent again/)
  assert.doesNotMatch(await message('post'), /long/)
})

test('a server that is silent is given up at the limit', async (t) => {
  const { options, database } = await houseOf(t)
  const port = await listen(t)
  await database.query(
    `insert into dba.connection (connection_name, kind, host, port, tls) values ('silent', 'postgres', '127.0.0.1', $1, 'off')`,
    [port],
  )
  assert.deepEqual(await checkConnection('silent', { ...options, limitSeconds: 0.3 }), {
    state: 'failed',
    message: 'No answer within 0.3 seconds. Seen from test-host.',
  })
})

test('new and asked connections of our lanes are answered at the row, without an audit, and not again', async (t) => {
  const { options, database } = await houseOf(t)
  const port = await listen(t)
  await database.query(`insert into dba.lane (lane) values ('plant_a')`)
  await database.query(
    `insert into dba.connection (connection_name, kind, host, port, lane)
     values ('ours', 'sftp', '127.0.0.1', $1, 'default'), ('theirs', 'sftp', '127.0.0.1', $1, 'plant_a')`,
    [port],
  )
  const audited = () => database.query(`select count(*) as changes from dba.configaudit where table_name = 'connection'`)
  const before = await audited()
  assert.deepEqual(await answerConnections(database.pool, ['default'], options), ['ours'])
  assert.deepEqual(await answerConnections(database.pool, ['default'], options), [])
  assert.deepEqual(await database.query('select connection_name, check_state, version from dba.connection order by 1'), [
    { connection_name: 'ours', check_state: 'ok', version: 1 },
    { connection_name: 'theirs', check_state: 'unchecked', version: 1 },
  ])
  assert.deepEqual(await audited(), before)
})

test('a row that somebody holds open is passed over and answered the next time', async (t) => {
  const { options, database } = await houseOf(t)
  const port = await listen(t)
  await database.query(`insert into dba.connection (connection_name, kind, host, port) values ('ours', 'sftp', '127.0.0.1', $1)`, [port])
  const { query } = await database.as('rota_dba')
  await query('begin')
  await query(`update dba.connection set description = 'being edited'`)
  assert.deepEqual(await answerConnections(database.pool, ['default'], options), [])
  await query('commit')
  assert.deepEqual(await answerConnections(database.pool, ['default'], options), ['ours'])
})

test('a connection in use is tried again after an hour, one that fails after five minutes, one that nothing uses never', async (t) => {
  const { options, database } = await houseOf(t)
  const { query: worker } = await database.as('rota_worker')
  const port = await listen(t)
  await database.query(
    `insert into dba.connection (connection_name, kind, host, port)
     values ('inbox', 'imap', '127.0.0.1', $1), ('broken', 'smtp', '127.0.0.1', 1), ('idle', 'sftp', '127.0.0.1', $1), ('off', 'imap', '127.0.0.1', $1)`,
    [port],
  )
  await database.query(
    `insert into dba.inboxconfig (config_name, connection_name, is_active, subject_pattern, save_to) values ('orders', 'inbox', true, '.', 'in'), ('former', 'off', false, '.', 'in')`,
  )
  await database.query(`update dba.setting set value = 'broken' where name = 'mail_connection'`)
  await answerConnections(database.pool, ['default'], options)
  const since = async (minutes: number) => {
    await worker(`update dba.connection set checked_at = clock_timestamp() - make_interval(mins => $1)`, [minutes])
    return answerConnections(database.pool, ['default'], options)
  }
  assert.deepEqual(await since(4), [])
  assert.deepEqual(await since(6), ['broken'])
  assert.deepEqual(await since(53), ['broken'])
  assert.deepEqual(await since(67), ['broken', 'inbox'])
  await database.query(`update dba.setting set value = '2 minutes' where name = 'connection_check'`)
  assert.deepEqual(await since(3), ['broken', 'inbox'])
  await database.query(`update dba.setting set value = null where name = 'connection_check'`)
  assert.deepEqual(await since(600), [])
})

test('two workers never try one connection at the same time, and one that died holds it no longer than half a minute', async (t) => {
  const { options, database } = await houseOf(t)
  const { query: worker } = await database.as('rota_worker')
  let calls = 0
  const port = await listen(t, () => calls++)
  await database.query(
    `insert into dba.connection (connection_name, kind, host, port, tls) values ('silent', 'postgres', '127.0.0.1', $1, 'off')`,
    [port],
  )
  const both = [0, 0].map(() => answerConnections(database.pool, ['default'], { ...options, limitSeconds: 1 }))
  assert.deepEqual((await Promise.all(both)).flat(), ['silent'])
  assert.equal(calls, 1)
  await worker(`update dba.connection set check_state = 'asked', tried_until = clock_timestamp() + interval '20 seconds'`)
  assert.deepEqual(await answerConnections(database.pool, ['default'], options), [])
  await worker(`update dba.connection set tried_until = clock_timestamp() - interval '1 second'`)
  assert.deepEqual(await answerConnections(database.pool, ['default'], { ...options, limitSeconds: 0.3 }), ['silent'])
})

test('a connection that breaks opens an incident by itself, and answers again by itself', async (t) => {
  const { options, database } = await houseOf(t)
  const { query: worker } = await database.as('rota_worker')
  const { server, port } = await openServer(t)
  await database.query(`insert into dba.connection (connection_name, kind, host, port) values ('inbox', 'imap', '127.0.0.1', $1)`, [port])
  await database.query(
    `insert into dba.inboxconfig (config_name, connection_name, subject_pattern, save_to) values ('orders', 'inbox', '.', 'in')`,
  )
  await answerConnections(database.pool, ['default'], options)
  const look = async () => {
    await worker('select dba.watch()')
    return database.query(`select state, closed_reason from dba.alert where kind = 'connection'`)
  }
  assert.deepEqual(await look(), [])
  await new Promise((resolve) => server.close(resolve))
  await worker(`update dba.connection set checked_at = clock_timestamp() - interval '2 hours'`)
  await answerConnections(database.pool, ['default'], options)
  assert.deepEqual(await look(), [{ state: 'open', closed_reason: null }])
  // A question is no answer.
  await worker(`update dba.connection set check_state = 'asked'`)
  assert.deepEqual(await look(), [{ state: 'open', closed_reason: null }])
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await worker(`update dba.connection set check_state = 'failed', checked_at = clock_timestamp() - interval '6 minutes'`)
  await answerConnections(database.pool, ['default'], options)
  assert.deepEqual(await look(), [{ state: 'recovered', closed_reason: 'the connection answers' }])
})

async function houseOf(t: TestContext) {
  const database = await freshDatabase(t)
  const redactor = createRedactor()
  const key = await openSecretKey({ secretKey: 'a key that is only for tests', dataDir: database.dataDir })
  const secrets = createSecrets({ db: database.pool, key, redactor, dataDir: database.dataDir })
  const connections = createConnections({ db: database.pool, secrets, url: database.url })
  const options: CheckConnectionOptions = {
    connections,
    folder: (path) => join(database.dataDir, path),
    redact: redactor.text,
    host: 'test-host',
    signal: new AbortController().signal,
  }
  return { database, secrets, connections, options }
}

/** A server that takes connections and says nothing. */
async function listen(t: TestContext, onCall?: () => void): Promise<number> {
  return (await openServer(t, onCall)).port
}

async function openServer(t: TestContext, onCall: () => void = () => undefined) {
  const server = createServer(onCall)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { server, port: address.port }
}
