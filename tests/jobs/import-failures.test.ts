import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import { importBench } from './import-harness.ts'

test('a bad file goes to the failed folder with its reason, the others are loaded, and then the run fails for good', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a,b\n1,2\n')
  await bench.put('inbox/2.csv', '%PDF-1.7 nothing')
  await bench.put('inbox/3.csv', 'a,b\n3,4\n')
  const failure = await bench.run().catch((error: unknown) => error)
  assert.ok(failure instanceof PermanentError)
  assert.equal(failure.code, 'files_failed')
  assert.equal(failure.message, '1 of 3 files could not be loaded')
  assert.match(failure.detail ?? '', /^"2.csv": .*PDF document/)

  assert.deepEqual(await bench.query('select a from feeds.price order by a'), [{ a: '1' }, { a: '3' }])
  assert.deepEqual(await bench.names('inbox'), [])
  assert.deepEqual(await bench.names('failed/prices'), ['2.2.csv', '2.2.csv.reason.txt'])
  const [file] = await bench.query<{ state: string; reason: string; kept_path: string }>(
    `select state, reason, kept_path from dba.file where file_name = '2.csv'`,
  )
  assert.equal(file?.state, 'failed')
  assert.match(file?.reason ?? '', /PDF document/)
  const note = await readFile(`${file?.kept_path}.reason.txt`, 'utf8')
  assert.match(note, /PDF document/)
  assert.match(note, /update dba.file set state = 'retry' where file_id = 2;/)
})

test('a run whose only file is bad fails with the error of that file', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ sheet: 'Budgt' })
  await bench.put('inbox/1.xls', '<html><body>No table here</body></html>')
  await assert.rejects(
    bench.run(),
    (error: unknown) => error instanceof PermanentError && error.code !== 'files_failed' && error.hint !== undefined,
  )
})

test('a date that cannot be read fails the file before anything is registered', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ date_from: 'filename' })
  await bench.put('inbox/prices_20260230.csv', 'a\n1\n')
  await assert.rejects(bench.run(), { code: 'date_not_read' })
  assert.deepEqual(await bench.query('select count(*) as datasets from dba.dataset'), [{ datasets: 0 }])
})

test('a source folder that is missing fails the run with its path', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ source_folder: 'inbax' })
  await assert.rejects(
    bench.run(),
    (error: unknown) =>
      error instanceof PermanentError && error.code === 'folder_missing' && error.message.includes(`${bench.dataDir}/inbax`),
  )
})

test('a target of somebody else stops the run with the statement to type, and the files stay', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const dba = await bench.as('rota_dba')
  await dba.query('create schema feeds create table price (dataset_id bigint, a text)')
  await bench.put('inbox/1.csv', 'a,b\n1,2\n')
  const failure = await bench.run().catch((error: unknown) => error)
  assert.ok(failure instanceof PermanentError)
  assert.equal(failure.code, 'target_not_owned')
  assert.match(failure.message, /"feeds.price" belongs to "rota_dba"/)
  assert.deepEqual(await bench.names('inbox'), ['1.csv'])
  assert.deepEqual(await bench.query('select count(*) as files from dba.file'), [{ files: 0 }])

  await dba.query(failure.hint ?? '')
  assert.equal((await bench.run()).rowsWritten, 1)
})

test('a target that Rota may not write to stops the run with the grant to type', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ on_new_column: 'ignore' })
  await bench.query('create schema feeds create table price (dataset_id bigint, a text)')
  await bench.put('inbox/1.csv', 'a\n1\n')
  const failure = await bench.run().catch((error: unknown) => error)
  assert.ok(failure instanceof PermanentError)
  assert.equal(failure.code, 'target_not_writable')
  await bench.query(failure.hint ?? '')
  assert.equal((await bench.run()).rowsWritten, 1)
})

test('a view is no target', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.query('create schema feeds create view price as select 1 as a')
  await bench.put('inbox/1.csv', 'a\n1\n')
  await assert.rejects(bench.run(), { code: 'target_is_no_table' })
})

test('a schema in which Rota may not create stops the run with the grant to type', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.query('create schema feeds')
  await bench.put('inbox/1.csv', 'a\n1\n')
  const failure = await bench.run().catch((error: unknown) => error)
  assert.ok(failure instanceof PermanentError)
  assert.equal(failure.code, 'schema_not_ours')
  await bench.query(failure.hint ?? '')
  assert.equal((await bench.run()).rowsWritten, 1)
})

test('a reader who holds the target gives an error that is tried again and names him', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a\n1\n')
  await bench.run()
  const reader = await bench.as('rota_dba')
  await reader.query('begin')
  await reader.query('select * from feeds.price')
  const [me] = await reader.query<{ pid: number }>('select pg_backend_pid() as pid')
  await bench.put('inbox/2.csv', 'a,b\n2,3\n')
  await assert.rejects(
    bench.run(),
    (error: unknown) =>
      error instanceof JobError &&
      !(error instanceof PermanentError) &&
      error.code === 'target_locked' &&
      new RegExp(`pid ${me?.pid} \\(rota_dba`).test(error.detail ?? ''),
  )
  assert.deepEqual(await bench.names('inbox'), ['2.csv'])

  await reader.query('commit')
  assert.equal((await bench.run()).rowsWritten, 1)
})

test('a run that is stopped in the middle of a load leaves the file and nothing of its rows', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a\n1\n')
  const stop = new AbortController()
  const reason = new JobError('cancelled', 'cancelled by somebody')
  await assert.rejects(bench.run({ signal: stop.signal, afterCommit: (commit) => void (commit === 3 && stop.abort(reason)) }), {
    code: 'cancelled',
  })
  assert.deepEqual(await bench.query(`select to_regclass('feeds.price') as target`), [{ target: null }])
  assert.deepEqual(await bench.names('inbox'), ['1.csv'])
  assert.equal((await bench.run()).rowsWritten, 1)
})

test('a connection that is lost in the middle of a load leaves the file and nothing of its rows', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a\n1\n')
  const kill = async (commit: number) => {
    if (commit === 4)
      await bench.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where usename <> 'rota_dba' and state = 'idle in transaction' and datname = current_database()`,
      )
  }
  await assert.rejects(bench.run({ beforeCommit: kill }))
  assert.deepEqual(await bench.query(`select to_regclass('feeds.price') as target`), [{ target: null }])
  assert.equal((await bench.run()).rowsWritten, 1)
  assert.deepEqual(await bench.query('select state from dba.dataset'), [{ state: 'active' }])
})

test('an archive that cannot be written fails the run, and the next one puts the file away without loading it again', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ archive_folder: 'blocked/archive' })
  await bench.put('blocked', 'a file where a folder should be')
  await bench.put('inbox/1.csv', 'a\n1\n')
  await assert.rejects(bench.run())
  assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: '1' }])
  assert.deepEqual(await bench.names('inbox'), ['1.csv'])

  await bench.query(`update dba.importconfig set archive_folder = 'elsewhere'`)
  await import('node:fs/promises').then(({ rm }) => rm(`${bench.dataDir}/blocked`))
  await bench.run()
  assert.deepEqual(await bench.names('inbox'), [])
  assert.deepEqual(await bench.names('blocked'), ['1.1.csv'])
  assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: '1' }])
})
