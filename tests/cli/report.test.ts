import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { freshDatabase } from '../helpers/database.ts'
import { testKey } from '../helpers/engine.ts'
import { keepQueryLogin } from '../jobs/report-harness.ts'
import { rota } from './rota-process.ts'

test('report --preview saves a page with its pictures and files and sends nothing; --to sends a test to oneself', async (t) => {
  const database = await freshDatabase(t)
  const { url, dataDir, query } = database
  await keepQueryLogin(database)
  const env = { DATABASE_URL: url, ROTA_DATA_DIR: dataDir, ROTA_SECRET_KEY: testKey }
  assert.equal((await rota(['migrate'], { env })).code, 0)
  await query(
    `insert into dba.reportconfig (config_name, subject, to_addresses, sender, skip_if_empty) values ('open orders', 'Orders', '{boss@example.com}', 'rota@example.com', true)`,
  )
  await query(
    `insert into dba.reportquery (config_name, query_name, query_text, shown_as, file_name)
     values ('open orders', 'orders', 'select n as order_no from generate_series(1, 3) n', 'table', null),
       ('open orders', 'trend', 'select n, n * n as amount from generate_series(1, 9) n', 'line_chart', null),
       ('open orders', 'sheet', 'select 1 as a', 'xlsx', 'orders.xlsx')`,
  )
  const page = join(dataDir, 'page.html')
  const shown = await rota(['report', 'open orders', '--preview', '--save', page], { env })
  assert.deepEqual(
    [shown.code, shown.out.split('\n').slice(-3)],
    [0, [`Sent to nobody. The page is ${page}`, `Attached: ${join(dataDir, 'orders.xlsx')}`, '']],
    shown.err,
  )
  const html = await readFile(page, 'utf8')
  assert.match(html, /order_no<[\s\S]*src="data:image\/png;base64,iVBOR/)
  assert.doesNotMatch(html, /cid:/)
  assert.deepEqual((await readFile(join(dataDir, 'orders.xlsx'))).subarray(0, 2).toString(), 'PK')
  const again = await rota(['report', 'open orders', '--preview', '--save', page], { env })
  assert.deepEqual([again.code, /There is a file .*page\.html" already/.test(again.err)], [1, true])
  const json = JSON.parse((await rota(['report', 'open orders', '--preview', '--json'], { env })).out)
  assert.deepEqual([typeof json.outbox_id, json.files.length], ['number', 1])
  assert.deepEqual(await query(`select distinct kind, state from dba.outbox`), [{ kind: 'test', state: 'held' }])
  await assert.rejects(readdir(join(dataDir, 'outbox')), { code: 'ENOENT' })

  const sent = await rota(['report', 'open orders', '--to', 'me@example.com'], { env })
  assert.deepEqual([sent.code, /succeeded/.test(sent.out)], [0, true], sent.err)
  const [name = ''] = (await readdir(join(dataDir, 'outbox'))).filter((file) => file.endsWith('.eml'))
  const mail = await readFile(join(dataDir, 'outbox', name), 'utf8')
  assert.match(mail, /^To: me@example\.com\r$/m)
  assert.match(mail, /^Subject: \[Test\] Orders\r$/m)
  assert.match(mail, /This is a test; nobody else got this mail/)
  assert.doesNotMatch(mail, /boss@/)

  assert.equal((await rota(['report', 'open orders'], { env })).code, 2)
  assert.equal((await rota(['report', 'open orders', '--preview', '--to', 'a@b.example'], { env })).code, 2)
  const unknown = await rota(['report', 'open order', '--preview'], { env })
  assert.match(unknown.err, /no config "open order" in dba\.reportconfig[\s\S]*open orders/)
})
