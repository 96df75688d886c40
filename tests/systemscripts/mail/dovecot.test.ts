import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { textOfPart, textParts } from '../../../systemscripts/mail/body-text.ts'
import { openEmlMailbox } from '../../../systemscripts/mail/eml-mailbox.ts'
import { openImapMailbox } from '../../../systemscripts/mail/imap-mailbox.ts'
import type { Mailbox } from '../../../systemscripts/mail/mailbox.ts'
import { attachmentsOf } from '../../../systemscripts/mail/message-part.ts'
import { temporaryFolder } from '../test-files.ts'
import { testCertificate } from './certificate.ts'
import { type Dovecot, dovecotIsInstalled, needsDovecot, startDovecot } from './dovecot.ts'
import { collect, listOf, plainMail } from './make-mail.ts'
import { trapMails } from './trap-mails.ts'

const certificate = testCertificate()
let dovecot: Dovecot & { end(): Promise<void> }

before(async () => {
  if (dovecotIsInstalled) dovecot = await startDovecot(certificate)
})
after(async () => {
  if (dovecotIsInstalled) await dovecot.end()
})

async function open(
  t: { after(end: () => Promise<void>): void },
  user: string,
  options: { timeoutSeconds?: number } = {},
): Promise<Mailbox> {
  const mailbox = await openImapMailbox({
    host: '127.0.0.1',
    port: dovecot.port,
    user,
    login: { password: 'secret' },
    tls: 'off',
    ...options,
  })
  t.after(() => mailbox.close())
  return mailbox
}

/** Everything that is read of a mailbox, by subject or number of the message. */
async function everything(mailbox: Mailbox): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  const { refs } = await mailbox.look('INBOX', { since: null })
  for await (const head of mailbox.heads(refs)) found[`${head.messageKey} head`] = { ...head, ref: null, receivedAt: null }
  const keys = new Map((await listOf(mailbox.heads(refs))).map(({ ref, messageKey }) => [ref.uid, messageKey]))
  const structures = await listOf(mailbox.structures(refs))
  const wanted = structures.flatMap(({ ref, root }) => [
    ...attachmentsOf(root).map(({ part, name }) => ({ ref, part, name })),
    ...textParts(root).map((part) => ({ ref, part, name: 'text' })),
  ])
  const read = mailbox.read(wanted)[Symbol.asyncIterator]()
  for (const { ref, part, name } of wanted) {
    const { value } = await read.next()
    const content =
      name === 'text'
        ? await textOfPart(part, value.content)
        : createHash('sha256')
            .update(await collect(value.content))
            .digest('hex')
    found[`${keys.get(ref.uid)} ${part.partId} ${name}`] = content
  }
  for (const ref of refs)
    found[`${keys.get(ref.uid)} raw`] = createHash('sha256')
      .update(await collect(mailbox.raw(ref)))
      .digest('hex')
  return found
}

