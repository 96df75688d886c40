import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { freshDatabase } from '../helpers/database.ts'

const page = readFileSync(new URL('../../onboarding/coming-from.md', import.meta.url), 'utf8')

test('every name of schema dba that the page gives without "later" exists', async (t) => {
  const { query } = await freshDatabase(t)
  const known = new Set((await query<{ name: string }>(namesOfSchema)).map(({ name }) => name))
  const promised = rows.filter((row) => !row.includes('later')).flatMap(namesIn)
  assert.ok(promised.length > 100, 'the page is read')
  assert.deepEqual(
    promised.filter((name) => !known.has(name)),
    [],
  )
})

test('what the page calls a later table does not exist yet', async (t) => {
  const { query } = await freshDatabase(t)
  const known = new Set((await query<{ name: string }>(namesOfSchema)).map(({ name }) => name))
  const later = rows.filter((row) => row.includes('later')).flatMap(laterTablesIn)
  assert.deepEqual(
    later.filter((name) => known.has(name)),
    [],
  )
})

test('every environment variable and option of import that the page gives without "later" is known', async (t) => {
  const { query } = await freshDatabase(t)
  const source = readFileSync(new URL('../../src/config.ts', import.meta.url), 'utf8')
  for (const [name] of page.matchAll(/\bROTA_[A-Z_]+\b/g)) assert.ok(source.includes(name), name)
  const columns = new Set(
    (await query<{ name: string }>(`select attname as name from pg_attribute where attrelid = 'dba.importconfig'::regclass`)).map(
      ({ name }) => name,
    ),
  )
  for (const option of importOptions) assert.ok(columns.has(option), option)
})

const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| theirs'))

/** Names that stand in the remarks without their table. */
const importOptions = ['pattern_kind', 'part_delimiter', 'delimiter', 'keep_csv', 'on_missing_column', 'settle', 'done_file']

const namesOfSchema = `
  select format('dba.%s', relname) as name from pg_class where relnamespace = 'dba'::regnamespace
  union select format('dba.%s.%s', relname, attname) from pg_attribute join pg_class c on c.oid = attrelid where relnamespace = 'dba'::regnamespace
  union select format('dba.%s', proname) from pg_proc where pronamespace = 'dba'::regnamespace`

function namesIn(row: string): string[] {
  return row.match(/\bdba(\.[a-z_]+){1,2}/g) ?? []
}

/** The tables of rows whose second column says later: those that lie ahead as a whole. */
function laterTablesIn(row: string): string[] {
  const [, , ours = ''] = row.split('|')
  return ours.includes('(later)') ? (ours.match(/\bdba\.[a-z]+config\b/g) ?? []) : []
}
