import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storeMails } from '../../../src/control-plane/outbox/store.ts'
import { inTransaction } from '../../../src/control-plane/transaction.ts'
import { installQueue } from '../../../src/worker/queue.ts'
import { freshDatabase } from '../../helpers/database.ts'
import { eventually } from '../../helpers/engine.ts'
import { kill } from '../../helpers/launch.ts'
import { startWorkerProcess } from '../../helpers/worker-process.ts'
import { startSmtpStandIn } from '../../systemscripts/outgoing-mail/smtp-stand-in.ts'
import { newMail } from './outbox-bench.ts'

const MAILS = 200

interface RecipientRow extends Record<string, unknown> {
  mail: string
  address: string
  state: string
  copies: number
}

test('a worker killed while it sends 200 mails is followed by another: nobody gets two, and who may have none is told of', async (t) => {
  const [database, server] = [await freshDatabase(t), await startSmtpStandIn(t)]
  const { pool, query } = database
  await installQueue(database.url)
  await query(`insert into dba.connection (connection_name, kind, host, port, tls) values ('post', 'smtp', '127.0.0.1', $1, 'off')`, [
    server.port,
  ])
  const mails = await Promise.all(
    Array.from({ length: MAILS }, (_, at) => newMail(`${at}`, { to: [`ann${at}@example.com`, `bob${at}@example.com`] }, { kind: 'alert' })),
  )
  // Held back until it has 50, so that the kill finds mails at every stage.
  const doomed = await startWorkerProcess(database)
  t.after(() => kill(doomed.process))
  const hit = Promise.withResolvers<void>()
  server.onDot = () => {
    if (server.mails.length >= 50) hit.resolve()
  }
  const origin = { runId: null, configName: 'prices', scheduleName: null, scheduledFor: null, isSentByWorker: true }
  await inTransaction(pool, (client) => storeMails(client, mails, origin))
  await pool.query(`notify rota, 'outbox'`)
  await hit.promise
  await kill(doomed.process)
  const left = await query<{ state: string; mails: number }>(
    'select state, count(*)::integer as mails from dba.outbox group by 1 order by 1',
  )
  t.diagnostic(
    `at the kill: ${left.map(({ state, mails: count }) => `${count} ${state}`).join(', ')}; the server has ${server.mails.length}`,
  )
  assert.ok(left.some(({ state }) => state === 'sending'))

  const heir = await startWorkerProcess(database)
  t.after(() => kill(heir.process))
  // A claim lapses after 20 seconds.
  await eventually(
    () => query(`select from dba.outbox where state in ('rendered', 'resend', 'sending')`),
    (rows) => rows.length === 0,
    90,
  )

  const copies = new Map<string, number>()
  for (const { to } of server.mails) for (const address of to) copies.set(address, (copies.get(address) ?? 0) + 1)
  const rows = (
    await query<RecipientRow>('select o.subject as mail, r.address, r.state from dba.outbox o join dba.outboxrecipient r using (outbox_id)')
  ).map((row) => ({ ...row, copies: copies.get(row.address) ?? 0 }))
  assert.equal(rows.length, 2 * MAILS)
  assert.deepEqual(
    rows.filter((row) => (row.state === 'sent' ? row.copies !== 1 : row.state !== 'unknown' || row.copies > 1)),
    [],
  )
  const unknown = rows.filter(({ state }) => state === 'unknown')
  t.diagnostic(`unknown: ${unknown.length / 2}, of which the server has ${unknown.filter((row) => row.copies === 1).length / 2}`)
  const [problem] = await query<{ message: string; fix: string }>(
    `select message, fix from dba.problem where message like '% may or may not have arrived%'`,
  )
  assert.match(problem?.message ?? '', unknown.length === 2 ? /^mail \d+ / : new RegExp(`^${unknown.length / 2} mails `))
  assert.match(problem?.fix ?? '', /state = 'resend' where outbox_id = \d+.*state = 'cancelled'/)
})
