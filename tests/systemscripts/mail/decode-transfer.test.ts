import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeTransfer } from '../../../systemscripts/mail/mime/decode-transfer.ts'
import { textOfBytes } from '../../../systemscripts/mail/mime/text-of-bytes.ts'
import { base64Lines, collect, inPieces } from './make-mail.ts'

const decode = async (text: string | Buffer, encoding: string, size: number): Promise<string> =>
  (await collect(decodeTransfer(inPieces(Buffer.from(text), size), encoding))).toString('utf8')

test('base64 is decoded whatever stands between its characters and wherever it is cut', async () => {
  const text = 'Preise für März, '.repeat(50)
  const encoded = base64Lines(Buffer.from(text))
  const withJunk = encoded.replaceAll('\r\n', ' \r\n<!-- *** -->\t\r\n')
  for (const size of [1, 2, 3, 5, 7, 64, 100_000]) {
    assert.equal(await decode(encoded, 'base64', size), text)
    assert.equal(await decode(withJunk, 'base64', size), text)
  }
})

test('base64 that was put together from padded pieces, or lost its padding, is read to its end', async () => {
  const pieces = ['a', 'bc', 'def', 'ghij'].map((text) => Buffer.from(text).toString('base64'))
  for (const size of [1, 2, 3, 4, 5, 100]) {
    assert.equal(await decode(pieces.join(''), 'base64', size), 'abcdefghij', `pieces of ${size}`)
    assert.equal(await decode('YWJjZA', 'base64', size), 'abcd')
  }
})

test('any bytes survive base64 in any pieces', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 90 }), async (bytes, size) => {
      const decoded = await collect(decodeTransfer(inPieces(Buffer.from(base64Lines(bytes)), size), 'base64'))
      assert.deepEqual(new Uint8Array(decoded), bytes)
    }),
    { numRuns: 200 },
  )
})

test('quoted-printable is decoded wherever it is cut, and wrong escapes stay as they stand', async () => {
  const encoded = 'f=C3=BCr =\r\nM=c3=a4rz   \r\n100 =GG=\r\n=4\r\nend=20=\r\n'
  for (const size of [1, 2, 3, 4, 5, 7, 1000]) {
    assert.equal(await decode(encoded, 'quoted-printable', size), 'für März\r\n100 =GG=4\r\nend ', `pieces of ${size}`)
  }
})

test('other encodings are given as they are', async () => {
  assert.equal(await decode('=41 QUJD', '8bit', 3), '=41 QUJD')
})

test('texts are read by their bytes when the stated charset cannot be right', () => {
  assert.equal(textOfBytes(Buffer.from('März'), 'iso-8859-1'), 'März')
  assert.equal(textOfBytes(Buffer.from('März', 'latin1'), 'utf-8'), 'März')
  assert.equal(textOfBytes(Buffer.from('M\xe4rz \x80', 'latin1'), null), 'März €')
  assert.equal(textOfBytes(Buffer.from('c4e3bac3', 'hex'), 'GB2312'), '你好')
  assert.equal(textOfBytes(Buffer.from('\x1b$B2A3J\x1b(B', 'latin1'), 'iso-2022-jp'), '価格')
  assert.equal(textOfBytes(Buffer.from('\u0416', 'utf8'), 'cp1251'), 'Ж')
  assert.equal(textOfBytes(Buffer.from([0xc6]), 'cp1251'), 'Ж')
})
