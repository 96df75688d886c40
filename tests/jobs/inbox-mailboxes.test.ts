import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../helpers/engine.ts'
import { needsDovecot, startDovecot } from '../systemscripts/mail/dovecot.ts'
import { startGmailStandIn } from '../systemscripts/mail/gmail-stand-in.ts'
import { startImapPeer } from '../systemscripts/mail/imap-peer.ts'
import { plainMail } from '../systemscripts/mail/make-mail.ts'
import { type InboxBench, inboxBench } from './inbox-harness.ts'

process.env.ROTA_TEST_MAIL_PASSWORD = 'secret'
process.env.ROTA_TEST_WRONG_PASSWORD = 'wrong'

async function imapConnection({ dba }: InboxBench, port: number): Promise<void> {
  await dba(
    `insert into dba.connection (connection_name, kind, host, port, user_name, secret_name, tls)
     values ('office', 'imap', '127.0.0.1', $1, 'office', 'env:ROTA_TEST_MAIL_PASSWORD', 'off')`,
    [port],
  )
}

function priceMail(number: number, subject = 'Prices'): Buffer {
  return plainMail({ subject, files: [{ name: 'a.csv', bytes: Buffer.from(`number\n${number}\n`) }] })
}

test('over IMAP what is new is fetched, and what was left alone is not fetched again', async (t) => {
  const peer = await startImapPeer({ password: 'secret' })
  t.after(() => peer.close())
  const bench = await inboxBench(t)
  await imapConnection(bench, peer.port)
  await bench.rule({ connection_name: 'office' })
  peer.add('INBOX', priceMail(1))
  peer.add('INBOX', priceMail(2, 'Lunch?'))
  assert.equal((await bench.run()).note, '2 mails looked at, 1 taken with 1 file.')
  assert.deepEqual([...(peer.folders.get('INBOX')?.messages ?? [])].length, 1)
  assert.equal(peer.folders.get('Processed')?.messages.length, 1, 'made, since it was missing')
  assert.equal(peer.folders.get('INBOX')?.messages[0]?.flags.has('\\Seen'), false, 'a mail that was left alone is as unread as it was')
  assert.equal((await bench.run()).note, '0 mails looked at, 0 taken with 0 files.')
  peer.add('INBOX', priceMail(3))
  assert.equal((await bench.run()).note, '1 mail looked at, 1 taken with 1 file.')
  assert.deepEqual(await bench.names('saved'), ['a.csv', 'a_2.csv'])
})

test('a folder that is numbered anew hides no new mail and gives no old one twice', async (t) => {
  const peer = await startImapPeer({ password: 'secret' })
  t.after(() => peer.close())
  const bench = await inboxBench(t)
  await imapConnection(bench, peer.port)
  await bench.rule({ connection_name: 'office', processed_action: 'mark_read' })
  const now = new Date()
  peer.add('INBOX', priceMail(1), now)
  peer.add('INBOX', priceMail(2, 'Lunch?'), now)
  await bench.run()
  const box = peer.folders.get('INBOX')
  assert.ok(box)
  box.uidValidity += 1
  box.messages.reverse()
  for (const [index, message] of box.messages.entries()) message.uid = index + 10
  box.uidNext = 12
  peer.add('INBOX', priceMail(3), now)
  assert.equal((await bench.run()).files, 1)
  assert.deepEqual(await bench.dba(`select state, uid from dba.message order by message_id`), [
    { state: 'filed', uid: '11' },
    { state: 'unmatched', uid: '10' },
    { state: 'filed', uid: '12' },
  ])
  assert.deepEqual(await bench.dba(`select started_anew is not null as anew, cursor ->> 'uid' as uid from dba.mailbox`), [
    { anew: true, uid: '12' },
  ])
})

