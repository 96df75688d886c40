import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerConnections } from '../../src/control-plane/check-connections.ts'
import { houseOf, listen, openServer } from './connections-house.ts'

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
