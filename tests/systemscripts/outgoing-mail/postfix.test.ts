/** Mail to a real Postfix, fetched from a real Dovecot, opened by a parser that is not ours. */
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { composeMail } from '../../../systemscripts/outgoing-mail/compose-mail.ts'
import type { ComposedMail, MailFile } from '../../../systemscripts/outgoing-mail/composed-mail.ts'
import type { Delivery } from '../../../systemscripts/outgoing-mail/mail-route.ts'
import type { SmtpOptions } from '../../../systemscripts/outgoing-mail/smtp/options.ts'
import { openSmtpRoute } from '../../../systemscripts/outgoing-mail/smtp-route.ts'
import { testCertificate } from '../mail/certificate.ts'
import { type Dovecot, dovecotIsInstalled, startDovecot } from '../mail/dovecot.ts'
import { temporaryFile } from '../test-files.ts'
import { needsPostfix, type Postfix, startPostfix } from './postfix.ts'

const hasPython = ((): boolean => {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
const needsAll = 'skip' in needsPostfix ? needsPostfix : dovecotIsInstalled && hasPython ? {} : { skip: 'needs dovecot-imapd and python3' }
const certificate = testCertificate()
let dovecot: Dovecot & { end(): Promise<void> }
let postfix: Postfix

before(async () => {
  if ('skip' in needsAll) return
  dovecot = await startDovecot(certificate)
  const maildirs = dirname(dovecot.maildir('ann'))
  await mkdir(maildirs, { recursive: true })
  execFileSync('chown', ['nobody', maildirs])
  await chmod(maildirs, 0o755)
  postfix = await startPostfix({ certificate, maildirs, users: ['ann', 'bob', 'big', 'dots', 'tls'] })
})
after(async () => {
  if ('skip' in needsAll) return
  await postfix.end()
  await dovecot.end()
})

/** What read-mails.py says of a message. */
interface FoundMail {
  headers: Record<string, string>
  addresses: Record<string, string[]>
  names: Record<string, string[]>
  longest_line: number
  has_bare_line_ends: boolean
  defects: string[]
  tree: unknown
  parts: {
    type: string
    disposition: string | null
    name: string | null
    content_id: string | null
    size: number
    sha256: string
    text: string | null
  }[]
}

/** All mails of a user, once there are so many. */
async function mailsOf(user: string, count: number): Promise<FoundMail[]> {
  const script = fileURLToPath(new URL('read-mails.py', import.meta.url))
  const end = performance.now() + 30_000
  for (;;) {
    const { stdout } = await promisify(execFile)('python3', [script, String(dovecot.port), user], { maxBuffer: 100_000_000 })
    const found: FoundMail[] = JSON.parse(stdout)
    if (found.length >= count) return found
    if (performance.now() > end) throw new Error(`${user} has ${found.length} of ${count} mails; Postfix says:\n${await postfix.log()}`)
    await wait(50)
  }
}

async function send(mail: ComposedMail, options: Partial<SmtpOptions> = {}): Promise<Delivery> {
  const pieces: Buffer[] = []
  for await (const piece of mail.content()) pieces.push(piece)
  const bytes = Buffer.concat(pieces)
  const route = openSmtpRoute({
    host: '127.0.0.1',
    port: postfix.port,
    tls: 'off',
    user: null,
    login: null,
    timeoutSeconds: 20,
    ...options,
  })
  try {
    const envelope = { ...mail, recipients: mail.recipients.map(({ address }) => address), sizeBytes: bytes.length, round: 1 }
    return await route.send(envelope, async function* () {
      yield bytes
    })
  } finally {
    await route.close()
  }
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex')
}

test('a report arrives with every part as it was sent, for those whom the server takes it for', needsAll, async (t) => {
  const html = `<h1>Kursy żółte</h1><p>${'Zażółć gęślą jaźń. '.repeat(200)}</p><img src="cid:chart@rota" alt="chart">\n.\n<p>..dots</p>`
  const [png, xlsx] = [randomBytes(30_000), randomBytes(2_000_000)]
  const csv = `kod;kurs\r\n${'EUR;4,27\r\n'.repeat(50_000)}.\r\n`
  const files: MailFile[] = [
    { fileName: 'wykres ąę.png', content: png, contentId: 'chart@rota', contentType: 'image/png' },
    { fileName: 'kursy żółte 日本 "1".csv', content: { path: await temporaryFile(t, 'a.csv', csv) } },
    { fileName: `${'bardzo długa nazwa '.repeat(8)}.xlsx`, content: xlsx },
  ]
  const mail = await composeMail({
    sender: 'Dział Raportów <reports@example.com>',
    to: ['Ann Żółć <ann@example.com>', 'gone@example.com'],
    cc: ['"Bob, B" <bob@example.com>'],
    subject: `Kursy ąęż – ${'bardzo długi temat '.repeat(10)}日本`,
    html,
    files,
  })
  const delivery = await send(mail)
  assert.equal(delivery.state, 'sent')
  assert.deepEqual(
    delivery.recipients.map(({ address, state, code }) => [address, state, code]),
    [
      ['ann@example.com', 'sent', '250'],
      ['gone@example.com', 'refused', '550'],
      ['bob@example.com', 'sent', '250'],
    ],
  )
  assert.match(delivery.recipients[1]?.text ?? '', /User unknown/)
  for (const user of ['ann', 'bob']) {
    const [found, ...more] = await mailsOf(user, 1)
    assert.ok(found)
    assert.deepEqual([more, found.defects, found.has_bare_line_ends], [[], [], false])
    assert.ok(found.longest_line <= 998, `a line has ${found.longest_line} bytes`)
    assert.equal(found.headers.subject?.trim(), mail.subject.trim())
    assert.equal(found.headers['message-id'], mail.messageId)
    assert.equal(found.headers['auto-submitted'], 'auto-generated')
    assert.equal(new Date(found.headers.date ?? '').getTime(), mail.date.getTime())
    assert.deepEqual(found.addresses, {
      from: ['reports@example.com'],
      to: ['ann@example.com', 'gone@example.com'],
      cc: ['bob@example.com'],
    })
    assert.deepEqual(found.names, { from: ['Dział Raportów'], to: ['Ann Żółć', ''], cc: ['Bob, B'] })
    assert.deepEqual(found.tree, [
      'multipart/mixed',
      ['multipart/alternative', 'text/plain', ['multipart/related', 'text/html', 'image/png']],
      'text/csv',
      'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    ])
    const [text, page, picture, table, workbook] = found.parts
    assert.match(text?.text ?? '', /^Kursy żółte\n\nZażółć gęślą jaźń\./)
    assert.equal(page?.text?.replace(/\n$/, ''), html)
    assert.deepEqual(
      [picture, table, workbook].map((part) => [part?.disposition, part?.name, part?.content_id, part?.size, part?.sha256]),
      [
        ['inline', 'wykres ąę.png', '<chart@rota>', png.length, sha256(png)],
        ['attachment', 'kursy żółte 日本 "1".csv', null, csv.length, sha256(csv)],
        ['attachment', files[2]?.fileName, null, xlsx.length, sha256(xlsx)],
      ],
    )
  }
})

test('lines of dots, from the first to the last, arrive as they are', needsAll, async () => {
  const text = '.\n..\n.dot\n\n.\nend\n.'
  assert.equal(
    (await send(await composeMail({ sender: 'rota@example.com', to: ['dots@example.com'], subject: '.', html: null, text }))).state,
    'sent',
  )
  const [found] = await mailsOf('dots', 1)
  assert.equal(found?.parts[0]?.text?.replace(/\n$/, ''), text)
})

test('Postfix takes mail over STARTTLS and over TLS from the first byte, each to a checked certificate', needsAll, async (t) => {
  if (certificate === null) return t.skip('openssl is not installed')
  const trusted: Partial<SmtpOptions> = { host: 'localhost', tls: 'verify', trusted: certificate.cert }
  for (const [at, way] of [{ port: postfix.port }, { port: postfix.tlsPort, isImplicitTls: true }].entries()) {
    const mail = await composeMail({ sender: 'rota@example.com', to: ['tls@example.com'], subject: `way ${at}`, html: '<p>x</p>' })
    assert.equal((await send(mail, { ...trusted, ...way })).state, 'sent')
    const untrusted = await send(mail, { tls: 'verify', host: 'localhost', ...way })
    assert.deepEqual([untrusted.state, untrusted.error?.code], ['deferred', 'smtp_certificate_refused'])
  }
  const found = await mailsOf('tls', 2)
  assert.deepEqual(found.map(({ headers }) => headers.subject).sort(), ['way 0', 'way 1'])
  for (const { headers } of found) assert.match(headers.received ?? '', /with ESMTPS id/)
})

test('a mail larger than Postfix takes is refused before any of it is sent, with what to do', needsAll, async () => {
  const files = [{ fileName: 'big.bin', content: Buffer.alloc(16_000_000) }]
  const mail = await composeMail({ sender: 'rota@example.com', to: ['big@example.com'], subject: 'big', html: null, text: 'x', files })
  const delivery = await send(mail)
  assert.deepEqual([delivery.state, delivery.error?.code], ['refused', 'mail_too_large'])
  assert.match(delivery.error?.hint ?? '', /Attach less/)
})
