import assert from 'node:assert/strict'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { fetchPage } from '../../../systemscripts/web/fetch-page.ts'
import { clientOf, makeCertificate, page, signal, startTlsWeb, startWeb } from './web-servers.ts'

const certificate = makeCertificate()
const needsCertificate = certificate === null ? { skip: 'openssl is not installed' } : {}

test('a broken packing is tried again and then told', async (t) => {
  const web = await startWeb(t, { '*': page('no gzip at all', { 'content-encoding': 'gzip' }) })
  await assert.rejects(fetchPage(clientOf(t), web.origin, { signal }), { code: 'body_broken' })
  assert.equal(web.requests.length, 3)
  const other = await startWeb(t, { '*': page('?', { 'content-encoding': 'lzma' }) })
  await assert.rejects(fetchPage(clientOf(t), other.origin, { signal }), { code: 'content_encoding_unknown' })
})

test('a page beyond the limit is refused, whether it says so, goes on without end, or unpacks to more', async (t) => {
  const web = await startWeb(t, {
    '/stated': page('x'.repeat(5000)),
    '/endless': (_, response) => {
      const more = (): void => void (response.destroyed || response.write('x'.repeat(1000), more))
      more()
    },
    '/bomb': (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      response.end(zlib.gzipSync(Buffer.alloc(1_000_000)))
    },
    '/double': (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip, gzip' })
      response.end(zlib.gzipSync(zlib.gzipSync(Buffer.alloc(100_000_000))))
    },
  })
  const client = clientOf(t)
  for (const path of ['stated', 'endless', 'bomb', 'double']) {
    const refusal = { code: 'page_too_large', name: 'PermanentError' }
    await assert.rejects(fetchPage(client, `${web.origin}/${path}`, { signal, maxBytes: 4000 }), refusal, path)
  }
  assert.equal(web.requests.length, 4)
})

test('each failure has its code, and only what passes by itself is tried again', async (t) => {
  const statuses: [number, string, boolean][] = [
    [400, 'http_refused', false],
    [401, 'login_required', false],
    [403, 'access_denied', false],
    [404, 'page_not_found', false],
    [410, 'page_gone', false],
    [451, 'http_refused', false],
    [408, 'server_failed', true],
    [500, 'server_failed', true],
    [503, 'server_failed', true],
  ]
  const web = await startWeb(t, Object.fromEntries(statuses.map(([status]) => [`/${status}`, page('no', {}, status)])))
  const client = clientOf(t)
  for (const [status, code, isRetried] of statuses) {
    const error = await fetchPage(client, `${web.origin}/${status}`, { signal }).catch((refused) => refused)
    assert.deepEqual([error.code, error instanceof PermanentError], [code, !isRetried], String(status))
    assert.equal(web.requests.filter((request) => request.endsWith(`/${status}`)).length, isRetried ? 3 : 1)
  }
  const accepted = await fetchPage(client, `${web.origin}/403`, { signal, acceptStatuses: [403] })
  assert.deepEqual([accepted.status, accepted.text], [403, 'no'])
})

test('a server that is away, breaks off or never answers is told from one that is not there', async (t) => {
  const web = await startWeb(t, {
    '/cut': (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half')
      setImmediate(() => response.destroy())
    },
    '/silent': () => {},
    '/stuck': (_, response) => void response.write('a'),
    '/once': (request, response) => {
      if (web.requests.length === 1) request.socket.destroy()
      else response.end('second')
    },
  })
  const quick = clientOf(t, { patience: { attempts: 1 }, idleSeconds: 0.3 })
  assert.equal((await fetchPage(clientOf(t), `${web.origin}/once`, { signal })).text, 'second')
  await assert.rejects(fetchPage(quick, `${web.origin}/cut`, { signal }), { code: 'connection_lost', name: 'JobError' })
  await assert.rejects(fetchPage(quick, `${web.origin}/silent`, { signal }), { code: 'page_timeout' })
  await assert.rejects(fetchPage(quick, `${web.origin}/stuck`, { signal }), { code: 'page_timeout' })
  const whole = fetchPage(clientOf(t, { patience: { attempts: 1 } }), `${web.origin}/stuck`, { signal, wholeSeconds: 0.2 })
  await assert.rejects(whole, { code: 'page_timeout', detail: 'All of it took longer than 0.2 s.' })
  await assert.rejects(fetchPage(quick, 'http://127.0.0.1:1/', { signal }), { code: 'host_unreachable', name: 'JobError' })
  await assert.rejects(fetchPage(quick, 'http://no-such-host.invalid/', { signal }), { code: 'host_not_found', name: 'JobError' })
})

test('an abort ends a request under way with its own reason', async (t) => {
  const controller = new AbortController()
  const web = await startWeb(t, { '*': () => controller.abort(new Error('the run was cancelled')) })
  await assert.rejects(fetchPage(clientOf(t), web.origin, { signal: controller.signal }), { message: 'the run was cancelled' })
})

test('an address that no page can have is refused', async (t) => {
  const client = clientOf(t)
  for (const [address, code] of [
    ['example.org/a', 'address_invalid'],
    ['ftp://example.org/a', 'scheme_refused'],
    ['file:///etc/passwd', 'scheme_refused'],
    ['https://ann:secret@example.org/', 'address_invalid'],
    ['https://exa mple.org/', 'address_invalid'],
  ] as const) {
    const error = await fetchPage(client, address, { signal }).catch((refused) => refused)
    assert.equal(error.code, code, address)
    assert.ok(!`${error.message} ${error.detail}`.includes('secret'))
  }
})

test('a certificate that is not trusted ends the fetch for good', needsCertificate, async (t) => {
  if (certificate === null) return
  const web = await startTlsWeb(t, { '*': page('secret') }, 'http/1.1', certificate)
  await assert.rejects(fetchPage(clientOf(t), web.origin, { signal }), { code: 'certificate_invalid', name: 'PermanentError' })
  const trusting = clientOf(t, { trusted: [certificate.cert] })
  assert.equal((await fetchPage(trusting, web.origin, { signal })).text, 'secret')
  const plain = await startWeb(t, {})
  await assert.rejects(fetchPage(trusting, `https://localhost:${plain.port}/`, { signal }), { code: 'tls_failed' })
})
