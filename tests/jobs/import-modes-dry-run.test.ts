import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ImportBench, importBench } from './import-harness.ts'

/** Asks as a person does, and answers as a worker does. */
async function dryRun(bench: ImportBench, name: string): Promise<Record<string, unknown> | undefined> {
  const dba = await bench.as('rota_dba')
  const [asked] = await dba.query<{ id: number }>('select dba.request_dry_run($1, $2) as id', ['prices', name])
  await bench.run({ args: { file: `inbox/${name}`, dry_run: true, dryrun_id: asked?.id } })
  const [answer] = await dba.query('select * from dba.dryrun where dryrun_id = $1', [asked?.id])
  return answer
}

test('a dry run says what would become of a file, and nothing stays of it', async (t) => {
  const bench = await importBench(t)
  await bench.query(
    `create schema feeds authorization rota_target; create table feeds.price (dataset_id bigint, id integer primary key, v text, check (id < 100)); alter table feeds.price owner to rota_target`,
  )
  await bench.query(`insert into feeds.price values (0, 1, 'old')`)
  await bench.configure({ load_mode: 'upsert', key_columns: ['id'], max_rejects: null })
  await bench.put('inbox/1.csv', 'id,v,new\n1,a,x\n2,b,y\nz,c,\n200,d,\n')
  const answer = await dryRun(bench, '1.csv')
  assert.equal(answer?.state, 'done')
  assert.deepEqual(
    [answer?.rows_read, answer?.rows_insert, answer?.rows_update, answer?.rows_reject, answer?.columns_to_add],
    [4, 1, 1, 2, [{ name: 'new', type: 'text' }]],
  )
  assert.deepEqual(await bench.query('select kind, line, data, former, rule from dba.dryrunrow order by line, kind'), [
    { kind: 'update', line: 2, data: { id: 1, v: 'a', new: 'x' }, former: { dataset_id: 0, id: 1, v: 'old', new: null }, rule: null },
    { kind: 'insert', line: 3, data: { id: 2, v: 'b', new: 'y' }, former: null, rule: null },
    { kind: 'reject', line: 4, data: { id: 'z', v: 'c', new: null }, former: null, rule: 'not_a_number' },
    { kind: 'reject', line: 5, data: { id: '200', v: 'd', new: null }, former: null, rule: 'check' },
  ])
  assert.deepEqual(await bench.query('select * from feeds.price'), [{ dataset_id: 0, id: 1, v: 'old' }])
  assert.deepEqual(
    await bench.query(
      'select (select count(*) from dba.dataset) as datasets, (select count(*) from dba.file) as files, (select count(*) from dba.reject) as rejects',
    ),
    [{ datasets: 0, files: 0, rejects: 0 }],
  )
  assert.deepEqual(await bench.query(`select tablename from pg_tables where schemaname = 'rota_staging'`), [])
  assert.deepEqual(await bench.names('inbox'), ['1.csv'])
})

test('a dry run of a file that would fail says why', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a,b\n1,2\n3,4,5\n')
  const answer = await dryRun(bench, '1.csv')
  assert.equal(answer?.state, 'failed')
  assert.match(String(answer?.message), /^1 of 2 rows of "1.csv" does not fit, and max_rejects is 0/)
  assert.deepEqual(await bench.query('select kind, line, rule from dba.dryrunrow'), [{ kind: 'reject', line: 3, rule: 'too_many_fields' }])
  assert.deepEqual(await bench.query(`select to_regclass('feeds.price') as target`), [{ target: null }])
})

test('a dry run of replace says how many rows would leave', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ load_mode: 'replace' })
  await bench.put('inbox/0.csv', 'a\n1\n2\n3\n')
  await bench.run()
  await bench.put('inbox/1.csv', 'a\n4\n')
  const answer = await dryRun(bench, '1.csv')
  assert.deepEqual([answer?.rows_insert, answer?.rows_delete, answer?.is_target_new], [1, 3, false])
  assert.deepEqual(await bench.query('select count(*) as rows from feeds.price'), [{ rows: 3 }])
  assert.deepEqual(await bench.query('select state from dba.dataset'), [{ state: 'active' }])
})
