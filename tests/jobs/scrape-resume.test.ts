import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kill } from '../helpers/launch.ts'
import { scrapeBench } from './scrape-harness.ts'
import { tablePage } from './scrape-site.ts'

const name = [{ column_name: 'name', selector: 'td' }, { column_name: 'id' }]

test('a scan that is killed goes on at the page where it stood, and its rows are loaded once', async (t) => {
  let served = 0
  let strike = (): void => {}
  const struck = new Promise<void>((resolve) => {
    strike = resolve
  })
  const bench = await scrapeBench(t, async (_, response, path) => {
    served += 1
    if (served === 900) strike()
    // Those that are under way when the blow falls.
    if (served >= 900) await struck
    response.end(tablePage([[`at ${path}`]]))
  })
  await bench.configure({ start_url: `${bench.site.origin}/{id}`, ids_from: 'range', ids_spec: '1..1500', row_selector: 'tr' }, name)
  const runId = await bench.openRun()
  const victim = await bench.victim(runId)
  await struck
  await kill(victim.process)
  const [before] = await bench.query<{ done: number }>(`select count(*) as done from dba.visit where state = 'done'`)
  assert.ok((before?.done ?? 0) > 0)

  const outcome = await bench.run({ runId })
  assert.equal(outcome.note, '1,500 pages read; 1,500 rows.')
  assert.deepEqual(await bench.query('select count(*) as rows, count(distinct id) as ids from feeds.page'), [{ rows: 1500, ids: 1500 }])
  assert.equal(new Set(bench.site.asked).size, 1500)
  const again = bench.site.asked.length - 1500
  assert.ok(again <= served - 1500 && again <= 916 - (before?.done ?? 0), `${again} pages were asked for twice`)
})

test('pages that fail for the moment are asked again by the next attempt, and nothing else is', async (t) => {
  let isDown = true
  const bench = await scrapeBench(t, (_, response, path) => {
    if (isDown && path === '/7') return response.writeHead(500).end('no')
    return response.end(tablePage([[path]]))
  })
  await bench.configure({ start_url: `${bench.site.origin}/{id}`, ids_from: 'range', ids_spec: '1..20', row_selector: 'tr' }, name)
  const runId = await bench.openRun()
  await assert.rejects(bench.run({ runId }), (error: Error) => {
    assert.equal((error as Error & { code: string }).code, 'pages_failed')
    assert.equal(error.message, '1 of 20 pages could not be read')
    assert.equal(error.name, 'JobError')
    return true
  })
  assert.deepEqual(await bench.query('select * from dba.dataset'), [])
  isDown = false
  bench.site.asked.length = 0
  assert.equal((await bench.run({ runId })).note, '20 pages read; 20 rows.')
  assert.deepEqual(bench.site.asked, ['/7'])
})

test('a rerun goes on with the pages that the failed run did not read; after an edit of the rules it begins anew', async (t) => {
  let isDown = true
  const bench = await scrapeBench(t, (_, response, path) => {
    if (isDown && path === '/7') return response.writeHead(500).end('no')
    return response.end(tablePage([[path]]))
  })
  await bench.configure({ start_url: `${bench.site.origin}/{id}`, ids_from: 'range', ids_spec: '1..9', row_selector: 'tr' }, name)
  const first = await bench.openRun()
  await assert.rejects(bench.run({ runId: first }), { code: 'pages_failed' })
  bench.site.asked.length = 0
  await assert.rejects(bench.run({ runId: await bench.openRun({ rerunOf: first }) }), { code: 'pages_failed' })
  assert.deepEqual(new Set(bench.site.asked), new Set(['/7']))
  isDown = false
  bench.site.asked.length = 0
  await bench.query(`update dba.scrapefield set transform = 'upper' where column_name = 'name'`)
  assert.equal((await bench.run({ runId: await bench.openRun({ rerunOf: first }) })).rowsWritten, 9)
  assert.equal(bench.site.asked.length, 9)
  assert.deepEqual(await bench.query('select * from dba.visit'), [])
})

test('when one page after the other fails, the rest is not tried', async (t) => {
  const bench = await scrapeBench(t, (request) => request.destroy())
  await bench.configure({ start_url: `${bench.site.origin}/{id}`, ids_from: 'range', ids_spec: '1..400', row_selector: 'tr' }, name)
  await assert.rejects(bench.run(), { code: 'pages_failed', message: /; the rest was not tried$/ })
  assert.ok(new Set(bench.site.asked).size < 100)
})

test('with one dataset per id what could be read is loaded, the run fails all the same, and the next attempt loads the rest', async (t) => {
  let isDown = true
  const bench = await scrapeBench(t, (_, response, path) => {
    if (isDown && path === '/3') return response.writeHead(503).end('no')
    return response.end(tablePage([[path]]))
  })
  await bench.configure(
    { start_url: `${bench.site.origin}/{id}`, ids_from: 'list', ids_spec: '1, 2, 3', row_selector: 'tr', label: '{id}' },
    name,
  )
  const runId = await bench.openRun()
  await assert.rejects(bench.run({ runId }), { code: 'pages_failed' })
  assert.deepEqual(await bench.query('select label, state from dba.dataset order by label'), [
    { label: '1', state: 'active' },
    { label: '2', state: 'active' },
  ])
  isDown = false
  await bench.run({ runId })
  assert.deepEqual(await bench.query('select label, state, rows_written from dba.dataset order by label'), [
    { label: '1', state: 'active', rows_written: 1 },
    { label: '2', state: 'active', rows_written: 1 },
    { label: '3', state: 'active', rows_written: 1 },
  ])
})

test('an attempt that died after its scan had ended neither asks nor loads again', async (t) => {
  const bench = await scrapeBench(t, (_, response, path) => response.end(tablePage([[path]])))
  await bench.configure(
    { start_url: `${bench.site.origin}/{id}`, ids_from: 'range', ids_spec: '1..5', row_selector: 'tr', load_mode: 'append' },
    name,
  )
  const runId = await bench.openRun()
  const { note } = await bench.run({ runId })
  bench.site.asked.length = 0
  assert.equal((await bench.run({ runId })).note, note)
  assert.deepEqual(bench.site.asked, [])
  assert.deepEqual(await bench.query('select count(*) from feeds.page'), [{ count: 5 }])
})

test('max_failed_percent lets a scan be loaded without some pages', async (t) => {
  const bench = await scrapeBench(t, (_, response, path) =>
    path === '/3' ? response.writeHead(403).end('no') : response.end(tablePage([[path]])),
  )
  await bench.configure(
    { start_url: `${bench.site.origin}/{id}`, ids_from: 'range', ids_spec: '1..10', row_selector: 'tr', max_failed_percent: 10 },
    name,
  )
  assert.equal((await bench.run()).note, '9 pages read; 9 rows; 1 page could not be read.')
})

test('the one page of a config that is not there fails the run by its own reason', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.writeHead(404).end('gone'))
  await bench.configure({ start_url: `${bench.site.origin}/rates`, row_selector: 'tr' }, [{ column_name: 'name', selector: 'td' }])
  await assert.rejects(bench.run(), { code: 'page_not_found' })
})

test('addresses inside are refused unless the config allows them, by whatever way they come', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end(tablePage([['x']])))
  await bench.configure({ start_url: `${bench.site.origin}/rates`, row_selector: 'tr', allow_private_hosts: false }, [
    { column_name: 'name', selector: 'td' },
  ])
  await assert.rejects(bench.run(), { code: 'private_address' })
  assert.deepEqual(bench.site.asked, [])
})
