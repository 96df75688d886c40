import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import { fetchPage } from '../../../systemscripts/web/fetch-page.ts'
import { type HostBudget, memoryHostBudget } from '../../../systemscripts/web/manners/host-budget.ts'
import { HostWaitError } from '../../../systemscripts/web/refusals.ts'
import { clientOf, page, signal, startWeb } from './web-servers.ts'

/** One answer after the other; the last one stays. */
function inTurn(...answers: RequestListener[]): RequestListener {
  let count = 0
  return (request, response) => answers[Math.min(count++, answers.length - 1)]?.(request, response)
}

/** A budget that writes down who was left alone for how many seconds. */
function noting(penalties: { host: string; seconds: number; reason: string }[]): HostBudget {
  const budget = memoryHostBudget(() => ({ minGapSeconds: 0, parallel: 5 }))
  return {
    acquire: budget.acquire,
    async penalise(host, until, reason) {
      penalties.push({ host, seconds: Math.round((until.getTime() - Date.now()) / 100) / 10, reason })
      await budget.penalise(host, until, reason)
    },
  }
}

test('a host that answers 429 is left alone as long as it asks, then the page is fetched', async (t) => {
  const web = await startWeb(t, { '/a': inTurn(page('slow down', { 'retry-after': '1' }, 429), page('here')) })
  const penalties: { host: string; seconds: number; reason: string }[] = []
  const client = clientOf(t, { budget: noting(penalties) })
  const startedAt = performance.now()
  assert.equal((await fetchPage(client, `${web.origin}/a`, { signal })).text, 'here')
  assert.ok(performance.now() - startedAt > 900)
  assert.equal(penalties[0]?.host, `127.0.0.1:${web.port}`)
  assert.equal(penalties[0]?.seconds, 1)
})

test('while a host is left alone, all others that want it wait as well', async (t) => {
  const order: string[] = []
  const noted =
    (name: string, listener: RequestListener): RequestListener =>
    (request, response) => {
      order.push(name)
      listener(request, response)
    }
  const web = await startWeb(t, {
    '/a': inTurn(noted('a throttled', page('', {}, 429)), noted('a', page('a'))),
    '/b': noted('b', page('b')),
  })
  const until: number[] = []
  const budget = memoryHostBudget(() => ({ minGapSeconds: 0, parallel: 5 }))
  const penalised = new Promise<void>((resolve) => {
    const client = clientOf(t, {
      patience: { throttledSeconds: 0.3 },
      budget: {
        acquire: budget.acquire,
        async penalise(host, moment, reason) {
          until.push(moment.getTime())
          await budget.penalise(host, moment, reason)
          resolve()
        },
      },
    })
    void fetchPage(client, `${web.origin}/a`, { signal })
  })
  await penalised
  await fetchPage(clientOf(t, { budget }), `${web.origin}/b`, { signal })
  // A timer may be a millisecond early.
  assert.ok(Date.now() >= (until[0] ?? Number.POSITIVE_INFINITY) - 2)
  assert.equal(order[0], 'a throttled')
})

test('challenge pages are waited out, also those that come as good ones', async (t) => {
  const web = await startWeb(t, {
    '/cf': inTurn(page('<title>Just a moment...</title>', { 'cf-mitigated': 'challenge' }, 403), page('here')),
    '/1015': inTurn(page('<h1>error 1015</h1>', {}, 403), page('here')),
    '/as-good': inTurn(page('<title>Just a moment...</title>'), page('here')),
    '/waf': inTurn(page('', { 'x-amzn-waf-action': 'challenge' }, 202), page('here')),
  })
  for (const path of ['cf', '1015', 'as-good', 'waf']) {
    const accepting = { signal, acceptStatuses: [403] }
    assert.equal((await fetchPage(clientOf(t), `${web.origin}/${path}`, accepting)).text, 'here', path)
  }
})

test('a host that stays closed ends the try with how long to wait, and is not asked beyond patience', async (t) => {
  const web = await startWeb(t, {
    '/busy': page('', { 'retry-after': '3600' }, 503),
    '/wall': page('<title>Just a moment...</title>', {}, 403),
    '/taken': page('come later', {}, 429),
  })
  const error = await fetchPage(clientOf(t), `${web.origin}/busy`, { signal }).catch((refused) => refused)
  assert.ok(error instanceof HostWaitError)
  assert.deepEqual([error.code, Math.round((error.until.getTime() - Date.now()) / 60_000)], ['rate_limited', 60])
  assert.deepEqual(web.requests, ['GET /busy'])
  await assert.rejects(fetchPage(clientOf(t), `${web.origin}/wall`, { signal }), { code: 'challenge_page' })
  assert.equal(web.requests.length, 4)
  assert.equal((await fetchPage(clientOf(t), `${web.origin}/taken`, { signal, acceptStatuses: [429] })).text, 'come later')
})
