import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashFile } from '../../systemscripts/hash-file.ts'
import { temporaryFile } from './test-files.ts'

test('the hash is SHA-256 as others compute it, of known texts and of nothing', async (t) => {
  assert.deepEqual(await hashFile(await temporaryFile(t, 'a', 'abc')), {
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    sizeBytes: 3,
  })
  assert.deepEqual(await hashFile(await temporaryFile(t, 'b', '')), {
    sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    sizeBytes: 0,
  })
})

test('an abort ends it with its reason', async (t) => {
  const path = await temporaryFile(t, 'big', Buffer.alloc(3_000_000))
  const reason = new Error('enough')
  await assert.rejects(hashFile(path, AbortSignal.abort(reason)), reason)
})
