import assert from 'node:assert/strict'
import { link, rm, unlink } from 'node:fs/promises'
import { test } from 'node:test'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import { meetingPoint } from '../helpers/meeting-point.ts'
import { type ImportBench, importBench } from './import-harness.ts'

// For one file the commits are: claim, hash, dataset, load.

const rows = (bench: ImportBench) => bench.query('select a, count(*) as count from feeds.price group by a order by a')
const states = (bench: ImportBench) => bench.query('select file_id, state, kept_path is not null as is_kept from dba.file order by file_id')

test('a kill between the two names of a move leaves one file, and no duplicate', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const path = await bench.put('inbox/a.csv', 'a\n1\n')
  const runId = await bench.runKilled('after 4')
  const [file] = await bench.query<{ kept_path: string }>('select kept_path from dba.file')
  await bench.put(`${file?.kept_path}.place`, '')
  await link(path, file?.kept_path ?? '')
  await rm(`${file?.kept_path}.place`)
  await bench.run({ runId })
  assert.deepEqual(await states(bench), [{ file_id: 1, state: 'loaded', is_kept: true }])
  assert.deepEqual([await bench.names('inbox'), await bench.names('archive')], [[], ['a.1.csv']])
})

test('a failed file that is loaded again leaves the failed folder also when its run is killed before', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ sheet: 'none' })
  await bench.put('inbox/a.xls', '<table><tr><td>a</td></tr><tr><td>1</td></tr></table>')
  await assert.rejects(bench.run())
  await bench.query(`update dba.importconfig set sheet = null`)
  await bench.query(`update dba.file set state = 'retry'`)
  await bench.runKilled('after 4')
  await bench.pool.query(
    `update dba.run set state = 'failed', finished_at = now(), error_code = 'worker_lost', error_message = 'lost' where state = 'running'`,
  )
  await bench.run()
  assert.deepEqual(await rows(bench), [{ a: '1', count: 1 }])
  assert.deepEqual([await bench.names('failed'), await bench.names('archive')], [[], ['a.1.xls']])
})

test('a claim of a dead run whose file was taken back is forgotten, with the CSV that it had written', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ keep_csv: true })
  const path = await bench.put('inbox/a.xls', '<table><tr><td>a</td></tr><tr><td>1</td></tr></table>')
  // Claim, hash, the CSV twice.
  const runId = await bench.runKilled('after 4')
  assert.deepEqual(await bench.names('archive'), ['a.1.xls.csv'])
  await unlink(path)
  await bench.run({ runId })
  assert.deepEqual(await bench.names('archive'), [])
  assert.deepEqual(await states(bench), [])
})

test('a done-file goes before its file does, so that a later file of that name waits for its own', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ file_pattern: '*.csv', done_file: '.done' })
  await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.put('inbox/a.csv.done', '')
  const runId = await bench.runKilled('kept')
  assert.deepEqual(await bench.names('inbox'), [])
  await bench.put('inbox/a.csv', 'a\n2\n')
  await bench.run({ runId })
  assert.deepEqual(await bench.names('inbox'), ['a.csv'])
  await bench.put('inbox/a.csv.done', '')
  await bench.run()
  assert.deepEqual(await rows(bench), [
    { a: '1', count: 1 },
    { a: '2', count: 1 },
  ])
  assert.deepEqual(await bench.names('inbox'), [])
})

test('the same bytes under two names at once are loaded once also where the target knows its rows', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/0.csv', 'a\n0\n')
  await bench.run()
  await bench.query('create unique index on feeds.price (a)')
  for (const name of ['a', 'b']) await bench.put(`inbox/${name}.csv`, 'a\n1\n')
  const both = meetingPoint(2)
  const afterCommit = async (commit: number) => void (commit === 3 && (await both()))
  await Promise.all(['a', 'b'].map((name) => bench.run({ args: { file: `inbox/${name}.csv` }, afterCommit })))
  assert.deepEqual(
    (await bench.query<{ state: string }>('select state from dba.file order by state')).map(({ state }) => state),
    ['duplicate', 'loaded', 'loaded'],
  )
  assert.deepEqual(await bench.query('select count(*) as rejects from dba.reject'), [{ rejects: 0 }])
})

