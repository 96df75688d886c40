import assert from 'node:assert/strict'
import { test } from 'node:test'
import { standingOf } from '../../jobs/inbox/standing.ts'
import { endMailsQueries } from '../../src/control-plane/mails/end-mails.ts'
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
       insert into dba.messagefile (message_id, part, config_name, file_name, saved_as, saved_path, staged_path, size_bytes, sha256, saved_at)
       select message_id, '2', 'mails', 'a.csv', 'a.csv', '/in/a.csv', '/in/.x', 1, 'x', now() from m`,
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
  // One whose name was taken is tied when its other name is written down.
  await worker(
    `insert into dba.file (file_name, path, size_bytes, state, job, config_name) values ('a_2.csv', '/in/a_2.csv', 1, 'loading', 'import', 'prices')`,
  )
  await worker(`update dba.messagefile set file_id = (select max(file_id) from dba.file) where file_id is null`)
  assert.deepEqual(await reader(`select distinct origin from dba.file`), [{ origin: 'mail' }])
})

test('a file of somebody else’s that took the name first is not the mail’s', async (t) => {
  const { worker, reader } = await peopleOf(t)
  const [planned] = await worker<{ message_id: number }>(
    `with m as (
       insert into dba.message (connection_name, found_in, folder, uid, fingerprint, state, subject, sender)
       values ('office', 'INBOX', 'INBOX', '1', '1', 'saving', 'Prices', 'ann@example.com') returning message_id)
     insert into dba.messagefile (message_id, part, config_name, file_name, saved_as, saved_path, staged_path, size_bytes, sha256)
     select message_id, '2', 'mails', 'a.csv', 'a.csv', '/in/a.csv', '/in/.x', 1, 'x' from m returning message_id`,
  )
  for (const name of ['a.csv', 'a_2.csv']) {
    await worker(
      `insert into dba.file (file_name, path, size_bytes, state, job, config_name) values ($1, '/in/' || $1, 1, 'loading', 'import', 'prices')`,
      [name],
    )
  }
  const files = [{ part: '2', configName: 'mails', savedPath: '/in/a_2.csv' }]
  const ends = JSON.stringify([{ messageId: planned?.message_id, state: 'saved', refusals: [], files }])
  for (const query of endMailsQueries) await worker(query, [ends, '00000000-0000-0000-0000-000000000001'])
  assert.deepEqual(await reader(`select t.file, t.mail, f.origin from dba.trace t join dba.file f using (file_id) order by file`), [
    { file: 'a.csv', mail: 'unknown', origin: 'folder' },
    { file: 'a_2.csv', mail: '"Prices" from ann@example.com', origin: 'mail' },
  ])
})
