import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { stageFile } from '../../../systemscripts/mail/stage-file.ts'
import { temporaryFolder } from '../test-files.ts'
import { inPieces } from './make-mail.ts'

test('a file is hidden until it is published, and then has a free safe name', async (t) => {
  const folder = join(await temporaryFolder(t), 'new', 'folder')
  const bytes = Buffer.from('a;b\n1;2\n')
  const staged = await stageFile(inPieces(bytes, 3), folder)
  assert.deepEqual([staged.sizeBytes, staged.sha256], [8, createHash('sha256').update(bytes).digest('hex')])
  assert.match((await readdir(folder)).join(), /^\..*\.part$/)
  assert.equal(await staged.publish('../../prices.csv'), join(folder, 'prices.csv'))
  await staged.discard()
  const second = await stageFile(inPieces(bytes, 3), folder)
  assert.equal(basename(await second.publish('prices.csv')), 'prices_2.csv')
  assert.deepEqual((await readdir(folder)).sort(), ['prices.csv', 'prices_2.csv'])
  assert.equal(await readFile(join(folder, 'prices.csv'), 'utf8'), 'a;b\n1;2\n')
})

test('what is too large, breaks off or is aborted leaves nothing', async (t) => {
  const folder = await temporaryFolder(t)
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('half')
    throw new Error('connection lost')
  }
  await assert.rejects(stageFile(inPieces(Buffer.alloc(100), 10), folder, { maxBytes: 50 }), { code: 'attachment_too_large' })
  await assert.rejects(stageFile(broken(), folder), /connection lost/)
  await assert.rejects(stageFile(inPieces(Buffer.alloc(9), 3), folder, { signal: AbortSignal.abort(new Error('cancelled')) }), /cancelled/)
  const staged = await stageFile(inPieces(Buffer.alloc(50), 10), folder, { maxBytes: 50 })
  await staged.discard()
  await staged.discard()
  assert.deepEqual(await readdir(folder), [])
})
