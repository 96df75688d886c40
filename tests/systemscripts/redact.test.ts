import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRedactor, maskAddresses } from '../../systemscripts/redact.ts'

test('a secret is masked wherever it stands', () => {
  const redactor = createRedactor()
  redactor.learn('s3cr+t/ü"x')
  const text = 's3cr+t/ü"x'
  const carriers = [
    `login with ${text} failed`,
    `https://host/?key=${encodeURIComponent(text)}`,
    `key=${new URLSearchParams({ v: text }).toString().slice(2)}`,
    `Basic ${Buffer.from(`user:${text}`).toString('base64')}`,
    `Basic ${Buffer.from(`me:${text}:x`).toString('base64')}`,
    JSON.stringify({ text }),
    Buffer.from(text).toString('hex'),
  ]
  for (const carrier of carriers) assert.match(redactor.text(carrier), /\*\*\*/, carrier)
  assert.equal(redactor.text('login with s3cr+t/ü"x failed'), 'login with *** failed')
})

test('each line of a key of several lines is masked, its frame is not', () => {
  const redactor = createRedactor()
  redactor.learn('-----BEGIN KEY-----\nMIIEvgIBADANBgkqhkiG\nAbCdEfGhIjKlMnOpQrSt\n-----END KEY-----\n')
  assert.equal(redactor.text('line: AbCdEfGhIjKlMnOpQrSt'), 'line: ***')
  assert.equal(redactor.text('-----BEGIN KEY-----'), '-----BEGIN KEY-----')
})

test('the longer of two secrets is masked as a whole', () => {
  const redactor = createRedactor()
  redactor.learn('tiger')
  redactor.learn('tiger-and-lion')
  assert.equal(redactor.text('it is tiger-and-lion'), 'it is ***')
})

test('values under four characters are left alone', () => {
  const redactor = createRedactor()
  redactor.learn('abc')
  assert.equal(redactor.text('abc abcd'), 'abc abcd')
})

test('data is masked in depth, in keys and numbers, and can always be written as JSON', () => {
  const redactor = createRedactor()
  redactor.learn('sesame-street')
  redactor.learn('483920')
  const circle: Record<string, unknown> = { password: 'sesame-street', pin: 483920, at: new Date(0), big: 10n, nan: Number.NaN }
  circle.self = circle
  circle['sesame-street'] = [undefined, new Error('no sesame-street'), new Map([['a', 'sesame-street']]), Buffer.from('xy')]
  const written = JSON.stringify(redactor.data(circle))
  assert.ok(!written.includes('sesame') && !written.includes('483920'))
  assert.deepEqual(JSON.parse(written), {
    password: '***',
    pin: '***',
    at: '1970-01-01T00:00:00.000Z',
    big: '10',
    nan: 'NaN',
    self: '…',
    '***': [null, 'no ***', { a: '***' }, '2 bytes'],
  })
})

test('passwords in addresses are masked without being learnt', () => {
  assert.equal(maskAddresses('postgres://me:hunter2@host/db'), 'postgres://me:***@host/db')
  assert.equal(maskAddresses('host=x password=hunter2 port=1'), 'host=x password=*** port=1')
})

test('no text around a secret, and no place in base64, brings it through', () => {
  const printable = fc.string({ minLength: 12, maxLength: 40 })
  fc.assert(
    fc.property(printable, fc.string(), fc.string(), (secret, before, after) => {
      const redactor = createRedactor()
      redactor.learn(secret)
      assert.ok(!redactor.text(before + secret + after).includes(secret))
      const encoded = Buffer.from(before + secret + after).toString('base64')
      assert.ok(!Buffer.from(redactor.text(encoded).split('***').join(''), 'base64').toString().includes(secret))
      assert.notEqual(redactor.text(encoded), encoded)
    }),
    { numRuns: 500 },
  )
})
