import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../helpers/engine.ts'
import { refusal } from '../helpers/refusal.ts'
import { needsDovecot, startDovecot } from '../systemscripts/mail/dovecot.ts'
import { plainMail } from '../systemscripts/mail/make-mail.ts'
import { inboxBench } from './inbox-harness.ts'

process.env.ROTA_TEST_MAIL_PASSWORD = 'secret'

const connection = `insert into dba.connection (connection_name, kind, host, port, user_name, secret_name, tls)
  values ('office', 'imap', '127.0.0.1', $1, 'office', 'env:ROTA_TEST_MAIL_PASSWORD', 'off')`

test('a server that is killed in the middle and comes back has every mail taken once', needsDovecot, async (t) => {
  const dovecot = await startDovecot(null)
  t.after(() => dovecot.end())
  const { dba, rule, run, names } = await inboxBench(t)
  await dba(connection, [dovecot.port])
  for (let number = 1; number <= 60; number += 1)
    await dovecot.deliver('office', plainMail({ files: [{ name: `${number}.csv`, bytes: Buffer.from(`number\n${number}\n`) }] }))
  await rule({ connection_name: 'office', processed_action: 'move' })
  const running = run()
  await eventually(() => dba(`select from dba.message where state in ('saved', 'filed')`))
  await dovecot.stop()
  const end = await running
  assert.match(end.error_code ?? 'none', /^(mail_server_unreachable|mail_server_failed|none)$/)
  await dovecot.start()
  assert.equal((await run()).state, 'succeeded')
  assert.equal((await names('saved')).length, 60)
  assert.deepEqual(await dba(`select state, count(*)::integer as mails from dba.message where state <> 'duplicate' group by state`), [
    { state: 'filed', mails: 60 },
  ])
})

test('a folder that was renamed fails the run and says which there are', needsDovecot, async (t) => {
  const dovecot = await startDovecot(null)
  t.after(() => dovecot.end())
  const { dba, rule, run } = await inboxBench(t)
  await dba(connection, [dovecot.port])
  await dovecot.deliver('office', plainMail())
  await dovecot.deliver('office/.Feeds', plainMail({ files: [{ name: 'a.csv', bytes: Buffer.from('a\n') }] }))
  await rule({ connection_name: 'office', folder: 'Feeds' })
  assert.equal((await run()).files, 1)
  await rename(join(dovecot.maildir('office'), '.Feeds'), join(dovecot.maildir('office'), '.Old Feeds'))
  const end = await run()
  assert.deepEqual([end.error_code, end.error_detail?.includes('Old Feeds')], ['mail_folder_missing', true])
  await dba(`update dba.inboxconfig set folder = 'Old Feeds'`)
  assert.deepEqual([(await run()).state, (await run()).files ?? 0], ['succeeded', 0])
})

test('wrong rows are refused with what to write', async (t) => {
  const { dba } = await inboxBench(t, { noWorker: true })
  const wrong: [columns: Record<string, unknown>, says: RegExp][] = [
    [{ processed_action: 'star' }, /label, move, flag, mark_read or leave/],
    [{ wait_for: '4 minutes' }, /tells nobody/],
    [{ connection_name: 'dorp' }, /drop/],
    [{ subject_pattern: '(' }, /regular expression|parenthes/],
    [{ error_label: 'Processed' }, /another name/],
    [{ import_config: 'none' }, /./],
    [{ save_to: null }, /import_config|save_to/],
    [{ folder: ' ' }, /INBOX/],
    [{ blocked_types: '{.EXE}' }, /lower case without dot/],
    [{ require_authenticated: true }, /authserv_id/],
    [{ name_prefix: '{day}_' }, /date, timestamp/],
  ]
  for (const [columns, says] of wrong) {
    const row = { config_name: 'prices', connection_name: 'drop', subject_pattern: 'x', save_to: 'saved', ...columns }
    const places = Object.keys(row).map((_, index) => `$${index + 1}`)
    const { message, detail, hint } = await refusal(
      dba(`insert into dba.inboxconfig (${Object.keys(row).join(', ')}) values (${places.join(', ')})`, Object.values(row)),
    )
    assert.match(`${message} ${detail} ${hint}`, says, JSON.stringify(columns))
    assert.notEqual(hint, '', JSON.stringify(columns))
  }
})
