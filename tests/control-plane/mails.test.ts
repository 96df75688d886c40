import assert from 'node:assert/strict'
import { test } from 'node:test'
import { standingOf } from '../../jobs/inbox/standing.ts'
import type { KnownMail } from '../../src/job/mails.ts'
import { headOf } from '../../systemscripts/mail/message-head.ts'
import { peopleOf } from '../helpers/rows.ts'
import { plainMail } from '../systemscripts/mail/make-mail.ts'

const ref = { folder: 'INBOX', uidValidity: '7', uid: '12' }
const head = headOf(plainMail(), { ref, receivedAt: new Date(), sizeBytes: 1, isSeen: false })

function known(facts: Partial<KnownMail>): KnownMail {
  return {
    messageId: 1,
    folder: 'INBOX',
    uidValidity: '7',
    uid: '12',
    foundIn: 'INBOX',
    fingerprint: head.messageKey,
    state: 'filed',
    receivedAt: null,
    attempts: 0,
    action: null,
    filedTo: null,
    isFiled: true,
    ...facts,
  }
}

test('a mail is known wherever it lies: taken once, taken when it never was, and renumbered with its folder', () => {
  const standing = (facts: Partial<KnownMail>, isAnew = false) => standingOf(head, [known(facts)], 'INBOX', isAnew)
  assert.deepEqual(standingOf(head, [], 'INBOX', false), { kind: 'judge', messageId: null })
  assert.deepEqual(standing({}), { kind: 'skip' })
  assert.deepEqual(standing({ state: 'unmatched' }), { kind: 'skip' })
  assert.deepEqual(standing({ state: 'unmatched' }, true), { kind: 'judge', messageId: 1 }, 'the rules are others')
  assert.deepEqual(standing({ uidValidity: '6', uid: '3' }), { kind: 'relocate', messageId: 1 })
  assert.deepEqual(standing({ uidValidity: '6', uid: '3', state: 'saving' }), { kind: 'judge', messageId: 1 })
  assert.equal(standing({ uid: '3' }).kind, 'copy')
  assert.equal(standing({ folder: 'Feeds', foundIn: 'Feeds', state: 'refused' }).kind, 'copy')
  assert.deepEqual(standing({ folder: 'Feeds', foundIn: 'Feeds', state: 'unmatched' }), { kind: 'judge', messageId: null })
  assert.deepEqual(standing({ folder: 'Feeds', foundIn: 'Feeds', state: 'gone' }), { kind: 'judge', messageId: 1 })
})

test('a file is traced to the mail that brought its name last', async (t) => {
  const { worker, reader } = await peopleOf(t)
  for (const uid of ['1', '2']) {
    await worker(
      `with m as (
         insert into dba.message (connection_name, found_in, folder, uid, fingerprint, state, subject, sender)
         values ('office', 'INBOX', 'INBOX', $1, $1, 'filed', 'Prices ' || $1, 'ann@example.com') returning message_id)
       insert into dba.messagefile (message_id, part, config_name, file_name, saved_as, saved_path, staged_path, size_bytes, sha256)
       select message_id, '2', 'mails', 'a.csv', 'a.csv', '/in/a.csv', '/in/.x', 1, 'x' from m`,
      [uid],
    )
  }
  assert.deepEqual(await reader(`select mail, file, file_state, dataset_state from dba.trace order by mail`), [
    { mail: '"Prices 1" from ann@example.com', file: 'a.csv', file_state: 'not taken up', dataset_state: 'none' },
    { mail: '"Prices 2" from ann@example.com', file: 'a.csv', file_state: 'not taken up', dataset_state: 'none' },
  ])
  await worker(
    `insert into dba.file (origin, file_name, path, size_bytes, state, job, config_name) values ('folder', 'a.csv', '/in/a.csv', 1, 'loading', 'import', 'prices')`,
  )
  assert.deepEqual(await reader(`select mail, file_state from dba.trace order by mail`), [
    { mail: '"Prices 1" from ann@example.com', file_state: 'not taken up' },
    { mail: '"Prices 2" from ann@example.com', file_state: 'loading' },
  ])
  assert.deepEqual(await reader(`select origin from dba.file`), [{ origin: 'mail' }])
})
