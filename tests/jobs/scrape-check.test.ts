import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, workerOn } from '../helpers/engine.ts'
import { scrapeBench } from './scrape-harness.ts'
import { tablePage } from './scrape-site.ts'

const fields = [
  { column_name: 'name', position: 1, selector: 'td:nth-child(1)' },
  { column_name: 'price', position: 2, selector: 'td:nth-child(2)', pattern: '\\d+' },
]

test('a worker says what the rules find on the page, with one request', async (t) => {
  const bench = await scrapeBench(t, (_, response) =>
    response.end(
      tablePage([
        ['a', 1],
        ['b', 'none'],
        ['c', 3],
      ]),
    ),
  )
  await bench.configure({ start_url: `${bench.site.origin}/`, row_selector: 'tr' }, fields)
  assert.deepEqual(await bench.check(), {
    isOk: true,
    message: 'start page answers 200, row_selector finds 3 rows, field name 3 of 3, field price 2 of 3',
  })
  assert.deepEqual(bench.site.asked, ['/'])
  await bench.query(`update dba.scrapeconfig set start_url = start_url || '{id}', ids_from = 'range', ids_spec = '1..25000'`)
  assert.match((await bench.check()).message, /^page of id 1 answers 200, .*; 25,000 pages in all$/)
})

test('what is wrong stands at the schedule within a second: selector, page, address inside, target', async (t) => {
  const bench = await scrapeBench(t, (_, response, path) =>
    path === '/' ? response.end(tablePage([['a', 1]])) : response.writeHead(404).end(),
  )
  await bench.configure({ start_url: `${bench.site.origin}/`, row_selector: 'tr' }, fields)
  await workerOn(t, bench)
  await bench.query(`insert into dba.scheduler (schedule_name, job, config_name) values ('prices', 'scrape', 'pages')`)
  let last: unknown = null
  const answer = async (change: string): Promise<Record<string, unknown>> => {
    await bench.query(change)
    const text = `select config_state, config_message from dba.scheduler where config_state <> 'unchecked' and config_message is distinct from $1`
    const [row] = await eventually(() => bench.query(text, [last]))
    last = row?.config_message
    return row ?? {}
  }
  const ok = await answer(`update dba.scrapeconfig set description = 'now'`)
  assert.equal(ok.config_state, 'ok')
  assert.match(String(ok.config_message), /row_selector finds 1 row,/)
  const wrong = [
    [`update dba.scrapefield set selector = 'td:nth-child(' where column_name = 'name'`, /selector of column "name"/],
    [
      `update dba.scrapefield set selector = 'td' where column_name = 'name'; update dba.scrapeconfig set row_selector = 'li'`,
      /row_selector finds 0 rows/,
    ],
    [`update dba.scrapeconfig set start_url = start_url || 'none'`, /none is not there/],
    [`update dba.scrapeconfig set allow_private_hosts = false`, /127[.]0[.]0[.]1/],
    [`update dba.scrapeconfig set skip_states = '{Invald}'`, /skip_states names "Invald", which no rule .* there is none/],
    [`update dba.scrapeconfig set skip_states = '{}', target_table = 'feeds.none', on_new_column = 'fail'`, /"feeds.none" does not exist/],
  ] as const
  for (const [change, message] of wrong) {
    const said = await answer(change)
    assert.equal(said.config_state, 'invalid', String(said.config_message))
    assert.match(String(said.config_message), message)
  }
})
