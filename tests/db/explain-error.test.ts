import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Client } from 'pg'
import { explainError, isConnectionLost, isRetryable } from '../../src/db/explain-error.ts'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import { maskAddresses } from '../../systemscripts/redact.ts'
import { emptyDatabase } from '../helpers/database.ts'

test('what Postgres says keeps its words, with table, column and constraint in the detail', async (t) => {
  const { query } = await emptyDatabase(t)
  await query('create table price (item text primary key, amount numeric not null, constraint amount_is_not_negative check (amount >= 0))')
  await query(`insert into price values ('a', 1)`)

  assert.deepEqual(explainError(await thrown(query(`insert into price values ('a', 2)`))), {
    code: 'unique_violation',
    message: 'duplicate key value violates unique constraint "price_pkey"',
    detail: 'Key (item)=(a) already exists.\nIn table public.price, constraint price_pkey.',
    hint: null,
  })
  const missing = explainError(await thrown(query(`insert into price values ('b', null)`)))
  assert.equal(missing.code, 'not_null_violation')
  assert.match(missing.detail ?? '', /In table public[.]price, column amount[.]$/)
  const typo = explainError(await thrown(query('select amuont from price')))
  assert.equal(typo.code, 'undefined_column')
  assert.equal(typo.hint, 'Perhaps you meant to reference the column "price.amount".')
})

test('a code without a name of its own is told by its number', async (t) => {
  const { query } = await emptyDatabase(t)
  assert.equal(explainError(await thrown(query(`do $$ begin raise exception 'x' using errcode = 'ZZ123'; end $$`))).code, 'sqlstate_zz123')
})

test('errors of ours pass through', () => {
  const error = new PermanentError('sheet_not_found', 'Workbook has no sheet "Budgt"', { detail: 'It has "Budget".' })
  assert.deepEqual(explainError(error), {
    code: 'sheet_not_found',
    message: 'Workbook has no sheet "Budgt"',
    detail: 'It has "Budget".',
    hint: null,
  })
})

test('errors of the operating system get a name and a hint', async () => {
  const missing = explainError(await thrown(readFile('/nowhere/at/all')))
  assert.equal(missing.code, 'file_not_found')
  assert.match(missing.message, /'\/nowhere\/at\/all'/)
  assert.ok(missing.hint)
  assert.equal(explainError(await thrown(writeFile('/dev/full', 'x'))).code, 'disk_full')
})

test('a server that is not there is named, also when its name has several addresses', async () => {
  const refused = await thrown(new Client({ host: '127.0.0.1', port: 1 }).connect())
  assert.equal(explainError(refused).code, 'connection_refused')
  assert.equal(isConnectionLost(refused), true)
  const several = await new Promise((resolve) => connect({ host: 'localhost', port: 1, autoSelectFamily: true }).once('error', resolve))
  assert.equal(explainError(several).code, 'connection_refused')
  assert.match(explainError(several).message, /ECONNREFUSED/)
  const unknown = await thrown(new Client({ host: 'no-such-host.invalid' }).connect())
  assert.equal(explainError(unknown).code, 'host_not_found')
})

test('what nobody foresaw is unexpected_error with its place and its causes', () => {
  const error = new TypeError('x is not iterable', { cause: new Error('the reason') })
  const { code, message, detail } = explainError(error)
  assert.equal(code, 'unexpected_error')
  assert.equal(message, 'x is not iterable')
  assert.match(detail ?? '', /^Caused by: the reason\nat .*explain-error[.]test[.]ts/)
  assert.equal(explainError('a word').message, 'Something that is no error was thrown: a word')
})

test('passwords of addresses and of connection strings are masked, and nothing else', () => {
  assert.equal(maskAddresses('to postgres://rota:s3cr/et@db:5432/x failed'), 'to postgres://rota:s3cr/et@db:5432/x failed')
  assert.equal(
    maskAddresses('to postgres://rota:p@ss:w0rd@db:5432/x and sftp://u:q@h'),
    'to postgres://rota:***@db:5432/x and sftp://u:***@h',
  )
  assert.equal(maskAddresses(`host=db password='two words' user=x; Pwd=abc;Server=y`), 'host=db password=*** user=x; Pwd=***;Server=y')
  assert.equal(maskAddresses('http://host:8080/path mail a@b.example at 10:20'), 'http://host:8080/path mail a@b.example at 10:20')
  const { message, detail } = explainError(new Error('postgres://u:secret@h/d', { cause: new Error('again postgres://u:secret@h/d') }))
  assert.doesNotMatch(`${message}${detail}`, /secret/)
})

test('a broken connection is told from a wrong statement', async (t) => {
  const { url, query } = await emptyDatabase(t)
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query('select pg_backend_pid() as pid')
  const waiting = thrown(client.query('select pg_sleep(60)'))
  await query('select pg_terminate_backend($1)', [rows[0].pid])
  const killed = await waiting
  assert.equal(explainError(killed).code, 'admin_shutdown')
  assert.equal(isConnectionLost(killed), true)
  assert.equal(isConnectionLost(await thrown(client.query('select 1'))), true)
  assert.equal(isConnectionLost(await thrown(query('selct 1'))), false)
})

test('another attempt is made where it may help, and not where it cannot', async (t) => {
  const { query } = await emptyDatabase(t)
  const raised = (state: string) => thrown(query(`do $$ begin raise exception 'x' using errcode = '${state}'; end $$`))
  for (const state of ['40001', '40P01', '53100', '53300', '55P03', '57P01', '57P03', '57014', '08006', 'P0001']) {
    assert.equal(isRetryable(await raised(state)), true, state)
  }
  for (const state of ['42601', '42P01', '42501', '22012', '23505', '28P01', '3D000', '22023'])
    assert.equal(isRetryable(await raised(state)), false, state)
  assert.equal(isRetryable(new JobError('a', 'b')), true)
  assert.equal(isRetryable(new PermanentError('a', 'b')), false)
  assert.equal(isRetryable(new TypeError('unforeseen')), true)
})

async function thrown(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('Nothing was thrown')
}
