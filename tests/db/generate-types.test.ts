import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateTypes, valueTypeNames } from '../../src/db/generate-types.ts'
import type { Ending } from '../helpers/after-everything.ts'
import { freshDatabase } from '../helpers/database.ts'

test('values arrive as the types of their columns say', async (t) => {
  const { pool } = await freshDatabase(t)
  for (const [type, name] of Object.entries(valueTypeNames)) {
    const { rows } = await pool.query(`select $1::${type} as one, array[$1::${type}] as several`, [samples[type]])
    assert.deepEqual([type, nameOf(rows[0].one)], [type, name])
    if (name !== 'unknown') assert.deepEqual([type, rows[0].several.map(nameOf)], [type, [name]])
  }
})

test('a table becomes an interface of its columns in their order', async (t) => {
  const text = await typesAfter(
    t,
    `create table dba.coffee_break (
       break_id bigint      primary key,
       taken_at timestamptz not null,
       guests   text[],
       price    numeric,
       photo    bytea,
       answer   jsonb
     );
     comment on table dba.coffee_break is 'A pause. Folder: **/*.csv */';`,
  )
  assert.equal(
    interfaceIn(text, 'CoffeeBreakRow'),
    `/** A pause. Folder: **\\/*.csv *\\/ */
export interface CoffeeBreakRow {
  break_id: number
  taken_at: Date
  guests: string[] | null
  price: string | null
  photo: Buffer | null
  answer: unknown
}`,
  )
})

test('words that a CHECK lists are the type of their column, and an object that a CHECK wants is a record', async (t) => {
  const text = await typesAfter(
    t,
    `create table dba.coffee (
       kind   text  not null check (kind in ('flat', 'it''s', 'a, b')),
       size   text  check (size = any (array['s', 'm'])),
       origin text  check (origin in ('far', 'near') or kind = 'flat'),
       facts  jsonb not null check (jsonb_typeof(facts) = 'object')
     );`,
  )
  assert.match(interfaceIn(text, 'CoffeeRow'), /kind: 'flat' \| 'it\\'s' \| 'a, b'\n/)
  assert.match(interfaceIn(text, 'CoffeeRow'), /size: 's' \| 'm' \| null\n/)
  assert.match(interfaceIn(text, 'CoffeeRow'), /origin: string \| null\n/)
  assert.match(interfaceIn(text, 'CoffeeRow'), /facts: Record<string, unknown>\n/)
})

test('a line that would be too long has one word a line', async (t) => {
  const words = Array.from({ length: 16 }, (_, index) => `a_rather_long_word_${index}`)
  const text = await typesAfter(
    t,
    `create table dba.talk (word text not null check (word in (${words.map((word) => `'${word}'`).join()})));`,
  )
  assert.equal(interfaceIn(text, 'TalkRow'), `export interface TalkRow {\n  word:\n${words.map((word) => `    | '${word}'\n`).join('')}}`)
})

test('a column of a view may be null unless it is one of a table that may not, with no outer join around it', async (t) => {
  const text = await typesAfter(
    t,
    `create table dba.cup (cup_id bigint not null, state text not null check (state in ('full', 'empty')), note text);
     create table dba.saucer (cup_id bigint not null, color text not null);
     create view dba.plain_cup as select c.cup_id, c.state, c.note, upper(c.state) as loud, s.color from dba.cup c join dba.saucer s using (cup_id);
     create view dba.left_cup as select c.cup_id, s.color from dba.cup c left join dba.saucer s using (cup_id);
     create view dba.full_cup as select c.state, s.color from dba.cup c full join dba.saucer s using (cup_id);
     create view dba.hidden_cup as with kept as (select * from dba.cup) select k.state from dba.saucer s left join kept k using (cup_id);
     create view dba.both_cups as select state from dba.cup union all select color from dba.saucer;`,
  )
  const members = (name: string) => [...interfaceIn(text, name).matchAll(/^ {2}(.+)$/gm)].map(([, member]) => member)
  assert.deepEqual(members('PlainCupRow'), [
    'cup_id: number',
    `state: 'full' | 'empty'`,
    'note: string | null',
    'loud: string | null',
    'color: string',
  ])
  assert.deepEqual(members('LeftCupRow'), ['cup_id: number', 'color: string | null'])
  assert.deepEqual(members('FullCupRow'), [`state: 'full' | 'empty' | null`, 'color: string | null'])
  assert.deepEqual(members('HiddenCupRow'), [`state: 'full' | 'empty' | null`])
  assert.deepEqual(members('BothCupsRow'), ['state: string | null'])
})

test('a column of a type that nobody has looked at is refused', async (t) => {
  await assert.rejects(typesAfter(t, 'create table dba.map (place point);'), /Column dba[.]map[.]place is point/)
})

/** A value of each type as it is written in SQL. */
const samples: Record<string, string> = {
  boolean: 'true',
  smallint: '1',
  integer: '2',
  bigint: '3',
  real: '0.5',
  'double precision': '0.25',
  numeric: '12345678901234567890.12',
  text: 'word',
  uuid: 'a3bb189e-8bf9-3888-9912-ace4e6543002',
  date: '2026-12-24',
  'time without time zone': '06:20',
  'timestamp without time zone': '2026-12-24 06:20',
  'timestamp with time zone': '2026-12-24 06:20+00',
  interval: '90 seconds',
  jsonb: '{"a": 1}',
  bytea: '\\x00ff',
}

function nameOf(value: unknown): string {
  if (value instanceof Date) return 'Date'
  if (Buffer.isBuffer(value)) return 'Buffer'
  return typeof value === 'object' ? 'unknown' : typeof value
}

/** What is generated when the schema has that, too. */
async function typesAfter(t: Ending, sql: string): Promise<string> {
  const { as } = await freshDatabase(t)
  const { client } = await as('rota_owner')
  await client.query(sql)
  return await generateTypes(client)
}

/** With its comment and without the end of its last line. */
function interfaceIn(text: string, name: string): string {
  return text.split('\n\n').find((part) => part.includes(`export interface ${name} {`)) ?? ''
}