test('Dovecot and a folder of the same messages give the same heads, names and bytes', needsDovecot, async (t) => {
  const folder = await temporaryFolder(t)
  for (const [name, raw] of Object.entries(trapMails)) {
    await writeFile(join(folder, `${name}.eml`), raw)
    await dovecot.deliver('traps', raw)
  }
  const [fromServer, fromFiles] = [await everything(await open(t, 'traps')), await everything(await openEmlMailbox(folder))]
  assert.deepEqual(fromServer, fromFiles)
  const names = Object.keys(fromServer).map((key) => key.replace(/^\w+ [\d.#]* ?/, ''))
  for (const name of [
    'Preise März.xls',
    'Preise März 2026.csv',
    'März 2.csv',
    'März 3.csv',
    'März 4.csv',
    'my prices 5.csv',
    'deep.csv',
    'deepest.csv',
    'inline.xls',
    'alone.csv',
  ]) {
    assert.ok(names.includes(name), `${name} is missing in ${names.join(', ')}`)
  }
})

test('new mail is found after the cursor, also in folders whose names are not ASCII', needsDovecot, async (t) => {
  await dovecot.deliver('folders', plainMail({ subject: 'one' }))
  const mailbox = await open(t, 'folders')
  const first = await mailbox.look('inbox', { since: null })
  assert.equal(first.refs.length, 1)
  await dovecot.deliver('folders', plainMail({ subject: 'two' }))
  const second = await mailbox.look('inbox', { since: first.cursor })
  assert.deepEqual(
    (await listOf(mailbox.heads(second.refs))).map(({ subject }) => subject),
    ['two'],
  )
  const [ref] = second.refs
  assert.equal(
    await mailbox.act(ref ?? assert.fail(), { kind: 'move', label: 'Kunden & Co/Übersicht 価格' }),
    'moved to "Kunden & Co/Übersicht 価格"',
  )
  assert.ok((await mailbox.folders()).includes('Kunden & Co/Übersicht 価格'))
  const moved = await mailbox.look('kunden & co/übersicht 価格', { since: null })
  assert.equal(moved.refs.length, 1)
  assert.equal(moved.cursor.witnessKey, second.cursor.witnessKey, 'the same mail is known by the same key in another folder')
  assert.equal((await mailbox.look('\\Junk', { since: null })).refs.length, 0, 'a folder may be named by its use')
})

test('reading leaves mail unread, and actions are seen by the server', needsDovecot, async (t) => {
  for (let index = 0; index < 3; index += 1)
    await dovecot.deliver('actions', plainMail({ files: [{ name: 'a.csv', bytes: Buffer.from('a') }] }))
  const mailbox = await open(t, 'actions')
  await everything(mailbox)
  const { refs } = await mailbox.look('INBOX', { since: null })
  assert.deepEqual(
    (await listOf(mailbox.heads(refs))).map(({ isSeen }) => isSeen),
    [false, false, false],
  )
  const [one, two, three] = refs
  assert.ok(one && two && three)
  assert.equal(await mailbox.act(one, { kind: 'mark_read' }), 'marked as read')
  assert.equal(await mailbox.act(two, { kind: 'label', label: 'Processed' }), 'given the keyword "Processed"')
  assert.equal(await mailbox.act(three, { kind: 'move', label: 'ErrorFolder' }), 'moved to "ErrorFolder"')
  assert.equal(await mailbox.act(three, { kind: 'move', label: 'ErrorFolder' }), null)
  assert.deepEqual(
    (await listOf(mailbox.heads(refs))).map(({ isSeen }) => isSeen),
    [true, false],
  )
})

test('a server that is stopped in the middle is reached again by the next attempt, from the same cursor', needsDovecot, async (t) => {
  for (let index = 0; index < 3; index += 1) await dovecot.deliver('restart', plainMail())
  const mailbox = await open(t, 'restart')
  const { refs, cursor } = await mailbox.look('INBOX', { since: null })
  await dovecot.stop()
  await assert.rejects(listOf(mailbox.heads(refs)), { name: 'JobError', code: /^mail_server_(failed|unreachable)$/ })
  await assert.rejects(open(t, 'restart'), { name: 'JobError', code: 'mail_server_unreachable' })
  await dovecot.start()
  const again = await open(t, 'restart')
  assert.equal((await listOf(again.heads(refs))).length, 3)
  const look = await again.look('INBOX', { since: cursor })
  assert.deepEqual([look.refs, look.startedAnew], [[], null])
})

test('a hint comes with new mail', needsDovecot, async (t) => {
  await dovecot.deliver('hints', plainMail())
  const mailbox = await open(t, 'hints')
  await mailbox.look('INBOX', { since: null })
  const hint = mailbox.hint?.('INBOX', 60)
  await dovecot.deliver('hints', plainMail())
  assert.equal(await hint, true)
})

test('a server that has nothing to tell is waited for longer than one that answers', needsDovecot, async (t) => {
  const mailbox = await open(t, 'hints', { timeoutSeconds: 1 })
  await mailbox.look('INBOX', { since: null })
  assert.equal(await mailbox.hint?.('INBOX', 2.5), false)
})

test('a wrong password is refused, and encryption works from the first byte and by STARTTLS', needsDovecot, async (t) => {
  const options = { host: '127.0.0.1', port: dovecot.port, user: 'tls', login: { password: 'secret' }, tls: 'off' as const }
  await assert.rejects(openImapMailbox({ ...options, login: { password: 'wrong' } }), { code: 'mail_login_refused' })
  if (certificate === null) return t.diagnostic('openssl is not installed: encryption was not tried')
  const trusted = { ...options, host: 'localhost', tls: 'verify' as const, trusted: certificate.cert }
  for (const way of [{ port: dovecot.tlsPort, isImplicitTls: true }, { port: dovecot.port }]) {
    await (await openImapMailbox({ ...trusted, ...way })).close()
    await assert.rejects(openImapMailbox({ ...options, tls: 'verify', ...way }), { code: 'mail_certificate_refused' })
  }
})

test('an attachment of 50 MB is read without 50 MB of memory', needsDovecot, async (t) => {
  await dovecot.deliver('big', plainMail({ files: [{ name: 'small.bin', bytes: Buffer.alloc(300_000, 'x') }] }))
  await dovecot.deliver('big', plainMail({ files: [{ name: 'big.bin', bytes: Buffer.alloc(50_000_000, 'abcdefghij') }] }))
  const script = new URL('./read-attachments.ts', import.meta.url).pathname
  const { stdout } = await promisify(execFile)(process.execPath, [script, String(dovecot.port), 'big'])
  const found = JSON.parse(stdout)
  t.diagnostic(stdout.trim())
  assert.equal(found.bytes, 50_300_000)
  // What the process has of the system beyond that depends on when the system takes pages back.
  assert.ok(found.bufferGrowth < 40_000_000, `buffers grew by ${found.bufferGrowth} bytes`)
})
