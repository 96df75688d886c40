import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openReader } from '../../jobs/scrape/open-reader.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { eventually, workerOn } from '../helpers/engine.ts'
import { kill } from '../helpers/launch.ts'
import { scrapeBench } from './scrape-harness.ts'
import { tablePage } from './scrape-site.ts'

const fields = [
  { column_name: 'name', selector: 'td:nth-child(1)', transform: 'upper' },
  { column_name: 'price', selector: 'td:nth-child(2)', type: 'numeric(10,2)', format: '1.234,56', null_tokens: '{-}' },
]

test('values are converted as in an import: transform, type, format, null tokens', async (t) => {
  const bench = await scrapeBench(t, (_, response) =>
    response.end(
      tablePage([
        ['a', '1.234,50'],
        ['b', '-'],
      ]),
    ),
  )
  await bench.configure({ start_url: `${bench.site.origin}/`, row_selector: 'tr' }, fields)
  await bench.run()
  assert.deepEqual(await bench.query('select name, price from feeds.page order by name'), [
    { name: 'A', price: '1234.50' },
    { name: 'B', price: null },
  ])
})

test('the same rows on another day are another dataset, those of the same day replace each other', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end(tablePage([['a', '1,00']])))
  await bench.configure({ start_url: `${bench.site.origin}/`, row_selector: 'tr' }, fields)
  await bench.run({ args: { as_of: '2026-11-20T05:00:00Z' } })
  await bench.run({ args: { as_of: '2026-11-21T05:00:00Z' } })
  await bench.run({ args: { as_of: '2026-11-21T05:00:00Z' } })
  assert.deepEqual(await bench.query('select dataset_date, state from dba.dataset order by dataset_id'), [
    { dataset_date: '2026-11-20', state: 'active' },
    { dataset_date: '2026-11-21', state: 'superseded' },
    { dataset_date: '2026-11-21', state: 'active' },
  ])
  assert.deepEqual(await bench.query('select distinct state from dba.file'), [{ state: 'loaded' }])
  assert.deepEqual(await bench.query('select count(*) from feeds.page'), [{ count: 2 }])
})

test('rows that do not fit are kept; corrected ones join their dataset by a run that asks no page', async (t) => {
  const bench = await scrapeBench(t, (_, response) =>
    response.end(
      tablePage([
        ['a', '1,00'],
        ['b', 'much'],
      ]),
    ),
  )
  await bench.configure({ start_url: `${bench.site.origin}/`, row_selector: 'tr', max_rejects: 5 }, fields)
  assert.equal((await bench.run({ args: { as_of: '2026-11-20T05:00:00Z' } })).rowsRejected, 1)
  const asked = bench.site.asked.length
  await workerOn(t, bench)
  await bench.query(`update dba.reject set fixed = '{"price": "2,50"}', state = 'retry'`)
  await eventually(() => bench.query(`select from dba.reject where state = 'loaded'`))
  await eventually(() => bench.query(`select from dba.run where requested_by = 'rota' and state = 'succeeded'`))
  assert.deepEqual(await bench.query('select name, price from feeds.page order by name'), [
    { name: 'A', price: '1.00' },
    { name: 'B', price: '2.50' },
  ])
  // The look at the schedule that carries the request asks for one.
  assert.ok(bench.site.asked.length <= asked + 1)
  assert.deepEqual(await bench.query('select count(distinct run_id) from dba.scrapecount'), [{ count: 1 }])
})

test('what the loader refuses is told in the words of scraping', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end(tablePage([['x']])))
  await bench.query('create schema feeds authorization rota_target')
  await bench.query('create table feeds.page (dataset_id bigint, name text, must text not null)')
  await bench.query('alter table feeds.page owner to rota_target')
  await bench.configure({ start_url: `${bench.site.origin}/a`, row_selector: 'tr' }, [{ column_name: 'name', selector: 'td' }])
  const error = await bench.run().catch((thrown: unknown) => thrown)
  assert.ok(error instanceof PermanentError && error.code === 'required_column_missing')
  assert.match(error.hint ?? '', /say in selector or headers where it stands .* dba\.scrapefield/)
  assert.doesNotMatch(error.hint ?? '', /import/)
})

test('a load that failed is loaded again from the kept rows, under its own label and day, once the settings allow it', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end(tablePage([['a', 'much']])))
  await bench.configure(
    { start_url: `${bench.site.origin}/{id}`, ids_from: 'list', ids_spec: '17', row_selector: 'tr', label: 'event {id}' },
    fields,
  )
  await assert.rejects(bench.run({ args: { as_of: '2026-11-20T05:00:00Z' } }), { code: 'too_many_rejects' })
  assert.deepEqual(await bench.query('select * from dba.visit'), [])
  assert.equal((await bench.names('failed')).length, 2)
  const asked = bench.site.asked.length
  await bench.query(`update dba.scrapefield set type = 'text', format = null where column_name = 'price'`)
  await workerOn(t, bench)
  await bench.query(`update dba.file set state = 'retry'`)
  await eventually(() => bench.query(`select from dba.file where state = 'loaded'`))
  assert.deepEqual(await bench.query(`select label, dataset_date, state from dba.dataset order by dataset_id`), [
    { label: 'event 17', dataset_date: '2026-11-20', state: 'failed' },
    { label: 'event 17', dataset_date: '2026-11-20', state: 'active' },
  ])
  assert.ok(bench.site.asked.length <= asked + 1)
})

