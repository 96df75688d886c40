import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headOf } from '../../../systemscripts/mail/message-head.ts'
import type { Attachment, MessagePart } from '../../../systemscripts/mail/message-part.ts'
import { partOfHeader } from '../../../systemscripts/mail/message-part.ts'
import { authenticationOf } from '../../../systemscripts/mail/trust/authentication-results.ts'
import { BLOCKED_BY_DEFAULT, blockedByContent, blockedByName } from '../../../systemscripts/mail/trust/blocked-types.ts'
import { gateRefusal, type TrustGate } from '../../../systemscripts/mail/trust/gate.ts'
import { temporaryFile, zipOf } from '../test-files.ts'
import { plainMail } from './make-mail.ts'

const open: TrustGate = { allowedSenders: null, requireAuthenticated: false, authenticationServer: null, blockedTypes: null }
const facts = { ref: { folder: 'INBOX', uidValidity: '1', uid: '1' }, receivedAt: null, sizeBytes: 1, isSeen: false }
const head = (above: string[], from = 'Ann <ann@example.com>') => headOf(plainMail({ above, from }), facts)
const results = (...texts: string[]) => texts.map((text) => `Authentication-Results: ${text}`)
const attachment = (name: string): Attachment => ({
  part: partOf(name),
  name,
  type: 'application/octet-stream',
  sizeBytes: 1,
  isInline: false,
})
const partOf = (name: string): MessagePart => ({ ...partOfHeader([], '1'), fileName: name })
const isAuthentic = (above: string[], server: string | null = 'mx.example.org') =>
  authenticationOf(head(above).fields, 'example.com', server).isAuthentic

test('what DMARC passes is authentic, what it fails is not, whatever SPF says', () => {
  assert.ok(isAuthentic(results('mx.example.org; dmarc=pass (p=reject; sp=none) header.from=example.com')))
  assert.ok(!isAuthentic(results('mx.example.org; dmarc=fail header.from=example.com; spf=pass smtp.mailfrom=example.com')))
  assert.ok(!isAuthentic(results('mx.example.org; dmarc=pass header.from=evil.example')))
})

test('without DMARC a signature or SPF counts when it is for the domain of the sender', () => {
  assert.ok(isAuthentic(results('mx.example.org 1; dmarc=none; dkim=pass header.d=example.com header.s=s1')))
  assert.ok(isAuthentic(results('mx.example.org; dkim=fail header.d=example.com; dkim=pass header.i=@mail.example.com')))
  assert.ok(isAuthentic(results('mx.example.org;\r\n\tspf=pass (sender IP is 192.0.2.1)\r\n\tsmtp.mailfrom="bounce@example.com"')))
  assert.ok(!isAuthentic(results('mx.example.org; dkim=pass header.d=mailer.example; spf=pass smtp.mailfrom=mailer.example')))
  assert.ok(!isAuthentic(results('mx.example.org; dkim=pass header.d=notexample.com')))
  assert.ok(!isAuthentic(results('mx.example.org; spf=pass smtp.mailfrom=com')))
  assert.ok(!isAuthentic(results('mx.example.org; none')))
})

test('only the topmost results of the receiving server count, so forged ones below do not', () => {
  const forged = 'mx.example.org; dmarc=pass header.from=example.com'
  assert.ok(!isAuthentic(results('mx.example.org; dmarc=fail header.from=example.com', forged)))
  assert.ok(!isAuthentic(results('mx.evil.example; dmarc=pass header.from=example.com')))
  assert.ok(!isAuthentic(results('mx.example.org.evil.example; dmarc=pass header.from=example.com')))
  assert.ok(isAuthentic(results('relay.example; dmarc=fail', forged)))
  assert.ok(!isAuthentic([]))
})

test('comments and quotes cannot smuggle a result in', () => {
  assert.ok(!isAuthentic(results('mx.example.org; spf=fail (; dmarc=pass header.from=example.com) smtp.mailfrom=x.example')))
  assert.ok(!isAuthentic(results('mx.example.org; spf=fail smtp.mailfrom="a; dmarc=pass"@x.example')))
  assert.ok(!isAuthentic(results('mx.example.org; spf=fail reason="; dmarc=pass header.from=example.com"')))
})

test('a server that writes no id is trusted only when the row says so', () => {
  const microsoft = results(
    'spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.com; dkim=none; dmarc=bestguesspass action=none header.from=example.com',
  )
  assert.ok(isAuthentic(microsoft, null))
  assert.ok(!isAuthentic(microsoft))
})

