import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { createHosts } from '../../src/control-plane/hosts.ts'
import type { Hosts } from '../../src/job/hosts.ts'
import type { Ending } from '../helpers/after-everything.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/engine.ts'

const signal = new AbortController().signal
const soon = () => ({ signal, latest: Date.now() + 60_000 })

async function withHost(t: Ending, parallel: number, minGap: string): Promise<TestDatabase> {
  const database = await freshDatabase(t)
  await database.query(`insert into dba.scrapehost (host, parallel, min_gap) values ('example.com', $1, $2)`, [parallel, minGap])
  return database
}

/** Takes turns, eight at a time, as long as it is let. */
function takeTurns(hosts: Hosts, seen: { open: number; most: number }) {
  const state = { taken: 0, isOver: false }
  const takeOneByOne = async (): Promise<void> => {
    while (!state.isOver) {
      const turn = await hosts.budget.acquire('example.com', soon())
      state.taken += 1
      seen.open += 1
      seen.most = Math.max(seen.most, seen.open)
      await new Promise((resolve) => setTimeout(resolve, 10))
      seen.open -= 1
      await turn.release()
    }
  }
  const working = Promise.all(Array.from({ length: 8 }, takeOneByOne))
  return {
    state,
    async stop() {
      state.isOver = true
      await working
      await hosts.close()
    },
  }
}

test('runs of one host share its parallel requests, and both go on', async (t) => {
  const database = await withHost(t, 4, '0')
  const seen = { open: 0, most: 0 }
  const first = takeTurns(createHosts(database.pool, randomUUID()), seen)
  await until(() => first.state.taken > 20)
  const second = takeTurns(createHosts(database.pool, randomUUID()), seen)
  await until(() => second.state.taken > 100)
  await eventually(
    () => database.query<{ slots: number }>('select slots from dba.hostlease'),
    (parts) => parts.length === 2 && parts.every(({ slots }) => slots === 2),
  )
  assert.ok(seen.most <= 4, `${seen.most} requests at once`)
  await Promise.all([first.stop(), second.stop()])
  assert.deepEqual(await database.query('select * from dba.hostlease'), [])
})

test('where there are more runs than requests, each has its turn', async (t) => {
  const database = await withHost(t, 1, '0')
  const seen = { open: 0, most: 0 }
  const takers = [1, 2, 3].map(() => takeTurns(createHosts(database.pool, randomUUID()), seen))
  await until(() => takers.every(({ state }) => state.taken > 0))
  assert.equal(seen.most, 1)
  await Promise.all(takers.map((one) => one.stop()))
})

test('the gap is kept between the requests of all runs', async (t) => {
  const database = await withHost(t, 8, '0.2 s')
  const all = [createHosts(database.pool, randomUUID()), createHosts(database.pool, randomUUID())]
  const begun: number[] = []
  await Promise.all(
    all.flatMap((hosts) =>
      Array.from({ length: 4 }, async () => {
        const turn = await hosts.budget.acquire('example.com:8080', soon())
        begun.push(performance.now())
        await turn.release()
      }),
    ),
  )
  const gaps = begun.toSorted((a, b) => a - b).map((at, index, sorted) => at - (sorted[index - 1] ?? Number.NEGATIVE_INFINITY))
  assert.ok(
    gaps.every((gap) => gap > 150),
    gaps.join(' '),
  )
})

test('what one run is told, to leave the host alone, counts for all', async (t) => {
  const database = await withHost(t, 2, '0')
  const said: string[] = []
  const [first, second] = [createHosts(database.pool, randomUUID()), createHosts(database.pool, randomUUID(), (line) => said.push(line))]
  await first.budget.penalise('example.com', new Date(Date.now() + 30_000), '429 with Retry-After 30')
  await assert.rejects(second.budget.acquire('example.com', { signal, latest: Date.now() + 1000 }), {
    code: 'host_busy',
    detail: 'Because 429 with Retry-After 30.',
  })
  assert.match(said[0] ?? '', /^"example.com" is not asked again before 20.*: 429 with Retry-After 30$/)
})

