import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { freshDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'

const story = readFileSync(new URL('../../onboarding/sql/inbox.sql', import.meta.url), 'utf8')
const [rules = '', rest = ''] = story.split('-- Look every five minutes')
const [schedules = '', looks = ''] = rest.split('-- Every mail that was looked at')

test('the story of the mailbox goes as it is told', async (t) => {
  const database = await freshDatabase(t)
  const { query, dataDir } = database
  const { client } = await database.as('rota_dba')
  await workerOn(t, database)
  for (const folder of ['mail', 'inbox/prices']) await mkdir(join(dataDir, folder), { recursive: true })
  for (const [, text = '', name = ''] of rules.matchAll(/printf '(.*)' > (\d[.]eml)/g)) {
    await writeFile(join(dataDir, 'mail', name), JSON.parse(`"${text.replaceAll('"', '\\"')}"`))
  }

  await client.query(rules)
  const [rehearsal] = await eventually(() => query(`select messages, matched from dba.rehearsal where state = 'done'`))
  assert.deepEqual(rehearsal, { messages: 2, matched: 1 })
  assert.deepEqual(await query(`select subject, files from dba.rehearsalmail where decision = 'matched'`), [
    { subject: 'Prices for OSLO', files: ['prices.csv'] },
  ])

  await client.query(`--${schedules}`)
  await eventually(() => query(`select from dba.dataset where state = 'active'`))
  assert.deepEqual(await query('select isin, price from feeds.mailed_price'), [{ isin: 'NO0010096985', price: '291.40' }])
  assert.deepEqual(await query(`select mail, label, dataset_date::text as date from dba.trace`), [
    { mail: '"Prices for OSLO" from ann@example.com', label: 'OSLO', date: '2026-11-19' },
  ])
  await client.query(`begin; --${looks}; rollback`)
})
