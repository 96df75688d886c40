import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mailbox } from '../../../systemscripts/mail/mailbox.ts'
import { collect, listOf, plainMail } from './make-mail.ts'
import { connect, peer } from './peer-mailbox.ts'

const refs = async (mailbox: Mailbox) => (await mailbox.look('INBOX', { since: null })).refs

test('reading marks nothing, acting does what it says and makes the folder, and doing it again is harmless', async (t) => {
  const server = await peer(t, { delimiter: '.' })
  for (let index = 0; index < 5; index += 1) server.add('INBOX', plainMail())
  const mailbox = await connect(t, server)
  const found = await refs(mailbox)
  await listOf(mailbox.heads(found))
  for (const ref of found) await collect(mailbox.raw(ref))
  const inbox = server.folders.get('INBOX')
  assert.deepEqual(
    inbox?.messages.map(({ flags }) => flags.size),
    [0, 0, 0, 0, 0],
  )
  const done: (string | null)[] = []
  for (const [index, kind] of (['mark_read', 'flag', 'label', 'move', 'leave'] as const).entries()) {
    const ref = found[index] ?? assert.fail()
    done.push(await mailbox.act(ref, { kind, label: 'Clients/Done it' }), await mailbox.act(ref, { kind, label: 'Clients/Done it' }))
  }
  assert.deepEqual(done, [
    'marked as read',
    'marked as read',
    'flagged',
    'flagged',
    'given the keyword "Clients_Done_it"',
    'given the keyword "Clients_Done_it"',
    'moved to "Clients.Done it"',
    null,
    'left as it was',
    'left as it was',
  ])
  assert.deepEqual(
    inbox?.messages.map(({ flags }) => [...flags]),
    [['\\Seen'], ['\\Flagged'], ['Clients_Done_it'], []],
  )
  assert.equal(server.folders.get('Clients.Done it')?.messages.length, 1)
})

test('where no keywords are kept a label is a folder', async (t) => {
  const server = await peer(t)
  server.add('INBOX', plainMail())
  const inbox = server.folders.get('INBOX')
  if (inbox) inbox.permanentFlags = '\\Seen'
  const mailbox = await connect(t, server)
  const [ref] = await refs(mailbox)
  assert.equal(await mailbox.act(ref ?? assert.fail(), { kind: 'label', label: 'Processed' }), 'moved to "Processed"')
})

test('a server with neither MOVE nor UIDPLUS keeps what others marked as deleted, and the moved message is not found again', async (t) => {
  const server = await peer(t, { capabilities: ['AUTH=PLAIN'] })
  server.add('INBOX', plainMail()).flags.add('\\Deleted')
  server.add('INBOX', plainMail())
  const mailbox = await connect(t, server)
  const found = await refs(mailbox)
  assert.equal(found.length, 1)
  assert.equal(await mailbox.act(found[0] ?? assert.fail(), { kind: 'move', label: 'Done' }), 'moved to "Done"')
  assert.equal(server.folders.get('INBOX')?.messages.length, 2)
  assert.equal(server.folders.get('Done')?.messages.length, 1)
  assert.deepEqual(await refs(mailbox), [])
})
