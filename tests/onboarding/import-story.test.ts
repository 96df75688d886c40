import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSecrets, openSecretKey } from '../../src/control-plane/secrets.ts'
import { createRedactor } from '../../systemscripts/redact.ts'
import { freshDatabase } from '../helpers/database.ts'
import { eventually, testKey, workerOn } from '../helpers/engine.ts'

const story = readFileSync(new URL('../../onboarding/sql/import.sql', import.meta.url), 'utf8')
const [settings = '', rest = ''] = story.split('-- Load each file when it has come.')
const [schedule = '', mending = ''] = rest.split('-- What was refused, and why')
const correction = /update dba\.reject[^;]+;/.exec(mending)?.[0] ?? ''

test('the story of the typed import goes as it is told', async (t) => {
  const database = await freshDatabase(t)
  const { query } = database
  const { client } = await database.as('rota_dba')
  const key = await openSecretKey({ secretKey: testKey, dataDir: database.dataDir })
  const secrets = createSecrets({ db: database.pool, key, redactor: createRedactor(), dataDir: database.dataDir })
  await secrets.set('login.rota_job', new URL(database.urlAs('rota_job')).password)
  await workerOn(t, database)
  const inbox = join(database.dataDir, 'inbox/shop')
  await mkdir(inbox, { recursive: true })
  // The file that the story's first lines make.
  const content = JSON.parse(`"${/printf '([^']+)'/.exec(settings)?.[1]?.replaceAll('"', '\\"') ?? ''}"`)
  await writeFile(join(inbox, 'orders_20261122.csv'), content)

  await client.query(settings)
  const [dryRun] = await eventually(() => query(`select rows_insert, rows_reject from dba.dryrun where state = 'done'`))
  assert.deepEqual(dryRun, { rows_insert: 1, rows_reject: 1 })
  assert.equal((await query(`select from pg_class where relname = 'shop_order'`)).length, 0)

  await client.query(schedule)
  await eventually(() => query(`select from dba.file where state = 'loaded'`))
  assert.deepEqual(await query('select column_name, rule, rejects from dba.reject_group'), [
    { column_name: 'amount', rule: 'not_a_number', rejects: 1 },
  ])

  await client.query(correction)
  await eventually(() => query(`select from dba.reject where state = 'loaded'`))
  assert.deepEqual(await query('select order_no, ordered_on::text, amount, is_paid from feeds.shop_order order by 1'), [
    { order_no: 'A-1', ordered_on: '2026-11-23', amount: '1300.00', is_paid: true },
    { order_no: 'A-2', ordered_on: '2026-11-22', amount: '12.50', is_paid: false },
  ])
  await client.query(`begin; ${mending.split('\n').slice(1).join('\n')}; rollback`)
})
