import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { generateTypes } from '../../src/db/generate-types.ts'
import { describeSchema } from '../../src/db/schema-snapshot.ts'
import { freshDatabase } from '../helpers/database.ts'

const changed = 'If the change is meant: npm run schema, and commit what it wrote.'

test('the schema is the committed snapshot', async (t) => {
  const { as } = await freshDatabase(t)
  const { client } = await as('rota_owner')
  const committed = await readFile(new URL('schema.snapshot.txt', import.meta.url), 'utf8')
  assert.deepEqual(difference(committed.split('\n'), (await describeSchema(client)).split('\n')), [], changed)
})

test('the committed types of rows are those of the schema', async (t) => {
  const { as } = await freshDatabase(t)
  const { client } = await as('rota_owner')
  const committed = await readFile(new URL('../../src/db/row-types.ts', import.meta.url), 'utf8')
  const generated = await generateTypes(client)
  assert.deepEqual(difference(committed.split('\n'), generated.split('\n')), [], changed)
  assert.equal(committed, generated, changed)
})

test('every table, view, column, function and constraint that a person meets carries a comment', async (t) => {
  const { query } = await freshDatabase(t)
  const bare = await query<{ what: string }>(`
    select format('%s dba.%s', case c.relkind when 'v' then 'view' else 'table' end, c.relname) as what
    from pg_class c
    where c.relnamespace = 'dba'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
      and obj_description(c.oid, 'pg_class') is null
    union all
    select format('column dba.%s.%s', c.relname, a.attname)
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'dba'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
      and col_description(c.oid, a.attnum) is null
    union all
    select format('function %s', p.oid::regprocedure)
    from pg_proc p
    where p.pronamespace = 'dba'::regnamespace and obj_description(p.oid, 'pg_proc') is null
    union all
    select format('constraint %s on dba.%s', k.conname, c.relname)
    from pg_constraint k
    join pg_class c on c.oid = k.conrelid
    where c.relnamespace = 'dba'::regnamespace and not c.relispartition and k.contype in ('c', 'u', 'x', 'f')
      and obj_description(k.oid, 'pg_constraint') is null
    order by 1`)
  assert.deepEqual(
    bare.map(({ what }) => what),
    [],
  )
})

/** Lines that only one of two texts has, the committed ones with -, the others with +. */
function difference(committed: string[], found: string[]): string[] {
  const [before, after] = [new Set(committed), new Set(found)]
  return [
    ...committed.filter((line) => !after.has(line)).map((line) => `- ${line}`),
    ...found.filter((line) => !before.has(line)).map((line) => `+ ${line}`),
  ]
}
