import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { storeMails } from '../../src/control-plane/outbox/store.ts'
import { inTransaction } from '../../src/control-plane/transaction.ts'
import { newMail } from '../control-plane/outbox/outbox-bench.ts'
import { freshDatabase } from '../helpers/database.ts'
import { rota } from './rota-process.ts'

test('outbox lists mails, shows one, and saves it as it was composed', async (t) => {
  const { url, dataDir, pool, query } = await freshDatabase(t)
  const env = { DATABASE_URL: url, ROTA_DATA_DIR: dataDir }
  assert.equal((await rota(['migrate'], { env })).code, 0)
  const none = await rota(['outbox'], { env })
  assert.deepEqual([none.code, none.out.trim()], [0, 'No mail has gone out yet.'])

  // So large that it is kept in several pieces, and no piece can be packed.
  const files = [{ fileName: 'kursy żółte.bin', content: randomBytes(3_000_000) }]
  const draft = { to: ['ann@example.com', 'gone@example.com'], subject: 'Kursy żółte', html: '<p>EUR <b>4,27</b></p>', files }
  const [large, small] = await inTransaction(pool, async (client) =>
    storeMails(client, [await newMail('large', draft, { connectionName: null }), await newMail('small', {}, { connectionName: null })], {
      runId: null,
      configName: 'prices',
      scheduleName: null,
      scheduledFor: null,
      isSentByWorker: false,
    }),
  )
  await pool.query(`update dba.outbox set state = 'sent', sent_at = clock_timestamp(), response = '250 queued' where outbox_id = $1`, [
    large,
  ])
  await pool.query(`update dba.outboxrecipient set state = 'sent' where address = 'ann@example.com' and outbox_id = $1`, [large])
  await pool.query(
    `update dba.outboxrecipient set state = 'refused', code = '550', text = 'no such user' where address = 'gone@example.com'`,
  )

  const list = await rota(['outbox'], { env })
  assert.equal(list.code, 0, list.err)
  assert.match(list.out, /sent +Kursy żółte +ann@example\.com +gone@example\.com \(refused: 550 no such user\)/)
  assert.match(list.out, /rendered +Mail small/)
  assert.doesNotMatch((await rota(['outbox', '--last', '1'], { env })).out, /Mail small.*Kursy|Kursy.*Mail small/s)
  const json = JSON.parse((await rota(['outbox', '--json'], { env })).out)
  assert.deepEqual(
    json.map(({ outbox_id }: { outbox_id: number }) => outbox_id).sort((a: number, b: number) => a - b),
    [large, small],
  )

  const one = await rota(['outbox', String(large)], { env })
  assert.match(one.out, /^subject {2}Kursy żółte$/m)
  assert.match(one.out, /^got it {3}ann@example\.com$/m)
  assert.match(one.out, /^answer {3}250 queued$/m)
  assert.match(one.out, /^EUR 4,27$/m)

  const file = join(dataDir, 'mail.eml')
  const saved = await rota(['outbox', String(large), '--save', file], { env })
  assert.equal(saved.code, 0, saved.err)
  assert.match(saved.out, /Mail \d+ is in .*mail\.eml\./)
  const bytes = await readFile(file)
  const [facts] = await query<{ size_bytes: number; pieces: number; is_same: boolean }>(
    `select o.size_bytes::float8 as size_bytes, (select count(*)::integer from dba.outboxcontent c where c.outbox_id = o.outbox_id) as pieces,
       o.sha256 = encode(sha256($2), 'hex') as is_same
     from dba.outbox o where o.outbox_id = $1`,
    [large, bytes],
  )
  assert.equal(facts?.size_bytes, bytes.length)
  assert.ok(facts.is_same && facts.pieces > 2, JSON.stringify(facts))

  await writeFile(file, 'kept')
  const again = await rota(['outbox', String(large), '--save', file], { env })
  assert.equal(again.code, 1)
  assert.match(again.err, /already exists|EEXIST/)
  assert.equal(await readFile(file, 'utf8'), 'kept')
})

test('outbox says what is wrong with its words', async (t) => {
  const { url, dataDir } = await freshDatabase(t)
  const env = { DATABASE_URL: url, ROTA_DATA_DIR: dataDir }
  const migrated = await rota(['migrate'], { env })
  assert.equal(migrated.code, 0, migrated.err)
  const unknown = await rota(['outbox', '17'], { env })
  assert.equal(unknown.code, 1)
  assert.match(unknown.err, /There is no mail 17 in dba\.outbox/)
  for (const words of [['seventeen'], ['--save', 'x.eml'], ['99999999999999999999'], ['--last', '0']]) {
    assert.equal((await rota(['outbox', ...words], { env })).code, 2, words.join(' '))
  }
})
