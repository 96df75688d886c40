import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scrapeBench } from './scrape-harness.ts'
import { tablePage } from './scrape-site.ts'

const codeAndName = [
  { column_name: 'name', position: 1, selector: 'td:nth-child(1)' },
  { column_name: 'amount', position: 2, selector: 'td:nth-child(2)', type: 'integer' },
]

test('a range of ids becomes rows of a table, and pages that are not there or say so give none', async (t) => {
  const bench = await scrapeBench(t, (_, response, path) => {
    const id = Number(/\d+/.exec(path)?.[0])
    if (id % 5 === 0) return response.writeHead(404).end('none')
    if (id % 3 === 0) return response.end('<div class="alert">Invalid Event ID</div>')
    return response.end(
      tablePage(
        [
          [`A${id}`, id],
          ['B', 2],
        ],
        `Event ${id}`,
      ),
    )
  })
  await bench.configure(
    { start_url: `${bench.site.origin}/event_{id}`, ids_from: 'range', ids_spec: '1..60', row_selector: 'tr', skip_states: '{Invalid}' },
    [
      ...codeAndName,
      { column_name: 'id' },
      { column_name: 'title' },
      { column_name: 'invalid', selector: '.alert', state_word: 'Invalid' },
    ],
  )
  const outcome = await bench.run()
  assert.equal(outcome.note, '60 pages read; 64 rows.')
  assert.equal(outcome.rowsWritten, 64)
  assert.equal(bench.site.asked.length, 60)
  assert.deepEqual(await bench.query('select name, amount, id, title from feeds.page order by id::int, name limit 2'), [
    { name: 'A1', amount: 1, id: '1', title: 'Event 1' },
    { name: 'B', amount: 2, id: '1', title: 'Event 1' },
  ])
  assert.deepEqual(await bench.query(`select state_word, status_code, life, count(*) from dba.page group by 1, 2, 3 order by 2, 1`), [
    { state_word: 'Invalid', status_code: 200, life: null, count: 16 },
    { state_word: null, status_code: 200, life: 'new', count: 32 },
    { state_word: null, status_code: 404, life: null, count: 12 },
  ])
  assert.deepEqual(await bench.query('select label, state, rows_written from dba.dataset'), [
    { label: 'pages', state: 'active', rows_written: 64 },
  ])
  assert.equal((await bench.names('archive')).length, 1)
  assert.deepEqual(await bench.names('scrape'), [])
  assert.deepEqual(await bench.query('select * from dba.visit'), [])
})
