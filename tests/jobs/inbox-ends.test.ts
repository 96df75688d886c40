import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../helpers/engine.ts'
import { refusal } from '../helpers/refusal.ts'
import { needsDovecot, startDovecot } from '../systemscripts/mail/dovecot.ts'
import { startImapPeer } from '../systemscripts/mail/imap-peer.ts'
import { plainMail } from '../systemscripts/mail/make-mail.ts'
import { inboxBench } from './inbox-harness.ts'

process.env.ROTA_TEST_MAIL_PASSWORD = 'secret'

const connection = `insert into dba.connection (connection_name, kind, host, port, user_name, secret_name, tls)
  values ('office', 'imap', '127.0.0.1', $1, 'office', 'env:ROTA_TEST_MAIL_PASSWORD', 'off')`
const files = [{ name: 'a.csv', bytes: Buffer.from('a\n1\n') }]

test('flag puts a star on a mail, and it stays unread where it is', async (t) => {
  const peer = await startImapPeer({ password: 'secret' })
  t.after(() => peer.close())
  const { dba, rule, run } = await inboxBench(t)
  await dba(connection, [peer.port])
  await rule({ connection_name: 'office', processed_action: 'flag' })
  peer.add('INBOX', plainMail({ files }))
  assert.equal((await run()).note, '1 mail looked at, 1 taken with 1 file.')
  assert.deepEqual([...(peer.folders.get('INBOX')?.messages[0]?.flags ?? [])], ['\\Flagged'])
  assert.deepEqual(await dba(`select state, action, filed_to, filed_at is not null as is_filed from dba.message`), [
    { state: 'filed', action: 'flag', filed_to: null, is_filed: true },
  ])
})

test('of several rules that take a mail the strongest action is carried out, and each saves its files', async (t) => {
  const { dba, put, rule, run, names } = await inboxBench(t)
  await rule({ config_name: 'first', rule_order: 1, stop_on_match: false, processed_action: 'mark_read', save_to: 'first' })
  await rule({ config_name: 'second', rule_order: 2, stop_on_match: false, processed_label: 'Second', save_to: 'second' })
  await rule({ config_name: 'third', rule_order: 3, processed_action: 'move', processed_label: 'Third', save_to: 'third' })
  await rule({ config_name: 'fourth', rule_order: 4, processed_action: 'move', processed_label: 'Fourth', save_to: 'fourth' })
  await put('1.eml', plainMail({ files }))
  const [rehearsal] = await dba<{ id: number }>(`select dba.request_rehearsal('first', 3650) as id`)
  await eventually(
    () => dba(`select state from dba.rehearsal where rehearsal_id = $1 and state = 'done'`, [rehearsal?.id]),
    (rows) => rows.length > 0,
  )
  assert.deepEqual(await dba(`select config_name, would_file_to from dba.rehearsalmail order by config_name`), [
    { config_name: 'first', would_file_to: 'Third' },
    { config_name: 'fourth', would_file_to: null },
    { config_name: 'second', would_file_to: 'Third' },
    { config_name: 'third', would_file_to: 'Third' },
  ])
  assert.deepEqual(await names('drop'), ['1.eml'], 'a rehearsal touches nothing')
  assert.equal((await run('first')).note, '1 mail looked at, 1 taken with 3 files.')
  assert.deepEqual(await names('drop/Third'), ['1.eml'])
  assert.deepEqual(
    [await names('first'), await names('second'), await names('third'), await names('fourth')],
    [['a.csv'], ['a.csv'], ['a.csv'], []],
  )
  assert.deepEqual(await dba(`select taken_by, action, filed_to from dba.message`), [
    { taken_by: 'first', action: 'move', filed_to: 'Third' },
  ])
})

test('refused mails stand in dba.problem with what to type, until somebody types it', async (t) => {
  const { dba, put, rule, run, names } = await inboxBench(t)
  await rule({ allowed_senders: ['example.org'] })
  await put('1.eml', plainMail({ subject: 'Prices of today', files }))
  await put('2.eml', plainMail({ subject: 'Prices', from: 'Bob <bob@example.net>', files }))
  await run()
  const problems = () =>
    dba<{ severity: string; subject: string; message: string; fix: string }>(
      `select severity, subject, message, fix from dba.problem where message like 'mails %'`,
    )
  const [problem, ...others] = await problems()
  assert.deepEqual([problem?.severity, problem?.subject, others], ['warning', 'prices', []])
  assert.equal(
    problem?.message,
    'mails refused, put under "ErrorFolder": 2, the latest "Prices" from bob@example.net: sender "bob@example.net" is not allowed',
  )
  await dba(`update dba.inboxconfig set allowed_senders = '{example.com}'`)
  await dba(problem?.fix.split('; or ')[0] ?? '')
  await run()
  assert.deepEqual(await names('saved'), ['a.csv'])
  assert.match((await problems())[0]?.message ?? '', /: 1, the latest/)
  await dba(`update dba.message set state = 'dismissed' where state = 'refused'`)
  assert.deepEqual(await problems(), [])
})

test(
  'a run that waits takes new mail the moment the server tells of it, and others may have the mailbox meanwhile',
  needsDovecot,
  async (t) => {
    const dovecot = await startDovecot(null)
    t.after(() => dovecot.end())
    const { dba, rule, run, names } = await inboxBench(t)
    await dba(connection, [dovecot.port])
    await dovecot.deliver('office', plainMail({ files }))
    await rule({ connection_name: 'office', wait_for: '20 minutes' })
    await rule({ config_name: 'other', connection_name: 'office', subject_pattern: 'never' })
    await dba(`insert into dba.run (schedule_name) values ('prices')`)
    const waits = () =>
      dba(`select from dba.run where schedule_name = 'prices' and state = 'running' and progress_note = 'waits for new mail'`)
    await eventually(waits, (rows) => rows.length > 0)
    assert.deepEqual(await names('saved'), ['a.csv'])
    assert.equal((await run('other')).state, 'succeeded')
    await dovecot.deliver('office', plainMail({ files }))
    await eventually(
      async () => [{ names: await names('saved') }],
      ([found]) => found?.names.length === 2,
    )
    await dba(`select dba.cancel(run_id) from dba.run where schedule_name = 'prices' and state = 'running'`)
    const ended = () => dba(`select state from dba.run where schedule_name = 'prices' and finished_at is not null`)
    assert.deepEqual(await eventually(ended, (rows) => rows.length > 0), [{ state: 'cancelled' }])
  },
)

test('only a connection that tells of new mail can be waited at', async (t) => {
  const { dba, rule } = await inboxBench(t, { noWorker: true })
  await rule()
  assert.match((await refusal(dba(`update dba.inboxconfig set wait_for = '4 minutes'`))).message, /of kind folder, which tells nobody/)
})
