import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attachmentsOf, type MessagePart } from '../../../systemscripts/mail/message-part.ts'
import { walkMessage } from '../../../systemscripts/mail/mime/walk-message.ts'
import { openPart, stretchOf } from '../../../systemscripts/mail/open-part.ts'
import { tnefFiles } from '../../../systemscripts/mail/tnef.ts'
import { unpackParts } from '../../../systemscripts/mail/unpack-parts.ts'
import { collect, inPieces, plainMail } from './make-mail.ts'
import { tnefOf } from './tnef-file.ts'

async function filesIn(bytes: Buffer): Promise<Record<string, string>> {
  const open = (_: MessagePart | null, range = { start: 0, end: bytes.length }) => stretchOf(inPieces(bytes, 777), range)
  const root = await walkMessage(inPieces(bytes, 777))
  await unpackParts(root, open)
  const found: Record<string, string> = {}
  for (const { part, name } of attachmentsOf(root))
    found[`${part.partId} ${name}`] = (await collect(openPart(part, open))).toString('latin1')
  return found
}

test('the files in winmail.dat are given instead of it, under their long names', async () => {
  const wrapped = tnefOf([
    { title: 'PRICES~1.XLS', longName: 'Preise für März.xlsx', bytes: Buffer.from('the table') },
    { title: 'M\xe4rz.csv', bytes: Buffer.from('a;b') },
    { title: 'empty.txt', bytes: Buffer.alloc(0) },
  ])
  const found = await filesIn(plainMail({ files: [{ name: 'winmail.dat', bytes: wrapped, type: 'application/ms-tnef' }] }))
  assert.deepEqual(found, { '2#1 Preise für März.xlsx': 'the table', '2#2 März.csv': 'a;b', '2#3 empty.txt': '' })
})

test('a message within winmail.dat is opened as well', async () => {
  const wrapped = tnefOf([{ title: 'Forwarded', message: tnefOf([{ longName: 'deep.csv', bytes: Buffer.from('a;b') }]) }])
  const found = await filesIn(plainMail({ files: [{ name: 'winmail.dat', bytes: wrapped }] }))
  assert.deepEqual(found, { '2#1#1 deep.csv': 'a;b' })
})

test('what is no winmail.dat, or a broken one, stays the file that it is', async () => {
  const good = tnefOf([{ title: 'a.csv', bytes: Buffer.from('a;b') }])
  assert.equal(await tnefFiles(inPieces(Buffer.from('no tnef at all'), 3)), null)
  assert.deepEqual(await filesIn(plainMail({ files: [{ name: 'winmail.dat', bytes: Buffer.from('junk') }] })), { '2 winmail.dat': 'junk' })
  for (let length = 0; length < good.length; length += 1) {
    const files = await tnefFiles(inPieces(good.subarray(0, length), 5))
    for (const { start, end } of files ?? []) assert.ok(end <= length && start <= end)
  }
})

test('lengths that lie lead nowhere', async () => {
  const good = tnefOf([{ title: 'a.csv', longName: 'a.csv', bytes: Buffer.from('a;b') }])
  for (let at = 6; at < good.length; at += 1) {
    const bad = Buffer.from(good)
    bad[at] = 0xff
    const files = await tnefFiles(inPieces(bad, 64))
    for (const { start, end } of files ?? []) assert.ok(end <= bad.length && start <= end)
  }
})
