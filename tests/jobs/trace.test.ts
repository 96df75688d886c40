import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importBench } from './import-harness.ts'

test('dba.trace tells what became of every file: superseded, duplicate, refused, held back, and rows whose file nobody knows any more', async (t) => {
  const bench = await importBench(t)
  const { query } = bench
  await bench.configure({ load_mode: 'replace_dataset', date_from: 'static', date_spec: '20261119', on_new_column: 'extra' })
  await query(
    `insert into dba.importcheck (config_name, check_name, kind, high, severity) values ('prices', 'not too many', 'max_rows', 2, 'quarantine')`,
  )
  await query(`insert into dba.importcolumn (config_name, column_name, type) values ('prices', 'price', 'numeric')`)
  const load = async (name: string, content: string) => {
    await bench.put(`inbox/${name}`, content)
    await bench.run().catch(() => {})
  }
  await load('a.csv', 'price\n1\n')
  await load('a.csv', 'price\n2\n')
  await load('b.csv', 'price\n2\n')
  await load('c.csv', 'price\ndear\n')
  await load('d.csv', 'price\n1\n2\n3\n')
  const told = `select file, file_state, label, dataset_state, target_table, rows_written::integer as rows, reason from dba.trace order by at`
  const rows = await query<Record<string, string>>(told)
  assert.deepEqual(
    rows.map(({ reason, ...row }) => Object.values(row)),
    [
      ['a.csv', 'loaded', 'a', 'superseded', 'feeds.price', 1],
      ['a.csv', 'loaded', 'a', 'active', 'feeds.price', 1],
      ['b.csv', 'duplicate', 'unknown', 'none', 'unknown', null],
      ['c.csv', 'failed', 'c', 'failed', 'feeds.price', 0],
      ['d.csv', 'quarantined', 'd', 'quarantined', 'feeds.price', 3],
    ],
  )
  assert.deepEqual(
    rows.map(({ reason }) => reason?.slice(0, 30) ?? null),
    ['superseded by dataset 2', null, 'Same bytes as file 2 "a.csv", ', '1 of 1 row of "c.csv" does not', 'Check "not too many": 3 rows, '],
  )
  await query('delete from dba.file')
  assert.deepEqual(
    await query(`select mail, page, file, file_state, target_table, dataset_state, report from dba.trace where dataset_id = 2`),
    [
      {
        mail: 'unknown',
        page: 'unknown',
        file: 'unknown',
        file_state: 'unknown',
        target_table: 'feeds.price',
        dataset_state: 'active',
        report: 'unknown',
      },
    ],
  )
})
