import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { migrate } from '../../src/db/migrate.ts'
import { emptyDatabase } from '../helpers/database.ts'

/** As much of our first migration as migrating itself needs. */
const ledger = `create table dba.migration (
  migration_number integer primary key, name text not null, checksum text not null,
  applied_at timestamptz not null default clock_timestamp(), applied_by text not null
);`

test('files and folders are applied in order, recorded once, and owned by rota_owner', async (t) => {
  const { url, query } = await emptyDatabase(t)
  const directory = migrations(t, {
    '0002_second.sql': 'create table dba.second as select * from dba.first',
    '0001_first/01_ledger.sql': ledger,
    '0001_first/02_table.sql': 'create table dba.first as select 7 as n',
    'notes.txt': 'not a migration',
  })
  assert.deepEqual(await migrate(url, { directory }), { applied: ['0001_first', '0002_second'], already: 0 })
  assert.deepEqual(await migrate(url, { directory }), { applied: [], already: 2 })
  assert.deepEqual(await query('select n from dba.second'), [{ n: 7 }])
  const rows = await query('select migration_number, name, length(checksum) as size, applied_by from dba.migration order by 1')
  assert.deepEqual(rows, [
    { migration_number: 1, name: '0001_first', size: 64, applied_by: 'postgres' },
    { migration_number: 2, name: '0002_second', size: 64, applied_by: 'postgres' },
  ])
  assert.deepEqual(await query(`select distinct tableowner from pg_tables where schemaname = 'dba'`), [{ tableowner: 'rota_owner' }])
})

test('the first migration of a database says where it is and what it creates; later ones only name what is new', async (t) => {
  const { url } = await emptyDatabase(t)
  const files = { '0001_first.sql': ledger }
  const said: string[] = []
  await migrate(url, { directory: migrations(t, files), log: (line) => said.push(line) })
  const { host, pathname } = new URL(url)
  assert.deepEqual(said, [
    `First migration of database "${pathname.slice(1)}" on ${host}, as "postgres": creates schema dba and the roles rota_… (0001_first)`,
    'Applied migration 0001_first',
  ])
  said.length = 0
  await migrate(url, { directory: migrations(t, { ...files, '0002_more.sql': 'select 1' }), log: (line) => said.push(line) })
  assert.deepEqual(said, ['Applied migration 0002_more'])
})

test('two that migrate one database at once take turns: each migration is applied once', async (t) => {
  const { url, query } = await emptyDatabase(t)
  const directory = migrations(t, { '0001_first.sql': ledger, '0002_second.sql': 'create table dba.second (n integer)' })
  const results = await Promise.all([migrate(url, { directory }), migrate(url, { directory }), migrate(url, { directory })])
  assert.deepEqual(results.map(({ applied }) => applied.length).sort(), [0, 0, 2])
  assert.deepEqual(await query('select count(*) from dba.migration'), [{ count: 2 }])
})

test('several databases of one server can be migrated at once, though they share the roles', async (t) => {
  const databases = await Promise.all(Array.from({ length: 4 }, () => emptyDatabase(t)))
  const directory = migrations(t, { '0001_first.sql': ledger })
  const results = await Promise.all(databases.map(({ url }) => migrate(url, { directory })))
  assert.deepEqual(
    results.map(({ applied }) => applied.length),
    [1, 1, 1, 1],
  )
})

test('a failing statement is named with file and line, and nothing of its migration is kept', async (t) => {
  const { url, query } = await emptyDatabase(t)
  const directory = migrations(t, {
    '0001_first.sql': ledger,
    '0002_broken/01_good.sql': 'create table dba.kept_out (n integer);',
    '0002_broken/02_bad.sql':
      "-- ünïcödé 🦉 comes first\ncreate table dba.fine (n integer);\n\nselect '🦉',\n  no_such_column\nfrom dba.fine;\n",
  })
  await assert.rejects(migrate(url, { directory }), {
    code: 'migration_failed',
    message: 'Migration stopped at migrations/0002_broken/02_bad.sql, line 5: column "no_such_column" does not exist',
    detail: 'undefined_column (SQLSTATE 42703).',
    hint: 'Nothing of this migration was kept: correct what is wrong and run rota migrate again.',
  })
  assert.deepEqual(await query(`select to_regclass('dba.kept_out') as left_over, count(*) from dba.migration`), [
    { left_over: null, count: 1 },
  ])
})