test('a mailbox that goes away in the middle fails the run, and the next one goes on', async (t) => {
  const options: { password: string; dropsAt?: RegExp } = { password: 'secret', dropsAt: /MOVE/i }
  const peer = await startImapPeer(options)
  t.after(() => peer.close())
  const bench = await inboxBench(t)
  await imapConnection(bench, peer.port)
  await bench.rule({ connection_name: 'office' })
  for (let number = 1; number <= 3; number += 1) peer.add('INBOX', priceMail(number))
  const end = await bench.run()
  assert.equal(end.state, 'failed')
  assert.deepEqual(await bench.dba(`select state, count(*) as mails from dba.message group by state`), [{ state: 'saved', mails: 3 }])
  delete options.dropsAt
  assert.equal((await bench.run()).state, 'succeeded')
  assert.equal(peer.folders.get('Processed')?.messages.length, 3)
  assert.deepEqual(await bench.names('saved'), ['a.csv', 'a_2.csv', 'a_3.csv'])
})

test('the row says what a worker finds in the mailbox, or what is wrong with it', async (t) => {
  const peer = await startImapPeer({ password: 'secret' })
  t.after(() => peer.close())
  const bench = await inboxBench(t)
  await imapConnection(bench, peer.port)
  peer.add('INBOX', priceMail(1))
  peer.add('INBOX', priceMail(2, 'Lunch?'))
  await bench.rule({ connection_name: 'office' })
  const answer = (state: string) =>
    eventually(() => bench.dba<{ config_message: string }>(`select config_message from dba.scheduler where config_state = '${state}'`))
  assert.deepEqual(await answer('ok'), [{ config_message: 'logged in; 2 mails in "INBOX"; of the latest 2, "prices" would take 1' }])
  await bench.dba(`update dba.connection set secret_name = 'env:ROTA_TEST_WRONG_PASSWORD'`)
  await bench.dba(`update dba.inboxconfig set description = 'asked again'`)
  const [refused] = await answer('invalid')
  assert.match(refused?.config_message ?? '', /refused the login — User "office"/)
  await bench.dba(`update dba.connection set secret_name = 'env:ROTA_TEST_MAIL_PASSWORD'`)
  await bench.dba(`update dba.inboxconfig set folder = 'Feeds'`)
  await eventually(() =>
    bench.dba(`select from dba.scheduler where config_message like 'The mailbox has no folder "Feeds" — It has "INBOX"%'`),
  )
})

test('a rehearsal tells what would happen, and neither mailbox nor folder nor ledger is touched', async (t) => {
  const peer = await startImapPeer({ password: 'secret' })
  t.after(() => peer.close())
  const bench = await inboxBench(t)
  await imapConnection(bench, peer.port)
  await bench.rule({ connection_name: 'office', allowed_senders: ['example.com'], name_prefix: '{message_date}_' })
  const today = new Date()
  peer.add('INBOX', priceMail(1), new Date(today.getTime() - 40 * 86_400_000))
  peer.add('INBOX', priceMail(2, 'Lunch?'), today)
  peer.add('INBOX', plainMail({ from: 'eve@evil.example', files: [{ name: 'a.csv', bytes: Buffer.from('1') }] }), today)
  peer.add('INBOX', priceMail(3), today)
  const operator = await bench.database.as('rota_operator')
  const [asked] = await operator.query<{ id: number }>(`select dba.request_rehearsal('prices', 30) as id`)
  const [answer] = await eventually(() =>
    bench.dba(`select state, messages, matched, message from dba.rehearsal where state in ('done', 'failed')`),
  )
  assert.deepEqual(answer, { state: 'done', messages: 3, matched: 1, message: 'Of 3 mails of the last 30 days "prices" would take 1.' })
  const day = today.toISOString().slice(0, 10).replaceAll('-', '')
  assert.deepEqual(
    await bench.dba(
      `select position, subject, decision, failed_on, files, would_file_to from dba.rehearsalmail where rehearsal_id = $1 order by position`,
      [asked?.id],
    ),
    [
      { position: 1, subject: 'Prices', decision: 'matched', failed_on: null, files: [`${day}_a.csv`], would_file_to: 'Processed' },
      { position: 2, subject: 'Prices', decision: 'refused', failed_on: 'allowed_senders', files: [], would_file_to: 'ErrorFolder' },
      { position: 3, subject: 'Lunch?', decision: 'not_matched', failed_on: 'subject_pattern', files: [], would_file_to: null },
    ],
  )
  assert.equal(peer.folders.get('INBOX')?.messages.length, 4)
  assert.deepEqual(await bench.names('saved'), [])
  assert.deepEqual(await bench.dba('select from dba.message'), [])
  await assert.rejects(operator.query(`select dba.request_rehearsal('prizes')`), { hint: /prices/ })
  await assert.rejects(operator.query(`select dba.request_rehearsal('prices', 0)`), /cannot go back 0 days/)
})

