import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { readGmailSecret } from '../../../systemscripts/mail/gmail/credentials.ts'
import { openGmailMailbox } from '../../../systemscripts/mail/gmail-mailbox.ts'
import type { Mailbox } from '../../../systemscripts/mail/mailbox.ts'
import { attachmentsOf } from '../../../systemscripts/mail/message-part.ts'
import { errorBody, type GmailStandIn, startGmailStandIn } from './gmail-stand-in.ts'
import { collect, listOf, mail, plainMail } from './make-mail.ts'
import { tnefOf } from './tnef-file.ts'

const stored = (server: GmailStandIn) =>
  readGmailSecret(
    JSON.stringify({ client_id: 'id', client_secret: 's3cret', refresh_token: '1//r', token_uri: server.tokenUrl }),
    'us@example.org',
  )

async function open(t: TestContext, server: GmailStandIn, signal?: AbortSignal): Promise<Mailbox> {
  const secret = stored(server)
  const mailbox = await openGmailMailbox({
    user: 'us@example.org',
    secret,
    rootUrl: server.url,
    patience: 0.001,
    ...(signal ? { signal } : {}),
  })
  t.after(() => mailbox.close())
  return mailbox
}

test('all pages of a label are listed, oldest first, and later only what came since', async (t) => {
  const server = await startGmailStandIn(t)
  server.pageSize = 3
  for (let index = 0; index < 8; index += 1) server.add(plainMail())
  server.add(plainMail(), ['SPAM'])
  const mailbox = await open(t, server)
  const first = await mailbox.look('inbox', { since: null })
  assert.deepEqual(
    first.refs.map(({ uid }) => uid),
    server.messages.slice(0, 8).map(({ id }) => id),
  )
  for (let index = 0; index < 5; index += 1) server.add(plainMail())
  const second = await mailbox.look('inbox', { since: first.cursor })
  assert.deepEqual(
    second.refs.map(({ uid }) => uid),
    server.messages.slice(9).map(({ id }) => id),
  )
  assert.equal(second.startedAnew, null)
})

test('when Google has forgotten what changed, or the account is another, the last weeks are searched', async (t) => {
  const server = await startGmailStandIn(t)
  server.add(plainMail(), ['INBOX'], new Date('2020-01-01'))
  server.add(plainMail())
  const mailbox = await open(t, server)
  const { cursor } = await mailbox.look('INBOX', { since: null })
  server.oldestHistoryId = 5000
  const forgotten = await mailbox.look('INBOX', { since: cursor })
  assert.match(forgotten.startedAnew ?? '', /no longer knows what changed/)
  assert.equal(forgotten.refs.length, 1)
  const moved = await mailbox.look('INBOX', { since: { ...cursor, uidValidity: 'old@example.org' } })
  assert.match(moved.startedAnew ?? '', /us@example.org, before old@example.org/)
})

test('headers, nested parts and attachments are read, also those within attached messages', async (t) => {
  const server = await startGmailStandIn(t)
  const big = Buffer.alloc(900_000, 'abcdefg')
  server.add(
    plainMail({
      subject: '=?utf-8?Q?M=C3=A4rz?=',
      files: [
        { name: 'prices.xlsx', bytes: big },
        { name: 'winmail.dat', bytes: tnefOf([{ longName: 'in.csv', bytes: Buffer.from('a;b') }]) },
      ],
    }),
  )
  server.add(
    mail(
      'Subject: forwarded',
      'Content-Type: multipart/mixed; boundary=o',
      '',
      '--o',
      'Content-Type: text/plain',
      '',
      'text',
      '--o',
      'Content-Type: message/rfc822; name=inner.eml',
      '',
      'Subject: inner',
      'Content-Type: multipart/mixed; boundary=i',
      '',
      '--i',
      'Content-Type: text/plain',
      '',
      'inside',
      '--i',
      'Content-Type: text/csv; name="deep.csv"',
      'Content-Transfer-Encoding: base64',
      '',
      'YTti',
      '--i--',
      '--o--',
    ),
  )
  const mailbox = await open(t, server)
  const { refs } = await mailbox.look('INBOX', { since: null })
  const heads = await listOf(mailbox.heads(refs))
  assert.deepEqual(
    heads.map(({ subject, isSeen }) => [subject, isSeen]),
    [
      ['März', false],
      ['forwarded', false],
    ],
  )
  const structures = await listOf(mailbox.structures(refs))
  const wanted = structures.flatMap(({ ref, root }) => attachmentsOf(root).map(({ part, name }) => ({ ref, part, name })))
  const found: Record<string, string> = {}
  for await (const { part, content } of mailbox.read(wanted))
    found[`${part.partId} ${part.fileName}`] = (await collect(content)).toString('latin1')
  assert.deepEqual(Object.keys(found), ['2 prices.xlsx', '3#1 in.csv', '2 inner.eml', '2.2 deep.csv'])
  assert.equal(found['2 prices.xlsx'], big.toString('latin1'))
  assert.equal(found['3#1 in.csv'], 'a;b')
  assert.equal(found['2.2 deep.csv'], 'a;b')
  assert.match(found['2 inner.eml'] ?? '', /^Subject: inner\r\n/)
  for (const ref of refs) {
    const raw = server.messages.find(({ id }) => id === ref.uid)?.raw
    assert.ok((await collect(mailbox.raw(ref))).equals(raw ?? assert.fail()))
  }
})

