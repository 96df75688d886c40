import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { oauthLogin } from '../../../systemscripts/mail/oauth-login.ts'

/** A token server that says yes, and what it was asked. */
async function tokenServer(t: TestContext) {
  const asked: Record<string, string>[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(Buffer.from(piece))
    asked.push(Object.fromEntries(new URLSearchParams(Buffer.concat(pieces).toString())))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ access_token: `token ${asked.length}`, expires_in: 3600 }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  const address = server.address()
  return { asked, tokenUrl: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/token` }
}

test('a secret is the client’s own, or JSON with what a person consented to', async (t) => {
  const { asked, tokenUrl } = await tokenServer(t)
  for (const [options, secret] of [
    [{ client_id: 'rota' }, 's3cret'],
    [{ client_id: 'rota', scope: 'mail' }, '12345'],
    [{ client_id: 'rota' }, '{"client_secret": "s3cret"}'],
    [{}, '{"client_id": "rota", "client_secret": "s3cret", "refresh_token": "long"}'],
    [{ client_id: 'rota' }, '{"client_id": "other", "refresh_token": "long"}'],
  ] as const) {
    const facts = { connectionName: 'post', kind: 'smtp', options: { ...options, token_url: tokenUrl } }
    await oauthLogin(facts, secret).accessToken()
  }
  const client = { grant_type: 'client_credentials', client_id: 'rota' }
  const consent = { grant_type: 'refresh_token', client_id: 'rota', refresh_token: 'long' }
  assert.deepEqual(asked, [
    { ...client, client_secret: 's3cret' },
    { ...client, client_secret: '12345', scope: 'mail' },
    { ...client, client_secret: 's3cret' },
    { ...consent, client_secret: 's3cret' },
    consent,
  ])
})

test('a token is kept until it ends, or until it is said that it is of no use', async (t) => {
  const { tokenUrl } = await tokenServer(t)
  const login = oauthLogin({ connectionName: 'post', kind: 'smtp', options: { token_url: tokenUrl, client_id: 'rota' } }, 's3cret')
  assert.deepEqual([await login.accessToken(), await login.accessToken()], ['token 1', 'token 1'])
  assert.deepEqual([await login.accessToken(true), await login.accessToken()], ['token 2', 'token 2'])
})

test('what is missing in the options is named', () => {
  const facts = { connectionName: 'post', kind: 'imap' }
  assert.throws(() => oauthLogin({ ...facts, options: { client_id: 'rota' } }, 's3cret'), {
    code: 'connection_incomplete',
    message: 'Connection "post" of kind imap has no options ->> tenant',
    hint: /dba.connection.options/,
  })
  assert.throws(() => oauthLogin({ ...facts, options: { tenant: 'example.com' } }, 's3cret'), { message: /client_id/ })
})
