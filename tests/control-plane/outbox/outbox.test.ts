import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readContent } from '../../../src/control-plane/outbox/content.ts'
import type { Outbox } from '../../../src/job/outbox.ts'
import { freshDatabase, type TestDatabase } from '../../helpers/database.ts'
import { type SmtpStandIn, startSmtpStandIn } from '../../systemscripts/outgoing-mail/smtp-stand-in.ts'
import { newMail, openRun, outboxOf } from './outbox-bench.ts'

type Ending = { after(end: () => Promise<void>): void }

interface Bench {
  database: TestDatabase
  server: SmtpStandIn
  outbox: Outbox
  runId: string
}

async function bench(t: Ending, options: Record<string, unknown> = {}): Promise<Bench> {
  const [database, server] = [await freshDatabase(t), await startSmtpStandIn(t)]
  await database.query(
    `insert into dba.connection (connection_name, kind, host, port, tls, options) values ('post', 'smtp', '127.0.0.1', $1, 'off', $2)`,
    [server.port, options],
  )
  const runId = await openRun(database.pool)
  const { outbox, close } = await outboxOf({ ...database, runId })
  t.after(close)
  return { database, server, outbox, runId }
}

test('a mail is stored before it is sent, goes out once however often it is asked for, and says so', async (t) => {
  const { database, server, outbox, runId } = await bench(t)
  const mail = await newMail('a', { to: ['ann@example.com'], bcc: ['boss@example.com'] })
  const ids = await outbox.store([mail])
  assert.deepEqual(server.mails, [])
  assert.deepEqual(await outbox.store([await newMail('a')]), ids)
  const [sent] = await outbox.send(ids)
  assert.equal(sent?.state, 'sent')
  await outbox.send(ids)
  assert.deepEqual(
    server.mails.map(({ to }) => to),
    [['ann@example.com', 'boss@example.com']],
  )
  assert.deepEqual(await database.query(`select state, run_id, config_name, attempts, response, error_code from dba.outbox`), [
    { state: 'sent', run_id: runId, config_name: 'prices', attempts: 1, response: '250 2.0.0 queued', error_code: null },
  ])
  assert.deepEqual(await database.query(`select address, kind, state, code from dba.outboxrecipient order by position`), [
    { address: 'ann@example.com', kind: 'to', state: 'sent', code: '250' },
    { address: 'boss@example.com', kind: 'bcc', state: 'sent', code: '250' },
  ])
})

