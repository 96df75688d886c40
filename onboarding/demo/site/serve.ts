/** The web site of the demo: about forty events of a conference organiser, served from this process. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type DemoEvent, findEvent, pagesOf } from './events.ts'
import { listFile } from './list-file.ts'
import { companyListPage, deniedPage, indexPage, invalidPage, listPage, privateListPage, privatePage } from './pages.ts'

export interface EventSite {
  /** `http://127.0.0.1:4180` */
  origin: string
  /** Ends it, open connections included. */
  close(): Promise<void>
}

/** In every answer: for whom the site is served. */
export const ownerHeader = 'x-demo-owner'

/**
 * Serves the site on 127.0.0.1, on that port or, where it is taken, on a free one. It does not keep the process alive.
 *
 * @param port 0: any free one
 */
export async function serveEventSite(port: number, owner = ''): Promise<EventSite> {
  const turns = new Map<number, number>()
  const server = createServer((request, response) => {
    response.setHeader(ownerHeader, owner)
    send(request, response, answerTo(request, turns))
  })
  const address = await listen(server, port)
  server.unref()
  return {
    origin: `http://127.0.0.1:${address}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

interface Answer {
  status: number
  type: string
  body: string | Buffer
  headers?: Record<string, string>
}

async function listen(server: Server, port: number): Promise<number> {
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch (error) {
    if (port === 0 || !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    return await listen(server, 0)
  }
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

/** @param turns how often each event that limits its guests was asked for */
function answerTo({ url = '/' }: IncomingMessage, turns: Map<number, number>): Answer {
  const { pathname, searchParams } = new URL(url, 'http://127.0.0.1')
  if (pathname === '/robots.txt') return { status: 200, type: 'text/plain', body: 'User-agent: *\nDisallow: /admin/\n' }
  if (pathname === '/') return page(indexPage())
  const [, id = '', name = ''] = /^\/sched\/event_(\d+)\/([\w-]+\.(?:html|xls))$/.exec(pathname) ?? []
  if (id === '') return { ...page(invalidPage('')), status: 404 }
  const event = findEvent(Number(id))
  if (event === null) return page(invalidPage(id))
  if (event.kind === 'denied') return { ...page(deniedPage()), status: 403 }
  if (event.kind === 'rate_limited' && isRefused(event, turns)) {
    return { status: 429, type: 'text/plain', body: 'Too many requests', headers: { 'retry-after': '1' } }
  }
  return eventAnswer(event, name, Number(searchParams.get('page') ?? 1))
}

function eventAnswer(event: DemoEvent, name: string, number: number): Answer {
  const isPrivate = event.kind === 'private'
  if (name === listPage && number >= 1 && number <= pagesOf(event)) return page(companyListPage(event, number))
  if (name === privatePage && isPrivate) return page(privateListPage(event))
  const fileName = (isPrivate ? privatePage : listPage).replace('.html', '.xls')
  if (name === fileName && event.kind !== 'empty') {
    return {
      status: 200,
      type: 'application/vnd.ms-excel',
      body: listFile(event),
      headers: { 'content-disposition': `attachment; filename="co-list_${event.id}.xls"` },
    }
  }
  return { ...page(invalidPage(String(event.id))), status: 404 }
}

/** The first, third, fifth … request is. */
function isRefused({ id }: DemoEvent, turns: Map<number, number>): boolean {
  const turn = (turns.get(id) ?? 0) + 1
  turns.set(id, turn)
  return turn % 2 === 1
}

function page(body: string): Answer {
  return { status: 200, type: 'text/html; charset=utf-8', body }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body, headers = {} }: Answer): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
    return
  }
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`
  if (status === 200 && request.headers['if-none-match'] === etag) {
    response.writeHead(304, { etag }).end()
    return
  }
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), etag, ...headers })
  response.end(request.method === 'HEAD' ? undefined : body)
}
