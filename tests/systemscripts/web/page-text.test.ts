import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTextual, pageText } from '../../../systemscripts/web/page/page-text.ts'

const umlauts = 'Müller und Söhne, Größe, Äpfel, Übung, schön, für, Straße'

async function read(bytes: Buffer, contentType: string | null = null): Promise<[string, string]> {
  const { text, encoding } = await pageText(bytes, contentType)
  return [text, encoding]
}

test('a byte order mark goes before the header, the header before what the page says', async () => {
  const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(umlauts, 'utf16le')])
  assert.deepEqual(await read(marked, 'text/html; charset=iso-8859-1'), [umlauts, 'utf-16le'])
  assert.deepEqual(await read(Buffer.from(`\ufeff${umlauts}`), 'text/html'), [umlauts, 'utf-8'])
  const latin2 = Buffer.from([0xb1])
  assert.deepEqual(await read(latin2, 'text/html; charset="ISO-8859-2"'), ['ą', 'iso-8859-2'])
  const page = Buffer.concat([Buffer.from('<meta charset=windows-1251>'), Buffer.from([0xcf])])
  assert.deepEqual(await read(page, 'text/html; charset=iso-8859-2'), ['<meta charset=windows-1251>Ď', 'iso-8859-2'])
})

test('a page says its encoding itself, in any of the ways, but not in a comment', async () => {
  const withByte = (head: string): Buffer => Buffer.concat([Buffer.from(head), Buffer.from([0xe6])])
  assert.equal((await read(withByte('<meta charset="windows-1251">')))[0].at(-1), 'ж')
  assert.equal((await read(withByte('<META http-equiv=Content-Type content="text/html; charset=windows-1251">')))[0].at(-1), 'ж')
  assert.equal((await read(withByte('<?xml version="1.0" encoding="windows-1251"?>')))[0].at(-1), 'ж')
  assert.equal((await read(withByte('<!-- <meta charset=windows-1251> -->')))[1], 'windows-1252')
  assert.equal((await read(Buffer.from(`<meta charset=utf-16>${umlauts}`)))[1], 'utf-8')
})

test('a lie about UTF-8 is not believed, in either direction', async () => {
  assert.deepEqual(await read(Buffer.from(umlauts), 'text/html; charset=ISO-8859-1'), [umlauts, 'utf-8'])
  assert.deepEqual(await read(Buffer.from(umlauts, 'latin1'), 'text/html; charset=utf-8'), [umlauts, 'windows-1252'])
  assert.deepEqual(await read(Buffer.from(umlauts, 'latin1'), 'text/html; charset=nonsense'), [umlauts, 'windows-1252'])
})

test('what is not said is told by the bytes, and a single wrong byte spoils nothing else', async () => {
  assert.deepEqual(await read(Buffer.from('plain')), ['plain', 'utf-8'])
  const polish = 'Zażółć gęślą jaźń, proszę bardzo, dziękuję, święta, łóżko'
  const bytes = Buffer.from(
    [...polish].map((letter) => ('ĄąĆćĘęŁłŃńÓóŚśŹźŻż'.includes(letter) ? (windows1250.get(letter) ?? 63) : letter.charCodeAt(0))),
  )
  assert.equal((await read(bytes))[0], polish)
  const broken = Buffer.concat([Buffer.from(umlauts), Buffer.from([0xff]), Buffer.from(umlauts)])
  assert.deepEqual(await read(broken, 'text/html'), [`${umlauts}\ufffd${umlauts}`, 'utf-8'])
})

const windows1250 = new Map(Object.entries({ ą: 0xb9, ć: 0xe6, ę: 0xea, ł: 0xb3, ń: 0xf1, ó: 0xf3, ś: 0x9c, ź: 0x9f, ż: 0xbf }))

test('what is text is told by its type', () => {
  for (const type of [null, 'text/html', 'application/xhtml+xml; charset=x', 'application/json', 'application/xml', 'image/svg+xml']) {
    assert.equal(isTextual(type), type !== 'image/svg+xml', String(type))
  }
  for (const type of ['application/vnd.ms-excel', 'application/octet-stream', 'image/png', 'application/pdf'])
    assert.equal(isTextual(type), false)
})