test('outside its window a host is not asked', async (t) => {
  const database = await withHost(t, 2, '0')
  const [clock] = await database.query<{ from: string; to: string }>(
    `select to_char(now() at time zone 'UTC' + interval '2 hours', 'HH24:MI') as from, to_char(now() at time zone 'UTC' + interval '3 hours', 'HH24:MI') as to`,
  )
  await database.query(`update dba.scrapehost set active_from = $1::time, active_to = $2::time where host = 'example.com'`, [
    clock?.from,
    clock?.to,
  ])
  const hosts = createHosts(database.pool, randomUUID())
  await assert.rejects(hosts.budget.acquire('example.com', soon()), {
    code: 'host_busy',
    detail: `Because it is asked from ${clock?.from} to ${clock?.to} UTC only.`,
  })
  await database.query(`update dba.scrapehost set active_from = $2::time, active_to = $1::time where host = 'example.com'`, [
    clock?.from,
    clock?.to,
  ])
  const turn = await createHosts(database.pool, randomUUID()).budget.acquire('example.com', soon())
  await turn.release()
})

test('a window spans midnight, and opens at the hour that its zone says', async (t) => {
  const { query } = await freshDatabase(t)
  await query(
    `insert into dba.scrapehost (host, active_from, active_to, time_zone) values ('day', '08:00', '18:00', 'Europe/Warsaw'), ('night', '22:00', '06:00', 'UTC')`,
  )
  const opens = async (host: string, moment: string) =>
    (
      await query<{ at: Date }>('select dba.window_opens(h, $2::timestamptz) as at from dba.scrapehost h where host = $1', [host, moment])
    )[0]?.at.toISOString()
  assert.equal(await opens('day', '2026-03-28T19:00Z'), '2026-03-29T06:00:00.000Z')
  assert.equal(await opens('day', '2026-03-30T03:00Z'), '2026-03-30T06:00:00.000Z')
  assert.equal(await opens('day', '2026-03-30T12:00Z'), '2026-03-30T12:00:00.000Z')
  assert.equal(await opens('night', '2026-03-30T05:59Z'), '2026-03-30T05:59:00.000Z')
  assert.equal(await opens('night', '2026-03-30T06:00Z'), '2026-03-30T22:00:00.000Z')
})

test('the row with the port counts before the one without, and that before the star', async (t) => {
  const { pool, query } = await freshDatabase(t)
  await query(`insert into dba.scrapehost (host, user_agent) values ('example.com', 'host'), ('example.com:8080', 'port')`)
  await query(`update dba.scrapehost set user_agent = 'star' where host = '*'`)
  const rules = await createHosts(pool, randomUUID()).rules()
  const found = ['example.com', 'example.com:8080', 'example.com:9090', 'example.org'].map((host) => rules(host).userAgent)
  assert.deepEqual(found, ['host', 'port', 'host', 'star'])
  const terms = await query(
    `select (dba.host_terms(h)).user_agent from unnest(array['example.com', 'example.com:8080', 'example.com:9090', 'example.org']) h`,
  )
  assert.deepEqual(
    terms.map(({ user_agent }) => user_agent),
    found,
  )
})

test('rules say whether a row names the very host, whatever the port', async (t) => {
  const { pool, query } = await freshDatabase(t)
  await query(`insert into dba.scrapehost (host) values ('10.0.0.1:8080'), ('[fd00::1]:80')`)
  const rules = await createHosts(pool, randomUUID()).rules()
  const named = ['10.0.0.1', '10.0.0.1:9', 'fd00::1', '[fd00::1]', '10.0.0.2'].map((host) => rules(host).hasRow)
  assert.deepEqual(named, [true, true, true, true, false])
})

test('people end the time for which a host asked to be left alone', async (t) => {
  const { pool, query } = await freshDatabase(t)
  await query(`select dba.block_host('example.com', now() + interval '1 day', '429')`)
  await query(`insert into dba.hoststate (host, robots_text, robots_kind, robots_at) values ('https://example.com', '', 'file', now())`)
  const asked = await query(`select dba.ask_host_again('Example.com') as answer`)
  assert.match(String(asked[0]?.answer), /^it was left alone until .*: 429; its robots.txt is fetched anew$/)
  assert.deepEqual(await query('select host, blocked_until, robots_at from dba.hoststate order by host'), [
    { host: 'example.com', blocked_until: null, robots_at: null },
    { host: 'https://example.com', blocked_until: null, robots_at: null },
  ])
  const turn = await createHosts(pool, randomUUID()).budget.acquire('example.com', {
    signal: AbortSignal.timeout(20_000),
    latest: Date.now() + 20_000,
  })
  await turn.release()
  await assert.rejects(query(`select dba.ask_host_again('exampel.com')`), /host "exampel.com" has not been asked yet/)
})

async function until(isReached: () => boolean): Promise<void> {
  const end = performance.now() + 60_000
  while (!isReached()) {
    if (performance.now() > end) throw new Error('not reached within a minute')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
