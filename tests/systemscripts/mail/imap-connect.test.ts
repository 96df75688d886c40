import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testCertificate } from './certificate.ts'
import { connect, peer } from './peer-mailbox.ts'

const certificate = testCertificate()
const needsCertificate = certificate === null ? { skip: 'openssl is not installed' } : {}

test('a token is sent in the way that the server knows', async (t) => {
  for (const [mechanism, sent] of [
    ['OAUTHBEARER', 'n,a=us,\x01host=127.0.0.1'],
    ['XOAUTH2', 'user=us\x01auth=Bearer abc\x01\x01'],
  ]) {
    const server = await peer(t, { capabilities: [`AUTH=${mechanism}`, 'SASL-IR'], token: 'abc' })
    await connect(t, server, { login: { accessToken: async () => 'abc' } })
    const line = server.lines.find((each) => each.includes(`AUTHENTICATE ${mechanism} `)) ?? ''
    assert.ok(
      Buffer.from(line.split(' ').at(-1) ?? '', 'base64')
        .toString()
        .startsWith(sent ?? ''),
      mechanism,
    )
  }
})

test('a refused login is permanent and shows no secret, a busy server is not', async (t) => {
  const server = await peer(t)
  const wrong = connect(t, server, { login: { password: 'hunter2' } })
  await assert.rejects(wrong, (error: Error & { code: string; detail: string }) => {
    assert.deepEqual([error.name, error.code], ['PermanentError', 'mail_login_refused'])
    assert.ok(!JSON.stringify([error.message, error.detail]).includes('hunter2'))
    return true
  })
  const busy = await peer(t, { loginAnswer: 'NO [UNAVAILABLE] database is away' })
  await assert.rejects(connect(t, busy), { name: 'JobError', code: 'mail_server_busy' })
})

test('certificates are verified, also after STARTTLS, unless the row says otherwise', needsCertificate, async (t) => {
  assert.ok(certificate)
  for (const kind of ['implicit', 'starttls'] as const) {
    const server = await peer(t, { tls: { ...certificate, kind } })
    const isImplicitTls = kind === 'implicit'
    await assert.rejects(connect(t, server, { tls: 'verify', isImplicitTls }), { name: 'PermanentError', code: 'mail_certificate_refused' })
    await connect(t, server, { tls: 'require', isImplicitTls })
    await connect(t, server, { tls: 'verify', isImplicitTls, host: 'localhost', trusted: certificate.cert })
  }
})

test('no password is sent in the clear where encryption was asked for', async (t) => {
  const server = await peer(t)
  await assert.rejects(connect(t, server, { tls: 'verify', isImplicitTls: false }), {
    name: 'PermanentError',
    code: 'mail_tls_not_offered',
  })
  assert.deepEqual(
    server.lines.filter((line) => /LOGIN|AUTHENTICATE/.test(line)),
    [],
  )
})
