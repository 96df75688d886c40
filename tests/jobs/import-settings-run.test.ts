import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importBench } from './import-harness.ts'

test('args overrule the row, in the words of people too', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'x;y\n\na;b\n1;2\n')
  await bench.run({ args: { header_row: '3', delimiter: ';', settle: '0 seconds', target_table: 'feeds.other' } })
  assert.deepEqual(await bench.query('select a, b from feeds.other'), [{ a: '1', b: '2' }])
  await assert.rejects(bench.run({ args: { settle: 'soon' } }), { code: 'setting_invalid', hint: /'10 seconds'/ })
})

test('the answer at the row says how many files match now, and on which host', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ file_pattern: '*.csv' })
  assert.deepEqual(await bench.check(), { isOk: true, message: 'no file matches now on host here' })
  for (const name of ['a.csv', 'b.csv', 'c.txt']) await bench.put(`inbox/${name}`, 'a\n1\n')
  assert.deepEqual(await bench.check(), { isOk: true, message: '2 files match now on host here' })
})

test('the answer at the row names a missing folder, a target of others with its statement, and a date that cannot be read', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await assert.rejects(bench.check({ source_folder: 'inbax' }), { code: 'folder_missing', message: new RegExp(`${bench.dataDir}/inbax`) })
  await assert.rejects(bench.check({ date_from: 'static', date_spec: '20260230' }), { code: 'date_not_read' })

  await (await bench.as('rota_dba')).query('create schema feeds create table price (a text)')
  const { isOk, message } = await bench.check()
  assert.equal(isOk, false)
  assert.match(
    message,
    /belongs to "rota_dba".*alter table "feeds"\."price" owner to rota_target; grant usage, create on schema "feeds" to rota_target;/,
  )
})

test('a rename takes the ledger along, and a reader writes nothing', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a\n1\n')
  await bench.run()
  const dba = await bench.as('rota_dba')
  await dba.query(`update dba.importconfig set config_name = 'quotes'`)
  assert.deepEqual(await bench.query('select f.config_name as file, d.config_name as dataset from dba.file f, dba.dataset d'), [
    { file: 'quotes', dataset: 'quotes' },
  ])
  await bench.put('inbox/2.csv', 'a\n1\n')
  await bench.run({ config: 'quotes' })
  assert.deepEqual(await bench.query('select state from dba.file where file_id = 2'), [{ state: 'duplicate' }])

  const reader = await bench.as('rota_reader')
  assert.equal((await reader.query('select config_name from dba.importconfig')).length, 1)
  await assert.rejects(reader.query(`update dba.importconfig set file_pattern = 'x'`), /permission denied/)
})
