import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddresses } from '../../../systemscripts/mail/mime/addresses.ts'
import { headerFields } from '../../../systemscripts/mail/mime/header-fields.ts'
import { headerText } from '../../../systemscripts/mail/mime/header-text.ts'
import { parseMailDate } from '../../../systemscripts/mail/mime/mail-date.ts'
import { parseParameters } from '../../../systemscripts/mail/mime/parameters.ts'

const raw = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

test('encoded words are read in either encoding, and blanks between them are no text', () => {
  assert.equal(headerText('=?utf-8?B?UHJlaXNl?= =?utf-8?Q?_f=C3=BCr_M=C3=A4rz?= now'), 'Preise für März now')
  assert.equal(headerText('=?ISO-8859-1?Q?Z=FCrich?='), 'Zürich')
  assert.equal(headerText('=?utf-8*de?Q?M=C3=A4rz?='), 'März')
  assert.equal(headerText('a =?x-unknown?Q?b?= c'), 'a b c')
})

test('a character that a sender split between two encoded words is whole again', () => {
  const [left, right] = [Buffer.from('価', 'utf8').subarray(0, 1), Buffer.from('価', 'utf8').subarray(1)]
  assert.equal(headerText(`=?utf-8?B?${left.toString('base64')}?= =?utf-8?B?${right.toString('base64')}?=`), '価')
  assert.equal(headerText('=?iso-2022-jp?B?GyRCMkEzShsoQg==?='), '価格')
})

test('a charset that lies does not make the text unreadable', () => {
  assert.equal(headerText('=?us-ascii?Q?M=C3=A4rz?='), 'März')
  assert.equal(headerText('=?utf-8?Q?M=E4rz?='), 'März')
  assert.equal(headerText(raw('Preise für März')), 'Preise für März')
  assert.equal(headerText('Preise f\xfcr M\xe4rz'), 'Preise für März')
  assert.equal(headerText('=?utf-8?Q?a=0D=0AX-Evil:_1?='), 'a X-Evil: 1')
})

test('names of files are read however they were written', () => {
  const names: [written: string, name: string][] = [
    [`attachment; filename="prices.xlsx"`, 'prices.xlsx'],
    [`attachment; filename=my prices 2026.xlsx`, 'my prices 2026.xlsx'],
    [`attachment; filename*=UTF-8''Preise%20M%C3%A4rz.xlsx; filename="old.xlsx"`, 'Preise März.xlsx'],
    [`attachment; filename*=iso-8859-1'en'Z%FCrich.csv`, 'Zürich.csv'],
    [`attachment; filename*1="long.xlsx"; filename*0="a very "`, 'a very long.xlsx'],
    [`attachment; filename*0*=utf-8''Preise%20M%C3; filename*1*=%A4rz; filename*2=".xlsx"`, 'Preise März.xlsx'],
    [`attachment; filename="=?utf-8?B?${Buffer.from('März.xlsx').toString('base64')}?="`, 'März.xlsx'],
    [`attachment; filename*0="=?utf-8?Q?M=C3=A4r"; filename*1="z.xlsx?="`, 'März.xlsx'],
    [raw(`attachment; filename="März.xlsx"`), 'März.xlsx'],
    ['attachment; filename="M\xe4rz.xlsx"', 'März.xlsx'],
    [`attachment; filename="a "b".xlsx"`, 'a "b".xlsx'],
    [`attachment; filename="never ends.xlsx`, 'never ends.xlsx'],
    [`attachment; filename="never ends.xlsx; size=12`, 'never ends.xlsx'],
    [`attachment; filename="C:\\temp\\new.xlsx"`, 'C:\\temp\\new.xlsx'],
    [`attachment; filename="say \\"hi\\".txt"`, 'say "hi".txt'],
    [`attachment;filename = "x;y.csv" ;size=1`, 'x;y.csv'],
    [`attachment; FileName=a.csv;`, 'a.csv'],
  ]
  for (const [written, name] of names) assert.equal(parseParameters(written).parameters.get('filename'), name, written)
})

test('header fields are unfolded, keep their order, and end at the blank line', () => {
  const fields = headerFields(Buffer.from('A: 1\r\nB: 2\r\n\tand 3\r\nnonsense\r\nA : 4\n\nC: 5\r\n'))
  assert.deepEqual(fields, [
    { name: 'a', value: '1' },
    { name: 'b', value: '2\tand 3' },
    { name: 'a', value: '4' },
  ])
})

test('of a huge header only the beginning is looked at', () => {
  const block = Buffer.concat([Buffer.from('Subject: x\r\n'), Buffer.from(`X-Junk: ${'y'.repeat(1000)}\r\n`.repeat(3000))])
  const fields = headerFields(block)
  assert.equal(fields[0]?.value, 'x')
  assert.ok(fields.length < 300)
})

test('the address is what stands in angle brackets, whatever the name pretends', () => {
  assert.deepEqual(parseAddresses('"boss@trusted.com" <Evil@Example.com>'), [{ name: 'boss@trusted.com', address: 'evil@example.com' }])
  assert.deepEqual(
    parseAddresses('Ann (a, b) <a@x.org>, "Doe, Joe" <joe@y.org>; bare@z.org').map(({ address }) => address),
    ['a@x.org', 'joe@y.org', 'bare@z.org'],
  )
  assert.deepEqual(
    parseAddresses('Group: a@x.org, b@x.org;').map(({ address }) => address),
    ['a@x.org', 'b@x.org'],
  )
  assert.deepEqual(
    parseAddresses('<a@trusted.com> <evil@x.org>').map(({ address }) => address),
    ['a@trusted.com', 'evil@x.org'],
  )
  assert.deepEqual(parseAddresses('=?utf-8?Q?M=C3=BCller,_Ann?= <a@x.org>'), [{ name: 'Müller, Ann', address: 'a@x.org' }])
  assert.deepEqual(parseAddresses('undisclosed-recipients:;'), [])
})

test('dates are read as senders write them', () => {
  const moment = '2026-11-19T09:00:00.000Z'
  for (const text of [
    'Thu, 19 Nov 2026 10:00:00 +0100',
    '19 Nov 26 10:00 +0100 (CET)',
    'Thu, 19-Nov-2026 09:00:00 GMT',
    'Thu, 19 Nov 2026 04:00:00 EST',
  ]) {
    assert.equal(parseMailDate(text)?.toISOString(), moment, text)
  }
  assert.equal(parseMailDate('yesterday'), null)
})
