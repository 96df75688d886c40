import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { Client } from 'pg'
import { copyRows } from '../../systemscripts/copy-rows.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { emptyDatabase } from '../helpers/database.ts'

type Values = (string | null)[]

const target = { schema: 'public', table: 'item', columns: ['id', 'name'] }

test('texts arrive exactly, with null and empty text apart', async (t) => {
  const client = await clientWithTable(t)
  const texts = ['', null, '\\N', '\\', '\\.', 'a\tb', 'a\nb', 'a\r\nb', '\b\f\v', '"', "'", 'ü€𝄞', ' x ', 'NULL', 'x'.repeat(300_000)]
  const rows = texts.map((text, index): Values => [String(index), text])
  const outcome = await copyRows(client, target, batchesOf([rows]))
  assert.equal(outcome.rows, texts.length)
  assert.ok(outcome.bytes > 300_000)
  assert.deepEqual(await namesIn(client), texts)
})

test('random rows come back as they were', async (t) => {
  const client = await clientWithTable(t)
  const text = fc.oneof(
    fc.constant(null),
    fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', '')),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(text, { maxLength: 5 }), { maxLength: 5 }), async (batches) => {
      await client.query('truncate item')
      let id = 0
      const rows = batches.map((batch) => batch.map((value): Values => [String(id++), value]))
      const { rows: count } = await copyRows(client, target, batchesOf(rows))
      assert.deepEqual([count, await namesIn(client)], [id, batches.flat()])
    }),
    { numRuns: 100 },
  )
})

test('no rows at all are copied as none', async (t) => {
  const client = await clientWithTable(t)
  assert.deepEqual(await copyRows(client, target, batchesOf([])), { rows: 0, bytes: 0 })
})

test('names of schema, table and columns may hold anything', async (t) => {
  const client = await clientWithTable(t)
  await client.query('create schema "my ""schema"')
  await client.query('create table "my ""schema"."order" ("price_(€)" text, "Select" text, rest text default \'kept\')')
  const odd = { schema: 'my "schema', table: 'order', columns: ['Select', 'price_(€)'] }
  await copyRows(client, odd, batchesOf([[['a', 'b']]]))
  const { rows } = await client.query('select * from "my ""schema"."order"')
  assert.deepEqual(rows, [{ 'price_(€)': 'b', Select: 'a', rest: 'kept' }])
})

test('a value that the table does not take is refused with its line and column, nothing is left, and the connection goes on', async (t) => {
  const client = await clientWithTable(t)
  const rows: Values[] = Array.from({ length: 5000 }, (_, index) => [index === 4321 ? 'four' : String(index), 'x'])
  const error = await copyRows(client, target, batchesOf([rows, rows])).catch((reason) => reason)
  assert.ok(error instanceof PermanentError)
  assert.equal(error.code, 'row_refused')
  assert.match(error.message, /^Table "public\.item" refused a row: invalid input syntax for type bigint: "four"/)
  assert.match(error.detail ?? '', /COPY item, line 4322, column id: "four"/)
  assert.deepEqual(await namesIn(client), [])
})

test('a broken constraint is told with the row that broke it', async (t) => {
  const client = await clientWithTable(t)
  const error = await copyRows(
    client,
    target,
    batchesOf([
      [
        ['1', 'a'],
        ['1', 'b'],
      ],
    ]),
  ).catch((reason) => reason)
  assert.equal(error.code, 'row_refused')
  assert.match(error.detail, /Key \(id\)=\(1\) already exists.*COPY item, line 2/)
})

test('a table that is not there is Postgres’s own error, and the connection goes on', async (t) => {
  const client = await clientWithTable(t)
  const many = Array.from({ length: 50 }, () => Array.from({ length: 2000 }, (): Values => ['1', 'x'.repeat(50)]))
  await assert.rejects(copyRows(client, { ...target, table: 'missing' }, batchesOf(many)), { code: '42P01' })
  assert.deepEqual(await namesIn(client), [])
})

