import assert from 'node:assert/strict'
import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEmlMailbox } from '../../../systemscripts/mail/eml-mailbox.ts'
import { attachmentsOf } from '../../../systemscripts/mail/message-part.ts'
import { temporaryFolder } from '../test-files.ts'
import { collect, listOf, mail, plainMail } from './make-mail.ts'

test('the messages of a folder are listed, read and moved when they are done', async (t) => {
  const folder = await temporaryFolder(t)
  const bytes = Buffer.alloc(700_000, 'abcdefghij')
  const raw = plainMail({ subject: 'März', files: [{ name: 'prices.csv', bytes }] })
  await writeFile(join(folder, 'a.eml'), raw)
  await writeFile(join(folder, 'B.EML'), plainMail())
  await writeFile(join(folder, 'notes.txt'), 'no mail')
  await symlink(join(folder, 'a.eml'), join(folder, 'link.eml'))
  await utimes(join(folder, 'a.eml'), 1_000_000, 1_000_000)
  const mailbox = await openEmlMailbox(folder)
  const { refs } = await mailbox.look('INBOX', { since: null })
  assert.deepEqual(
    refs.map(({ uid }) => uid),
    ['a.eml', 'B.EML'],
  )
  const [head] = await listOf(mailbox.heads(refs))
  assert.deepEqual([head?.subject, head?.sizeBytes, head?.receivedAt.toISOString()], ['März', raw.length, '2026-11-19T09:00:00.000Z'])
  const structures = await listOf(mailbox.structures(refs))
  const wanted = structures.flatMap(({ ref, root }) => attachmentsOf(root).map(({ part }) => ({ ref, part })))
  assert.equal(wanted.length, 1)
  for await (const { content } of mailbox.read(wanted)) assert.ok((await collect(content)).equals(bytes))
  const [first, second] = refs
  assert.ok(first && second)
  assert.ok((await collect(mailbox.raw(first))).equals(raw))
  assert.equal(await mailbox.act(first, { kind: 'label', label: 'Processed' }), 'moved to "Processed" as "a.eml"')
  assert.equal(await mailbox.act(first, { kind: 'label', label: 'Processed' }), null)
  assert.equal(await mailbox.act(second, { kind: 'mark_read' }), 'left as it was')
  assert.deepEqual((await readdir(folder)).sort(), ['B.EML', 'Processed', 'link.eml', 'notes.txt'])
  assert.deepEqual(await mailbox.folders(), ['INBOX', 'Processed'])
  assert.equal((await mailbox.look('Processed', { since: null })).refs.length, 1)
  await mailbox.close()
})

test('a label never leads out of the folder', async (t) => {
  const outside = await temporaryFolder(t)
  const folder = join(outside, 'drop')
  await mkdir(folder)
  await writeFile(join(folder, 'a.eml'), plainMail())
  const mailbox = await openEmlMailbox(folder)
  const { refs } = await mailbox.look('', { since: null })
  await mailbox.act(refs[0] ?? assert.fail(), { kind: 'move', label: '../../evil' })
  assert.deepEqual(await readdir(outside), ['drop'])
})

test('a folder that is missing says so', async (t) => {
  const folder = await temporaryFolder(t)
  await assert.rejects(openEmlMailbox(join(folder, 'none')), { code: 'folder_missing' })
  const mailbox = await openEmlMailbox(folder)
  await assert.rejects(mailbox.look('Other', { since: null }), { code: 'mail_folder_missing' })
})

test('messages without Message-ID are told apart by their whole header, others by Message-ID, date, sender, subject and boundary', async (t) => {
  const folder = await temporaryFolder(t)
  const received = (id: string) => [`Received: from a by b id ${id}; Thu, 19 Nov 2026 10:00:00 +0100`]
  const mails = {
    '1.eml': plainMail({ messageId: null, above: received('1') }),
    '2.eml': plainMail({ messageId: null, above: received('2') }),
    '3.eml': Buffer.concat([mail('Status: RO', 'X-UID: 77'), plainMail({ messageId: null, above: received('1') })]),
    '4.eml': plainMail({ messageId: '<same@x>', above: received('4') }),
    '5.eml': plainMail({ messageId: '<same@x>', above: received('5') }),
    '7.eml': Buffer.concat([mail('Content-Type: multipart/mixed; boundary=7'), plainMail({ messageId: '<same@x>' })]),
    '8.eml': Buffer.concat([mail('Content-Type: multipart/mixed; boundary=8'), plainMail({ messageId: '<same@x>' })]),
    '6.eml': plainMail({ messageId: '<same@x>', date: 'Fri, 20 Nov 2026 10:00:00 +0100' }),
  }
  for (const [name, bytes] of Object.entries(mails)) await writeFile(join(folder, name), bytes)
  const mailbox = await openEmlMailbox(folder)
  const { refs } = await mailbox.look('', { since: null })
  const key: Record<string, string> = {}
  for await (const head of mailbox.heads(refs)) key[head.ref.uid] = head.messageKey
  assert.notEqual(key['1.eml'], key['2.eml'])
  assert.equal(key['1.eml'], key['3.eml'], 'what a mailbox adds does not count')
  assert.equal(key['4.eml'], key['5.eml'])
  assert.notEqual(key['4.eml'], key['6.eml'], 'a sender that gives every mail the same id')
  assert.notEqual(key['7.eml'], key['8.eml'], 'the same, in one second')
})
