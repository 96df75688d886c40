import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { fetchPage } from '../../../systemscripts/web/fetch-page.ts'
import { userAgentOf } from '../../../systemscripts/web/open-web-client.ts'
import { clientOf, makeCertificate, page, redirect, signal, startTlsWeb, startWeb } from './web-servers.ts'

const certificate = makeCertificate()
const needsCertificate = certificate === null ? { skip: 'openssl is not installed' } : {}

test('a page comes with its text, its status and what is needed to ask for it again', async (t) => {
  const web = await startWeb(t, { '/a': page('<h1>Grüße</h1>', { etag: '"1"', 'last-modified': 'Sun, 22 Nov 2026 10:00:00 GMT' }) })
  const fetched = await fetchPage(clientOf(t), `${web.origin}/a#part`, { signal })
  assert.deepEqual([fetched.text, fetched.encoding, fetched.status, fetched.url], ['<h1>Grüße</h1>', 'utf-8', 200, `${web.origin}/a`])
  assert.deepEqual([fetched.etag, fetched.lastModified], ['"1"', 'Sun, 22 Nov 2026 10:00:00 GMT'])
})

test('a page that has not changed is not sent again', async (t) => {
  const conditional: RequestListener = (request, response) => {
    const isKnown = request.headers['if-none-match'] === '"1"' && request.headers['if-modified-since'] === 'x'
    response.writeHead(isKnown ? 304 : 200, { etag: '"1"' })
    response.end(isKnown ? undefined : 'new')
  }
  const web = await startWeb(t, { '/a': conditional })
  const fetched = await fetchPage(clientOf(t), `${web.origin}/a`, { signal, etag: '"1"', lastModified: 'x' })
  assert.deepEqual([fetched.isUnchanged, fetched.status, fetched.text], [true, 304, ''])
})

test('the client says honestly who it is', async (t) => {
  const web = await startWeb(t, { '*': (request, response) => response.end(request.headers['user-agent']) })
  const version = userAgentOf(null)
  assert.match(version, /^Rota\/\d+\.\d+\.\d+$/)
  assert.equal((await fetchPage(clientOf(t), web.origin, { signal })).text, version)
  const named = clientOf(t, { contactUrl: 'https://example.org/bot' })
  assert.equal((await fetchPage(named, web.origin, { signal })).text, `${version} (+https://example.org/bot)`)
  const special = clientOf(t, { hostRules: (host) => ({ userAgent: `for ${host}` }) })
  assert.equal((await fetchPage(special, web.origin, { signal })).text, `for 127.0.0.1:${web.port}`)
})

test('bodies packed in any way, also one in another, are unpacked', async (t) => {
  const text = 'Zeile für Zeile\n'.repeat(5000)
  const packed =
    (encoding: string, body: Buffer): RequestListener =>
    (_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': encoding })
      response.end(body)
    }
  const web = await startWeb(t, {
    '/gzip': packed('gzip', zlib.gzipSync(text)),
    '/x-gzip': packed('X-GZIP', zlib.gzipSync(text)),
    '/deflate': packed('deflate', zlib.deflateSync(text)),
    '/bare': packed('deflate', zlib.deflateRawSync(text)),
    '/br': packed('br', zlib.brotliCompressSync(text)),
    '/zstd': packed('zstd', zlib.zstdCompressSync(text)),
    '/two': packed('gzip, br', zlib.brotliCompressSync(zlib.gzipSync(text))),
    '/identity': packed('identity', Buffer.from(text)),
    '/none': packed('gzip', Buffer.alloc(0)),
  })
  const client = clientOf(t)
  for (const path of ['gzip', 'x-gzip', 'deflate', 'bare', 'br', 'zstd', 'two', 'identity']) {
    assert.equal((await fetchPage(client, `${web.origin}/${path}`, { signal })).text, text, path)
  }
  assert.equal((await fetchPage(client, `${web.origin}/none`, { signal })).text, '')
})

