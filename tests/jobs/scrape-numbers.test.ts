import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, workerOn } from '../helpers/engine.ts'
import { type ScrapeBench, scrapeBench } from './scrape-harness.ts'
import { tablePage } from './scrape-site.ts'

const fields = [
  { column_name: 'name', selector: 'td:nth-child(1)' },
  { column_name: 'price', selector: 'td:nth-child(2)', type: 'numeric' },
]

/** A page whose rows the test changes from run to run. */
async function priceBench(t: { after(end: () => Promise<void>): void }): Promise<{ bench: ScrapeBench; rows: (string | number)[][] }> {
  const rows: (string | number)[][] = []
  const bench = await scrapeBench(t, (_, response) => response.end(tablePage(rows)))
  await bench.configure({ start_url: `${bench.site.origin}/prices`, row_selector: 'tr' }, fields)
  return { bench, rows }
}

function prices(count: number): (string | number)[][] {
  return Array.from({ length: count }, (_, index) => [`share ${index}`, index + 0.5])
}

async function goodRuns(bench: ScrapeBench, rows: (string | number)[][]): Promise<void> {
  for (let run = 0; run < 3; run += 1) {
    rows.splice(0, rows.length, ...prices(20 + run))
    await bench.run()
  }
}

test('far fewer rows than usual are held back, the run fails and says so, and what was in force stays', async (t) => {
  const { bench, rows } = await priceBench(t)
  await goodRuns(bench, rows)
  rows.splice(0, rows.length, ...prices(4))
  await assert.rejects(bench.run(), { code: 'quarantined', message: 'The pages gave 4 rows, 21 are usual' })
  assert.deepEqual(await bench.query('select state, rows_written from dba.dataset order by dataset_id desc limit 2'), [
    { state: 'quarantined', rows_written: 4 },
    { state: 'active', rows_written: 22 },
  ])
  assert.deepEqual(await bench.query('select count(*) from feeds.page'), [{ count: 22 }])
  assert.deepEqual(
    await bench.query(
      `select usual::float8, matched, is_good from dba.scrapecount where subject = 'rows' order by counted_at desc limit 1`,
    ),
    [{ usual: 21, matched: 4, is_good: false }],
  )
})

test('pages that give no row at all are a quarantined dataset too, which people release or drop', async (t) => {
  const { bench, rows } = await priceBench(t)
  await goodRuns(bench, rows)
  bench.site.answer = (_, response) => response.end('<h1>All new</h1>')
  await assert.rejects(bench.run(), { code: 'quarantined', message: 'The pages gave no row, 21 are usual' })
  assert.deepEqual(await bench.query('select state, rows_written, reason from dba.dataset order by dataset_id desc limit 2'), [
    { state: 'quarantined', rows_written: 0, reason: 'The pages gave no row, 21 are usual.' },
    { state: 'active', rows_written: 22, reason: null },
  ])
  assert.deepEqual(await bench.query('select count(*) from feeds.page'), [{ count: 22 }])
  await bench.query(`update dba.dataset set state = 'active' where state = 'quarantined'`)
  assert.deepEqual(await bench.query('select count(*) from feeds.page'), [{ count: 0 }])
})

test('a released dataset is in force, and its numbers are usual from then on', async (t) => {
  const { bench, rows } = await priceBench(t)
  await goodRuns(bench, rows)
  rows.splice(0, rows.length, ...prices(4))
  for (let run = 0; run < 3; run += 1) {
    await assert.rejects(bench.run(), { code: 'quarantined' })
    await bench.query(`update dba.dataset set state = 'active' where state = 'quarantined'`)
  }
  assert.equal((await bench.run()).rowsWritten, 4)
  assert.deepEqual(await bench.query('select count(*) from feeds.page'), [{ count: 4 }])
})

test('a column that lost its values is noticed, and the page is kept to try new rules on', async (t) => {
  const { bench, rows } = await priceBench(t)
  await goodRuns(bench, rows)
  bench.site.answer = (_, response) =>
    response.end('<table><tr><td>share</td><td class=moved></td><td>7.5</td></tr></table>'.replace(/<tr>.*<\/tr>/, (row) => row.repeat(21)))
  await assert.rejects(bench.run(), { code: 'quarantined', message: 'Column "price" has a value in 0 % of the rows, 100 % are usual' })
  assert.deepEqual(await bench.query('select reason from dba.dataset order by dataset_id desc limit 1'), [
    { reason: 'Check "usual numbers": Column "price" has a value in 0 % of the rows, 100 % are usual.' },
  ])
  const asked = bench.site.asked.length

  const before = await bench.run({ args: { replay: true } })
  assert.equal(before.note, '1 kept pages read again: 21 rows in 1 of them (name 21 of 21, price 0 of 21). Nothing was fetched or loaded.')
  await bench.query(`update dba.scrapefield set selector = 'td:nth-child(3)' where column_name = 'price'`)
  const after = await bench.run({ args: { replay: true } })
  assert.deepEqual(after.result?.fields, { name: 21, price: 21 })
  assert.equal(bench.site.asked.length, asked)
  assert.deepEqual(await bench.query('select count(*) from dba.dataset'), [{ count: 4 }])
})

test('no row at all is never taken for news, from the first run on', async (t) => {
  const { bench, rows } = await priceBench(t)
  await assert.rejects(bench.run(), { code: 'quarantined', message: 'The pages gave no row' })
  rows.push(...prices(3))
  await bench.run()
  rows.length = 0
  await assert.rejects(bench.run(), { code: 'quarantined' })
  assert.deepEqual(await bench.query('select state, rows_written from dba.dataset order by dataset_id'), [
    { state: 'quarantined', rows_written: 0 },
    { state: 'active', rows_written: 3 },
    { state: 'quarantined', rows_written: 0 },
  ])
  assert.deepEqual(await bench.query('select * from dba.visit'), [])
})

test('low_band_percent null looks at no numbers', async (t) => {
  const { bench } = await priceBench(t)
  await bench.query('update dba.scrapeconfig set low_band_percent = null')
  assert.equal((await bench.run()).note, '1 page read; 0 rows.')
})

test('imports and reports behind a quarantined scrape are held back', async (t) => {
  const { bench } = await priceBench(t)
  await bench.query(`insert into dba.scheduler (schedule_name, job, config_name) values ('scrape prices', 'scrape', 'pages')`)
  await bench.query(`insert into dba.scheduler (schedule_name, job, run_after) values ('behind', 'noop', '{scrape prices}')`)
  await workerOn(t, bench)
  await bench.query(`insert into dba.run (schedule_name) values ('scrape prices')`)
  const [behind] = await eventually(() => bench.query<{ state: string }>(`select state from dba.run where schedule_name = 'behind'`))
  assert.equal(behind?.state, 'skipped')
  assert.deepEqual(await bench.query(`select state, error_code, attempt from dba.run where schedule_name = 'scrape prices'`), [
    { state: 'failed', error_code: 'quarantined', attempt: 1 },
  ])
})
