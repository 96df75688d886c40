import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { JobError } from '../../../systemscripts/errors.ts'
import { downloadFile } from '../../../systemscripts/web/download-file.ts'
import { fetchPage } from '../../../systemscripts/web/fetch-page.ts'
import { openWebClient } from '../../../systemscripts/web/open-web-client.ts'
import { isWellNested } from '../../../systemscripts/web/page/well-nested.ts'

const signal = new AbortController().signal

test('a 304 that nobody asked for is no answer, to a page or a file', async (t) => {
  let asked = 0
  const { origin, client } = await serve(t, (_, response) => {
    asked += 1
    response.writeHead(304).end()
  })
  await assert.rejects(fetchPage(client, `${origin}/`, { signal }), { code: 'http_refused', detail: 'It answered 304.' })
  const folder = await mkdtemp(join(tmpdir(), 'rota-hostile-'))
  t.after(() => rm(folder, { recursive: true }))
  await assert.rejects(downloadFile(client, `${origin}/a`, folder, { signal }), { code: 'http_refused' })
  assert.equal(asked, 2)
  assert.equal((await fetchPage(client, `${origin}/`, { signal, etag: '"a"' })).isUnchanged, true)
})

test('a site cannot fill the jar of cookies, nor the requests after it', async (t) => {
  let sent = ''
  let number = 0
  const { origin, client } = await serve(t, (request, response) => {
    sent = request.headers.cookie ?? ''
    number += 1
    const many = Array.from({ length: 50 }, (_, index) => `c${number}_${index}=v`)
    response.setHeader('set-cookie', [...many, `long=${'x'.repeat(5000)}`, `session=${number}`]).end('a')
  })
  for (let page = 0; page < 10; page += 1) await fetchPage(client, `${origin}/${page}`, { signal })
  assert.ok(sent.split(';').length <= 180, `${sent.split(';').length} cookies`)
  assert.match(sent, /session=9/)
  assert.doesNotMatch(sent, /long=/)
})

test('headers of a megabyte end the try, and say so', async (t) => {
  const { origin, client } = await serve(t, (_, response) => response.setHeader('set-cookie', `a=${'x'.repeat(2 ** 20)}`).end('a'))
  await assert.rejects(fetchPage(client, `${origin}/`, { signal }), (error) => error instanceof JobError)
})

test('a page nested without end is not taken for a plain one, whatever it nests', () => {
  const around = (body: string): string => `<!doctype html><html><head><title>t</title></head><body>${body}</body></html>`
  assert.equal(isWellNested(around(`${'<div>'.repeat(400)}x${'</div>'.repeat(400)}`)), true)
  for (const [open, close] of [
    ['<div>', '</div>'],
    ['<ul><li>', '</li></ul>'],
    ['<span>', '</span>'],
  ] as const)
    assert.equal(isWellNested(around(`${open.repeat(50_000)}x${close.repeat(50_000)}`)), false)
})

async function serve(t: TestContext, listener: RequestListener) {
  const server = createServer((request, response) =>
    request.url === '/robots.txt' ? response.writeHead(404).end() : listener(request, response),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const client = openWebClient({ allowPrivate: () => true, patience: { attempts: 1 } })
  t.after(async () => {
    await client.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { origin: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`, client }
}
