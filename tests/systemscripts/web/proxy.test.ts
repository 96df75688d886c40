import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { fetchPage } from '../../../systemscripts/web/fetch-page.ts'
import { clientOf, listen, makeCertificate, page, redirect, signal, startTlsWeb, startWeb } from './web-servers.ts'

const certificate = makeCertificate()
const needsCertificate = certificate === null ? { skip: 'openssl is not installed' } : {}

interface Ending {
  after(end: () => Promise<void>): void
}

/** A proxy that wants the login `ann:p` and writes down what it was asked for. */
async function startProxy(t: Ending, asked: string[]): Promise<string> {
  const login = `Basic ${Buffer.from('ann:p').toString('base64')}`
  const server = createServer((incoming, answer) => {
    asked.push(`${incoming.method} ${incoming.url}`)
    if (incoming.headers['proxy-authorization'] !== login) {
      answer.writeHead(407).end()
      return
    }
    const { 'proxy-authorization': _, ...headers } = incoming.headers
    const outgoing = request(new URL(incoming.url ?? ''), { method: incoming.method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(answer)
    })
    incoming.pipe(outgoing)
  })
  server.on('connect', (incoming, socket) => {
    asked.push(`CONNECT ${incoming.url}`)
    if (incoming.headers['proxy-authorization'] !== login) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    const target = connect(Number(incoming.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(target).pipe(socket)
    })
    target.on('error', () => socket.destroy())
    socket.on('error', () => target.destroy())
  })
  return (await listen(t, server, 'http')).origin
}

test('plain http goes through the proxy with its login', async (t) => {
  const asked: string[] = []
  const web = await startWeb(t, { '*': page('here') })
  const url = await startProxy(t, asked)
  const client = clientOf(t, { proxy: { url, credentials: { kind: 'basic', user: 'ann', password: 'p' } } })
  assert.equal((await fetchPage(client, `${web.origin}/a`, { signal })).text, 'here')
  assert.deepEqual(asked, [`GET ${web.origin}/robots.txt`, `GET ${web.origin}/a`])
})

test('https goes through a tunnel, verified to its end', needsCertificate, async (t) => {
  if (certificate === null) return
  const asked: string[] = []
  const web = await startTlsWeb(t, { '*': page('here') }, 'http/1.1', certificate)
  const proxy = { url: await startProxy(t, asked), credentials: { kind: 'basic' as const, user: 'ann', password: 'p' } }
  const trusting = clientOf(t, { proxy, trusted: [certificate.cert] })
  assert.equal((await fetchPage(trusting, `${web.origin}/a`, { signal })).text, 'here')
  assert.deepEqual(new Set(asked), new Set([`CONNECT localhost:${web.port}`]))
  await assert.rejects(fetchPage(clientOf(t, { proxy }), `${web.origin}/a`, { signal }), { code: 'certificate_invalid' })
})

test('a proxy does not open the way to an address of an inner network that is written out', async (t) => {
  const asked: string[] = []
  const web = await startWeb(t, { '*': page('inner') })
  const client = clientOf(t, { proxy: { url: await startProxy(t, asked) }, allowPrivate: () => false })
  await assert.rejects(fetchPage(client, web.origin, { signal }), { code: 'private_address' })
  assert.deepEqual(asked, [])
})

test('a proxy does not open the way to a name that leads inwards, nor to where a page behind it sends on', async (t) => {
  const asked: string[] = []
  const web = await startWeb(t, { '/on': redirect('http://localhost:5432/') })
  const url = await startProxy(t, asked)
  const proxy = { url, credentials: { kind: 'basic' as const, user: 'ann', password: 'p' } }
  const client = clientOf(t, { proxy, allowPrivate: (host) => host === '127.0.0.1', hostRules: () => ({ obeyRobots: false }) })
  for (const name of ['localhost', 'db.localhost', 'intranet', 'printer.local', 'metadata.google.internal', 'LOCALHOST.']) {
    await assert.rejects(fetchPage(client, `http://${name}/`, { signal }), { code: 'private_address' }, name)
    await assert.rejects(fetchPage(client, `https://${name}/`, { signal }), { code: 'private_address' }, name)
  }
  await assert.rejects(fetchPage(client, `${web.origin}/on`, { signal }), { code: 'private_address' })
  assert.deepEqual(asked, [`GET ${web.origin}/on`])
})

test('a proxy that wants another login, or is away, is told', async (t) => {
  const web = await startWeb(t, { '*': page('here') })
  const refused = clientOf(t, {
    proxy: { url: await startProxy(t, []) },
    patience: { attempts: 1 },
    hostRules: () => ({ obeyRobots: false }),
  })
  await assert.rejects(fetchPage(refused, web.origin, { signal }), { code: 'proxy_login_required' })
  await assert.rejects(fetchPage(refused, 'https://localhost:1/', { signal }), { code: 'proxy_login_required' })
  const away = clientOf(t, { proxy: { url: 'http://127.0.0.1:1' }, patience: { attempts: 1 } })
  await assert.rejects(fetchPage(away, web.origin, { signal }), { code: 'host_unreachable' })
})
