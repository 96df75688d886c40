import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { RowSource } from '../../systemscripts/documents/row-source.ts'
import { bindNamed, namesUsed } from '../../systemscripts/query-session/named-parameters.ts'
import { openQuerySession, type QuerySession } from '../../systemscripts/query-session.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'

test('a query gives its rows as texts with the types of its columns, and counts what is beyond the limit', async (t) => {
  const { session } = await houseOf(t)
  const answer = await session.ask(plain(`select n, n::numeric / 4 as q, null as nothing from generate_series(1, 5003) n`), 5000)
  assert.deepEqual(answer.columns, [
    { name: 'n', typeOid: 23 },
    { name: 'q', typeOid: 1700 },
    { name: 'nothing', typeOid: 25 },
  ])
  const rows = await allRows(answer)
  assert.equal(rows.length, 5000)
  assert.deepEqual(rows[0], ['1', '0.25000000000000000000', null])
  assert.deepEqual(rows[4999]?.[0], '5000')
  assert.equal(answer.withheld?.(), 3)
  const none = await session.ask(plain('select 1 as a where false;  '), 10)
  assert.deepEqual([none.columns.length, await allRows(none), none.withheld?.()], [1, [], 0])
  const hidden = await session.ask(plain('select generate_series(1, 7)'), 0)
  assert.deepEqual([await allRows(hidden), hidden.withheld?.()], [[], 7])
})

test('moments are written in the zone of the session', async (t) => {
  const { session } = await houseOf(t)
  const answer = await session.ask(plain(`select timestamptz '2026-11-22 12:00+00', interval '1 day 02:00'`), 10)
  assert.deepEqual(await allRows(answer), [['2026-11-22 13:00:00+01', '1 day 02:00:00']])
})

test('named values stand where a text says so, outside of quotes, comments, casts and slices', async (t) => {
  const { session } = await houseOf(t)
  const known = new Map([
    ['region', "no'rth"],
    ['as_of', '2026-11-22T05:00:00Z'],
  ])
  const text = `select :region::text as a, ':region' as b, "x:region" as c, (array[1,2,3])[1:2] as d, $q$ :region $q$ as e, extract(hour from :as_of) as f -- :region
    from (select 1 as "x:region") t where :region <> E'\\':region'`
  assert.deepEqual([...namesUsed(text, known.keys())], ['region', 'as_of'])
  const answer = await session.ask(bindNamed(text, known, new Map([['as_of', 'timestamptz']])), 10)
  assert.deepEqual(await allRows(answer), [["no'rth", ':region', '1', '{1,2}', ' :region ', '6']])
})

test('what writes, hangs, or is no query is refused with line, words and a hint', async (t) => {
  for (const [text, message] of [
    ['insert into public.sale values (1)', /syntax error at or near "insert"/],
    ['with gone as (delete from public.sale returning *) select * from gone', /data-modifying/],
    ['select 1; select 2', /multiple commands/],
    [`select nextval('public.sale_seq')`, /permission denied|read-only/],
    ['select *\nfrom nowhere', /relation "nowhere" does not exist/],
  ] as const) {
    const { session } = await houseOf(t)
    await assert.rejects(session.ask(plain(text), 10), { code: 'statement_failed', message })
  }
  const { session } = await houseOf(t)
  await assert.rejects(session.ask(plain('select *\nfrom nowhere'), 10), { detail: /^SQLSTATE 42P01, line 2: from nowhere\./ })
  const { session: slow } = await houseOf(t, { timeoutSeconds: 0.2 })
  await assert.rejects(slow.ask(plain('select pg_sleep(60)'), 10), { code: 'statement_failed', message: /statement timeout/ })
})

test('a walk that is slower than the limit is cancelled on the server, and so is one that was given up', async (t) => {
  const controller = new AbortController()
  const { session } = await houseOf(t, { signal: controller.signal })
  const asked = session.ask(plain('select pg_sleep(60)'), 10)
  controller.abort(new Error('given up'))
  await assert.rejects(asked, { message: 'given up' })
})

test('each query has the whole time, whatever the one before has left of its own', async (t) => {
  const { session } = await houseOf(t, { timeoutSeconds: 2 })
  await allRows(await session.ask(plain(`select case when n in (50, 150) then pg_sleep(0.6) end from generate_series(1, 300) n`), 1000))
  const answer = await session.ask(plain('select 1 as one from pg_sleep(1.5)'), 10)
  assert.deepEqual(await allRows(answer), [['1']])
})

test('rows too large to be looked at end the session, and the process lives', async (t) => {
  const { session } = await houseOf(t)
  await assert.rejects(session.ask(plain(`select repeat('x', 200000000)`), 10), { code: 'answer_too_large', hint: /left\(notes, 1000\)/ })
})

test('a plan tells the tables behind views and partitions, and the functions', async (t) => {
  const { session, database } = await houseOf(
    t,
    {},
    `
    create table public.price (day date, price int) partition by range (day);
    create table public.price_2026 partition of public.price for values from ('2026-01-01') to ('2027-01-01');
    create view public.sold as select s.id, p.price from public.sale s cross join public.price p;
    create function public.hidden() returns setof public.sale language plpgsql as $$ begin return query select * from public.sale; end $$;
    grant select on all tables in schema public to rota_query`,
  )
  assert.deepEqual((await session.plan(plain('select * from public.sold'))).tables, ['public.price', 'public.sale'])
  assert.deepEqual((await session.plan({ text: 'select * from public.price where price > $1;', values: ['3'] })).tables, ['public.price'])
  const { tables, functions } = await session.plan(plain('select * from public.hidden()'))
  const [row] = await database.query(`select 'public.hidden()'::regprocedure::oid::int8 as oid`)
  assert.deepEqual({ tables, functions }, { tables: [], functions: [Number(row?.oid)] })
})

async function houseOf(
  t: TestContext,
  options: { timeoutSeconds?: number; signal?: AbortSignal } = {},
  tables = '',
): Promise<{ session: QuerySession; database: TestDatabase }> {
  const database = await freshDatabase(t)
  await database.query('create table if not exists public.sale (id int); create sequence if not exists public.sale_seq')
  if (tables !== '') await database.query(tables)
  const session = await openQuerySession({
    server: database.urlAs('rota_query'),
    applicationName: 'rota test',
    timeoutSeconds: 30,
    timeZone: 'Europe/Warsaw',
    signal: new AbortController().signal,
    ...options,
  })
  t.after(() => session.close())
  return { session, database }
}

function plain(text: string): { text: string; values: string[] } {
  return { text, values: [] }
}

async function allRows({ rows }: RowSource): Promise<(readonly (string | null)[])[]> {
  const all = []
  for await (const batch of rows) all.push(...batch)
  return all
}
