import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from '../helpers/database.ts'
import { openSite, tablePage } from '../jobs/scrape-site.ts'
import { rota } from './rota-process.ts'

test('scrape follows a scrape without a schedule; with --replay it reads kept pages again and asks for none', async (t) => {
  const db = await freshDatabase(t)
  const site = await openSite(t, (_, response) => response.end(tablePage([['a'], ['b']])))
  await db.query(`update dba.scrapehost set min_gap = '0'`)
  await db.query(
    `insert into dba.scrapeconfig (config_name, start_url, row_selector, target_table, allow_private_hosts, keep_pages) values ('rates', $1, 'tr', 'feeds.rate', true, 'all')`,
    [`${site.origin}/`],
  )
  await db.query(`insert into dba.scrapefield (config_name, column_name, selector) values ('rates', 'name', 'td')`)
  const env = { DATABASE_URL: db.url, ROTA_DATA_DIR: db.dataDir }
  assert.equal((await rota(['migrate'], { env })).code, 0)
  const done = await rota(['scrape', 'rates'], { env })
  assert.equal(done.code, 0, done.err)
  assert.match(done.out, /^Run [0-9a-f-]{36} of "rates \(on request\)": succeeded, .*2 rows/m)
  const asked = site.asked.length
  await db.query(`update dba.scrapefield set selector = 'th' where config_name = 'rates'`)
  const again = await rota(['scrape', 'rates', '--replay', '--reason', 'trying th'], { env })
  assert.equal(again.code, 0, again.err)
  assert.match(again.out, /1 kept pages read again: 0 rows in 0 of them/)
  // Only the look at the edited settings may have asked.
  assert.ok(site.asked.length <= asked + 1)
  assert.deepEqual(await db.query(`select args, requested_reason from dba.run order by queued_at desc limit 1`), [
    { args: { replay: true }, requested_reason: 'trying th' },
  ])
  const unknown = await rota(['scrape', 'rate'], { env })
  assert.deepEqual([unknown.code, /Did you mean "rates"/.test(unknown.err)], [1, true])
})
