import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { TestDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'
import { plainMail } from '../systemscripts/mail/make-mail.ts'
import { importBench } from './import-harness.ts'
import { inboxBench } from './inbox-harness.ts'
import { scrapeBench } from './scrape-harness.ts'

const table = Buffer.from('day,price\n2026-11-19,1.5\n')

test('a dataset is named and dated by the mail that its file came from', async (t) => {
  const { dba, put, rule, run } = await inboxBench(t)
  await dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, settle, label_from, label_spec, date_from, source_zone)
     values ('prices', 'inbox', '*.csv', 'feeds.price', '0.1 seconds', 'mail', 'subject: Prices for ([A-Z]+)', 'mail', 'Asia/Tokyo')`,
  )
  await rule({ import_config: 'prices' })
  const files = [{ name: 'prices.csv', bytes: table }]
  // Late in the evening, which is the next day in Tokyo.
  await put('1.eml', plainMail({ subject: 'Prices for OSLO', date: 'Thu, 19 Nov 2026 22:00:00 +0100', files }))
  await put('2.eml', plainMail({ subject: 'Prices of nothing', files: [{ name: 'other.csv', bytes: Buffer.from('day,price\n1,2\n') }] }))
  await run()
  const [asked] = await dba(`select dba.request_dry_run('prices', 'prices.csv') as dryrun_id`)
  const [dryRun] = await eventually(() =>
    dba(`select label, dataset_date::text as date from dba.dryrun where dryrun_id = $1 and state = 'done'`, [asked?.dryrun_id]),
  )
  assert.deepEqual(dryRun, { label: 'OSLO', date: '2026-11-20' })

  await dba(`insert into dba.scheduler (schedule_name, job, config_name) values ('load prices', 'import', 'prices')`)
  await dba(`insert into dba.run (schedule_name) values ('load prices')`)
  await eventually(() => dba(`select from dba.run where schedule_name = 'load prices' and state = 'failed'`))
  assert.deepEqual(await dba(`select label, dataset_date::text as date from dba.dataset`), [{ label: 'OSLO', date: '2026-11-20' }])
  const [failed] = await dba(`select reason from dba.trace where file_state = 'failed'`)
  assert.match(String(failed?.reason), /"Prices of nothing" has no part that "Prices for \(\[A-Z\]\+\)" means/)

  // What was kept is still the mail's when it is loaded again.
  await dba(`update dba.importconfig set label_spec = null`)
  await dba(`update dba.file set state = 'retry' where state = 'failed'`)
  await eventually(() => dba(`select from dba.dataset where label = 'Prices of nothing' and state = 'active'`))
})

/** Page 1 tells an event and leads to two files, of which the second comes when `release` is called. */
async function pageWithTwoFiles(t: { after(end: () => Promise<void>): void }) {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const bench = await scrapeBench(t, async (_, response, path) => {
    if (path.endsWith('second.csv')) await released
    if (path.endsWith('.csv')) return response.end(`company\n${path}\n`)
    return response.end(
      '<title>Events</title><h1>Spring Forum</h1><p>19.11.2026</p><a class=file href=/first.csv>1</a><a class=file href=/second.csv>2</a>',
    )
  })
  await bench.query(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, settle, label_from, label_spec, date_from, date_spec, date_format)
     values ('lists', 'inbox/lists', '*.csv', 'feeds.list', '0', 'page', 'address: /([0-9]+)$', 'page', 'held_on', 'dd.MM.yyyy')`,
  )
  await bench.configure(
    {
      start_url: `${bench.site.origin}/{id}`,
      ids_from: 'list',
      ids_spec: '17',
      target_table: null,
      file_selector: '.file',
      file_config: 'lists',
      file_name: '{name}',
    },
    [
      { column_name: 'event', selector: 'h1' },
      { column_name: 'held_on', selector: 'p' },
    ],
  )
  await bench.query(
    `insert into dba.scheduler (schedule_name, job, config_name) values ('read pages', 'scrape', 'pages'), ('load lists', 'import', 'lists')`,
  )
  await workerOn(t, bench)
  return { bench, release }
}

async function run({ query }: Pick<TestDatabase, 'query'>, schedule: string): Promise<string> {
  const [asked] = await query<{ run_id: string }>(`insert into dba.run (schedule_name) values ($1) returning run_id`, [schedule])
  const [end] = await eventually(() =>
    query<{ state: string }>(`select state from dba.run where run_id = $1 and state in ('succeeded', 'failed')`, [asked?.run_id]),
  )
  return end?.state ?? ''
}

const traced = `select replace(page, $1, '') as page, file, file_state, label, dataset_date::text as date from dba.trace order by file_id`