test('what pages say that Postgres cannot hold does no harm', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end(tablePage([['a&#xD800;\u0000b', '1,00']], 'NUL \u0000')))
  await bench.configure({ start_url: `${bench.site.origin}/`, row_selector: 'tr' }, [...fields, { column_name: 'title' }])
  assert.equal((await bench.run()).rowsWritten, 1)
})

test('what is counted may have the names of what Rota counts', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end(tablePage([['a', '1,00']])))
  await bench.configure({ start_url: `${bench.site.origin}/`, row_selector: 'tr' }, [
    { column_name: 'rows', selector: 'td' },
    { column_name: 'files', selector: 'td' },
    { column_name: 'row_selector', selector: 'td' },
  ])
  await bench.run()
  assert.deepEqual(await bench.query('select subject, matched from dba.scrapecount order by subject'), [
    { subject: 'field:files', matched: 1 },
    { subject: 'field:row_selector', matched: 1 },
    { subject: 'field:rows', matched: 1 },
    { subject: 'files', matched: 0 },
    { subject: 'files saved', matched: 0 },
    { subject: 'pages', matched: 1 },
    { subject: 'rows', matched: 1 },
  ])
})

test('a target that somebody holds leaves the rows for the next attempt, which asks no page again', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end(tablePage([['a', '1,00']])))
  await bench.query('create schema feeds; create table feeds.page (name text, price numeric)')
  await bench.configure({ start_url: `${bench.site.origin}/`, row_selector: 'tr' }, fields)
  const runId = await bench.openRun()
  await assert.rejects(bench.run({ runId }), { code: 'target_not_owned' })
  const asked = bench.site.asked.length
  await bench.query('grant usage, create on schema feeds to rota_target; alter table feeds.page owner to rota_target')
  assert.equal((await bench.run({ runId })).rowsWritten, 1)
  assert.equal(bench.site.asked.length, asked)
})

test('what was loaded and could not be put away is not loaded again', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end(tablePage([['a', '1,00']])))
  await bench.configure({ start_url: `${bench.site.origin}/`, row_selector: 'tr', load_mode: 'append', archive_folder: 'blocked' }, fields)
  await writeFile(join(bench.dataDir, 'blocked'), 'a file where a folder should be')
  const runId = await bench.openRun()
  await assert.rejects(bench.run({ runId }), { name: 'JobError' })
  assert.equal((await bench.names('scrape')).length, 1)
  await rm(join(bench.dataDir, 'blocked'))
  assert.equal((await bench.run({ runId })).note, '1 page read; 1 row.')
  assert.deepEqual(await bench.query('select count(*) from feeds.page'), [{ count: 1 }])
  assert.deepEqual(await bench.names('scrape'), [])
  assert.equal((await bench.names('blocked')).length, 1)
  assert.equal(bench.site.asked.length, 1)
})

test('killed while it loads, the next attempt loads once, without a page', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end(tablePage([['a', '1,00']])))
  await bench.configure({ start_url: `${bench.site.origin}/`, row_selector: 'tr', load_mode: 'append' }, fields)
  await bench.run()
  const runId = await bench.openRun()
  const client = await bench.pool.connect()
  await client.query('begin')
  await client.query('lock table feeds.page in access exclusive mode')
  const victim = await bench.victim(runId)
  await eventually(() => bench.query(`select from pg_stat_activity where application_name = 'victim' and wait_event_type = 'Lock'`))
  await kill(victim.process)
  await client.query('rollback')
  client.release()
  const asked = bench.site.asked.length
  await bench.run({ runId })
  assert.deepEqual(await bench.query('select count(*), count(distinct dataset_id) as datasets from feeds.page'), [
    { count: 2, datasets: 2 },
  ])
  assert.deepEqual(await bench.query('select distinct state from dba.file'), [{ state: 'loaded' }])
  assert.deepEqual(await bench.names('scrape'), [])
  assert.equal(bench.site.asked.length, asked)
})

test('a page that takes too much memory is refused, and those beside it are read', async (t) => {
  const reader = openReader({ fields: [{ columnName: 'name', selector: 'b' }] }, 32)
  t.after(() => reader[Symbol.asyncDispose]())
  const page = (html: string) => reader.read({ html, url: 'http://example.com/' })
  for (let number = 0; number < 40; number += 1) await page('<b>x</b>')
  const [before, monster, after] = await Promise.allSettled([page('<b>1</b>'), page('<p><b>x</b></p>'.repeat(1_000_000)), page('<b>2</b>')])
  assert.equal(monster?.status === 'rejected' && monster.reason.code, 'page_too_complex')
  assert.deepEqual(
    [before, after].map((one) => (one?.status === 'fulfilled' ? one.value.rows[0]?.name : one)),
    ['1', '2'],
  )
})
