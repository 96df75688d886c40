import assert from 'node:assert/strict'
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { parse } from 'node:path'
import { test } from 'node:test'
import { importBench } from './import-harness.ts'

const onboarding = new URL('../../onboarding/', import.meta.url)
const files = {
  'demo products': 'products.xls',
  'demo orders': 'orders.xlsx',
  'demo suppliers': 'suppliers.xls',
  'demo shipments': 'shipments.csv',
}

test('the demo can be typed by a DBA, twice, and its files load into schema demo', async (t) => {
  const bench = await importBench(t)
  const sql = await readFile(new URL('sql/demo.sql', onboarding), 'utf8')
  const dba = await bench.as('rota_dba')
  await dba.query(sql)
  await dba.query(sql)
  assert.deepEqual(await bench.query('select count(*) as schedules from dba.scheduler'), [{ schedules: 9 }])
  assert.deepEqual(await bench.query(`select schedule_name, trigger from dba.run where trigger = 'request' order by 1`), [
    { schedule_name: 'demo events', trigger: 'request' },
    { schedule_name: 'demo mails', trigger: 'request' },
    { schedule_name: 'demo suppliers', trigger: 'request' },
  ])

  for (const name of Object.values(files)) {
    const folder = `${bench.dataDir}/demo/inbox/${parse(name).name}`
    await mkdir(folder, { recursive: true })
    await copyFile(new URL(`demo/${name}`, onboarding), `${folder}/${name}`)
  }
  for (const config of Object.keys(files)) await bench.run({ config, args: { settle: '0 seconds' } })
  assert.deepEqual(await bench.query(`select target_table, state, rows_written from dba.dataset order by target_table`), [
    { target_table: 'demo.order', state: 'active', rows_written: 400 },
    { target_table: 'demo.product', state: 'active', rows_written: 120 },
    { target_table: 'demo.shipment', state: 'active', rows_written: 300 },
    { target_table: 'demo.supplier', state: 'active', rows_written: 80 },
  ])
  assert.deepEqual(
    await dba.query(`select article_code from demo.product where article_code in ('00123', '1E5', 'TRUE', 'NA') order by 1`),
    [{ article_code: '00123' }, { article_code: '1E5' }, { article_code: 'NA' }, { article_code: 'TRUE' }],
  )
  assert.deepEqual(await bench.names('demo/inbox'), [])
})
