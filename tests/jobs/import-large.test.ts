/** Large files, whose bytes are hashed while they are being loaded. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { meetingPoint } from '../helpers/meeting-point.ts'
import { importBench } from './import-harness.ts'

const rows = 50
const large = `a,b\n${Array.from({ length: rows }, (_, row) => `${row},${'x'.repeat(100_000)}\n`).join('')}`
const sha256 = createHash('sha256').update(large).digest('hex')

test('a large file is hashed beside its load, and the same bytes again are a duplicate', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', large)
  let commits = 0
  await bench.run({
    afterCommit: (commit) => {
      commits = commit
    },
  })
  // Claim, dataset, load.
  assert.equal(commits, 3)
  await bench.put('inbox/2.csv', large)
  await bench.run()
  assert.deepEqual(await bench.query('select state, sha256, size_bytes::int as bytes from dba.file order by file_id'), [
    { state: 'loaded', sha256, bytes: large.length },
    { state: 'duplicate', sha256, bytes: large.length },
  ])
  assert.deepEqual(await bench.query('select count(*)::int as rows from feeds.price'), [{ rows }])
  assert.deepEqual(await bench.names('archive'), ['1.1.csv', '2.2.csv'])
})

for (const others of [false, true]) {
  test(`two runs that load the same large file under two names at once ${others ? 'into a table with rows' : 'into a new table'} leave its rows once`, async (t) => {
    const bench = await importBench(t)
    await bench.configure({ source_folder: 'inbox' })
    if (others) {
      await bench.put('inbox/0.csv', 'a,b\n-1,\n')
      await bench.run()
    }
    await bench.put('inbox/a.csv', large)
    await bench.put('inbox/b.csv', large)
    const both = meetingPoint(2)
    const afterCommit = async (commit: number) => void (commit === 2 && (await both()))
    await Promise.all(['a', 'b'].map((name) => bench.run({ args: { file: `inbox/${name}.csv` }, afterCommit })))
    assert.deepEqual(await bench.query(`select count(*)::int as rows from feeds.price where a <> '-1'`), [{ rows }])
    assert.deepEqual(await bench.query(`select state from dba.file where size_bytes > 100 order by state`), [
      { state: 'duplicate' },
      { state: 'loaded' },
    ])
    assert.deepEqual(await bench.query(`select count(*)::int as datasets from dba.dataset where state <> 'active'`), [{ datasets: 0 }])
  })
}

for (const seam of ['after 1', 'after 2', 'before 3', 'after 3', 'kept']) {
  test(`killed at the seam "${seam}" of a large file, the next attempt of the run ends with it loaded once and archived`, async (t) => {
    const bench = await importBench(t)
    await bench.configure()
    await bench.put('inbox/a.csv', large)
    const runId = await bench.runKilled(seam)
    const outcome = await bench.run({ runId })
    assert.equal(outcome.files, 1)
    assert.deepEqual(await bench.query('select count(*)::int as rows, count(distinct dataset_id)::int as datasets from feeds.price'), [
      { rows, datasets: 1 },
    ])
    assert.deepEqual(await bench.query('select state, sha256 from dba.file'), [{ state: 'loaded', sha256 }])
    assert.deepEqual([await bench.names('inbox'), await bench.names('archive')], [[], ['a.1.csv']])
  })
}

test('a large file that fails has its hash in the ledger all the same, and loads again under a retry', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const broken = `${large}1,2,3\n`
  await bench.put('inbox/a.csv', broken)
  await assert.rejects(bench.run(), { code: 'too_many_rejects' })
  assert.deepEqual(await bench.query('select state, sha256 from dba.file'), [
    { state: 'failed', sha256: createHash('sha256').update(broken).digest('hex') },
  ])
  await bench.query('update dba.importconfig set max_rejects = 1')
  await bench.query(`update dba.file set state = 'retry'`)
  await bench.run()
  assert.deepEqual(await bench.query('select state from dba.file'), [{ state: 'loaded' }])
  assert.deepEqual(await bench.query('select count(*)::int as rows from feeds.price'), [{ rows }])
})

test('the rows of a new table are numbered from 1 without a gap, and so goes on the next file', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a\n1\n2\n')
  await bench.run()
  await bench.put('inbox/2.csv', 'a\n3\n4\n')
  await bench.run()
  assert.deepEqual(await bench.query('select price_id::int, a from feeds.price order by 1'), [
    { price_id: 1, a: '1' },
    { price_id: 2, a: '2' },
    { price_id: 3, a: '3' },
    { price_id: 4, a: '4' },
  ])
  await bench.query(`update dba.importconfig set load_mode = 'append_new'`)
  await bench.put('inbox/3.csv', 'a\n4\n5\n')
  await bench.run()
  assert.deepEqual(await bench.query(`select price_id::int from feeds.price where a = '5'`), [{ price_id: 5 }])
})

test('numbers that others take between and beside loads are given to nobody else, and nobody waits', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a\n1\n')
  await bench.run()
  const other = await bench.as('rota_dba')
  const insert = `insert into feeds.price (dataset_id, a) values (1, 'by hand') returning price_id::int`
  await other.query(insert)
  await bench.put('inbox/2.csv', 'a\n2\n')
  await bench.run()
  await other.query('begin')
  await other.query(insert)
  await bench.put('inbox/3.csv', 'a\n3\n')
  await bench.run()
  await other.query('commit')
  await other.query(insert)
  await bench.put('inbox/4.csv', 'a\n4\n')
  await bench.run()
  const rows = await bench.query<{ a: string; id: number }>(`select a, price_id::int as id from feeds.price order by 2`)
  assert.equal(rows.length, 7)
  assert.equal(new Set(rows.map(({ id }) => id)).size, 7)
  assert.deepEqual(
    rows.map(({ a }) => a).filter((a) => a !== 'by hand'),
    ['1', '2', '3', '4'],
  )
})
