/** The way to a mail server before the first mail: encryption, certificates, logins. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { composeMail } from '../../../systemscripts/outgoing-mail/compose-mail.ts'
import type { Delivery } from '../../../systemscripts/outgoing-mail/mail-route.ts'
import type { SmtpOptions } from '../../../systemscripts/outgoing-mail/smtp/options.ts'
import { openSmtpRoute } from '../../../systemscripts/outgoing-mail/smtp-route.ts'
import { testCertificate } from '../mail/certificate.ts'
import { startSmtpStandIn } from './smtp-stand-in.ts'

type Ending = { after(end: () => Promise<void>): void }

const certificate = testCertificate()
const needsOpenssl = certificate === null ? { skip: 'openssl is not installed' } : {}
const trusted = { host: 'localhost', tls: 'verify' as const, ...(certificate === null ? {} : { trusted: certificate.cert }) }

/** What the server saw of each mail it took. */
interface Seen {
  isEncrypted: boolean
  user: string | undefined
  method: string | undefined
}

/** smtp-server, which is not ours. Users' password is `open sesame`, their token `fresh`. */
async function startServer(t: Ending, options: SMTPServerOptions = {}): Promise<{ port: number; seen: Seen[]; tokens: string[] }> {
  const [seen, tokens]: [Seen[], string[]] = [[], []]
  const methods = new Map<string, string>()
  const server = new SMTPServer({
    logger: false,
    authOptional: true,
    disableReverseLookup: true,
    ...(certificate ?? {}),
    onAuth: ({ method, username, password, accessToken }, { id }, done) => {
      methods.set(id, method)
      if (accessToken !== undefined) tokens.push(accessToken)
      if (password === 'open sesame' || accessToken === 'fresh') return done(null, { user: username })
      if (method === 'XOAUTH2') return done(null, { data: { status: '401', schemes: 'bearer mac', scope: 'smtp' } })
      done(new Error('Invalid username or password'))
    },
    onData: (stream, { id, secure, user }, done) => {
      stream.resume()
      stream.on('end', () => {
        seen.push({ isEncrypted: secure, user, method: methods.get(id) })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => {})
  const { server: socket } = server
  server.listen(0, '127.0.0.1')
  await once(socket, 'listening')
  t.after(() => new Promise((resolve) => server.close(() => resolve())))
  const address = socket.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, seen, tokens }
}

async function send(options: Partial<SmtpOptions>): Promise<Delivery> {
  const route = openSmtpRoute({ host: '127.0.0.1', tls: 'off', user: null, login: null, timeoutSeconds: 2, ...options })
  const mail = await composeMail({ sender: 'rota@example.com', to: ['ann@example.com'], subject: 'x', html: '<p>x</p>' })
  try {
    return await route.send({ ...mail, recipients: ['ann@example.com'], sizeBytes: 1000, round: 1 }, () => mail.content())
  } finally {
    await route.close()
  }
}

for (const [way, isImplicitTls] of [
  ['TLS from the first byte', true],
  ['STARTTLS', false],
] as const) {
  for (const method of ['PLAIN', 'LOGIN']) {
    test(`over ${way} a mail goes out after a login by ${method}`, needsOpenssl, async (t) => {
      const { port, seen } = await startServer(t, { secure: isImplicitTls, authMethods: [method], authOptional: false })
      const delivery = await send({ ...trusted, port, isImplicitTls, user: 'rota', login: { password: 'open sesame' } })
      assert.equal(delivery.state, 'sent', delivery.error?.detail)
      assert.deepEqual(seen, [{ isEncrypted: true, user: 'rota', method }])
    })
  }

  test(`over ${way} a mail goes out after a login by token`, needsOpenssl, async (t) => {
    const { port, seen } = await startServer(t, { secure: isImplicitTls, authMethods: ['XOAUTH2'], authOptional: false })
    const delivery = await send({ ...trusted, port, isImplicitTls, user: 'rota@example.com', login: { accessToken: async () => 'fresh' } })
    assert.equal(delivery.state, 'sent', delivery.error?.detail)
    assert.deepEqual(seen, [{ isEncrypted: true, user: 'rota@example.com', method: 'XOAUTH2' }])
  })

  test(`over ${way} a certificate that nobody vouches for ends it before anything is said, with what to do`, needsOpenssl, async (t) => {
    const { port, seen, tokens } = await startServer(t, { secure: isImplicitTls, authMethods: ['XOAUTH2'] })
    const login = { accessToken: async () => 'fresh' }
    const unknown = await send({ host: 'localhost', tls: 'verify', port, isImplicitTls, user: 'rota', login })
    assert.deepEqual([unknown.state, unknown.error?.code], ['deferred', 'smtp_certificate_refused'])
    assert.match(unknown.error?.detail ?? '', /DEPTH_ZERO_SELF_SIGNED_CERT/)
    assert.match(unknown.error?.hint ?? '', /options ->> 'ca'/)
    const otherName = await send({ ...trusted, host: '127.0.0.1', port, isImplicitTls, user: 'rota', login })
    assert.equal(otherName.error?.code, 'smtp_certificate_refused')
    assert.match(otherName.error?.detail ?? '', /127\.0\.0\.1/)
    assert.deepEqual([seen, tokens], [[], []])
    assert.equal((await send({ host: 'localhost', tls: 'require', port, isImplicitTls, user: 'rota', login })).state, 'sent')
  })
}

test('a wrong password is told with the user, the server’s words and what to do, never with the password', needsOpenssl, async (t) => {
  const { port, seen } = await startServer(t, { authOptional: false })
  const delivery = await send({ ...trusted, port, user: 'rota', login: { password: 'not the one' } })
  assert.equal(delivery.state, 'deferred')
  assert.ok(delivery.error instanceof PermanentError)
  assert.equal(delivery.error.code, 'smtp_login_refused')
  assert.match(delivery.error.detail ?? '', /User "rota": localhost:\d+: 535 .*Invalid username or password/)
  assert.match(delivery.error.hint ?? '', /user_name and secret_name/)
  assert.doesNotMatch(JSON.stringify(delivery), /not the one|bm90IHRoZSBvbmU/)
  assert.deepEqual(seen, [])
})

test('a token that the server takes no more is asked for anew, once', needsOpenssl, async (t) => {
  const { port, tokens } = await startServer(t, { authMethods: ['XOAUTH2'], authOptional: false })
  const login = { accessToken: async (isAnew?: boolean) => (isAnew ? 'fresh' : 'stale') }
  assert.equal((await send({ ...trusted, port, user: 'rota', login })).state, 'sent')
  assert.deepEqual(tokens, ['stale', 'fresh'])
})

test('a token that the server does not take is told so', needsOpenssl, async (t) => {
  const { port, tokens } = await startServer(t, { authMethods: ['XOAUTH2'], authOptional: false })
  const delivery = await send({ ...trusted, port, user: 'rota', login: { accessToken: async () => 'stale' } })
  assert.deepEqual([delivery.state, delivery.error?.code], ['deferred', 'smtp_login_refused'])
  assert.doesNotMatch(JSON.stringify(delivery), /stale/)
  assert.ok(tokens.length >= 1)
})

test('a token that cannot be had is no fault of the mail server', needsOpenssl, async (t) => {
  const { port } = await startServer(t, { authMethods: ['XOAUTH2'], authOptional: false })
  const refusal = new PermanentError('mail_token_refused', 'The token server refused a token', {
    detail: 'invalid_grant',
    hint: 'Consent again.',
  })
  const delivery = await send({
    ...trusted,
    port,
    user: 'rota',
    login: {
      accessToken: async () => {
        throw refusal
      },
    },
  })
  assert.deepEqual([delivery.state, delivery.error?.code], ['deferred', 'mail_token_refused'])
})

test('a server that offers no encryption gets neither login nor mail, unless that is allowed', async (t) => {
  const { port, seen } = await startServer(t, { disabledCommands: ['STARTTLS'], allowInsecureAuth: true })
  const login = { user: 'rota', login: { password: 'open sesame' } }
  for (const tls of ['verify', 'require'] as const) {
    const delivery = await send({ port, tls, ...login })
    assert.deepEqual([delivery.state, delivery.error?.code], ['deferred', 'smtp_tls_not_offered'])
    assert.match(delivery.error?.hint ?? '', /port = 465/)
  }
  assert.deepEqual(seen, [])
  assert.equal((await send({ port, tls: 'off', ...login })).state, 'sent')
  assert.deepEqual(seen, [{ isEncrypted: false, user: 'rota', method: 'PLAIN' }])
})

for (const [what, stage, answer, code] of [
  ['is cut', 'starttls', 'cut', 'smtp_unreachable'],
  ['is silent', 'starttls', 'silence', 'smtp_unreachable'],
  ['is refused for now', 'starttls', '454 4.7.0 not now', 'smtp_tls_not_offered'],
  ['is cut', 'auth', 'cut', 'smtp_unreachable'],
  ['is silent', 'auth', 'silence', 'smtp_unreachable'],
  ['is put off', 'auth', '454 4.7.0 not now', 'smtp_login_deferred'],
  ['closes', 'auth', '421 4.3.2 closing', 'smtp_login_deferred'],
] as const) {
  test(`a dialogue that ${what} at ${stage} leaves the mail with nobody, and it may be tried again`, async (t) => {
    const server = await startSmtpStandIn(t)
    server.hasStartTls = stage === 'starttls'
    server.hasAuth = true
    server.faults.push({ stage, answer })
    const options = { port: server.port, tls: stage === 'starttls' ? ('require' as const) : ('off' as const), timeoutSeconds: 1 }
    const login = { user: 'rota', login: { password: 'open sesame' } }
    const delivery = await send({ ...options, ...login })
    assert.deepEqual([delivery.state, delivery.error?.code], ['deferred', code], delivery.error?.detail)
    assert.deepEqual(
      delivery.recipients.map(({ state }) => state),
      ['deferred'],
    )
    assert.deepEqual(server.mails, [])
    assert.equal((await send({ ...options, ...login, tls: 'off' })).state, 'sent')
  })
}

test('a server that says yes to STARTTLS and then no more is given up', async (t) => {
  const server = await startSmtpStandIn(t)
  server.hasStartTls = true
  const delivery = await send({ port: server.port, tls: 'require', timeoutSeconds: 1 })
  assert.deepEqual([delivery.state, delivery.error?.code], ['deferred', 'smtp_unreachable'])
})
