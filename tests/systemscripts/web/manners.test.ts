import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextOpening } from '../../../systemscripts/web/manners/active-window.ts'
import { backoffSeconds, penaltySeconds, usualPatience } from '../../../systemscripts/web/manners/backoff.ts'
import { findChallenge } from '../../../systemscripts/web/manners/challenge.ts'
import { type HostTurn, memoryHostBudget } from '../../../systemscripts/web/manners/host-budget.ts'
import { retryAfterSeconds } from '../../../systemscripts/web/manners/retry-after.ts'
import { signal } from './web-servers.ts'

const never = Number.POSITIVE_INFINITY

test('Retry-After is read as seconds or as a date, by the clock of who sends it', () => {
  const now = new Date('2026-11-22T10:00:00Z')
  assert.equal(retryAfterSeconds('120', now), 120)
  assert.equal(retryAfterSeconds(' 0 ', now), 0)
  assert.equal(retryAfterSeconds('Sun, 22 Nov 2026 10:00:30 GMT', now), 30)
  assert.equal(retryAfterSeconds('Sun, 22 Nov 2026 09:00:30 GMT', now, 'Sun, 22 Nov 2026 09:00:00 GMT'), 30)
  assert.equal(retryAfterSeconds('Sun, 22 Nov 2026 09:00:00 GMT', now), 0)
  assert.equal(retryAfterSeconds('999999999', now), 86_400)
  for (const text of [null, '', 'soon', '-5', '1.5']) assert.equal(retryAfterSeconds(text, now), null)
})

test('waits between tries grow, are spread over their whole length, and are bounded', () => {
  assert.deepEqual(
    [1, 2, 3, 10].map((failures) => backoffSeconds(failures, usualPatience, 0.5)),
    [0.5, 1, 2, 30],
  )
  assert.equal(backoffSeconds(3, usualPatience, 0), 0)
  assert.deepEqual([penaltySeconds(60, 1, 0), penaltySeconds(60, 2, 0), penaltySeconds(60, 1, 1)], [60, 120, 75])
})

test('pages that stand in front of the one asked for are known by headers and marks', () => {
  const kindOf = (status: number, head: string, headers: Record<string, string> = {}, isWhole = true): string | null =>
    findChallenge(status, (name) => headers[name] ?? null, head, isWhole)?.kind ?? null
  assert.equal(kindOf(403, '', { 'cf-mitigated': 'challenge' }), 'challenge')
  assert.equal(kindOf(202, '', { 'x-amzn-waf-action': 'challenge' }), 'challenge')
  assert.equal(kindOf(503, '<title>Just a moment...</title>'), 'challenge')
  assert.equal(kindOf(200, '<html><head><title>Just a moment...</title>'), 'challenge')
  assert.equal(kindOf(403, 'Checking your browser before accessing'), 'challenge')
  assert.equal(kindOf(403, '<h1>Error <span>1015</span></h1>'), 'rate_limit')
  assert.equal(kindOf(429, 'error code: 1015'), 'rate_limit')
  assert.equal(kindOf(200, '<h1>You are being rate limited</h1>'), 'rate_limit')
  const article = `<p>Cloudflare shows error 1015 when you are being rate limited.</p>${'x'.repeat(30_000)}`
  for (const [status, head] of [
    [200, article],
    [200, '<p>Just a moment, please: our shop opens at 9.</p>'],
    [404, '<title>Not found</title>Just a moment'],
    [403, '<h1>Forbidden</h1>'],
    [200, '<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script>'],
  ] as const) {
    assert.equal(kindOf(status, head), null, head.slice(0, 60))
  }
})

test('a window is open from one time of day to another, over midnight too, on the clocks of its zone', () => {
  const at = (text: string): number => Date.parse(text)
  const night = { from: '22:00', to: '06:00', timeZone: 'Europe/Warsaw' }
  assert.equal(nextOpening(night, at('2026-11-22T20:59:59Z')), at('2026-11-22T21:00:00Z') + 0)
  assert.equal(nextOpening(night, at('2026-11-22T23:30:00Z')), at('2026-11-22T23:30:00Z'))
  assert.equal(nextOpening(night, at('2026-11-23T05:00:00Z')), at('2026-11-23T21:00:00Z'))
  assert.equal(nextOpening({ from: '08:00', to: '08:00', timeZone: 'UTC' }, 12345), 12345)
  assert.throws(() => nextOpening({ from: '8 pm', to: '9', timeZone: 'UTC' }, 0), RangeError)
})

test('turns at a host keep their gap and their number', async () => {
  const starts: number[] = []
  const budget = memoryHostBudget(() => ({ minGapSeconds: 0.02, parallel: 2 }))
  let open = 0
  let mostOpen = 0
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const turn = await budget.acquire('a', { signal, latest: never })
      starts.push(performance.now())
      open += 1
      mostOpen = Math.max(mostOpen, open)
      await new Promise((resolve) => setTimeout(resolve, 50))
      open -= 1
      await turn.release()
    }),
  )
  // Seven gaps; one is left to what the machine does between a turn and its being noted.
  assert.ok((starts.at(-1) ?? 0) - (starts[0] ?? 0) >= 6 * 20)
  assert.equal(mostOpen, 2)
})

test('a turn that is given back goes to who waits', async () => {
  const budget = memoryHostBudget(() => ({ minGapSeconds: 0, parallel: 1 }))
  const first = await budget.acquire('a', { signal, latest: never })
  let second: HostTurn | null = null
  const coming = budget.acquire('a', { signal, latest: never }).then((turn) => {
    second = turn
  })
  await (await budget.acquire('b', { signal, latest: never })).release()
  assert.equal(second, null)
  await first.release()
  await first.release()
  await coming
  assert.notEqual(second, null)
})

test('a penalty holds everybody, the longest one counts, and who would wait too long is told at once', async () => {
  let now = 1_000_000
  const budget = memoryHostBudget(
    () => ({ minGapSeconds: 0 }),
    () => now,
  )
  await budget.penalise('a', new Date(now + 60_000), 'it asked for a minute')
  await budget.penalise('a', new Date(now + 10_000), 'shorter')
  const refusal = { code: 'host_busy', detail: 'Because it asked for a minute.', until: new Date(now + 60_000), host: 'a' }
  await assert.rejects(budget.acquire('a', { signal, latest: now + 59_000 }), refusal)
  now += 60_000
  await (await budget.acquire('a', { signal, latest: now })).release()
})

test('a wish of robots.txt widens the gap, and a closed window is told', async () => {
  let now = Date.parse('2026-11-22T12:00:00Z')
  const limits = { minGapSeconds: 1, activeWindow: { from: '10:00', to: '12:00:01', timeZone: 'UTC' } }
  const budget = memoryHostBudget(
    () => limits,
    () => now,
  )
  await (await budget.acquire('a', { signal, latest: now, minGapSeconds: 5 })).release()
  await assert.rejects(budget.acquire('a', { signal, latest: now + 4000, minGapSeconds: 5 }), {
    detail: 'Because it is asked from 10:00 to 12:00:01 UTC only.',
    until: new Date('2026-11-23T10:00:00Z'),
  })
  now = Date.parse('2026-11-23T10:00:00Z')
  await (await budget.acquire('a', { signal, latest: now })).release()
})

test('who waits for a turn stops when the run does', async () => {
  const controller = new AbortController()
  const budget = memoryHostBudget(() => ({ parallel: 1 }))
  await budget.acquire('a', { signal, latest: never })
  const waiting = budget.acquire('a', { signal: controller.signal, latest: never })
  controller.abort(new Error('stopped'))
  await assert.rejects(waiting, { message: 'stopped' })
})
