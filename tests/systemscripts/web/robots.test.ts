import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import { fetchPage } from '../../../systemscripts/web/fetch-page.ts'
import { memoryHostBudget } from '../../../systemscripts/web/manners/host-budget.ts'
import { memoryRobotsCache } from '../../../systemscripts/web/manners/robots.ts'
import { clientOf, page, redirect, signal, startWeb } from './web-servers.ts'

function robots(text: string): RequestListener {
  return page(text, { 'content-type': 'text/plain' })
}

test('robots.txt is asked for once and obeyed, the group for Rota before the one for all', async (t) => {
  let asked = 0
  const text = 'User-agent: *\nDisallow: /\n\nUser-agent: Rota\nDisallow: /private\nAllow: /private/open\nDisallow: /*.pdf$\n'
  const counted: RequestListener = (request, response) => {
    asked += 1
    robots(text)(request, response)
  }
  const web = await startWeb(t, { '/robots.txt': counted, '*': page('here') })
  const client = clientOf(t)
  await Promise.all(['/a', '/private/open/x', '/a.pdf?x'].map((path) => fetchPage(client, web.origin + path, { signal })))
  for (const path of ['/private/x', '/a.pdf']) {
    await assert.rejects(fetchPage(client, web.origin + path, { signal }), { code: 'robots_disallowed', name: 'PermanentError' })
  }
  assert.equal(asked, 1)
  assert.ok(!web.requests.some((request) => request.endsWith('/private/x')))
})

test('a host may be exempted from robots.txt', async (t) => {
  const web = await startWeb(t, { '/robots.txt': robots('User-agent: *\nDisallow: /'), '*': page('here') })
  await assert.rejects(fetchPage(clientOf(t), web.origin, { signal }), { code: 'robots_disallowed' })
  const exempted = clientOf(t, { hostRules: (host) => ({ obeyRobots: host !== `127.0.0.1:${web.port}` }) })
  assert.equal((await fetchPage(exempted, web.origin, { signal })).text, 'here')
})

test('where a redirect leads, that site is asked, too', async (t) => {
  const other = await startWeb(t, { '/robots.txt': robots('User-agent: *\nDisallow: /'), '*': page('there') })
  const web = await startWeb(t, { '/a': redirect(other.origin) })
  await assert.rejects(fetchPage(clientOf(t), `${web.origin}/a`, { signal }), { code: 'robots_disallowed' })
  assert.deepEqual(other.requests, [])
})

test('a missing or refused robots.txt allows all; one that the server fails on forbids all for now', async (t) => {
  for (const status of [401, 403, 404, 410]) {
    const web = await startWeb(t, { '/robots.txt': page('', {}, status), '*': page('here') })
    assert.equal((await fetchPage(clientOf(t), web.origin, { signal })).text, 'here', String(status))
  }
  const moved = await startWeb(t, { '/robots.txt': redirect('/robots.txt'), '*': page('here') })
  assert.equal((await fetchPage(clientOf(t), moved.origin, { signal })).text, 'here')
  const failing = await startWeb(t, { '/robots.txt': page('', {}, 500), '*': page('here') })
  await assert.rejects(fetchPage(clientOf(t), failing.origin, { signal }), { code: 'robots_unreachable', name: 'JobError' })
  assert.deepEqual(failing.requests, [])
})

test('a crawl-delay is the least gap between requests', async (t) => {
  const web = await startWeb(t, { '/robots.txt': robots('User-agent: *\nCrawl-delay: 60\n'), '*': page('here') })
  const client = clientOf(t, { patience: { longestWaitSeconds: 10 }, budget: memoryHostBudget(() => ({ minGapSeconds: 0 })) })
  const error = await fetchPage(client, web.origin, { signal }).catch((refused) => refused)
  assert.equal(error.code, 'host_busy')
  assert.ok(Math.abs(error.until.getTime() - Date.now() - 60_000) < 5000)
})

test('what a site said is kept in the cache that the caller gives', async (t) => {
  const web = await startWeb(t, { '/robots.txt': robots('User-agent: *\nDisallow: /x'), '*': page('here') })
  const robotsCache = memoryRobotsCache()
  await fetchPage(clientOf(t, { robotsCache }), web.origin, { signal })
  const record = await robotsCache.get(web.origin)
  assert.deepEqual([record?.kind, record?.text], ['file', 'User-agent: *\nDisallow: /x'])
  await robotsCache.put(web.origin, { kind: 'open', text: '', fetchedAt: Date.now() })
  assert.equal((await fetchPage(clientOf(t, { robotsCache }), `${web.origin}/x`, { signal })).text, 'here')
})
