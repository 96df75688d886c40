import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { readGmailSecret, readGoogleClient } from '../../../systemscripts/mail/gmail/credentials.ts'
import { decodeJsonField } from '../../../systemscripts/mail/gmail/json-text.ts'
import { beginGmailLogin, finishGmailLogin } from '../../../systemscripts/mail/gmail/login.ts'
import { openGmailMailbox } from '../../../systemscripts/mail/gmail-mailbox.ts'
import type { Mailbox } from '../../../systemscripts/mail/mailbox.ts'
import { attachmentsOf } from '../../../systemscripts/mail/message-part.ts'
import { errorBody, type GmailStandIn, startGmailStandIn } from './gmail-stand-in.ts'
import { collect, inPieces, listOf, mail, plainMail } from './make-mail.ts'
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

test('a service account acts for its user with a signed assertion', async (t) => {
  const server = await startGmailStandIn(t)
  server.add(plainMail())
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const key = {
    type: 'service_account',
    client_email: 'robot@project.iam.gserviceaccount.com',
    private_key: pem,
    token_uri: server.tokenUrl,
  }
  const secret = readGmailSecret(JSON.stringify(key), 'us@example.org')
  const mailbox = await openGmailMailbox({ user: 'us@example.org', secret, rootUrl: server.url })
  assert.equal((await mailbox.look('INBOX', { since: null })).refs.length, 1)
  const [request] = server.tokenRequests
  assert.equal(request?.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer')
  const claims = JSON.parse(Buffer.from(request?.get('assertion')?.split('.')[1] ?? '', 'base64url').toString())
  assert.deepEqual([claims.iss, claims.sub, claims.aud], [key.client_email, 'us@example.org', server.tokenUrl])
  assert.match(claims.scope, /gmail\.modify$/)
  assert.equal(server.tokenRequests.length, 1, 'the token is used until it ends')
})

test('a person consents by an address that is printed, and pastes the one the browser was sent to', async (t) => {
  const server = await startGmailStandIn(t)
  const client = readGoogleClient(JSON.stringify({ installed: { client_id: 'id', client_secret: 's3cret', token_uri: server.tokenUrl } }))
  const pending = await beginGmailLogin(client, 'us@example.org')
  const url = new URL(pending.url)
  assert.deepEqual(
    ['access_type', 'prompt', 'code_challenge_method', 'state', 'login_hint'].map((name) => url.searchParams.get(name)),
    ['offline', 'consent', 'S256', pending.state, 'us@example.org'],
  )
  await assert.rejects(finishGmailLogin(client, pending, 'http://127.0.0.1:1/?error=access_denied'), { code: 'gmail_login_denied' })
  await assert.rejects(finishGmailLogin(client, pending, 'http://127.0.0.1:1/?state=x'), { code: 'gmail_login_not_read' })
  await assert.rejects(finishGmailLogin(client, pending, 'http://127.0.0.1:1/?state=foreign&code=4/abc'), { code: 'gmail_login_foreign' })
  const text = await finishGmailLogin(client, pending, ` http://127.0.0.1:1/?state=${pending.state}&code=4/0AbC-def&scope=x `)
  assert.equal(server.tokenRequests[0]?.get('code'), '4/0AbC-def')
  assert.equal(server.tokenRequests[0]?.get('code_verifier'), pending.codeVerifier)
  assert.deepEqual(readGmailSecret(text, 'us@example.org').grant, {
    kind: 'refresh_token',
    clientId: 'id',
    clientSecret: 's3cret',
    refreshToken: '1//refresh',
  })
})

test('a secret that is no such secret is refused without showing it', () => {
  for (const text of ['hunter2', '{"client_id": "hunter2"}', '[]', 'null']) {
    assert.throws(
      () => readGmailSecret(text, 'us@example.org'),
      (error: Error) => !JSON.stringify(error).includes('hunter2') && 'code' in error && error.code === 'gmail_secret_invalid',
    )
  }
})

test('one text is decoded out of an answer wherever it is cut', async () => {
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 7) % 256))
  const text = `{\n  "size": 1000,\n  "data" : "${bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '\\u003d')}",\n  "more": "YWJj"}`
  for (const size of [1, 2, 3, 7, 100, 10_000])
    assert.ok((await collect(decodeJsonField(inPieces(Buffer.from(text), size), 'data'))).equals(bytes), `pieces of ${size}`)
  assert.equal((await collect(decodeJsonField(inPieces(Buffer.from('{"size": 0}'), 3), 'data'))).length, 0)
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
