import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importBench } from './import-harness.ts'

for (const seam of ['before 4', 'after 4', 'kept']) {
  test(`a file killed at the seam "${seam}" is quarantined once and archived`, async (t) => {
    const bench = await importBench(t)
    await bench.configure()
    await bench.query(
      `insert into dba.importcheck (config_name, check_name, kind, low, severity) values ('prices', 'c', 'min_rows', 2, 'quarantine')`,
    )
    await bench.put('inbox/a.csv', 'a\n1\n')
    const runId = await bench.runKilled(seam)
    const outcome = await bench.run({ runId })
    assert.equal(outcome.note, '1 file in quarantine (dba.dataset), 1 row held back.')
    assert.deepEqual(await bench.query('select a from feeds.price_quarantine'), [{ a: '1' }])
    assert.deepEqual(await bench.query('select state from dba.dataset'), [{ state: 'quarantined' }])
    assert.deepEqual(await bench.query('select state from dba.file'), [{ state: 'quarantined' }])
    assert.deepEqual([await bench.names('inbox'), await bench.names('archive')], [[], ['a.1.csv']])
  })

  test(`a file killed at the seam "${seam}" waits once for a decision and is archived`, async (t) => {
    const bench = await importBench(t)
    await bench.configure({ on_new_column: 'propose' })
    await bench.put('inbox/a.csv', 'a\n1\n')
    const runId = await bench.runKilled(seam)
    const outcome = await bench.run({ runId })
    assert.equal(outcome.note, '1 file waiting for a decision (dba.columnproposal).')
    assert.deepEqual(await bench.query('select state from dba.file'), [{ state: 'waiting' }])
    assert.deepEqual(await bench.query('select count(*) as proposals from dba.columnproposal'), [{ proposals: 1 }])
    assert.deepEqual([await bench.names('inbox'), await bench.names('archive')], [[], ['a.1.csv']])
  })
}

test('the same bytes as a quarantined file are a duplicate', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.query(
    `insert into dba.importcheck (config_name, check_name, kind, low, severity) values ('prices', 'c', 'min_rows', 2, 'quarantine')`,
  )
  await bench.put('inbox/a.csv', 'a\n1\n')
  await bench.run()
  await bench.put('inbox/b.csv', 'a\n1\n')
  await bench.run()
  assert.deepEqual(await bench.query('select state from dba.file order by file_id'), [{ state: 'quarantined' }, { state: 'duplicate' }])
  assert.deepEqual(await bench.query('select count(*) as datasets from dba.dataset'), [{ datasets: 1 }])
})
