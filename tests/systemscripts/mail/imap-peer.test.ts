import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mailbox } from '../../../systemscripts/mail/mailbox.ts'
import { attachmentsOf } from '../../../systemscripts/mail/message-part.ts'
import { collect, listOf, mail, plainMail } from './make-mail.ts'
import { connect, peer } from './peer-mailbox.ts'

const refs = async (mailbox: Mailbox) => (await mailbox.look('INBOX', { since: null })).refs

test('only messages after the cursor are given', async (t) => {
  const server = await peer(t)
  server.add('INBOX', plainMail())
  server.add('INBOX', plainMail())
  const mailbox = await connect(t, server)
  const first = await mailbox.look('INBOX', { since: null })
  assert.deepEqual(
    first.refs.map(({ uid }) => uid),
    ['1', '2'],
  )
  const second = await mailbox.look('INBOX', { since: first.cursor })
  assert.deepEqual([second.refs, second.startedAnew], [[], null], 'n:* gives the newest message, which is not new')
  server.add('INBOX', plainMail())
  const third = await mailbox.look('INBOX', { since: second.cursor })
  assert.deepEqual(
    third.refs.map(({ uid }) => uid),
    ['3'],
  )
})

test('a changed UIDVALIDITY hides no new mail', async (t) => {
  const server = await peer(t)
  for (let index = 0; index < 5; index += 1) server.add('INBOX', plainMail(), new Date())
  const mailbox = await connect(t, server)
  const { cursor } = await mailbox.look('INBOX', { since: null })
  server.folders.delete('INBOX')
  server.add('INBOX', plainMail(), new Date())
  const look = await mailbox.look('INBOX', { since: cursor })
  assert.equal(look.refs.length, 1)
  assert.match(look.startedAnew ?? '', /UIDVALIDITY/)
})

test('a mailbox put in the place of another with the same UIDVALIDITY hides no new mail', async (t) => {
  const server = await peer(t)
  const before = server.add('INBOX', plainMail(), new Date())
  const mailbox = await connect(t, server)
  const { cursor } = await mailbox.look('INBOX', { since: null })
  const inbox = server.folders.get('INBOX')
  assert.ok(inbox)
  inbox.messages = []
  inbox.uidNext = 1
  assert.match((await mailbox.look('INBOX', { since: cursor })).startedAnew ?? '', /next number is 1/)
  server.add('INBOX', plainMail(), new Date())
  server.add('INBOX', before.raw, new Date())
  const look = await mailbox.look('INBOX', { since: cursor })
  assert.match(look.startedAnew ?? '', /number 1 is another message/)
  assert.equal(look.refs.length, 2)
  const keys = (await listOf(mailbox.heads(look.refs))).map(({ messageKey }) => messageKey)
  assert.equal(keys[1], cursor.witnessKey, 'the message that was seen before is known by its key')
})

test('messages received lately are given again when asked for, whatever the cursor says', async (t) => {
  const server = await peer(t)
  server.add('INBOX', plainMail(), new Date('2020-01-01'))
  server.add('INBOX', plainMail(), new Date())
  const mailbox = await connect(t, server)
  const { cursor } = await mailbox.look('INBOX', { since: null })
  const { refs: again } = await mailbox.look('INBOX', { since: cursor, lookBackDays: 2 })
  assert.deepEqual(
    again.map(({ uid }) => uid),
    ['2'],
  )
})

test('numbers of before are refused when the folder was numbered anew between look and reading', async (t) => {
  const server = await peer(t)
  server.add('INBOX', plainMail())
  const mailbox = await connect(t, server)
  const found = await refs(mailbox)
  server.folders.delete('INBOX')
  server.add('INBOX', plainMail({ subject: 'another' }))
  await mailbox.look('INBOX', { since: null })
  await assert.rejects(listOf(mailbox.heads(found)), { code: 'mailbox_renumbered' })
})

test('messages that vanish meanwhile are left out, and acting on them says so', async (t) => {
  const server = await peer(t)
  const bytes = Buffer.from('a;b')
  for (let index = 0; index < 3; index += 1) server.add('INBOX', plainMail({ files: [{ name: 'a.csv', bytes }] }))
  const mailbox = await connect(t, server)
  const found = await refs(mailbox)
  const structures = await listOf(mailbox.structures(found))
  server.folders.get('INBOX')?.messages.splice(1, 1)
  assert.equal((await listOf(mailbox.heads(found))).length, 2)
  const wanted = structures.flatMap(({ ref, root }) => attachmentsOf(root).map(({ part }) => ({ ref, part })))
  const read: string[] = []
  for await (const { ref, content } of mailbox.read(wanted)) read.push(`${ref.uid} ${await collect(content)}`)
  assert.deepEqual(read, ['1 a;b', '3 a;b'])
  const [, gone] = found
  assert.ok(gone)
  assert.equal(await mailbox.act(gone, { kind: 'move', label: 'Done' }), null)
  await assert.rejects(collect(mailbox.raw(gone)), { code: 'message_gone' })
})

test('a server that ignores which piece is asked for gives every byte once', async (t) => {
  const server = await peer(t, { ignoresPieces: true })
  const bytes = Buffer.alloc(3_000_000, 'abcdefg')
  server.add('INBOX', plainMail({ files: [{ name: 'big.bin', bytes }] }))
  const mailbox = await connect(t, server)
  const [ref] = await refs(mailbox)
  assert.ok(ref)
  assert.equal((await collect(mailbox.raw(ref))).length, server.folders.get('INBOX')?.messages[0]?.raw.length)
  const [structure] = await listOf(mailbox.structures([ref]))
  const wanted = attachmentsOf(structure?.root ?? assert.fail()).map(({ part }) => ({ ref, part }))
  for await (const { content } of mailbox.read(wanted)) assert.ok((await collect(content)).equals(bytes))
})