test('labels are made when missing, and the same action again changes nothing', async (t) => {
  const server = await startGmailStandIn(t)
  const [first, second, third] = [server.add(plainMail()), server.add(plainMail()), server.add(plainMail())]
  const mailbox = await open(t, server)
  const [one, two, three] = (await mailbox.look('INBOX', { since: null })).refs
  assert.ok(one && two && three)
  for (let times = 0; times < 2; times += 1) {
    assert.equal(await mailbox.act(one, { kind: 'label', label: 'Processed' }), 'labelled "Processed"')
    assert.equal(await mailbox.act(two, { kind: 'move', label: 'ErrorFolder' }), 'moved to "ErrorFolder"')
    assert.equal(await mailbox.act(three, { kind: 'mark_read' }), 'marked as read')
    assert.equal(await mailbox.act(three, { kind: 'flag' }), 'flagged')
  }
  const named = (ids: string[]): string[] => ids.map((id) => server.labels.find((label) => label.id === id)?.name ?? id)
  assert.deepEqual(named(first.labelIds), ['INBOX', 'UNREAD', 'Processed'])
  assert.deepEqual(named(second.labelIds), ['UNREAD', 'ErrorFolder'])
  assert.deepEqual(named(third.labelIds), ['INBOX', 'STARRED'])
  assert.equal(server.labels.length, 6)
  server.messages.splice(0, 1)
  assert.equal(await mailbox.act(one, { kind: 'label', label: 'Processed' }), null)
  assert.deepEqual(
    (await listOf(mailbox.heads([one, two, three]))).map(({ ref }) => ref.uid),
    [third.id],
    'gone, or no longer in the folder',
  )
})

test('two workers may make the same label at once', async (t) => {
  const server = await startGmailStandIn(t)
  server.add(plainMail())
  const mailbox = await open(t, server)
  const { refs } = await mailbox.look('INBOX', { since: null })
  server.failures.push({
    path: /labels$/,
    method: 'POST',
    status: 409,
    body: errorBody(409, 'aborted', 'Label name exists or conflicts'),
    meanwhile: () => server.labels.push({ id: 'Label_9', name: 'Processed' }),
  })
  assert.equal(await mailbox.act(refs[0] ?? assert.fail(), { kind: 'label', label: 'processed' }), 'labelled "processed"')
  assert.equal(server.labels.filter(({ name }) => /processed/i.test(name)).length, 1)
})

test('what is over the quota or fails for the moment is waited out, what is refused is not', async (t) => {
  const server = await startGmailStandIn(t)
  server.add(plainMail())
  const mailbox = await open(t, server)
  server.failures.push(
    { path: /labels/, status: 429, body: errorBody(429, 'rateLimitExceeded') },
    { path: /labels/, status: 403, body: errorBody(403, 'userRateLimitExceeded', 'User-rate limit exceeded') },
    { path: /labels/, status: 503, headers: { 'retry-after': '1' } },
    { path: /profile/, status: 500 },
  )
  assert.equal((await mailbox.look('INBOX', { since: null })).refs.length, 1)
  for (let times = 0; times < 7; times += 1)
    server.failures.push({ path: /profile/, status: 429, body: errorBody(429, 'rateLimitExceeded') })
  await assert.rejects(mailbox.look('INBOX', { since: null }), { name: 'JobError', code: 'gmail_quota' })
  for (let times = 0; times < 7; times += 1)
    server.failures.push({ path: /profile/, status: 403, body: errorBody(403, 'dailyLimitExceeded', 'Daily Limit Exceeded') })
  await assert.rejects(mailbox.look('INBOX', { since: null }), { name: 'JobError', code: 'gmail_quota' })
  server.failures.push({
    path: /profile/,
    status: 403,
    body: errorBody(403, 'accessNotConfigured', 'Gmail API has not been used in project 1'),
  })
  await assert.rejects(mailbox.look('INBOX', { since: null }), {
    name: 'PermanentError',
    code: 'gmail_refused',
    detail: /has not been used/,
  })
})

test('consent that was withdrawn is permanent and shows no secret', async (t) => {
  const server = await startGmailStandIn(t)
  server.failures.push({
    path: /token/,
    status: 400,
    body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
  })
  const mailbox = await open(t, server)
  await assert.rejects(mailbox.look('INBOX', { since: null }), (error: Error & { code: string; detail: string }) => {
    assert.deepEqual([error.name, error.code], ['PermanentError', 'mail_token_refused'])
    assert.match(error.detail, /invalid_grant: Token has been expired/)
    assert.ok(!/s3cret|1\/\/r/.test(JSON.stringify([error.message, error.detail])))
    return true
  })
})

test('an abort ends the waiting with its own reason', async (t) => {
  const server = await startGmailStandIn(t)
  const stop = new AbortController()
  const mailbox = await open(t, server, stop.signal)
  server.failures.push({ path: /labels/, status: 503, headers: { 'retry-after': '100000' } })
  const look = mailbox.look('INBOX', { since: null })
  stop.abort(new Error('cancelled'))
  await assert.rejects(look, /cancelled/)
})
