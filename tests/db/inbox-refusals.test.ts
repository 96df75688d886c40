import assert from 'node:assert/strict'
import { test } from 'node:test'
import { peopleOf } from '../helpers/rows.ts'

test('a wrong rule is refused in words, with what would be right', async (t) => {
  const { dba } = await peopleOf(t)
  await dba(
    `insert into dba.connection (connection_name, kind, host) values ('office', 'imap', 'imap.example.org'), ('web', 'http', 'example.org')`,
  )
  const insert = (columns: string, values: string) =>
    dba(`insert into dba.inboxconfig (config_name, connection_name, save_to, ${columns}) values ('mails', 'office', 'saved', ${values})`)
  const refusals: [string, string, RegExp, RegExp][] = [
    ['subject_pattern', `'(a'`, /subject_pattern/, /./],
    ['subject_pattern', `'(?i)prices'`, /regular expressions mean the same everywhere/, /Postgres's alone/],
    ['folder', `'INBOX'`, /a rule says which mails it means/, /Give at least one of sender_pattern/],
    ['subject_pattern, import_config', `'a', 'nothing'`, /nothing/, /./],
    ['subject_pattern, processed_action', `'a', 'delete'`, /processed action is label move flag mark read or leave/, /Write label, move/],
    ['subject_pattern, error_label', `'a', 'processed'`, /the two labels differ/, /another name/],
    ['subject_pattern, name_prefix', `'a', '{day}_'`, /name prefix holds known words/, /date, timestamp, message_date, sender or uid/],
    ['subject_pattern, name_prefix', `'a', '../'`, /name prefix is part of a name/, /without slashes/],
    ['subject_pattern, blocked_types', `'a', '{.EXE}'`, /blocked types are groups or endings/, /macro, executable/],
    ['subject_pattern, require_authenticated', `'a', true`, /whom to believe is named/, /authserv_id/],
    ['subject_pattern, max_age', `'a', '-1 day'`, /max age is positive/, /7 days/],
    ['allowed_senders', `'{"a b"}'`, /allowed senders are addresses or domains/, /boss@example\.com/],
  ]
  for (const [columns, values, message, hint] of refusals) {
    await assert.rejects(insert(columns, values), (error: Error & { hint?: string }) => {
      assert.match(error.message, message, `${columns} = ${values}`)
      assert.match(error.hint ?? '', hint, `${columns} = ${values}`)
      return true
    })
  }
  await assert.rejects(
    dba(`insert into dba.inboxconfig (config_name, connection_name, subject_pattern, save_to) values ('mails', 'web', 'a', 'saved')`),
    { message: 'connection "web" is of kind http', hint: /kind imap, gmail or folder\..*office/ },
  )
  await assert.rejects(dba(`insert into dba.inboxconfig (config_name, connection_name, subject_pattern) values ('mails', 'office', 'a')`), {
    message: /a rule that saves has a place/,
  })
  await insert('subject_pattern', `'^Prices'`)
})

test('of mails people set retry and dismissed, and nothing else', async (t) => {
  const { dba, operator, reader, worker } = await peopleOf(t)
  await worker(
    `insert into dba.message (connection_name, found_in, folder, uid, fingerprint, state) values ('office', 'INBOX', 'INBOX', '1', 'x', 'refused')`,
  )
  await operator(`update dba.message set state = 'dismissed'`)
  await dba(`update dba.message set state = 'retry'`)
  await assert.rejects(operator(`update dba.message set state = 'filed'`), {
    message: 'a mail cannot be turned from retry into filed by hand',
  })
  await assert.rejects(operator(`update dba.message set subject = 'other'`), { hint: /state alone/ })
  await assert.rejects(reader(`update dba.message set state = 'retry'`), /permission denied/)
  await assert.rejects(reader(`select dba.request_rehearsal('mails')`))
})