test('a server that carries out several commands at once mixes their answers up, and nothing is lost', async (t) => {
  const server = await peer(t, { isBusy: true })
  for (let index = 0; index < 30; index += 1)
    server.add('INBOX', plainMail({ files: [{ name: `${index}.csv`, bytes: Buffer.from(`${index}`) }] }))
  const mailbox = await connect(t, server)
  const all = await refs(mailbox)
  const [heads, structures] = await Promise.all([
    Promise.all(all.map((ref) => listOf(mailbox.heads([ref])))),
    Promise.all(all.map((ref) => listOf(mailbox.structures([ref])))),
  ])
  assert.deepEqual(
    heads.flat().map(({ ref }) => ref.uid),
    all.map(({ uid }) => uid),
  )
  assert.deepEqual(
    structures.flat().flatMap(({ root }) => attachmentsOf(root).map(({ name }) => name)),
    all.map((_, index) => `${index}.csv`),
  )
})

test('a very long header is read as far as it is looked at', async (t) => {
  const server = await peer(t)
  server.add('INBOX', Buffer.concat([Buffer.from(`X-Junk: ${'y'.repeat(900)}\r\n`.repeat(150)), plainMail({ subject: 'behind it' })]))
  server.add('INBOX', Buffer.concat([Buffer.from(`X-Junk: ${'y'.repeat(900)}\r\n`.repeat(2000)), plainMail({ subject: 'never seen' })]))
  const mailbox = await connect(t, server)
  const heads = await listOf(mailbox.heads(await refs(mailbox)))
  assert.deepEqual(
    heads.map(({ subject }) => subject),
    ['behind it', ''],
  )
})

test('a name that the server spoils is read from the part itself', async (t) => {
  const server = await peer(t)
  server.add(
    'INBOX',
    mail(
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      `Content-Type: text/csv; name*=utf-8''M%C3%A4rz.csv`,
      '',
      'a',
      '--b',
      'Content-Type: text/csv; name="M\xe4rz 2.csv"',
      '',
      'b',
      '--b--',
    ),
  )
  const mailbox = await connect(t, server)
  const [structure] = await listOf(mailbox.structures(await refs(mailbox)))
  assert.deepEqual(
    attachmentsOf(structure?.root ?? assert.fail()).map(({ name }) => name),
    ['März.csv', 'März 2.csv'],
  )
})

test('a hint tells of new mail at once, and of nothing when the time is over', async (t) => {
  const server = await peer(t)
  const mailbox = await connect(t, server)
  await mailbox.look('INBOX', { since: null })
  assert.equal(await mailbox.hint?.('INBOX', 0.1), false)
  const hint = mailbox.hint?.('INBOX', 60)
  server.add('INBOX', plainMail())
  assert.equal(await hint, true)
  assert.equal((await refs(mailbox)).length, 1)
})

test('a connection that is lost while a hint is waited for tells to look', async (t) => {
  const server = await peer(t)
  const mailbox = await connect(t, server)
  await mailbox.look('INBOX', { since: null })
  const hint = mailbox.hint?.('INBOX', 60)
  while (!server.lines.some((line) => line.endsWith('IDLE'))) await new Promise((resolve) => setImmediate(resolve))
  server.dropAll()
  assert.equal(await hint, true)
  server.add('INBOX', plainMail())
  assert.equal((await mailbox.look('INBOX', { since: null })).refs.length, 1)
})

test('a server that goes away in a command fails it, one that went away before is connected again', async (t) => {
  const server = await peer(t, { dropsAt: /BODYSTRUCTURE/ })
  server.add('INBOX', plainMail())
  const mailbox = await connect(t, server)
  const found = await refs(mailbox)
  await assert.rejects(listOf(mailbox.structures(found)), { name: 'JobError', code: 'mail_server_failed' })
  assert.equal((await listOf(mailbox.heads(found))).length, 1, 'the next call connects again')
  server.dropAll()
  assert.equal(await mailbox.act(found[0] ?? assert.fail(), { kind: 'flag' }), 'flagged')
  await server.close()
  await assert.rejects(connect(t, server), { name: 'JobError', code: 'mail_server_unreachable' })
})

test('an abort ends what is being read with its own reason', async (t) => {
  const server = await peer(t)
  server.add('INBOX', plainMail({ files: [{ name: 'big.bin', bytes: Buffer.alloc(5_000_000) }] }))
  const stop = new AbortController()
  const mailbox = await connect(t, server, { signal: stop.signal })
  const [ref] = await refs(mailbox)
  const reason = new Error('cancelled')
  await assert.rejects(async () => {
    for await (const _ of mailbox.raw(ref ?? assert.fail())) stop.abort(reason)
  }, reason)
  await assert.rejects(connect(t, server, { signal: stop.signal }), reason)
})

test('a folder that is not there is named with those that are', async (t) => {
  const server = await peer(t)
  const mailbox = await connect(t, server)
  await assert.rejects(mailbox.look('Invoices', { since: null }), { code: 'mail_folder_missing', detail: 'It has "INBOX".' })
})