test('redirects are followed, told, and bounded', async (t) => {
  const web = await startWeb(t, {
    // As UTF-8, then as Latin-1; Node writes characters of a header as bytes.
    '/a': redirect(Buffer.from('b?x=ü').toString('latin1')),
    '/b': redirect('/c?x=ü', 301),
    '/c': page('here'),
    '/loop': redirect('/loop'),
    '/nowhere': (_, response) => response.writeHead(302).end(),
    '/mail': redirect('mailto:a@example.org'),
  })
  const client = clientOf(t, { maxRedirects: 5 })
  const fetched = await fetchPage(client, `${web.origin}/a`, { signal })
  assert.deepEqual([fetched.text, fetched.url], ['here', `${web.origin}/c?x=%C3%BC`])
  assert.deepEqual(fetched.redirectedFrom, [`${web.origin}/a`, `${web.origin}/b?x=%C3%BC`])
  await assert.rejects(fetchPage(client, `${web.origin}/loop`, { signal }), { code: 'too_many_redirects' })
  await assert.rejects(fetchPage(client, `${web.origin}/nowhere`, { signal }), { code: 'http_refused' })
  await assert.rejects(fetchPage(client, `${web.origin}/mail`, { signal }), { code: 'scheme_refused' })
  assert.equal(web.connections(), 1)
})

test('a form is sent once and its answer is fetched as a page', async (t) => {
  const bodies: string[] = []
  const web = await startWeb(t, {
    '/form': (request, response) => {
      request.on('data', (piece) => bodies.push(`${request.method} ${request.headers['content-type']} ${piece}`))
      request.on('end', () => response.writeHead(303, { location: '/done' }).end())
    },
    '/again': redirect('/form', 307),
    '/done': (request, response) => response.end(request.method),
    '/broken': (_, response) => response.writeHead(500).end(),
  })
  const client = clientOf(t)
  const form = { user: 'ann & bob', more: 'ü' }
  assert.equal((await fetchPage(client, `${web.origin}/again`, { signal, form })).text, 'GET')
  assert.deepEqual(bodies, ['POST application/x-www-form-urlencoded user=ann+%26+bob&more=%C3%BC'])
  await assert.rejects(fetchPage(client, `${web.origin}/broken`, { signal, form }), { code: 'server_failed' })
  assert.equal(web.requests.filter((request) => request === 'POST /broken').length, 1)
})

test('what a login, a header and a cookie belong to is not told to another site', async (t) => {
  const seen: unknown[] = []
  const listener: RequestListener = (request, response) => {
    seen.push(request.headers.authorization, request.headers['x-key'], request.headers.cookie)
    response.end()
  }
  const other = await startWeb(t, { '*': listener })
  const web = await startWeb(t, {
    '/first': page('', { 'set-cookie': 'session=1; HttpOnly' }),
    '/here': listener,
    '/away': redirect(`http://localhost:${other.port}/`),
  })
  const client = clientOf(t, { authorization: { origin: web.origin, credentials: { kind: 'basic', user: 'ann', password: 'p:ü' } } })
  await fetchPage(client, `${web.origin}/first`, { signal })
  await fetchPage(client, `${web.origin}/here`, { signal, headers: { 'x-key': 'k' } })
  await fetchPage(client, `${web.origin}/away`, { signal, headers: { 'x-key': 'k' } })
  assert.deepEqual(seen, [`Basic ${Buffer.from('ann:p:ü').toString('base64')}`, 'k', 'session=1', undefined, undefined, undefined])
})

test('cookies last from one client to the next', async (t) => {
  const web = await startWeb(t, {
    '/set': page('', { 'set-cookie': 'a=1; Max-Age=1000' }),
    '/get': (request, response) => response.end(request.headers.cookie ?? 'none'),
  })
  const first = clientOf(t)
  await fetchPage(first, `${web.origin}/set`, { signal })
  const kept = JSON.parse(JSON.stringify(first.jar.serializeSync()))
  assert.equal((await fetchPage(clientOf(t, { cookies: kept }), `${web.origin}/get`, { signal })).text, 'a=1')
  assert.equal((await fetchPage(clientOf(t), `${web.origin}/get`, { signal })).text, 'none')
})

test('HTTP/2 is spoken where the server offers it, and its connection is used again', needsCertificate, async (t) => {
  if (certificate === null) return
  const web = await startTlsWeb(t, {}, 'h2', certificate)
  const client = clientOf(t, { trusted: [certificate.cert] })
  await fetchPage(client, web.origin, { signal })
  for (let id = 0; id < 10; id += 1) assert.equal((await fetchPage(client, `${web.origin}/${id}`, { signal })).text, 'spoken: 2.0')
  assert.equal(web.connections(), 1)
})

test('connections are kept and used again', async (t) => {
  const web = await startWeb(t, { '*': page('x') })
  const client = clientOf(t)
  for (let id = 0; id < 20; id += 1) await fetchPage(client, `${web.origin}/${id}`, { signal })
  assert.equal(web.connections(), 1)
})