test('what is stored is what is sent, and its size and hash are told', async (t) => {
  const { database, server, outbox } = await bench(t)
  const large = randomBytes(3_000_000)
  const ids = await outbox.store([await newMail('small'), await newMail('large', { files: [{ fileName: 'a.bin', content: large }] })])
  await outbox.send(ids)
  for (const [at, id] of ids.entries()) {
    const pieces: Buffer[] = []
    for await (const piece of readContent(database.pool, id)) pieces.push(piece)
    const bytes = Buffer.concat(pieces)
    const [row] = await database.query<{ size_bytes: number; sha256: string }>(
      'select size_bytes, sha256 from dba.outbox where outbox_id = $1',
      [id],
    )
    assert.deepEqual(row, { size_bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
    const received = server.mails.find(({ content }) => content.includes(at === 0 ? 'Mail small' : 'Mail large'))
    assert.ok(received?.content === bytes.toString('latin1'), `mail ${at} arrived as it was stored`)
  }
  const [pieces] = await database.query<{ pieces: number }>('select max(piece) as pieces from dba.outboxcontent')
  assert.ok((pieces?.pieces ?? 0) > 1, 'the large one was kept in pieces')
})

test('who was put off gets it in the next attempt, and nobody twice', async (t) => {
  const { server, outbox } = await bench(t)
  server.recipients.set('full@example.com', '452 4.2.2 mailbox full')
  server.recipients.set('gone@example.com', '550 5.1.1 no such user')
  const ids = await outbox.store([await newMail('a', { to: ['ann@example.com', 'full@example.com', 'gone@example.com'] })])
  const [first] = await outbox.send(ids)
  assert.deepEqual([first?.state, first?.recipients.map(({ state }) => state)], ['rendered', ['sent', 'waiting', 'refused']])
  server.recipients.delete('full@example.com')
  const [second] = await outbox.send(ids)
  assert.deepEqual([second?.state, second?.recipients.map(({ state }) => state)], ['sent', ['sent', 'sent', 'refused']])
  assert.deepEqual(
    server.mails.map(({ to }) => to),
    [['ann@example.com'], ['full@example.com']],
  )
})

for (const [rule, state, mails] of [
  ['hold', 'unknown', 1],
  ['assume_sent', 'sent', 1],
  ['resend', 'rendered', 1],
] as const) {
  test(`a mail of which nobody knows whether the server has it is ${state} by rule ${rule}`, async (t) => {
    const { server, outbox, database } = await bench(t, { when_unknown: rule })
    server.faults.push({ stage: 'after_dot', answer: 'cut' })
    const ids = await outbox.store([await newMail('a')])
    const [sent] = await outbox.send(ids)
    assert.equal(sent?.state, state)
    assert.equal(sent?.error?.code, 'mail_fate_unknown')
    assert.equal(server.mails.length, mails)
    const [again] = await outbox.send(ids)
    assert.equal(again?.state, rule === 'hold' ? 'unknown' : 'sent')
    assert.equal(server.mails.length, rule === 'resend' ? 2 : 1)
    const problems = await database.query(`select severity, fix from dba.problem where message like 'mail % may or may not%'`)
    assert.equal(problems.length, rule === 'hold' ? 1 : 0)
  })
}

test('the rule of a mail goes before that of its connection', async (t) => {
  const { server, outbox } = await bench(t, { when_unknown: 'resend' })
  server.faults.push({ stage: 'after_dot', answer: 'cut' })
  const [sent] = await outbox.send(await outbox.store([await newMail('a', {}, { whenUnknown: 'hold' })]))
  assert.equal(sent?.state, 'unknown')
})

test('an attempt that lost its run sends nothing', async (t) => {
  const { database, server, outbox, runId } = await bench(t)
  const ids = await outbox.store([await newMail('a'), await newMail('b')])
  await database.pool.query(`update dba.run set attempt = 2 where run_id = $1`, [runId])
  await assert.rejects(outbox.send(ids), { code: 'lease_lost' })
  assert.deepEqual(server.mails, [])
  const next = await outboxOf({ ...database, runId, attempt: 2 })
  t.after(next.close)
  assert.deepEqual(
    (await next.outbox.send(ids)).map(({ state }) => state),
    ['sent', 'sent'],
  )
  assert.equal(server.mails.length, 2)
})

test('two that send the same mails at the same moment send each once', async (t) => {
  const { database, server, outbox } = await bench(t)
  const mails = await Promise.all(Array.from({ length: 30 }, (_, at) => newMail(`mail ${at}`)))
  const ids = await outbox.store(mails)
  const other = await outboxOf({ ...database, runId: await openRun(database.pool) })
  t.after(other.close)
  const [left, right] = await Promise.all([outbox.send(ids), other.outbox.send(ids)])
  assert.ok([...left, ...right].every(({ state }) => state === 'sent'))
  assert.equal(server.mails.length, 30)
})

test('without a connection mails are files below the data folder, each once', async (t) => {
  const { database, outbox } = await bench(t)
  const ids = await outbox.store([await newMail('a', { subject: 'Prices: a/b' }, { connectionName: null })])
  const [sent] = await outbox.send(ids)
  assert.equal(sent?.state, 'sent')
  const names = await readdir(join(database.dataDir, 'outbox'))
  assert.match(names.join(), /^\d{8}T\d{6} Prices a b [0-9a-f]{10}[.]eml$/)
  assert.match(await readFile(join(database.dataDir, 'outbox', names[0] ?? ''), 'utf8'), /^Subject: Prices: a\/b\r$/m)
})

test('a connection that is wrong is told at the mail, which goes out once it is right', async (t) => {
  const { database, server, outbox } = await bench(t)
  const ids = await outbox.store([await newMail('a')])
  await database.query(`update dba.connection set host = 'nowhere.invalid', options = '{"timeout_seconds": 2}'`)
  const [first] = await outbox.send(ids)
  assert.deepEqual([first?.state, first?.error?.code], ['rendered', 'smtp_unreachable'])
  await database.query(`update dba.connection set host = '127.0.0.1'`)
  const other = await outboxOf({ ...database, runId: await openRun(database.pool) })
  t.after(other.close)
  assert.equal((await other.outbox.send(ids))[0]?.state, 'sent')
  assert.equal(server.mails.length, 1)
})