test('allowed senders are addresses, domains, or what lies below a domain, and every sender must be allowed', () => {
  const refused = (allowedSenders: string[], from: string) => gateRefusal({ ...open, allowedSenders }, head([], from), [])?.reason
  assert.equal(refused(['ANN@example.com'], 'Ann <ann@Example.com>'), undefined)
  assert.equal(refused(['example.com'], 'Ann <ann@example.com>'), undefined)
  assert.equal(refused(['@example.com'], 'Ann <ann@example.com>'), undefined)
  assert.equal(refused(['*.example.com'], 'Ann <ann@a.example.com>'), undefined)
  assert.match(refused(['*.example.com'], 'Ann <ann@example.com>') ?? '', /"ann@example.com" is not allowed/)
  assert.match(refused(['example.com'], 'Ann <ann@evilexample.com>') ?? '', /not allowed/)
  assert.match(refused(['example.com'], '"ann@example.com" <x@evil.example>') ?? '', /x@evil.example/)
  assert.match(refused(['example.com'], 'ann@example.com, x@evil.example') ?? '', /x@evil.example/)
  assert.match(refused(['example.com'], '<ann@example.com> <x@evil.example>') ?? '', /x@evil.example/)
  assert.equal(refused(['example.com'], ''), 'it names no sender')
  assert.match(refused([], 'ann@example.com') ?? '', /not allowed/)
})

test('a proof is for one sender alone', () => {
  const gate = { ...open, requireAuthenticated: true, authenticationServer: 'mx.example.org' }
  const pass = results('mx.example.org; dmarc=pass header.from=example.com')
  assert.equal(gateRefusal(gate, head(pass), []), null)
  assert.match(gateRefusal(gate, head(pass, 'ann@example.com, x@evil.example'), [])?.reason ?? '', /2 senders/)
  assert.match(gateRefusal(gate, head([...pass, 'From: ann@example.com']), [])?.reason ?? '', /2 senders/)
  assert.match(
    gateRefusal(gate, head([]), [])?.reason ?? '',
    /"ann@example.com" is not proved: no Authentication-Results of "mx.example.org"/,
  )
})

test('programs, scripts and macro files are refused by name, however it is disguised', () => {
  for (const name of [
    'a.exe',
    'A.EXE',
    'prices.xlsx.js',
    'a.exe. ',
    'a\u202excod.scr',
    'a.vbs\u0000',
    'book.xlsm',
    'book.DOCM',
    'disk.iso',
    'a.lnk',
  ]) {
    assert.notEqual(blockedByName(name, BLOCKED_BY_DEFAULT), null, JSON.stringify(name))
  }
  for (const name of ['prices.xlsx', 'prices.xls', 'big.xlsb', 'data.zip', 'exe', 'a.csv', 'report.pdf']) {
    assert.equal(blockedByName(name, BLOCKED_BY_DEFAULT), null, name)
  }
  assert.equal(gateRefusal({ ...open, blockedTypes: [] }, head([]), [attachment('a.exe')]), null)
  assert.equal(
    gateRefusal({ ...open, blockedTypes: ['.PDF'] }, head([]), [attachment('a.pdf')])?.reason,
    'attachment "a.pdf" is of the blocked type .pdf',
  )
  assert.equal(gateRefusal(open, head([]), [attachment('a.pdf'), attachment('b.js')])?.filter, 'blocked_types')
})

test('programs and macros are refused by their bytes, whatever the name says', async (t) => {
  const judged = async (name: string, bytes: string | Uint8Array, types = BLOCKED_BY_DEFAULT) =>
    blockedByContent(await temporaryFile(t, name, bytes), Buffer.from(bytes).subarray(0, 64), types)
  assert.equal(await judged('prices.xlsx', 'MZ\x90\0rest'), 'a Windows program')
  assert.equal(await judged('prices.csv', '\x7fELF rest'), 'a Linux program')
  assert.equal(await judged('run', '#!/bin/sh\n'), 'a script')
  assert.equal(await judged('prices.xlsx', zipOf({ 'xl/vbaProject.bin': 'x' })), 'a document with macros (vbaProject.bin)')
  assert.equal(await judged('data.zip', zipOf({ 'a.csv': 'x', 'b/run.EXE': 'x' })), 'an archive that holds "b/run.EXE"')
  assert.equal(await judged('prices.xlsx', zipOf({ 'xl/workbook.xml': 'x', 'xl/printerSettings/printerSettings1.bin': 'x' })), null)
  const workbook = zipOf({ 'xl/vbaProject.bin': 'x' })
  assert.equal(
    await judged('data.zip', zipOf({ 'in.zip': zipOf({ 'prices.xlsx': workbook }) })),
    'an archive that holds "in.zip", an archive that holds "prices.xlsx", a document with macros (vbaProject.bin)',
  )
  assert.equal(
    await judged('data.zip', zipOf({ 'in.zip': zipOf({ 'evil.docm': 'x' }) })),
    'an archive that holds "in.zip", an archive that holds "evil.docm"',
  )
  assert.equal(await judged('data.zip', zipOf({ 'readme.txt': 'MZ\x90\0rest' })), 'an archive that holds "readme.txt", a Windows program')
  assert.equal(await judged('data.zip', zipOf({ 'in.zip': zipOf({ 'a.csv': 'a;b' }), 'b.csv': '' })), null)
  const deep = [1, 2, 3, 4].reduce((inner) => zipOf({ 'in.zip': inner }), zipOf({ 'a.csv': 'a' }))
  assert.match((await judged('data.zip', deep)) ?? '', /too deep within archives/)
  assert.equal(await judged('prices.csv', 'a;b\n1;2\n'), null)
  assert.equal(await judged('empty.csv', ''), null)
  assert.equal(await judged('prices.xlsx', 'MZ', ['macro']), null)
})