test('a rehearsal that cannot be carried out says why', async (t) => {
  const bench = await inboxBench(t)
  await bench.rule({ folder: 'Nowhere' })
  await bench.dba(`select dba.request_rehearsal('prices')`)
  const [answer] = await eventually(() => bench.dba<{ message: string }>(`select message from dba.rehearsal where state = 'failed'`))
  assert.match(answer?.message ?? '', /no folder "Nowhere"/)
})

test('through the Gmail API with a token that is kept in dba.secret', async (t) => {
  const gmail = await startGmailStandIn(t)
  const bench = await inboxBench(t)
  process.env.ROTA_TEST_GMAIL = JSON.stringify({ client_id: 'us', client_secret: 'x', refresh_token: 'y', token_uri: gmail.tokenUrl })
  await bench.dba(
    `insert into dba.connection (connection_name, kind, user_name, secret_name, options)
     values ('gmail', 'gmail', 'us@example.org', 'env:ROTA_TEST_GMAIL', $1)`,
    [{ root_url: gmail.url }],
  )
  await bench.rule({ connection_name: 'gmail' })
  const taken = gmail.add(priceMail(1))
  const left = gmail.add(priceMail(2, 'Lunch?'))
  assert.equal((await bench.run()).note, '2 mails looked at, 1 taken with 1 file.')
  const label = gmail.labels.find(({ name }) => name === 'Processed')
  assert.ok(label)
  assert.deepEqual(taken.labelIds, ['INBOX', 'UNREAD', label.id])
  assert.deepEqual(left.labelIds, ['INBOX', 'UNREAD'])
  gmail.add(priceMail(3))
  assert.equal((await bench.run()).files, 1)
  assert.deepEqual(await bench.names('saved'), ['a.csv', 'a_2.csv'])
})

test('a real Dovecot, killed and started again between two runs', needsDovecot, async (t) => {
  const dovecot = await startDovecot(null)
  t.after(() => dovecot.end())
  const bench = await inboxBench(t)
  await imapConnection(bench, dovecot.port)
  await bench.rule({
    connection_name: 'office',
    body_pattern: 'see the file',
    error_label: 'Feeds/Fehler ü',
    allowed_senders: ['example.com'],
  })
  await dovecot.deliver('office', priceMail(1))
  await dovecot.deliver('office', plainMail({ from: 'eve@evil.example', files: [{ name: 'a.csv', bytes: Buffer.from('1') }] }))
  assert.equal((await bench.run()).note, '2 mails looked at, 1 taken with 1 file, 1 refused.')
  await dovecot.stop()
  const down = await bench.run()
  assert.equal(down.error_code, 'mail_server_unreachable')
  await dovecot.start()
  await dovecot.deliver('office', priceMail(2))
  assert.equal((await bench.run()).files, 1)
  const contents = await Promise.all((await bench.names('saved')).map((name) => readFile(join(bench.dataDir, 'saved', name), 'utf8')))
  assert.deepEqual(contents, ['number\n1\n', 'number\n2\n'])
  const folders = await readdir(dovecot.maildir('office'))
  assert.ok(folders.includes('.Processed') || folders.includes('Processed'))
})
