import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { explainError } from '../../src/db/explain-error.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { mountSmallDisk } from '../helpers/small-disk.ts'
import { importBench } from './import-harness.ts'

const wide = `a\n${'x'.repeat(200_000)}\n`

async function failureOf(run: Promise<unknown>) {
  const error: unknown = await run.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  assert.ok(error !== null, 'it did not fail')
  return { ...explainError(error), isPermanent: error instanceof PermanentError }
}

const files = 'select file_id, state, kept_at is not null as is_kept from dba.file order by file_id'

test('an archive that is full fails the run in words, and the run after it has room puts the file away without loading it again', async (t) => {
  const bench = await importBench(t)
  const archive = join(bench.dataDir, 'archive')
  if ((await mountSmallDisk(t, archive, '256k')) === null) return
  await bench.configure()
  await bench.put('archive/ballast', Buffer.alloc(200_000))
  await bench.put('inbox/1.csv', wide)
  const said = await failureOf(bench.run())
  assert.deepEqual([said.code, said.isPermanent], ['disk_full', false])
  assert.equal(said.message, 'File "1.csv" was dealt with and could not be put away')
  assert.match(said.hint ?? '', /Free space on that disk. The next run puts it away, and loads nothing twice/)
  assert.deepEqual(await bench.names('archive'), ['ballast'])
  assert.deepEqual(await bench.query(files), [{ file_id: 1, state: 'loaded', is_kept: false }])
  await failureOf(bench.run())

  await rm(join(archive, 'ballast'))
  await bench.run()
  assert.deepEqual([await bench.names('inbox'), await bench.names('archive')], [[], ['1.1.csv']])
  assert.deepEqual(await bench.query(files), [{ file_id: 1, state: 'loaded', is_kept: true }])
  assert.deepEqual(await bench.query('select count(*) as rows from feeds.price'), [{ rows: 1 }])
})

test('what a person wants again while its archive is full is loaded again once it is put away', async (t) => {
  const bench = await importBench(t)
  const archive = join(bench.dataDir, 'archive')
  if ((await mountSmallDisk(t, archive, '256k')) === null) return
  await bench.configure()
  await bench.put('archive/ballast', Buffer.alloc(200_000))
  await bench.put('inbox/1.csv', wide)
  await failureOf(bench.run())
  await bench.query(`update dba.file set state = 'retry'`)
  assert.equal((await failureOf(bench.run())).code, 'disk_full')
  assert.deepEqual(await bench.query(files), [{ file_id: 1, state: 'retry', is_kept: false }])

  await rm(join(archive, 'ballast'))
  assert.equal((await bench.run()).rowsWritten, 1)
  assert.deepEqual(await bench.query(files), [{ file_id: 1, state: 'loaded', is_kept: true }])
  assert.deepEqual(await bench.query('select state from dba.dataset order by dataset_id'), [{ state: 'superseded' }, { state: 'active' }])
})

test('a failed folder that is full keeps no other file from being loaded, and gets the bad one with its reason later', async (t) => {
  const bench = await importBench(t)
  const failed = join(bench.dataDir, 'failed')
  if ((await mountSmallDisk(t, failed, '256k')) === null) return
  await bench.configure()
  await bench.put('failed/ballast', Buffer.alloc(200_000))
  await bench.put('inbox/1.csv', `%PDF-1.7 ${'x'.repeat(200_000)}`)
  await bench.put('inbox/2.csv', 'a\n2\n')
  assert.equal((await failureOf(bench.run())).code, 'files_failed')
  assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: '2' }])
  assert.deepEqual([await bench.names('inbox'), await bench.names('failed')], [['1.csv'], ['ballast']])

  await rm(join(failed, 'ballast'))
  await bench.run()
  assert.deepEqual([await bench.names('inbox'), await bench.names('failed')], [[], ['1.1.csv', '1.1.csv.reason.txt']])
})

test('a source that is read only is loaded once, says so, and fills no archive with copies', async (t) => {
  const bench = await importBench(t)
  const disk = await mountSmallDisk(t, join(bench.dataDir, 'inbox'), '2m')
  if (disk === null) return
  await bench.configure()
  await bench.put('inbox/1.csv', 'a\n1\n')
  await disk.setReadOnly(true)
  for (let time = 0; time < 2; time += 1) {
    const said = await failureOf(bench.run())
    assert.equal(said.code, 'read_only_file_system')
    assert.match(said.detail ?? '', /inbox\/1.csv/)
    assert.deepEqual(await bench.names('archive'), ['1.1.csv'])
    assert.deepEqual(await bench.query(files), [{ file_id: 1, state: 'loaded', is_kept: false }])
  }
  await disk.setReadOnly(false)
  await bench.run()
  assert.deepEqual([await bench.names('inbox'), await bench.names('archive')], [[], ['1.1.csv']])
  assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: '1' }])
})

test('a server whose disk is full fails the run at its first file, and nothing of it stays', async (t) => {
  const bench = await importBench(t)
  // Not in the data folder, which the server's user may not enter.
  const folder = `/tmp/rota-test-disk-${process.pid}`
  if ((await mountSmallDisk(t, folder, '2m')) === null) return
  await mkdir(join(folder, 'space'), { mode: 0o777 })
  execFileSync('chown', [
    '--reference',
    (await bench.query<{ at: string }>(`select current_setting('data_directory') as at`))[0]?.at ?? '',
    join(folder, 'space'),
  ])
  const space = `small_${process.pid}`
  await bench.query(`create tablespace ${space} location '${join(folder, 'space')}'`)
  t.after(async () => {
    await bench.query('drop schema if exists feeds cascade')
    await bench.query(`drop tablespace ${space}`)
  })
  await bench.query(`grant create on tablespace ${space} to public`)
  await bench.query(
    `do $$ begin execute format('alter role rota_worker in database %I set default_tablespace = ${space}', current_database()); end $$`,
  )
  await bench.query(`do $$ begin execute format('alter database %I set default_tablespace = ${space}', current_database()); end $$`)
  await bench.configure()
  for (const name of ['1', '2']) await bench.put(`inbox/${name}.csv`, `a\n${`${name} ${'x'.repeat(1000)}\n`.repeat(4000)}`)
  const said = await failureOf(bench.run())
  assert.equal(said.code, 'disk_full')
  assert.match(said.hint ?? '', /disk space/)
  assert.deepEqual(await bench.names('inbox'), ['1.csv', '2.csv'])
  assert.deepEqual(await bench.query('select (select count(*) from dba.file) as files, (select count(*) from dba.dataset) as datasets'), [
    { files: 0, datasets: 0 },
  ])
  assert.equal(bench.log.filter(({ message }) => message.startsWith('Reading file')).length, 1)
})
