import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import sql from '../../jobs/sql.ts'
import type { Connections } from '../../src/job/connections.ts'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { checkJob, type LogLine, runJob } from '../helpers/run-job.ts'

test('several statements run in one transaction as rota_job, rows and notices are counted', async (t) => {
  const { options, database } = await houseOf(t)
  const log: LogLine[] = []
  const statement = `
    create table public.price (day date primary key, price numeric);
    insert into public.price select current_date + n, n from generate_series(1, 5) n;
    update public.price set price = price + 1 where price > 3;
    do $$ begin raise notice 'prices are in' using hint = 'look at them'; end $$;
    select * from public.price;`
  const outcome = await runJob(sql, { statement }, options, log)
  assert.equal(outcome.rowsWritten, 7)
  assert.equal(outcome.rowsRead, 5)
  assert.deepEqual(outcome.result, { commands: ['CREATE', 'INSERT', 'UPDATE', 'DO', 'SELECT'], notices: 1 })
  assert.equal(outcome.note, '5 statements: 7 rows written, 5 rows read, 1 notices')
  assert.deepEqual(log.find(({ message }) => message === 'prices are in')?.data, { severity: 'NOTICE', detail: null, hint: 'look at them' })
  const [owner] = await database.query(`select pg_get_userbyid(relowner) as owner from pg_class where relname = 'price'`)
  assert.equal(owner?.owner, 'rota_job')
})

test('a failing statement takes back those before it and says line, SQLSTATE and what Postgres says', async (t) => {
  const { options, database } = await houseOf(t)
  await assert.rejects(runJob(sql, { statement: 'create table public.a (n int);\nselect *\nfrom nowhere;' }, options), (error) => {
    assert.ok(error instanceof PermanentError)
    assert.equal(error.code, 'statement_failed')
    assert.equal(error.message, 'relation "nowhere" does not exist')
    assert.match(error.detail ?? '', /^SQLSTATE 42P01, line 3: from nowhere;/)
    return true
  })
  assert.deepEqual(await database.query(`select to_regclass('public.a') as a`), [{ a: null }])
})

test('wrong SQL and missing rights end the run for good, what other data may mend is tried again', async (t) => {
  const { options } = await houseOf(t)
  const kindOf = (statement: string) =>
    runJob(sql, { statement }, options).then(
      () => 'succeeded',
      (error: unknown) => (error instanceof PermanentError ? 'permanent' : error instanceof JobError ? 'again' : 'unknown'),
    )
  assert.equal(await kindOf('selec 1'), 'permanent')
  assert.equal(await kindOf('select * from dba.secret'), 'permanent')
  assert.equal(await kindOf('select 1 / 0'), 'again')
  assert.equal(await kindOf(`do $$ begin raise 'not yet'; end $$`), 'again')
})

test('a statement that may not do what it says is told which login it runs as', async (t) => {
  const { options } = await houseOf(t)
  for (const statement of ['reset role; update dba.run set state = null', 'set role rota_dba', 'select * from dba.connection']) {
    await assert.rejects(runJob(sql, { statement }, options), { code: 'statement_failed', hint: /runs as login "rota_job"/ }, statement)
  }
})

test('an abort stops the statement on the server', async (t) => {
  const { options, database } = await houseOf(t)
  const asked = new AbortController()
  const running = runJob(sql, { statement: 'create table public.a (n int); select pg_sleep(600)' }, { ...options, signal: asked.signal })
  const sessions = () =>
    database.query(`select query from pg_stat_activity where application_name like 'rota job sql%' and datname = current_database()`)
  await until(async () => (await sessions()).some(({ query }) => String(query).includes('pg_sleep')))
  asked.abort(new JobError('cancelled', 'cancelled by a person'))
  await assert.rejects(running, { code: 'cancelled' })
  await until(async () => (await sessions()).length === 0)
  assert.deepEqual(await database.query(`select to_regclass('public.a') as a`), [{ a: null }])
})

test('a statement that catches its cancel is ended with its session', async (t) => {
  const { options, database } = await houseOf(t)
  const asked = new AbortController()
  const statement = `do $$ begin loop begin perform pg_sleep(600); exception when query_canceled then null; end; end loop; end $$`
  const running = runJob(sql, { statement }, { ...options, signal: asked.signal })
  const sessions = () =>
    database.query(
      `select query from pg_stat_activity where application_name = 'rota job sql' and datname = current_database() and wait_event = 'PgSleep'`,
    )
  await until(async () => (await sessions()).length === 1)
  asked.abort(new JobError('timed_out', 'the attempt took too long'))
  await assert.rejects(running, { code: 'timed_out' })
  await until(async () => (await sessions()).length === 0)
})

test('what the lease no longer covers is not committed', async (t) => {
  const { options, database } = await houseOf(t)
  const stillMine = async () => {
    throw new JobError('lease_lost', 'another worker has the run')
  }
  await assert.rejects(runJob(sql, { statement: 'create table public.a (n int)' }, { ...options, stillMine }), { code: 'lease_lost' })
  assert.deepEqual(await database.query(`select to_regclass('public.a') as a`), [{ a: null }])
})

test('without a transaction one statement runs that allows none', async (t) => {
  const { options } = await houseOf(t)
  await assert.rejects(runJob(sql, { statement: 'vacuum' }, options), { code: 'statement_failed', hint: /in_transaction to false/ })
  const outcome = await runJob(sql, { statement: 'vacuum', in_transaction: false }, options)
  assert.match(outcome.note ?? '', /^VACUUM/)
  await assert.rejects(runJob(sql, { statement: 'select 1; select 2', in_transaction: false }, options), {
    code: 'statement_failed',
    hint: /write one statement/,
  })
})