test('an error without a position is named with the first line of its statement, and keeps detail and hint', async (t) => {
  const { url } = await emptyDatabase(t)
  const sql = `${ledger}\n\ndo $$ begin\n  raise exception 'not like this' using detail = 'seen 3', hint = 'Write 4.';\nend $$;`
  await assert.rejects(
    migrate(url, { directory: migrations(t, { '0001_first.sql': sql }) }),
    (error: { message: string; detail: string; hint: string }) => {
      assert.equal(error.message, 'Migration stopped at migrations/0001_first.sql, line 6: not like this')
      assert.equal(error.detail, 'raise_exception (SQLSTATE P0001).\nseen 3')
      assert.match(error.hint, /^Write 4[.] /)
      return true
    },
  )
})

test('a migration that was edited, renamed or removed after it was applied is refused', async (t) => {
  const { url } = await emptyDatabase(t)
  const files = { '0001_first.sql': ledger, '0002_second.sql': 'select 2', '0003_third.sql': 'select 3' }
  await migrate(url, { directory: migrations(t, files) })
  for (const changed of [
    { ...files, '0002_second.sql': 'select 22' },
    { '0001_first.sql': ledger, '0002_other.sql': 'select 2', '0003_third.sql': 'select 3' },
    { '0001_first.sql': ledger, '0003_third.sql': 'select 3' },
  ]) {
    await assert.rejects(migrate(url, { directory: migrations(t, changed) }), {
      code: 'migration_changed',
      message: 'Migration "0002_second" was changed after it was applied',
    })
  }
  await migrate(url, { directory: migrations(t, { ...files, '0001_first.sql': ledger.replaceAll('\n', '\r\n') }) })
})

test('a database that is newer than the code is left alone', async (t) => {
  const { url } = await emptyDatabase(t)
  const files = { '0001_first.sql': ledger }
  await migrate(url, { directory: migrations(t, { ...files, '0002_second.sql': 'select 2' }) })
  await assert.rejects(migrate(url, { directory: migrations(t, files) }), {
    code: 'database_newer',
    message: 'The database is newer than this Rota: it has migration "0002_second"',
  })
})

test('a new migration whose number has been passed is refused, and so are two of one number and a folder without parts', async (t) => {
  const { url } = await emptyDatabase(t)
  const files = { '0001_first.sql': ledger, '0003_third.sql': 'select 3' }
  await migrate(url, { directory: migrations(t, files) })
  await assert.rejects(migrate(url, { directory: migrations(t, { ...files, '0002_late.sql': 'select 2' }) }), {
    code: 'migration_out_of_order',
  })
  await assert.rejects(migrate(url, { directory: migrations(t, { ...files, '0003_again.sql': 'select 3' }) }), {
    code: 'migration_number_twice',
  })
  await assert.rejects(migrate(url, { directory: migrations(t, { '0001_empty/readme.md': '' }) }), { code: 'migration_without_parts' })
})

test('a schema dba that is already there stays as it is when rota_owner owns it, else the owner is asked to hand it over', async (t) => {
  const directory = migrations(t, { '0001_first.sql': ledger })
  const { url, query } = await emptyDatabase(t)
  await migrate(url, { directory: migrations(t, {}) })
  await query('create table dba.older (n integer)')
  await migrate(url, { directory })
  assert.deepEqual(await query('select * from dba.older'), [])

  const other = await emptyDatabase(t)
  await other.query('create schema dba')
  await assert.rejects(migrate(other.url, { directory }), {
    code: 'schema_owned_by_another',
    hint: 'As its owner or an administrator: alter schema dba owner to rota_owner;',
  })
})

function migrations(t: TestContext, files: Record<string, string>): URL {
  const folder = mkdtempSync(join(tmpdir(), 'rota-migrations-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return pathToFileURL(`${folder}/`)
}