test('a target that somebody holds ends the attempt at the first file, and names him', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/0.csv', 'a\n0\n')
  await bench.run()
  const holder = await bench.as('rota_dba')
  await holder.query('begin')
  await holder.query('lock table feeds.price in access exclusive mode')
  for (const name of ['1', '2', '3']) await bench.put(`inbox/${name}.csv`, `a\n${name}\n`)
  await assert.rejects(
    bench.run(),
    (error: unknown) => error instanceof JobError && error.code === 'target_locked' && /rota_dba/.test(error.detail ?? ''),
  )
  assert.equal(bench.log.filter(({ message }) => message.startsWith('Reading file')).length, 2)
  await holder.query('commit')
  assert.equal((await bench.run()).files, 3)
})

test('a target that is dropped in the middle of a load is made again by the next attempt', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ load_mode: 'upsert', key_columns: ['a'] })
  await bench.put('inbox/0.csv', 'a\n0\n')
  await bench.run()
  const path = await bench.put('inbox/1.csv', 'a\n1\n')
  // Claim, hash, dataset, staging.
  const drop = async (commit: number) => void (commit === 4 && (await bench.query('drop table feeds.price')))
  await assert.rejects(bench.run({ args: { file: path }, afterCommit: drop }), { code: 'target_changed' })
  assert.deepEqual(await bench.names('inbox'), ['1.csv'])
  assert.equal((await bench.run()).rowsWritten, 1)
  assert.deepEqual(await bench.query(`select tablename from pg_tables where schemaname = 'rota_staging'`), [])
})

test('a connection that breaks while a check looks at the rows is no fault of the file', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.query(
    `insert into dba.importcheck (config_name, check_name, kind, expression, severity) values ('prices', 'slow', 'expression', 'pg_sleep(60) is null', 'fail')`,
  )
  await bench.put('inbox/1.csv', 'a\n1\n')
  const run = bench.run().catch((error: unknown) => error)
  const cut = `select pg_terminate_backend(pid) as cut from pg_stat_activity where application_name = 'rota checks' and query like '%pg_sleep%' and datname = current_database()`
  while ((await bench.query(cut)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  const error = await run
  assert.ok(error instanceof Error && !(error instanceof PermanentError), String(error))
  assert.deepEqual(await bench.names('inbox'), ['1.csv'])
})

test('a dataset that somebody edits and has not committed is named as what is in the way', { timeout: 120_000 }, async (t) => {
  const bench = await importBench(t)
  await bench.configure({
    load_mode: 'replace_dataset',
    label_from: 'static',
    label_spec: 'list',
    date_from: 'static',
    date_spec: '20261122',
  })
  await bench.put('inbox/1.csv', 'a\n1\n')
  await bench.run()
  const holder = await bench.as('rota_dba')
  await holder.query('begin')
  await holder.query('select from dba.dataset for update')
  await bench.put('inbox/2.csv', 'a\n2\n')
  await assert.rejects(
    bench.run(),
    (error: unknown) =>
      error instanceof JobError &&
      error.code === 'target_locked' &&
      error.message.startsWith('A row of "dba.dataset"') &&
      /rota_dba/.test(error.detail ?? ''),
  )
  await holder.query('commit')
  assert.equal((await bench.run()).rowsWritten, 1)
})

test('staging tables of loads, joins and dry runs that were killed go with the next load', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  for (const name of ['load_17', 'join_18', 'dry_19', 'load_mine']) await bench.pool.query(`create table rota_staging.${name} ()`)
  await bench.put('inbox/1.csv', 'a\n1\n')
  await bench.run()
  assert.deepEqual(await bench.query(`select tablename from pg_tables where schemaname = 'rota_staging'`), [{ tablename: 'load_mine' }])
})

test('two first loads into one new schema at the same moment both succeed', async (t) => {
  const bench = await importBench(t)
  const places = [1, 2, 3, 4].map((number) => ({
    config_name: `c${number}`,
    source_folder: `in${number}`,
    target_table: `fresh.t${number}`,
  }))
  for (const place of places) {
    await bench.configure(place)
    await bench.put(`${place.source_folder}/a.csv`, 'a\n1\n')
  }
  const outcomes = await Promise.all(places.map(({ config_name }) => bench.run({ config: config_name })))
  assert.deepEqual(
    outcomes.map(({ rowsWritten }) => rowsWritten),
    [1, 1, 1, 1],
  )
})
