import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainError, isConnectionLost } from '../../src/db/explain-error.ts'
import { openPool } from '../../src/db/open.ts'
import { freshDatabase } from '../helpers/database.ts'

test('every connection of a pool acts as its role from the first query on, and comes back to it', async (t) => {
  const { pool } = await freshDatabase(t)
  const client = await pool.connect()
  try {
    const { rows } = await client.query('select current_user, session_user')
    assert.deepEqual(rows, [{ current_user: 'rota_worker', session_user: 'postgres' }])
    await client.query('set role rota_reader')
    await client.query('reset role')
    assert.deepEqual((await client.query('select current_user')).rows, [{ current_user: 'rota_worker' }])
    await client.query('discard all')
    assert.deepEqual((await client.query('select current_user')).rows, [{ current_user: 'rota_worker' }])
  } finally {
    client.release()
  }
})

test('a login that may not become the role is told so, with what to do', async (t) => {
  const { urlAs } = await freshDatabase(t)
  const pool = openPool(urlAs('rota_reader'), { role: 'rota_worker', applicationName: 'test', max: 1 })
  t.after(() => pool.end())
  await assert.rejects(pool.query('select 1'), (error) => {
    const { code, message, hint } = explainError(error)
    assert.equal(code, 'insufficient_privilege')
    assert.equal(message, 'permission denied to set role "rota_worker"')
    assert.match(hint ?? '', /^Grant that role to the login of DATABASE_URL/)
    return true
  })
})

test('values arrive exact and in one form, whatever the database or the login prefers', async (t) => {
  const { pool, query, url } = await freshDatabase(t)
  const [own] = await query<{ name: string }>('select current_database() as name')
  for (const setting of [`datestyle = 'SQL, DMY'`, `intervalstyle = 'iso_8601'`, `timezone = 'America/New_York'`]) {
    await query(`alter database ${own?.name} set ${setting}`)
  }
  assert.ok(url)
  const { rows } = await pool.query(`
    select 9007199254740991::int8 as safe, 9007199254740993::int8 as unsafe, array[1, null, 3]::int8[] as numbers,
           12345678901234567890.123456789::numeric as exact, array[0.1, 12345678901234567890]::numeric[] as exacts,
           '2026-03-29'::date as day, array['2026-03-29'::date] as days, '2026-03-29 02:30'::timestamp as local,
           '2026-03-29 02:30+00'::timestamptz as moment, '1 mon 2 days 03:04:05'::interval as span, array['1 day'::interval] as spans,
           '06:20'::time as clock, '{"a": [1]}'::jsonb as document, array['x', null] as words, array[[1, 2], [3, 4]]::int8[] as grid`)
  assert.deepEqual(rows, [
    {
      safe: 9007199254740991,
      unsafe: '9007199254740993',
      numbers: [1, null, 3],
      exact: '12345678901234567890.123456789',
      exacts: ['0.1', '12345678901234567890'],
      day: '2026-03-29',
      days: ['2026-03-29'],
      local: '2026-03-29 02:30:00',
      moment: new Date('2026-03-29T02:30:00Z'),
      span: '1 mon 2 days 03:04:05',
      spans: ['1 day'],
      clock: '06:20:00',
      document: { a: [1] },
      words: ['x', null],
      grid: [
        [1, 2],
        [3, 4],
      ],
    },
  ])
})

test('options that the address already has are kept', async (t) => {
  const { url } = await freshDatabase(t)
  const address = new URL(url)
  address.searchParams.set('options', '-c statement_timeout=4321')
  const pool = openPool(address.href, { role: 'rota_worker', applicationName: 'rota: test', max: 1 })
  t.after(() => pool.end())
  const { rows } = await pool.query(
    `select current_user, current_setting('statement_timeout') as timeout, current_setting('application_name') as name, current_setting('timezone') as zone`,
  )
  assert.deepEqual(rows, [{ current_user: 'rota_worker', timeout: '4321ms', name: 'rota: test', zone: 'UTC' }])
})

test('connections that the server ends, idle or lent out, do not end the process; the pool goes on with new ones', async (t) => {
  const { pool, query } = await freshDatabase(t)
  const idle = await pool.connect()
  const lent = await pool.connect()
  idle.release()
  const ended = Promise.all([idle, lent].map((client) => new Promise((resolve) => client.once('end', resolve))))
  await query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'postgres' and pid <> pg_backend_pid()`,
  )
  await ended
  await assert.rejects(lent.query('select 1'), (error) => isConnectionLost(error))
  lent.release(true)
  assert.deepEqual((await pool.query('select 1 as one')).rows, [{ one: 1 }])
})
