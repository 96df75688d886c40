import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { findBrowser } from '../../../systemscripts/web/browser/find-browser.ts'
import { fetchPage } from '../../../systemscripts/web/fetch-page.ts'
import { type Browser, openBrowser } from '../../../systemscripts/web/open-browser.ts'
import { renderPage } from '../../../systemscripts/web/render-page.ts'
import type { WebClient } from '../../../systemscripts/web/web-client.ts'
import { temporaryFolder } from '../test-files.ts'
import { clientOf, page, redirect, signal, startWeb } from './web-servers.ts'

const missing = await findBrowser().then(
  () => null,
  () => 'Chromium is not installed',
)

interface Ending {
  after(end: () => Promise<void>): void
}

function browserOf(t: Ending, client: WebClient): Browser {
  const browser = openBrowser(client)
  t.after(() => browser.close())
  return browser
}

test('a machine without Chromium is told what to install', async (t) => {
  const browser = openBrowser(clientOf(t), '/nowhere/chromium')
  const web = await startWeb(t, { '*': page('x') })
  await assert.rejects(renderPage(browser, web.origin, { signal }), {
    code: 'browser_missing',
    name: 'PermanentError',
    hint: /ROTA_CHROMIUM/,
  })
  await browser.close()
})

describe('a page in the browser', missing === null ? {} : { skip: missing }, () => {
  const late = `<body><script>setTimeout(() => { document.body.innerHTML = '<p id=late>made by script</p>' }, 200)</script>`

  test('is read as its scripts have made it, with the client who says honestly who it is', async (t) => {
    const agents = new Set<unknown>()
    const web = await startWeb(t, {
      '*': (request, response) => {
        agents.add(request.headers['user-agent'])
        page(late, { 'set-cookie': 'session=1; HttpOnly' })(request, response)
      },
      '/cookie': (request, response) => response.end(request.headers.cookie ?? 'none'),
    })
    const client = clientOf(t, { userAgent: 'Rota/test' })
    const rendered = await renderPage(browserOf(t, client), `${web.origin}/a`, { signal, waitSelector: '#late' })
    assert.match(rendered.text, /made by script/)
    assert.deepEqual([rendered.status, rendered.wasClicked, [...agents]], [200, false, ['Rota/test']])
    assert.equal((await fetchPage(client, `${web.origin}/cookie`, { signal })).text, 'session=1')
  })

  test('gives the file that a click exports, made by the server or by the page itself', async (t) => {
    const script = `document.querySelector('#made').onclick = () => { const link = document.createElement('a')
      link.href = URL.createObjectURL(new Blob(['x,y'])); link.download = 'made/here.csv'; link.click() }`
    const web = await startWeb(t, {
      '/': page(`<a id=export href=/file>Export</a><button id=made>Export</button><script>${script}</script>`),
      '/file': page('a,b\n', { 'content-disposition': 'attachment; filename="list.csv"', 'content-type': 'text/csv' }),
    })
    const folder = await temporaryFolder(t)
    const browser = browserOf(t, clientOf(t))
    const served = await renderPage(browser, web.origin, { signal, clickSelector: '#export', downloadFolder: folder })
    assert.deepEqual([served.download?.path, served.download?.sizeBytes], [join(folder, 'list.csv'), 4])
    const made = await renderPage(browser, web.origin, {
      signal,
      clickSelector: '#made',
      downloadFolder: folder,
      nameOf: (name) => `7_${name}`,
    })
    assert.equal(await readFile(made.download?.path ?? '', 'utf8'), 'x,y')
    assert.equal((await readdir(folder)).length, 2)
    const none = await renderPage(browser, web.origin, { signal, clickSelector: '#gone', downloadFolder: folder })
    assert.deepEqual([none.wasClicked, none.download], [false, null])
  })

  test('does not reach inwards, by frame, script, redirect or by itself', async (t) => {
    const inner = await startWeb(t, { '*': page('inner') })
    const body = `<iframe src="http://localhost:${inner.port}/"></iframe><img src="http://[::1]:${inner.port}/x"><script>
      fetch('http://localhost:${inner.port}/fetch', { mode: 'no-cors' }).catch(() => {}); new WebSocket('ws://localhost:${inner.port}/socket')</script>`
    const web = await startWeb(t, {
      '/': page(body),
      '/away': redirect(`http://localhost:${inner.port}/`),
      '/go': page(`<script>location = 'http://localhost:${inner.port}/'</script>`),
      '/gotls': page(`<script>setTimeout(() => { location = 'https://localhost:${inner.port}/' }, 100)</script>`),
    })
    const client = clientOf(t, { allowPrivate: (name) => name === '127.0.0.1' })
    const browser = browserOf(t, client)
    const rendered = await renderPage(browser, web.origin, { signal })
    assert.ok(rendered.unreachedHosts.includes('localhost'))
    await assert.rejects(renderPage(browser, `${web.origin}/away`, { signal }), { code: 'private_address' })
    await assert.rejects(renderPage(browser, `${web.origin}/go`, { signal }), { code: 'private_address' })
    await assert.rejects(renderPage(browser, `${web.origin}/gotls`, { signal }), { code: 'private_address' })
    await assert.rejects(renderPage(browser, `${web.origin}/gotls`, { signal, waitSelector: 'td', waitSeconds: 3 }), {
      code: 'private_address',
    })
    await assert.rejects(renderPage(browser, inner.origin.replace('127.0.0.1', 'localhost'), { signal }), { code: 'private_address' })
    assert.equal(inner.connections(), 0)
  })

  test('that is refused, too large, too slow or not what it should be is told as elsewhere', async (t) => {
    const web = await startWeb(t, {
      '/403': page('no', {}, 403),
      '/410': page('', {}, 410),
      '/large': page("<script>fetch('/image').then((answer) => answer.arrayBuffer())</script>"),
      '/image': (_, response) => response.end(Buffer.alloc(3_000_000)),
      '/slow': page('<script src=/never></script>'),
      '/never': () => {},
      '/late': page(late),
      '/file': page('x', { 'content-disposition': 'attachment; filename=x.csv' }),
      '/wall': page('<title>Just a moment...</title>'),
      '/robots.txt': page('User-agent: *\nDisallow: /forbidden'),
    })
    const browser = browserOf(t, clientOf(t, { patience: { attempts: 1 } }))
    const failing = (path: string, options = {}): Promise<unknown> => renderPage(browser, web.origin + path, { signal, ...options })
    await assert.rejects(failing('/403'), { code: 'access_denied' })
    await assert.rejects(failing('/410'), { code: 'page_gone' })
    const gone = await renderPage(browser, `${web.origin}/410`, { signal, acceptStatuses: [410] })
    assert.deepEqual([gone.status, gone.text, gone.url], [410, '', `${web.origin}/410`])
    await assert.rejects(failing('/large', { maxBytes: 1_000_000 }), { code: 'page_too_large' })
    await assert.rejects(failing('/slow', { wholeSeconds: 1 }), { code: 'page_timeout' })
    await assert.rejects(failing('/late', { waitSelector: '#never', waitSeconds: 0.5 }), { code: 'page_not_ready' })
    await assert.rejects(failing('/file'), { code: 'page_is_a_file' })
    await assert.rejects(failing('/wall'), { code: 'challenge_page' })
    await assert.rejects(failing('/forbidden'), { code: 'robots_disallowed' })
    await assert.rejects(renderPage(browser, 'http://127.0.0.1:1/', { signal }), { code: 'host_unreachable' })
  })

  test('is closed when the run ends, and the browser when its owner does', async (t) => {
    const controller = new AbortController()
    const web = await startWeb(t, {
      '/': page('<script src=/never></script>'),
      '/never': () => controller.abort(new Error('the run was cancelled')),
    })
    const browser = openBrowser(clientOf(t))
    await assert.rejects(renderPage(browser, web.origin, { signal: controller.signal }), { message: 'the run was cancelled' })
    const before = browsersOf(process.pid)
    await browser.close()
    assert.ok(before > 0)
    assert.equal(browsersOf(process.pid), 0)
  })

  test('leaves no browser behind when the process is killed', { skip: process.platform !== 'linux' }, async (t) => {
    const web = await startWeb(t, { '/': page('<script src=/never></script>'), '/never': () => {} })
    const child = fork(new URL('render-and-wait.ts', import.meta.url), [web.origin], {
      stdio: 'ignore',
      // Where the browser's folders are left.
      env: { ...process.env, TMPDIR: await temporaryFolder(t) },
    })
    while (!web.requests.includes('GET /never')) await sleep(20)
    const pid = child.pid ?? 0
    const browsers = descendants(pid)
    assert.ok(browsers.length > 0)
    child.kill('SIGKILL')
    await once(child, 'exit')
    while (browsers.some(isRunning)) await sleep(20)
  })
})

function browsersOf(pid: number): number {
  return descendants(pid).length
}

/** All processes that a process started, and those that they did. */
function descendants(pid: number): number[] {
  const parents = readdirSync('/proc').flatMap((name) => {
    const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : null
    return parent === null ? [] : [[Number(name), parent] as const]
  })
  const found: number[] = []
  const waiting = [pid]
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const children = parents.flatMap(([child, parent]) => (parent === one ? [child] : []))
    waiting.push(...children)
    found.push(...children)
  }
  return found
}

function parentOf(pid: number): number | null {
  try {
    const [, state, parent] = /\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    return state === 'Z' ? null : Number(parent)
  } catch {
    return null
  }
}

function isRunning(pid: number): boolean {
  return parentOf(pid) !== null
}