test('an abort ends the COPY with its reason, nothing is left, and the connection goes on', async (t) => {
  const client = await clientWithTable(t)
  const stop = new AbortController()
  const reason = new Error('enough')
  async function* endless() {
    for (let id = 0; ; ) {
      yield Array.from({ length: 1000 }, (): Values => [String(id++), 'some text'])
      if (id === 50_000) stop.abort(reason)
    }
  }
  await assert.rejects(copyRows(client, target, endless(), stop.signal), reason)
  assert.deepEqual(await namesIn(client), [])
  await assert.rejects(copyRows(client, target, endless(), stop.signal), reason)
})

test('an abort while the rows are slow in coming ends the COPY too', async (t) => {
  const client = await clientWithTable(t)
  const stop = new AbortController()
  const reason = new Error('enough')
  async function* stuck() {
    yield [['1', 'x']]
    setImmediate(() => stop.abort(reason))
    await new Promise(() => {})
  }
  await assert.rejects(copyRows(client, target, stuck(), stop.signal), reason)
  assert.deepEqual(await namesIn(client), [])
})

test('an error of the rows ends the COPY and is the error that is thrown', async (t) => {
  const client = await clientWithTable(t)
  const broken = new PermanentError('quote_not_closed', 'File "x.csv": the quote opened on line 7 is not closed')
  async function* failing() {
    yield [['1', 'x']]
    throw broken
  }
  await assert.rejects(copyRows(client, target, failing()), broken)
  assert.deepEqual(await namesIn(client), [])
})

test('inside a transaction a savepoint brings it back after a refusal', async (t) => {
  const client = await clientWithTable(t)
  await client.query('begin')
  await copyRows(client, target, batchesOf([[['1', 'kept']]]))
  await client.query('savepoint before')
  await assert.rejects(copyRows(client, target, batchesOf([[['1', 'again']]])), { code: 'row_refused' })
  await client.query('rollback to savepoint before')
  await client.query('commit')
  assert.deepEqual(await namesIn(client), ['kept'])
})

test('rows are pulled only as fast as Postgres takes them', async (t) => {
  const client = await clientWithTable(t)
  const other = new Client({ connectionString: client.url })
  other.on('error', () => {})
  await other.connect()
  t.after(() => other.end())
  await other.query('begin')
  await other.query('lock table item in access exclusive mode')
  let pulled = 0
  async function* counted() {
    for (let batch = 0; batch < 400; batch += 1) {
      pulled += 1
      yield Array.from({ length: 1000 }, (_, row): Values => [String(batch * 1000 + row), 'some text of a row'])
    }
  }
  const copying = copyRows(client, target, counted())
  await waitForLock(other)
  const pulledWhileLocked = pulled
  await other.query('rollback')
  assert.equal((await copying).rows, 400_000)
  assert.ok(pulledWhileLocked < 200, `${pulledWhileLocked} of 400 batches were pulled while the table was locked`)
})

/** pg_locks, since pg_stat_activity stays as it was at the first look of a transaction. */
async function waitForLock(client: Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query("select 1 from pg_locks where relation = 'item'::regclass and not granted")
    if (rows.length > 0) return
  }
}

class TableClient extends Client {
  readonly url: string

  constructor(url: string) {
    super({ connectionString: url })
    this.url = url
  }
}

async function clientWithTable(t: TestContext): Promise<TableClient> {
  const { url } = await emptyDatabase(t)
  const client = new TableClient(url)
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end())
  await client.query('create table item (id bigint primary key, name text)')
  return client
}

async function namesIn(client: Client): Promise<(string | null)[]> {
  const { rows } = await client.query<{ name: string | null }>('select name from item order by id')
  return rows.map((row) => row.name)
}

async function* batchesOf(batches: Values[][]): AsyncGenerator<Values[]> {
  yield* batches
}
