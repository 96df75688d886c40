/** A local site of event pages, as a process of its own: node scrape-site.ts. Its first line of output is its origin, as JSON. */
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  if (request.url === '/robots.txt') return response.writeHead(404).end()
  const id = Number(/\d+/.exec(request.url ?? '')?.[0] ?? '0')
  return response.setHeader('content-type', 'text/html; charset=utf-8').end(pages[id % pages.length])
})

/** Of ten ids six are no events, one has an empty list, three have 60 companies: 4 KB and 13 KB. */
const pages = Array.from({ length: 100 }, (_, number) => {
  if (number % 10 < 6) return pageOf(number, '<div class="alert alert-danger">Invalid Event ID: 1</div>')
  return pageOf(number, number % 10 === 6 ? '<p>No companies found</p>' : listOf(number))
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) console.log(JSON.stringify({ origin: `http://127.0.0.1:${address.port}` }))
})

function listOf(number: number): string {
  const rows = Array.from(
    { length: 60 },
    (_, row) =>
      `<tr class="list-row"><td class="name"><a href="/company/${number}/${row}">Company ${row} of ${number}</a></td><td>T${row}</td><td>City ${row % 7}</td></tr>`,
  )
  const head = '<thead><tr><th>Company Name</th><th>Ticker</th><th>City</th></tr></thead>'
  return `<table class="list">${head}<tbody>${rows.join('\n')}</tbody></table>`
}

function pageOf(number: number, content: string): string {
  return `<!doctype html><html><head><title>Event ${number} - Site</title><meta charset="utf-8"><script>var settings = { id: ${number}, list: "a<b" };</script></head>
<body><nav>${'<a class="nav-link" href="/other">Other page</a>'.repeat(30)}</nav><h1>Event ${number}</h1>${content}
<footer>${'<p>Some more words at the end of the page.</p>'.repeat(40)}</footer></body></html>`
}
