import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { DatabaseError } from 'pg'
import { claimFile, releaseClaim, retryQuery } from '../../src/control-plane/files/claim.ts'
import { isFaultOfAll, isFaultOfFile } from '../../src/control-plane/files/fault.ts'
import { inTransaction } from '../../src/control-plane/transaction.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'

const arrival = { path: '/in/a.csv', name: 'a.csv', sizeBytes: 3, modifiedAt: new Date('2026-11-22T06:00:00Z') }

async function openRun({ pool }: TestDatabase, state = 'running') {
  const runId = randomUUID()
  await pool.query(
    `insert into dba.run (run_id, schedule_id, schedule_name, job, config_name, fire_key, due_at, state, attempt, finished_at, error_code, error_message)
     values ($1::uuid, 1, 'prices', 'import', 'prices', $1::uuid::text, now(), $2, 1, now(), 'x', 'x')`,
    [runId, state],
  )
  return { runId, job: 'import', configName: 'prices' }
}

test('of many runs that claim one file at once, one gets it', async (t) => {
  const database = await freshDatabase(t)
  const runs = await Promise.all(Array.from({ length: 8 }, () => openRun(database)))
  const claims = await Promise.all(runs.map((run) => inTransaction(database.pool, (client) => claimFile(client, run, arrival))))
  assert.equal(claims.filter((claim) => claim !== null).length, 1)
  assert.deepEqual(await database.query('select count(*) as files from dba.file'), [{ files: 1 }])
})

test('of many runs that take over the file of a dead one at once, one gets it', async (t) => {
  const database = await freshDatabase(t)
  const dead = await openRun(database, 'failed')
  await inTransaction(database.pool, (client) => claimFile(client, dead, arrival))
  const runs = await Promise.all(Array.from({ length: 8 }, () => openRun(database)))
  const claims = await Promise.all(runs.map((run) => inTransaction(database.pool, (client) => claimFile(client, run, arrival))))
  assert.deepEqual(
    claims.filter((claim) => claim !== null).map((claim) => claim.fileId),
    [1],
  )
})

test('a later attempt of the same run has its file again', async (t) => {
  const database = await freshDatabase(t)
  const run = await openRun(database)
  const first = await inTransaction(database.pool, (client) => claimFile(client, run, arrival))
  const second = await inTransaction(database.pool, (client) => claimFile(client, run, { ...arrival, sizeBytes: 4 }))
  assert.equal(second?.fileId, first?.fileId)
  assert.deepEqual(await database.query('select size_bytes from dba.file'), [{ size_bytes: 4 }])
})

test('a released claim leaves no row, and a released retry stays with its run', async (t) => {
  const database = await freshDatabase(t)
  const run = await openRun(database)
  const claim = await inTransaction(database.pool, (client) => claimFile(client, run, arrival))
  await inTransaction(database.pool, (client) => releaseClaim(client, run, claim?.fileId ?? 0))
  assert.deepEqual(await database.query('select count(*) as files from dba.file'), [{ files: 0 }])

  await database.pool.query(
    `insert into dba.file (config_name, file_name, path, size_bytes, state, kept_path) values ('prices', 'b.csv', '/in/b.csv', 3, 'retry', '/kept/b.csv')`,
  )
  const retry = await inTransaction(database.pool, (client) => claimFile(client, run, { ...arrival, fileId: 2 }))
  assert.equal(retry?.bytesAt, '/kept/b.csv')
  await inTransaction(database.pool, (client) => releaseClaim(client, run, 2))
  const waiting = (who: { runId: string }) =>
    database.pool.query(retryQuery, [who.runId, 'import', 'prices']).then(({ rows }) => rows.length)
  assert.equal(await waiting(run), 1)
  assert.equal(await waiting(await openRun(database)), 0)
})

test('a new file of the same name can be claimed while the kept one is loaded again', async (t) => {
  const database = await freshDatabase(t)
  const run = await openRun(database)
  await database.pool.query(
    `insert into dba.file (config_name, file_name, path, size_bytes, state, kept_path) values ('prices', 'a.csv', '/in/a.csv', 3, 'retry', '/kept/a.csv')`,
  )
  await inTransaction(database.pool, (client) => claimFile(client, run, { ...arrival, fileId: 1 }))
  assert.equal((await inTransaction(database.pool, (client) => claimFile(client, run, arrival)))?.fileId, 2)
})

test('a missing login and a server without room are no fault of the file that met them first', () => {
  const secret = new PermanentError('secret_not_found', 'There is no secret "login.rota_job"')
  const full = new DatabaseError('could not extend file', 0, 'error')
  full.code = '53100'
  for (const error of [secret, full]) assert.deepEqual([isFaultOfFile(error), isFaultOfAll(error)], [false, true])
  assert.equal(isFaultOfFile(new PermanentError('file_is_pdf', 'a PDF document')), true)
})
