import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { attachmentsOf } from '../../../systemscripts/mail/message-part.ts'
import { headerText } from '../../../systemscripts/mail/mime/header-text.ts'
import { walkMessage } from '../../../systemscripts/mail/mime/walk-message.ts'
import { composeMail } from '../../../systemscripts/outgoing-mail/compose-mail.ts'
import type { MailDraft } from '../../../systemscripts/outgoing-mail/composed-mail.ts'
import { forRecipients } from '../../../systemscripts/outgoing-mail/for-recipients.ts'

const draft: MailDraft = {
  sender: 'Żółw Rota <rota@example.com>',
  to: ['Ann "A" <ann@example.com>'.replaceAll('"', '')],
  subject: 'Kursy ąęż',
  html: '<p>Dzień dobry</p>',
}

async function bytesOf(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of content) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function composed(changes: Partial<MailDraft> = {}): Promise<string> {
  return (await bytesOf((await composeMail({ ...draft, ...changes })).content())).toString('latin1')
}

function field(mail: string, name: string): string {
  return headerText(new RegExp(`^${name}: ((?:.|\r\n[ \t])*)`, 'im').exec(mail)?.[1]?.replace(/\r\n/g, '') ?? '')
}

test('a mail has a text part, a Message-ID, a date, and says that a machine wrote it; bcc stands nowhere', async () => {
  const date = new Date('2026-11-23T06:15:00Z')
  const mail = await composed({ bcc: ['boss@example.com'], date, unsubscribe: ['mailto:off@example.com'], replyTo: 'desk@example.com' })
  assert.equal(field(mail, 'subject'), 'Kursy ąęż')
  assert.equal(field(mail, 'from'), 'Żółw Rota <rota@example.com>')
  assert.equal(field(mail, 'date'), 'Mon, 23 Nov 2026 06:15:00 +0000')
  assert.equal(field(mail, 'auto-submitted'), 'auto-generated')
  assert.equal(field(mail, 'list-unsubscribe'), '<mailto:off@example.com>')
  assert.match(field(mail, 'message-id'), /^<[^@]+@example[.]com>$/)
  assert.match(mail, /Content-Type: text\/plain/)
  assert.doesNotMatch(mail, /boss@example/)
})

test('every line ends with CRLF, also in texts that come with other ends and in mails that are attached', async () => {
  const mail = await composed({
    text: 'one\ntwo\rthree\r\n',
    html: '<p>a</p>\n<p>b</p>',
    files: [{ fileName: 'old.eml', contentType: 'message/rfc822', content: Buffer.from('Subject: x\n\nold\n') }],
  })
  assert.doesNotMatch(mail, /[^\r]\n|\r[^\n]/)
})

test('files come out as they went in, streamed from the disk too, with names in any script', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rota-compose-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'a.csv'), 'a;b\n'.repeat(50_000))
  const mail = await composed({
    html: '<img src="cid:chart">',
    files: [
      { fileName: 'kursy żółte "1".csv', content: { path: join(folder, 'a.csv') } },
      { fileName: 'chart.png', content: Buffer.from('png'), contentId: 'chart' },
    ],
  })
  const root = await walkMessage(
    (async function* () {
      yield Buffer.from(mail, 'latin1')
    })(),
  )
  assert.deepEqual(
    attachmentsOf(root).map(({ part }) => part.fileName),
    ['chart.png', 'kursy żółte "1".csv'],
  )
  assert.ok(mail.includes(Buffer.from('a;b\n'.repeat(15)).toString('base64').slice(0, 60)))
  await assert.rejects(composed({ files: [{ fileName: 'x', content: { path: join(folder, 'missing') } }] }), { code: 'ENOENT' })
})

test('a line break cannot smuggle a header in, wherever it stands', async () => {
  const evil = 'x\r\nBcc: eve@example.com'
  for (const changes of [
    { subject: evil },
    { to: [`${evil} <ann@example.com>`] },
    { sender: `rota@example.com\nBcc: eve@example.com` },
    { replyTo: `${evil}@example.com` },
    { files: [{ fileName: evil, content: 'x' }] },
    { files: [{ fileName: 'x', content: 'x', contentId: evil }] },
    { headers: { 'X-Report': evil } },
  ] satisfies Partial<MailDraft>[]) {
    await assert.rejects(composed(changes), { code: 'header_injection' }, JSON.stringify(changes))
  }
})

test('addresses are checked, and international domains written as servers know them', async () => {
  for (const address of [
    'ann',
    'ann@',
    '@example.com',
    'a b@example.com',
    'ann@exa_mple.com',
    'ann@example.com, eve@example.com',
    'żółw@example.com',
  ]) {
    await assert.rejects(composed({ to: [address] }), { code: 'address_invalid' }, address)
  }
  await assert.rejects(composed({ to: [] }), { code: 'mail_without_recipient' })
  const mail = await composeMail({ ...draft, to: ['Ann <Ann.B@Exämple.com>', 'ann.b@xn--exmple-cua.com'] })
  assert.deepEqual(mail.recipients, [{ address: 'Ann.B@xn--exmple-cua.com', kind: 'to' }])
})

test('of HTML alone the text part shows what the reader would see', async () => {
  const { excerpt } = await composeMail({
    ...draft,
    html: '<style>p{}</style><h1>Rates</h1><table><tr><th>Code</th><th>Rate</th></tr><tr><td>EUR</td><td>4.27</td></tr></table><p>See <a href="https://x.example/">here</a></p>',
  })
  assert.equal(excerpt, 'Rates\n\nCode\tRate\nEUR\t4.27\n\nSee here (https://x.example/)')
})

test('a mail is signed where there is a key', async () => {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const mail = await composed({ dkim: { domain: 'example.com', selector: 'rota', privateKey } })
  assert.match(mail, /^DKIM-Signature: v=1; a=rsa-sha256;[\s\S]*d=example[.]com;[\s\S]*s=rota;/)
})

test('where the recipients are taken from the header it names all of them, and nobody who does not get it', async () => {
  const mail = Buffer.from('To: Ann <ann@example.com>,\r\n Bob <bob@example.com>\r\nSubject: x\r\n\r\nTo: body\r\n')
  const pieces = async function* () {
    yield mail.subarray(0, 20)
    yield mail.subarray(20)
  }
  const forAll = await bytesOf(forRecipients(pieces(), ['ann@example.com', 'bob@example.com', 'boss@example.com']))
  assert.equal(
    forAll.toString(),
    'To: Ann <ann@example.com>,\r\n Bob <bob@example.com>\r\nSubject: x\r\nBcc: boss@example.com\r\n\r\nTo: body\r\n',
  )
  const forOne = await bytesOf(forRecipients(pieces(), ['bob@example.com']))
  assert.equal(forOne.toString(), 'Subject: x\r\nTo: undisclosed-recipients:;\r\nBcc: bob@example.com\r\n\r\nTo: body\r\n')
})
