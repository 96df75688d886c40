import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { readGmailSecret, readGoogleClient } from '../../../systemscripts/mail/gmail/credentials.ts'
import { decodeJsonField } from '../../../systemscripts/mail/gmail/json-text.ts'
import { beginGmailLogin, finishGmailLogin } from '../../../systemscripts/mail/gmail/login.ts'
import { openGmailMailbox } from '../../../systemscripts/mail/gmail-mailbox.ts'
import { startGmailStandIn } from './gmail-stand-in.ts'
import { collect, inPieces, plainMail } from './make-mail.ts'

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
