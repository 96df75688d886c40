import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConnections } from '../../../src/control-plane/connections.ts'
import { forgetOldContent } from '../../../src/control-plane/outbox/content.ts'
import { createMailRoutes } from '../../../src/control-plane/outbox/routes.ts'
import { storeMails } from '../../../src/control-plane/outbox/store.ts'
import { inTransaction } from '../../../src/control-plane/transaction.ts'
import { type OutboxSender, startOutboxSender } from '../../../src/worker/outbox-sender.ts'
import { freshDatabase, type TestDatabase } from '../../helpers/database.ts'
import { refusal } from '../../helpers/refusal.ts'
import { workerSecrets } from '../../helpers/worker-process.ts'
import { type SmtpStandIn, startSmtpStandIn } from '../../systemscripts/outgoing-mail/smtp-stand-in.ts'
import { newMail } from './outbox-bench.ts'

type Ending = { after(end: () => Promise<void>): void }

interface Bench {
  database: TestDatabase
  server: SmtpStandIn
  operator(statement: string): Promise<Record<string, unknown>[]>
  /** Stores mails for a worker to send; `isHeld` is as in NewMail. */
  store(mails: Awaited<ReturnType<typeof newMail>>[], isSentByWorker?: boolean): Promise<number[]>
  sender(): Promise<OutboxSender>
  until(condition: string): Promise<void>
}

async function bench(t: Ending): Promise<Bench> {
  const [database, server] = [await freshDatabase(t), await startSmtpStandIn(t)]
  await database.query(
    `insert into dba.connection (connection_name, kind, host, port, tls) values ('post', 'smtp', '127.0.0.1', $1, 'off')`,
    [server.port],
  )
  const operator = await database.as('rota_operator')
  const { pool, url, dataDir } = database
  return {
    database,
    server,
    operator: (statement) => operator.query(statement),
    store: (mails, isSentByWorker = true) =>
      inTransaction(pool, (client) =>
        storeMails(client, mails, { runId: null, configName: 'prices', scheduleName: null, scheduledFor: null, isSentByWorker }),
      ),
    async sender() {
      const secrets = await workerSecrets({ pool, dataDir })
      const routes = createMailRoutes({ connections: createConnections({ db: pool, secrets, url }), folder: (path) => path })
      const sender = startOutboxSender({
        pool,
        routes,
        lanes: ['default'],
        worker: 'test worker',
        maySend: () => true,
        redact: (text) => text,
        onError: (error) => assert.fail(String(error)),
      })
      t.after(async () => {
        await sender.stop(1)
        await routes.close()
      })
      return sender
    },
    async until(condition) {
      for (;;) {
        const [row] = await database.query<{ is: boolean }>(`select coalesce((select ${condition}), false) as is`)
        if (row?.is) return
        await new Promise((resolve) => setTimeout(resolve, 30))
      }
    },
  }
}

test('a worker sends what nobody else does, tries again what was put off, and tells of it', async (t) => {
  const { database, server, store, sender, until } = await bench(t)
  server.faults.push({ stage: 'mail', answer: '451 4.7.1 later' })
  await store([await newMail('a', {}, { kind: 'alert' })])
  const working = await sender()
  await until(
    `state = 'rendered' and error_code = 'mail_deferred' and next_try_at > clock_timestamp() + interval '30 seconds' from dba.outbox`,
  )
  assert.equal((await database.query(`select from dba.problem where message like 'a mail waits%'`)).length, 1)
  await database.pool.query('update dba.outbox set next_try_at = clock_timestamp()')
  working.wake()
  await until(`state = 'sent' from dba.outbox`)
  assert.equal(server.mails.length, 1)
})

test('what a run sends itself is left to it, and what is held goes to nobody', async (t) => {
  const { database, server, store, sender, until, operator } = await bench(t)
  const [own, held] = [...(await store([await newMail('own')], false)), ...(await store([await newMail('held', {}, { isHeld: true })]))]
  const working = await sender()
  await store([await newMail('other')])
  working.wake()
  await until(`state = 'sent' from dba.outbox where once_key = 'other'`)
  assert.deepEqual(await database.query('select state from dba.outbox where outbox_id in ($1, $2) order by outbox_id', [own, held]), [
    { state: 'rendered' },
    { state: 'held' },
  ])
  await operator(`update dba.outbox set state = 'resend', resend_to = '{me@example.com}' where outbox_id = ${held}`)
  working.wake()
  await until(`state = 'sent' from dba.outbox where outbox_id = ${held}`)
  assert.deepEqual(
    server.mails.map(({ to }) => to),
    [['ann@example.com'], ['me@example.com']],
  )
})

test('people have the same bytes sent again to chosen people, and to those who did not get it', async (t) => {
  const { database, server, store, sender, until, operator } = await bench(t)
  server.recipients.set('gone@example.com', '550 5.1.1 no such user')
  await store([await newMail('a', { to: ['ann@example.com', 'gone@example.com'] })])
  const working = await sender()
  await until(`state = 'sent' from dba.outbox`)
  assert.equal((await database.query(`select from dba.problem where message like 'mail does not reach gone@example.com%'`)).length, 1)
  server.recipients.clear()
  await operator(`update dba.outbox set state = 'resend'`)
  working.wake()
  await until(`state = 'sent' and round = 2 from dba.outbox`)
  await operator(`update dba.outbox set state = 'resend', resend_to = '{Bob@Example.com,ann@example.com}'`)
  working.wake()
  await until(`state = 'sent' and round = 3 from dba.outbox`)
  assert.deepEqual(
    server.mails.map(({ to }) => to),
    [['ann@example.com'], ['gone@example.com'], ['ann@example.com', 'Bob@example.com']],
  )
  assert.equal(new Set(server.mails.map(({ content }) => content)).size, 1)
  assert.match(
    String((await operator('select sent_to from dba.mail_sent'))[0]?.sent_to),
    /ann@example.com, gone@example.com, Bob@example.com/,
  )
})