test('a statement that begins or ends the transaction itself is refused before it runs', async (t) => {
  const { options, database } = await houseOf(t)
  for (const statement of [
    'create table public.a (n int); commit',
    '/* ; */ BEGIN; create table public.a (n int); end',
    'create table public.a (n int); rollback; select 1',
  ]) {
    await assert.rejects(runJob(sql, { statement }, options), { name: 'PermanentError', code: 'statement_ended_transaction' }, statement)
  }
  assert.deepEqual(await database.query(`select to_regclass('public.a') as a`), [{ a: null }])
  const harmless = `create table public.b (t text default '; commit'); -- ; commit
    savepoint s; insert into public.b default values; rollback to savepoint s;
    do $x$ begin perform 1; end $x$; create function public.f() returns int begin atomic select 1; end;`
  await runJob(sql, { statement: harmless }, options)
})

test('rows that come back are counted, not kept', async (t) => {
  const { options } = await houseOf(t)
  const statement = `select repeat('x', 1000) from generate_series(1, 300000)`
  const heapBefore = process.memoryUsage().rss
  const outcome = await runJob(sql, { statement }, options)
  assert.equal(outcome.rowsRead, 300_000)
  assert.ok(process.memoryUsage().rss - heapBefore < 150 * 2 ** 20)
})

test('thousands of notices are counted, and a bounded number is logged', async (t) => {
  const { options } = await houseOf(t)
  const log: LogLine[] = []
  const statement = `do $$ begin for n in 1 .. 5000 loop raise notice 'notice %', n; end loop; end $$`
  const outcome = await runJob(sql, { statement }, options, log)
  assert.equal(outcome.result?.notices, 5000)
  assert.equal(log.filter(({ message }) => /^notice \d+$/.test(message)).length, 1000)
  assert.equal(log.at(-1)?.message, '4000 further notices were left out')
})

test('through a connection that is read only nothing is written', async (t) => {
  const { options, database } = await houseOf(t)
  const { hostname, port, pathname, password } = new URL(database.urlAs('rota_job'))
  const connections: Connections = {
    ...options.connections,
    get: async (connectionName) => ({
      connectionName,
      kind: 'postgres',
      host: hostname,
      port: Number(port),
      databaseName: pathname.slice(1),
      userName: 'rota_job',
      secret: password,
      tls: 'off',
      options: {},
      isReadOnly: true,
    }),
  }
  const outcome = await runJob(sql, { statement: 'select 1', connection: 'warehouse' }, { connections })
  assert.equal(outcome.rowsRead, 1)
  await assert.rejects(runJob(sql, { statement: 'create table public.a (n int)', connection: 'warehouse' }, { connections }), {
    name: 'PermanentError',
    message: /read-only transaction/,
  })
})

test('a server that is away is tried again, a refused login is not', async (t) => {
  const { database } = await houseOf(t)
  const away: Connections = {
    get: () => Promise.reject(new Error('not asked')),
    jobDatabaseUrl: async () => 'postgres://rota_job:x@127.0.0.1:1/rota',
    queryDatabaseUrl: async () => 'postgres://rota_job:x@127.0.0.1:1/rota',
  }
  await assert.rejects(runJob(sql, { statement: 'select 1' }, { connections: away }), {
    name: 'JobError',
    code: 'database_unreachable',
    detail: /ECONNREFUSED/,
  })
  const wrong = new URL(database.urlAs('rota_job'))
  wrong.password = 'planted-secret'
  const refused: Connections = { ...away, jobDatabaseUrl: async () => wrong.href }
  await assert.rejects(runJob(sql, { statement: 'select 1' }, { connections: refused }), (error) => {
    assert.ok(error instanceof PermanentError && error.code === 'database_login_refused')
    assert.ok(!JSON.stringify({ ...error, message: error.message }).includes('planted-secret'))
    return true
  })
})

test('a check reads the statement and runs nothing', async (t) => {
  const { options, database } = await houseOf(t)
  const check = (statement: string, more = {}) => checkJob(sql, { statement, ...more }, options)
  assert.deepEqual(await check('select count(*) from pg_class'), {
    isOk: true,
    message: 'Postgres understands the statement on this database, as rota_job',
  })
  await check('create table public.a (n int); insert into public.a values (1)')
  await check('create table public.a (n int)')
  await assert.rejects(check('select * from nowhere'), { code: 'statement_failed', message: /"nowhere" does not exist/ })
  await assert.rejects(check('select 1; selec 2'), { code: 'statement_failed', message: /syntax error/ })
  await assert.rejects(check('commit'), { code: 'statement_ended_transaction' })
  await assert.rejects(check('select 1; select 2', { in_transaction: false }), { code: 'statement_failed' })
  assert.deepEqual(await database.query(`select to_regclass('public.a') as a`), [{ a: null }])
})

test('args that name no statement are refused', () => {
  for (const args of [
    {},
    { statement: ' ' },
    { statement: 1 },
    { statement: 'select 1', in_transaction: 'no' },
    { statement: 'select 1', connection: 7 },
  ]) {
    assert.throws(() => sql.prepare(args), { code: 'args_invalid' })
  }
})

async function houseOf(t: TestContext): Promise<{ database: TestDatabase; options: { connections: Connections } }> {
  const database = await freshDatabase(t)
  const connections: Connections = {
    get: (name) => Promise.reject(new Error(`no connection ${name}`)),
    jobDatabaseUrl: async () => database.urlAs('rota_job'),
    queryDatabaseUrl: async () => database.urlAs('rota_job'),
  }
  return { database, options: { connections } }
}

async function until(isReached: () => Promise<boolean>): Promise<void> {
  while (!(await isReached())) await new Promise((resolve) => setImmediate(resolve))
}