test('an import that is faster than the record of the page knows the page all the same', async (t) => {
  const { bench, release } = await pageWithTwoFiles(t)
  const scraped = run(bench, 'read pages')
  await eventually(async () => (await bench.names('inbox/lists')).map((name) => ({ name })))
  assert.equal(await run(bench, 'load lists'), 'succeeded')
  const first = { page: '/17', file: 'first.csv', file_state: 'loaded', label: '17', date: '2026-11-19' }
  assert.deepEqual(await bench.query(traced, [bench.site.origin]), [first])
  assert.equal((await bench.query(`select from dba.page where visited_at is not null and state_word is null and title is null`)).length, 1)

  release()
  assert.equal(await scraped, 'succeeded')
  await bench.query(`update dba.importconfig set label_spec = 'event', date_spec = null`)
  assert.equal(await run(bench, 'load lists'), 'succeeded')
  const today = new Date().toISOString().slice(0, 10)
  const second = { ...first, file: 'second.csv', label: 'Spring Forum', date: today }
  assert.deepEqual(await bench.query(traced, [bench.site.origin]), [first, second])
  assert.deepEqual(await bench.query('select distinct origin from dba.file'), [{ origin: 'page' }])
  assert.deepEqual(await bench.query(`select page_values from dba.pagefile where file_name = 'first.csv'`), [
    { page_values: { title: 'Events', event: 'Spring Forum', held_on: '19.11.2026' } },
  ])
})

test('a download whose name was taken is known by its bytes, and the file that has the name is not the page’s', async (t) => {
  const { bench, release } = await pageWithTwoFiles(t)
  await mkdir(`${bench.dataDir}/inbox/lists`, { recursive: true })
  await writeFile(`${bench.dataDir}/inbox/lists/first.csv`, 'company\nby hand\n')
  const scraped = run(bench, 'read pages')
  await eventually(async () => ((await bench.names('inbox/lists')).includes('first_2.csv') ? [{}] : []))
  assert.equal(await run(bench, 'load lists'), 'failed')
  release()
  assert.equal(await scraped, 'succeeded')
  const [byHand, ofPage] = await bench.query(traced, [bench.site.origin])
  assert.deepEqual(byHand, { page: 'unknown', file: 'first.csv', file_state: 'failed', label: 'unknown', date: null })
  assert.deepEqual(ofPage, { page: '/17', file: 'first_2.csv', file_state: 'loaded', label: '17', date: '2026-11-19' })
  assert.deepEqual(await bench.query('select origin from dba.file order by file_id'), [{ origin: 'folder' }, { origin: 'page' }])
  const [{ reason } = { reason: null }] = await bench.query(`select reason from dba.file where file_name = 'first.csv'`)
  assert.match(String(reason), /File "first[.]csv" came by no page that Rota knows/)
})

test('a file of a plain folder has no mail: it fails, or takes the day of the load where that is allowed', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ date_from: 'mail' })
  await bench.put('inbox/a.csv', 'a\n1\n')
  await assert.rejects(bench.run(), { code: 'origin_unknown', message: 'File "a.csv" came by no mail that Rota knows' })
  await bench.query(`update dba.importconfig set on_unreadable_date = 'today'`)
  await bench.put('inbox/b.csv', 'a\n2\n')
  await bench.run()
  assert.deepEqual(
    await bench.query(`select mail, page, file, file_state, dataset_state, report, recipient from dba.trace where file = 'b.csv'`),
    [
      {
        mail: 'unknown',
        page: 'unknown',
        file: 'b.csv',
        file_state: 'loaded',
        dataset_state: 'active',
        report: 'unknown',
        recipient: 'unknown',
      },
    ],
  )
})

test('a field that no page leading to the config tells is refused, once it is known which pages lead there', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ label_from: 'page', label_spec: 'evnt' })
  const dba = await bench.as('rota_dba')
  await dba.query(
    `insert into dba.scrapeconfig (config_name, start_url, file_selector, file_config) values ('pages', 'https://example.com', 'a', 'prices')`,
  )
  await dba.query(`insert into dba.scrapefield (config_name, column_name, selector) values ('pages', 'event', 'h1')`)
  await assert.rejects(dba.query(`update dba.importconfig set label_spec = 'evnt: .'`), {
    message: 'label_spec "evnt" names nothing that the pages leading to config "prices" tell',
    hint: 'Did you mean "event"? They tell address, id, fetched, title, event. More can be read from them by rows of dba.scrapefield.',
  })
  await dba.query(`update dba.importconfig set label_spec = 'event: ^[A-Z]'`)
})