test('what makes no sense is refused in words, with what would', async (t) => {
  const { database, store, sender, until, operator } = await bench(t)
  const [id] = await store([await newMail('a')])
  await sender()
  await until(`state = 'sent' from dba.outbox`)
  for (const [statement, message, hint] of [
    [`update dba.outbox set state = 'sent'`, null, null],
    [`update dba.outbox set state = 'again'`, /cannot be set to "again" by hand/, /resend .* or cancelled/],
    [`update dba.outbox set state = 'cancelled'`, new RegExp(`mail ${id} has been sent`), /called back/],
    [`update dba.outbox set state = 'resend'`, /everybody got mail/, /resend_to/],
    [`update dba.outbox set state = 'resend', resend_to = '{nobody}'`, /"nobody" is no mail address/, /bare addresses/],
    [`update dba.outbox set resend_to = '{ann@example.com}'`, /resend_to says/, /state = 'resend'/],
    [`update dba.outbox set subject = 'x'`, /column "subject"/, /resend/],
    [`delete from dba.outbox`, /permission denied/, null],
  ] as const) {
    if (message === null) {
      await operator(statement)
      continue
    }
    const refused = await refusal(operator(statement))
    assert.match(refused.message, message, statement)
    if (hint !== null) assert.match(refused.hint ?? '', hint, statement)
  }
  await database.pool.query(`update dba.outbox set created_at = '2020-01-01', sent_at = '2020-01-01', asked_at = '2020-01-01'`)
  assert.equal(await forgetOldContent(database.pool), 1)
  assert.match(
    (await refusal(operator(`update dba.outbox set state = 'resend', resend_to = '{ann@example.com}'`))).message,
    /no longer kept/,
  )
})

test('a mail that somebody died at is decided by a worker, and cancelling it closes the matter', async (t) => {
  const { database, server, store, sender, until, operator } = await bench(t)
  await store([await newMail('a')], false)
  await database.pool.query(
    `update dba.outbox set state = 'sending', claim = gen_random_uuid(), claimed_by = 'a dead worker', claimed_until = clock_timestamp() - interval '1 second', sending_at = clock_timestamp()`,
  )
  await sender()
  await until(`state = 'unknown' from dba.outbox`)
  assert.match(
    String((await database.query(`select fix from dba.problem where message like 'mail % may or may not%'`))[0]?.fix),
    /state = 'resend'/,
  )
  await operator(`update dba.outbox set state = 'cancelled'`)
  assert.deepEqual(await database.query(`select from dba.problem where message like 'mail % may or may not%'`), [])
  assert.deepEqual(server.mails, [])
})

test('a mail that comes back is written down, by its number or its Message-ID', async (t) => {
  const { database, store, sender, until, operator } = await bench(t)
  const [id] = await store([await newMail('a', { to: ['ann@example.com', 'bob@example.com'] })])
  await sender()
  await until(`state = 'sent' from dba.outbox`)
  const [row] = await database.query<{ message_id: string }>('select message_id from dba.outbox')
  assert.deepEqual(await operator(`select dba.record_bounce('${id}', 'Ann@Example.com', '550 5.1.1 no such user') as done`), [
    { done: true },
  ])
  assert.deepEqual(
    (await database.pool.query(`select dba.record_bounce($1, 'bob@example.com', 'mailbox full') as done`, [row?.message_id])).rows,
    [{ done: true }],
  )
  assert.deepEqual(await operator(`select dba.record_bounce('${id}', 'eve@example.com') as done`), [{ done: false }])
  assert.deepEqual(await database.query('select state, code, text from dba.outboxrecipient order by position'), [
    { state: 'bounced', code: '550', text: '550 5.1.1 no such user' },
    { state: 'bounced', code: null, text: 'mailbox full' },
  ])
})

test('options of a way out that cannot be right are refused when they are written', async (t) => {
  const { database } = await bench(t)
  const dba = await database.as('rota_dba')
  for (const [options, message] of [
    ['{"conections": 3}', /no option "conections"/],
    ['{"connections": "3"}', /option "connections" is "3"/],
    ['{"when_unknown": "guess"}', /option "when_unknown" is "guess"/],
    ['{"dkim_domain": "example.com"}', /DKIM needs three options/],
    ['{"auth": "oauth", "client_id": "x"}', /OAuth needs to know/],
    ['{"per_second": 0}', /option "per_second" is 0/],
  ] as const) {
    assert.match(
      (await refusal(dba.query(`update dba.connection set options = $1 where connection_name = 'post'`, [options]))).message,
      message,
      options,
    )
  }
  await dba.query(
    `update dba.connection set options = '{"auth": "oauth", "client_id": "x", "token_url": "https://login.example/t", "per_minute": 30, "when_unknown": "resend",
       "dkim_domain": "example.com", "dkim_selector": "rota", "dkim_key": "dkim"}' where connection_name = 'post'`,
  )
})
