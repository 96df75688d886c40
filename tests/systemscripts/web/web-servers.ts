import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import type { Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryHostBudget } from '../../../systemscripts/web/manners/host-budget.ts'
import { openWebClient } from '../../../systemscripts/web/open-web-client.ts'
import type { WebClient, WebClientOptions } from '../../../systemscripts/web/web-client.ts'

interface Ending {
  after(end: () => Promise<void>): void
}

export interface OwnWeb {
  /** `http://127.0.0.1:port`, without a slash at its end. */
  origin: string
  port: number
  /** Every request that came but those for robots.txt, as `GET /path`. */
  requests: string[]
  /** Connections that were ever made. */
  connections(): number
}

export type Site = Record<string, RequestListener>

/**
 * A web server of the test's own. Paths are answered by the site, `*` stands for the others; what it does not know is 404, so robots.txt too
 * unless the site has one.
 */
export async function startWeb(t: Ending, site: Site): Promise<OwnWeb> {
  const requests: string[] = []
  const { origin, port, connections } = await listen(t, createServer(answering(site, requests)), 'http')
  return { origin, port, requests, connections }
}

/** The same over TLS, HTTP/1.1 only or HTTP/2 as well, with a certificate for `localhost` and 127.0.0.1 that only `trusted` trusts. */
export async function startTlsWeb(t: Ending, site: Site, speaks: 'http/1.1' | 'h2', certificate: Certificate): Promise<OwnWeb> {
  const requests: string[] = []
  const answer = answering(site, requests)
  const server =
    speaks === 'h2'
      ? createSecureServer({ ...certificate, allowHTTP1: false }, (request, response) => {
          requests.push(`${request.httpVersion} ${request.url}`)
          response.writeHead(request.url === '/robots.txt' ? 404 : 200, { 'content-type': 'text/plain' })
          response.end(`spoken: ${request.httpVersion}`)
        })
      : createHttps(certificate, answer)
  const { port, connections } = await listen(t, server, 'https')
  return { origin: `https://localhost:${port}`, port, requests, connections }
}

export interface Certificate {
  key: string
  cert: string
}

/** Made by openssl; null where that is not installed. */
export function makeCertificate(): Certificate | null {
  const folder = mkdtempSync(join(tmpdir(), 'rota-test-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2']
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject], {
      stdio: 'ignore',
    })
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } catch {
    return null
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A client that may reach this machine, asks without a gap, and hardly waits between tries. */
export function clientOf(t: Ending, options: WebClientOptions = {}): WebClient {
  const client = openWebClient({
    allowPrivate: () => true,
    budget: memoryHostBudget(() => ({ minGapSeconds: 0, parallel: 20 })),
    ...options,
    patience: { baseSeconds: 0.01, capSeconds: 0.02, throttledSeconds: 0.05, challengedSeconds: 0.05, ...options.patience },
  })
  t.after(() => client.close())
  return client
}

export const signal = new AbortController().signal

export function page(body: string, headers: Record<string, string> = {}, status = 200): RequestListener {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', ...headers })
    response.end(body)
  }
}

export function redirect(location: string, status = 302): RequestListener {
  return (_, response) => {
    response.writeHead(status, { location })
    response.end('moved')
  }
}

/** A server on 127.0.0.1 and a free port, ended with all its connections after the test. */
export async function listen(t: Ending, server: Server, scheme: string): Promise<{ origin: string; port: number; connections(): number }> {
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { origin: `${scheme}://127.0.0.1:${port}`, port, connections: () => connections }
}

function answering(site: Site, requests: string[]): RequestListener {
  return (request, response) => {
    const path = new URL(request.url ?? '/', 'http://host').pathname
    if (path !== '/robots.txt') requests.push(`${request.method} ${request.url}`)
    const answer = site[path] ?? (path === '/robots.txt' ? undefined : site['*'])
    if (answer !== undefined) answer(request, response)
    else {
      response.writeHead(404)
      response.end('not here')
    }
  }
}
