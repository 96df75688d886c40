/** Signatures of mails, checked by a verifier that is not ours. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { composeMail } from '../../../systemscripts/outgoing-mail/compose-mail.ts'
import type { MailDraft } from '../../../systemscripts/outgoing-mail/composed-mail.ts'

/** Debian's own: that is where python3-dkim is installed to. */
const PYTHON = '/usr/bin/python3'

const skip = ((): string | false => {
  try {
    execFileSync(PYTHON, ['-c', 'import dkim'], { stdio: 'ignore' })
    return false
  } catch {
    return 'python3-dkim is not installed'
  }
})()

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'der' },
})

async function signed(draft: Partial<MailDraft>): Promise<Buffer> {
  const mail = await composeMail({
    sender: 'Dział Raportów <rota@example.com>',
    to: ['Ann Żółć <ann@example.com>'],
    subject: `Kursy żółte ${'i długie '.repeat(20)}`,
    html: '<p>Zażółć gęślą jaźń</p>',
    dkim: { domain: 'example.com', selector: 'rota', privateKey },
    ...draft,
  })
  const pieces: Buffer[] = []
  for await (const piece of mail.content()) pieces.push(piece)
  return Buffer.concat(pieces)
}

function holds(mail: Buffer): boolean {
  const script = fileURLToPath(new URL('verify-dkim.py', import.meta.url))
  const { stdout, stderr } = spawnSync(PYTHON, [script, 'rota._domainkey.example.com', publicKey.toString('base64')], { input: mail })
  assert.equal(stderr.toString(), '')
  return stdout.toString().trim() === 'True'
}

for (const [what, draft] of [
  ['of text alone', { html: null, text: 'Hello.\n\n.\n  spaces   within  \n\n\n' }],
  [
    'with files, and larger than a signer keeps in memory',
    { files: [{ fileName: 'kursy ąę.csv', content: Buffer.alloc(3_000_000, 'a;b\r\n') }] },
  ],
  ['to nobody by name', { to: [], bcc: ['boss@example.com'] }],
] satisfies [string, Partial<MailDraft>][]) {
  test(`the signature of a mail ${what} holds, and breaks when anything is changed`, { skip }, async () => {
    const mail = await signed(draft)
    assert.ok(holds(mail))
    assert.ok(holds(Buffer.concat([Buffer.from('Received: from here by there; Mon, 23 Nov 2026 06:15:00 +0000\r\n'), mail])))
    const end = Buffer.from(mail)
    const at = mail.lastIndexOf('--') === -1 ? mail.indexOf('Hello') : mail.indexOf('Content-Type: text/plain')
    end.writeUInt8(mail.readUInt8(at) ^ 1, at)
    assert.ok(!holds(end))
    const subject = Buffer.from(mail.toString('latin1').replace(/^Subject: /m, 'Subject: Not '), 'latin1')
    assert.ok(!holds(subject))
  })
}
