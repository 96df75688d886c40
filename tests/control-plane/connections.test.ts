import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkConnection } from '../../src/control-plane/check-connections.ts'
import { errorBody, startGmailStandIn } from '../systemscripts/mail/gmail-stand-in.ts'
import { houseOf, listen } from './connections-house.ts'

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
