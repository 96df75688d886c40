import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meetingPoint } from '../helpers/meeting-point.ts'
import { importBench } from './import-harness.ts'

const oneFileLoaded = { datasets: 1, active: 1, rows: 2, files: 1, loaded: 1 }

async function counts(bench: Awaited<ReturnType<typeof importBench>>): Promise<unknown> {
  const [row] = await bench.query(`
    select (select count(*) from dba.dataset) as datasets, (select count(*) from dba.dataset where state = 'active') as active,
           (select count(*) from feeds.price) as rows, (select count(*) from dba.file) as files, (select count(*) from dba.file where state = 'loaded') as loaded`)
  return row
}

// For one file: commit 1 claims it, 2 notes its bytes, 3 registers the dataset, 4 loads.
for (const seam of ['after 1', 'after 2', 'after 3', 'before 4', 'after 4', 'kept']) {
  test(`killed at the seam "${seam}", the next attempt of the run ends with the file loaded once and archived`, async (t) => {
    const bench = await importBench(t)
    await bench.configure()
    await bench.put('inbox/a.csv', 'a\n1\n2\n')
    const runId = await bench.runKilled(seam)
    const outcome = await bench.run({ runId })
    assert.equal(outcome.files, 1)
    assert.equal(outcome.rowsWritten, 2)
    assert.deepEqual(await counts(bench), oneFileLoaded)
    assert.deepEqual(await bench.names('inbox'), [])
    assert.deepEqual(await bench.names('archive'), ['a.1.csv'])
  })
}

test('what a run that died had taken is taken over by another run, once the dead one is known to be so', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/a.csv', 'a\n1\n2\n')
  const dead = await bench.runKilled('before 4')
  assert.equal((await bench.run()).files, 0)
  assert.deepEqual(await bench.names('inbox'), ['a.csv'])

  await bench.pool.query(
    `update dba.run set state = 'failed', finished_at = now(), error_code = 'worker_lost', error_message = 'lost' where run_id = $1`,
    [dead],
  )
  assert.equal((await bench.run()).files, 1)
  assert.deepEqual(await counts(bench), oneFileLoaded)
})

test('a file that failed before its run was killed fails the next attempt too, and is put away with its reason', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/a.csv', 'a,b\n1,2,3\n')
  // Claim, hash, dataset, rejects, then failed.
  const runId = await bench.runKilled('after 5')
  assert.deepEqual(await bench.names('inbox'), ['a.csv'])
  await assert.rejects(bench.run({ runId }), { code: 'files_failed' })
  assert.deepEqual(await bench.names('inbox'), [])
  assert.deepEqual(await bench.names('failed'), ['a.1.csv', 'a.1.csv.reason.txt'])
})

test('two runs at once share the files of a folder, and make its table once', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  for (let number = 0; number < 12; number += 1) await bench.put(`inbox/${number}.csv`, `a,b\n${number},x\n`)
  const outcomes = await Promise.all([bench.run(), bench.run()])
  assert.equal((outcomes[0].files ?? 0) + (outcomes[1].files ?? 0), 12)
  assert.deepEqual(
    await bench.query('select count(*) as rows, count(distinct a) as files, count(distinct dataset_id) as datasets from feeds.price'),
    [{ rows: 12, files: 12, datasets: 12 }],
  )
  assert.deepEqual(await bench.query('select distinct state from dba.file'), [{ state: 'loaded' }])
  assert.deepEqual(await bench.names('inbox'), [])
})

test('two runs at once load the same bytes once', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ source_folder: 'inbox' })
  await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.put('inbox/b.csv', 'a\n1\n')
  // Both have claimed, hashed and registered before either loads.
  const both = meetingPoint(2)
  const afterCommit = async (commit: number) => void (commit === 3 && (await both()))
  await Promise.all([bench.run({ args: { file: 'inbox/a.csv' }, afterCommit }), bench.run({ args: { file: 'inbox/b.csv' }, afterCommit })])
  assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: '1' }])
  assert.deepEqual(await bench.query('select state from dba.file order by state'), [{ state: 'duplicate' }, { state: 'loaded' }])
  assert.deepEqual(await bench.query('select state from dba.dataset'), [{ state: 'active' }])
})

test('a file that another live run is loading is passed over', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/a.csv', 'a\n1\n')
  let second: unknown
  await bench.run({
    afterCommit: async (commit) => {
      if (commit === 3) second = (await bench.run()).files
    },
  })
  assert.equal(second, 0)
  assert.ok(bench.log.some((line) => line.message === 'File "a.csv" is being loaded by another run'))
})

test('a load with a new column waits for one that is going on, and both succeed', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/0.csv', 'a\n0\n')
  await bench.run()
  const path = await bench.put('inbox/1.csv', 'a\n1\n')
  await bench.put('inbox/2.csv', 'a,b\n2,3\n')
  let second: Promise<unknown> = Promise.resolve()
  await bench.run({
    args: { file: path },
    beforeCommit: async (commit) => {
      if (commit !== 4) return
      second = bench.run({ args: { file: 'inbox/2.csv' } })
      await waitUntil(async () => (await bench.query(`select from pg_locks where locktype = 'advisory' and not granted`)).length > 0)
    },
  })
  await second
  assert.deepEqual(await bench.query('select a, b from feeds.price order by a'), [
    { a: '0', b: null },
    { a: '1', b: null },
    { a: '2', b: '3' },
  ])
})

async function waitUntil(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 10))
}

test('two loads of one label at the same moment leave one dataset in force', async (t) => {
  const bench = await importBench(t)
  const sameKey = { load_mode: 'replace_dataset', label_from: 'static', label_spec: 'list', date_from: 'static', date_spec: '20261122' }
  await bench.configure(sameKey)
  await bench.put('inbox/0.csv', 'a\n0\n')
  await bench.run()
  for (const name of ['1', '2', '3']) await bench.put(`inbox/${name}.csv`, `a\n${name}\n`)
  await Promise.all(['1', '2', '3'].map((name) => bench.run({ args: { file: `inbox/${name}.csv` } })))
  assert.deepEqual(await bench.query(`select count(*) as datasets from dba.dataset where state = 'active'`), [{ datasets: 1 }])
  assert.deepEqual(await bench.query('select count(*) as rows from feeds.price'), [{ rows: 1 }])
})

test('readers see the old rows until the new ones are all there', async (t) => {
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
  await bench.put('inbox/2.csv', 'a\n2\n3\n')
  let seen: unknown
  await bench.run({
    beforeCommit: async (commit) => {
      if (commit === 4) seen = await bench.query('select a from feeds.price')
    },
  })
  assert.deepEqual(seen, [{ a: '1' }])
  assert.deepEqual(await bench.query('select a from feeds.price order by a'), [{ a: '2' }, { a: '3' }])
})

test('a run that lost its lease in the middle of a load changes nothing', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/a.csv', 'a\n1\n')
  const zombie = bench.run({
    beforeCommit: async (commit) => {
      if (commit === 4)
        await bench.pool.query(
          `update dba.run set state = 'failed', finished_at = now(), error_code = 'worker_lost', error_message = 'lost'`,
        )
    },
  })
  await assert.rejects(zombie, { code: 'lease_lost' })
  assert.deepEqual(await bench.query(`select to_regclass('feeds.price') as target`), [{ target: null }])
  assert.equal((await bench.run()).rowsWritten, 1)
  assert.deepEqual(await bench.query('select count(*) as datasets from dba.dataset'), [{ datasets: 1 }])
})
