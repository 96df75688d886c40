import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { allEvents, type EventKind, findEvent } from '../../onboarding/demo/site/events.ts'
import { type EventSite, serveEventSite } from '../../onboarding/demo/site/serve.ts'
import { readTable } from '../../systemscripts/read-table.ts'
import { readPage } from '../../systemscripts/web/read-page.ts'
import { importBench } from '../jobs/import-harness.ts'
import { allValues } from '../systemscripts/test-files.ts'
import { rulesOf } from './rules-of-config.ts'

test('the site has forty events of every kind, the same on every start', async () => {
  const events = allEvents()
  assert.equal(events.length, 40)
  const kinds: EventKind[] = ['listed', 'private', 'button', 'paged', 'rate_limited', 'html_file', 'empty', 'denied']
  assert.deepEqual(
    kinds.filter((kind) => !events.some((event) => event.kind === kind)),
    [],
  )
  assert.equal(findEvent(120_001)?.companies[0]?.name, findEvent(120_001)?.companies[0]?.name)
  assert.ok(events.some(({ companies }) => companies.some(({ ticker }) => ticker.endsWith('.B'))))
})

test('pages answer by their kind', async (t) => {
  const site = await openSite(t)
  const list = (id: number) => fetch(`${site.origin}/sched/event_${id}/__co-list_cp.html`)
  assert.ok((await (await list(120_001)).text()).includes(`<title>${findEvent(120_001)?.title} - MeetMax</title>`))
  assert.match(await (await list(120_007)).text(), /<div class="alert alert-danger">Invalid Event ID: 120007<\/div>/)
  assert.match(await (await list(120_016)).text(), /No companies found/)
  assert.match(await (await list(120_014)).text(), /id="export"/)
  assert.equal((await list(120_027)).status, 403)
  const texts = await Promise.all(
    [2, 3].map(async (page) => (await fetch(`${site.origin}/sched/event_120012/__co-list_cp.html?page=${page}`)).text()),
  )
  assert.deepEqual(
    texts.map((text) => text.includes('rel="next"')),
    [true, false],
  )
  assert.match(await (await fetch(site.origin)).text(), /event_120044|event_120043/)
  assert.equal((await fetch(`${site.origin}/sched/nothing`)).status, 404)
  assert.equal((await fetch(site.origin, { method: 'POST' })).status, 405)
})

test('a host that limits its guests refuses every other request and says when to come back', async (t) => {
  const site = await openSite(t)
  const answers = []
  for (let turn = 0; turn < 3; turn += 1) answers.push(await fetch(`${site.origin}/sched/event_120003/__co-list_cp.html`))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [429, 200, 429],
  )
  assert.equal(answers[0]?.headers.get('retry-after'), '1')
})

test('a page that has not changed is told by its ETag', async (t) => {
  const site = await openSite(t)
  const first = await fetch(`${site.origin}/sched/event_120001/__co-list_cp.html`)
  const again = await fetch(first.url, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })
  assert.equal(again.status, 304)
})

test('files are workbooks of 97 that hold the whole list, or a page that calls itself one', async (t) => {
  const site = await openSite(t)
  for (const [id, kind] of [
    [120_001, 'xls'],
    [120_009, 'html'],
    [120_012, 'xls'],
  ] as const) {
    const table = await readTable(await download(t, `${site.origin}/sched/event_${id}/__co-list_cp.xls?event_id=${id}`))
    assert.deepEqual([table.kind, (await allValues(table)).length], [kind, findEvent(id)?.companies.length], String(id))
  }
  const privateFile = await fetch(`${site.origin}/sched/event_120005/__private-co-list_cp.xls?event_id=120005;sort=name`)
  assert.equal(privateFile.headers.get('content-disposition'), 'attachment; filename="co-list_120005.xls"')
  assert.equal((await fetch(`${site.origin}/sched/event_120005/__co-list_cp.xls`)).status, 404)
})

test('the rows of the demo read every page of the site, and its import takes every file', async (t) => {
  const bench = await importBench(t)
  const dba = await bench.as('rota_dba')
  await dba.query(await readFile(new URL('../../onboarding/sql/demo.sql', import.meta.url), 'utf8'))
  const rules = await rulesOf(bench, 'demo events')
  const site = await openSite(t)
  const states: Record<string, number> = {}
  const rows: Record<string, string | null>[] = []
  const waiting = allEvents().map(({ id }) => `${site.origin}/sched/event_${id}/__co-list_cp.html`)
  for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
    const answer = await patientFetch(url)
    const reading = readPage({ html: await answer.text(), url, status: answer.status }, rules)
    states[reading.state ?? ''] = (states[reading.state ?? ''] ?? 0) + 1
    rows.push(...reading.rows)
    waiting.push(...reading.follow, ...(reading.next === null ? [] : [reading.next]))
    // as file_url says where a page has no link
    const links = reading.files.length > 0 ? reading.files.map((file) => file.url) : [url.replace('.html', '.xls')]
    for (const link of reading.state === 'Listed' ? links : []) {
      const { headers, ...got } = await saved(link)
      const name = /filename="(.*)"/.exec(headers.get('content-disposition') ?? '')?.[1]
      await bench.put(`demo/inbox/events/20261122T220000_${name}`, got.bytes)
    }
  }
  assert.deepEqual(states, { Listed: 39, Private: 2, Empty: 2, Denied: 1 })
  const companies = allEvents().flatMap((event) => event.companies)
  assert.equal(rows.length, companies.length)
  assert.ok(rows.every(({ company, event }) => company && event))
  await bench.run({ config: 'demo event files', args: { settle: '0 seconds' } })
  const [loaded] = await bench.query('select count(*)::integer as rows, count(distinct dataset_id)::integer as events from demo.event_file')
  assert.equal(loaded?.rows, companies.length)
})

test('a port that is taken is left to its owner', async (t) => {
  const first = await openSite(t)
  const port = Number(new URL(first.origin).port)
  const second = await serveEventSite(port)
  t.after(() => second.close())
  assert.notEqual(second.origin, first.origin)
  assert.equal((await fetch(second.origin)).status, 200)
})

async function openSite(t: TestContext): Promise<EventSite> {
  const site = await serveEventSite(0)
  t.after(() => site.close())
  return site
}

/** Comes back when the site says so. */
async function patientFetch(url: string): Promise<Response> {
  const answer = await fetch(url)
  return answer.status === 429 ? await fetch(url) : answer
}

async function saved(url: string): Promise<{ bytes: Buffer; headers: Headers }> {
  const answer = await patientFetch(url)
  return { bytes: Buffer.from(await answer.arrayBuffer()), headers: answer.headers }
}

async function download(t: TestContext, url: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rota-test-site-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'list.xls')
  await writeFile(path, Buffer.from(await (await fetch(url)).arrayBuffer()))
  return path
}
