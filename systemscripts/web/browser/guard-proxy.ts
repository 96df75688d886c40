import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { JobError } from '../../errors.ts'
import { checkedLookup } from '../address/checked-connect.ts'
import { isPublicAddress, privateAddress } from '../address/private-address.ts'
import { refusePrivateName } from '../address/proxied-name.ts'
import { authorizationHeader } from '../request-headers.ts'
import type { WebClient } from '../web-client.ts'

/** The only way out for a browser. */
export interface GuardProxy {
  server: string
  username: string
  password: string
  /** Hosts that were not reached, and why. */
  failures: Map<string, unknown>
  /** More came in than allowed; everything is cut since. */
  isOverLimit(): boolean
  close(): Promise<void>
}

/**
 * A proxy on 127.0.0.1 through which a browser reaches the web: names are resolved here and addresses of inner networks refused, whatever asks
 * for them: the page, a frame, a redirect, a WebSocket. It counts what comes in. Only who knows its password may use it.
 */
export async function openGuardProxy(client: WebClient, limitBytes: number): Promise<GuardProxy> {
  const username = 'rota'
  const password = randomBytes(18).toString('base64url')
  const expected = authorizationHeader({ kind: 'basic', user: username, password })
  const failures = new Map<string, unknown>()
  const sockets = new Set<Duplex>()
  let received = 0

  const keep = (socket: Duplex): void => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
  }
  const count = (bytes: number): void => {
    received += bytes
    if (received > limitBytes) for (const socket of sockets) socket.destroy()
  }
  const note = (host: string, error: unknown): void => {
    failures.set(host, error)
  }

  const server = createServer((incoming, answer) => {
    if (incoming.headers['proxy-authorization'] !== expected) {
      answer.writeHead(407, { 'proxy-authenticate': 'Basic realm="rota"' }).end()
      return
    }
    forward(client, incoming, answer, count, note)
  })
  server.on('connection', keep)
  server.on('connect', (incoming, socket, head) => {
    if (incoming.headers['proxy-authorization'] !== expected) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="rota"\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const { host, port } = hostAndPort(incoming.url ?? '')
    openTunnel(client, host, port).then(
      (tunnel) => {
        keep(tunnel)
        tunnel.on('data', (piece: Buffer) => count(piece.length))
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        tunnel.write(head)
        socket.pipe(tunnel).pipe(socket)
        socket.once('close', () => tunnel.destroy())
        tunnel.once('close', () => socket.destroy())
      },
      (error: unknown) => {
        note(host, error)
        socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
      },
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    server: `http://127.0.0.1:${port}`,
    username,
    password,
    failures,
    isOverLimit: () => received > limitBytes,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Plain http: the browser sends the whole address. */
function forward(
  client: WebClient,
  incoming: IncomingMessage,
  answer: ServerResponse,
  count: (bytes: number) => void,
  note: (host: string, error: unknown) => void,
): void {
  const url = URL.parse(incoming.url ?? '')
  if (url?.protocol !== 'http:') {
    answer.writeHead(400).end()
    return
  }
  const { 'proxy-authorization': _, 'proxy-connection': __, ...headers } = incoming.headers
  const name = url.hostname.replace(/^\[|\]$/g, '')
  const fail = (error: unknown): void => {
    note(name, error)
    if (answer.headersSent) answer.destroy()
    else answer.writeHead(502).end('not reached')
  }
  openTunnel(client, name, Number(url.port || 80)).then((tunnel) => {
    const outgoing = request({
      createConnection: () => tunnel,
      method: incoming.method,
      path: url.pathname + url.search,
      headers: { ...headers, host: url.host, connection: 'close' },
      setHost: false,
    })
    outgoing.once('error', fail)
    outgoing.once('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.on('data', (piece: Buffer) => count(piece.length))
      response.once('error', fail)
      response.pipe(answer)
    })
    answer.once('close', () => tunnel.destroy())
    incoming.pipe(outgoing)
  }, fail)
}

/** A connection to the host, straight or through the client's own proxy. @throws PermanentError `private_address`; what connecting throws */
async function openTunnel(client: WebClient, host: string, port: number): Promise<Socket> {
  if (isIP(host) !== 0 && !client.allowsPrivate(host) && !isPublicAddress(host)) throw privateAddress(host, [host])
  const { proxy } = client
  if (proxy === null) return connected(connect({ host, port, lookup: checkedLookup(client.allowsPrivate) }), client)
  await refusePrivateName(host, client.allowsPrivate)
  const url = new URL(proxy.url)
  const isTls = url.protocol === 'https:'
  const place = { host: url.hostname, port: Number(url.port || (isTls ? 443 : 80)) }
  const socket = await connected(isTls ? connectTls({ ...place, servername: url.hostname }) : connect(place), client)
  const login = proxy.credentials ? `Proxy-Authorization: ${authorizationHeader(proxy.credentials)}\r\n` : ''
  const target = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${login}\r\n`)
  const [first] = await once(socket, 'data')
  if (/^HTTP\/1\.[01] 200/.test(String(first))) return socket
  socket.destroy()
  throw new JobError('connection_lost', `The proxy does not connect to "${host}"`, { detail: String(first).split('\r\n')[0] ?? '' })
}

async function connected(socket: Socket, { connectSeconds }: WebClient): Promise<Socket> {
  const timer = setTimeout(() => socket.destroy(new Error('connect timeout')), connectSeconds * 1000)
  try {
    await once(socket, 'secureContext' in socket ? 'secureConnect' : 'connect')
    return socket
  } finally {
    clearTimeout(timer)
  }
}

function hostAndPort(authority: string): { host: string; port: number } {
  const found = /^\[?([^\]]*?)\]?:(\d+)$/.exec(authority)
  return { host: found?.[1] ?? '', port: Number(found?.[2] ?? 443) }
}
