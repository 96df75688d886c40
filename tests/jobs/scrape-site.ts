import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Ending } from '../helpers/after-everything.ts'

export interface Site {
  /** `http://127.0.0.1:port`. */
  origin: string
  /** Paths that were asked for, in order, robots.txt left out. */
  asked: string[]
  /** What it answers with; tests replace it as they go. */
  answer: Answer
}

export type Answer = (request: IncomingMessage, response: ServerResponse, path: string) => unknown

/** A web server of this test's own, without robots.txt. */
export async function openSite(t: Ending, answer: Answer): Promise<Site> {
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    if (path === '/robots.txt') return response.writeHead(404).end()
    site.asked.push(path)
    response.setHeader('content-type', 'text/html; charset=utf-8')
    return site.answer(request, response, path)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const site: Site = { origin: `http://127.0.0.1:${port}`, asked: [], answer }
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return site
}

/** A page with a table, one row per array. */
export function tablePage(rows: (string | number)[][], title = 'A page'): string {
  const lines = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
  return `<!doctype html><title>${title}</title><table>${lines.join('')}</table>`
}
