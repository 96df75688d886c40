import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scrapeBench } from './scrape-harness.ts'
import { tablePage } from './scrape-site.ts'

const invalid = '<p class=alert>Invalid Event ID</p>'
const denied = { column_name: 'is denied', position: 1, status_codes: '{403}', state_word: 'AccessDenied' }
const isInvalid = { column_name: 'is invalid', position: 2, selector: '.alert', state_word: 'Invalid' }

test('a frontier counts the states of miss_states as misses, and those of no other state', async (t) => {
  const bench = await scrapeBench(t, (_, response, path) => {
    const id = Number(path.slice(1))
    if (id === 14) return response.writeHead(403).end('no')
    return response.end(id === 10 || id === 12 ? tablePage([[id]]) : invalid)
  })
  const settings = { start_url: `${bench.site.origin}/{id}`, ids_from: 'frontier', ids_spec: '10 misses 3' }
  await bench.configure({ ...settings, miss_states: '{Invalid}', low_band_percent: null }, [
    denied,
    isInvalid,
    { column_name: 'id' },
    { column_name: 'state' },
  ])
  assert.equal((await bench.run()).note, '8 pages read; 8 rows.')
  assert.deepEqual(await bench.query(`select string_agg(id || ' ' || coalesce(state, '-'), ', ' order by id) as said from feeds.page`), [
    { said: '10 -, 11 Invalid, 12 -, 13 Invalid, 14 AccessDenied, 15 Invalid, 16 Invalid, 17 Invalid' },
  ])
  assert.deepEqual(await bench.query(`select item, life from dba.page where life is not null order by item`), [
    { item: '10', life: 'new' },
    { item: '12', life: 'new' },
    { item: '14', life: 'new' },
  ])
})

test('an id whose page is there and has no rows becomes an empty dataset; one that was not read well becomes none', async (t) => {
  const pages: Record<string, string> = { '/1': tablePage([['x']]), '/2': '<p>No companies found</p>', '/3': invalid }
  const bench = await scrapeBench(t, (_, response, path) =>
    path === '/4' ? response.writeHead(403).end('no') : path === '/5' ? response.writeHead(404).end('no') : response.end(pages[path]),
  )
  await bench.configure(
    {
      start_url: `${bench.site.origin}/{id}`,
      ids_from: 'range',
      ids_spec: '1..5',
      row_selector: 'tr',
      label: '{id}',
      skip_states: '{Invalid}',
      miss_states: '{Invalid}',
    },
    [denied, isInvalid, { column_name: 'name', selector: 'td' }],
  )
  await bench.run()
  const datasets = () => bench.query('select label, state, rows_written from dba.dataset order by dataset_id')
  const first = [
    { label: '1', state: 'active', rows_written: 1 },
    { label: '2', state: 'empty', rows_written: 0 },
  ]
  assert.deepEqual(await datasets(), first)
  pages['/1'] = '<p>No companies found</p>'
  await bench.query('update dba.scrapeconfig set low_band_percent = null')
  await bench.run()
  assert.deepEqual((await datasets()).slice(2), [
    { label: '1', state: 'empty', rows_written: 0 },
    { label: '2', state: 'empty', rows_written: 0 },
  ])
  assert.deepEqual(await bench.query('select name from feeds.page'), [{ name: 'x' }], 'an empty dataset takes the place of none')
})

test('what Rota knows of a page stands under the name that people give it', async (t) => {
  const bench = await scrapeBench(t, (_, response, path) =>
    path === '/from' ? response.writeHead(302, { location: '/to' }).end() : response.end(tablePage([['x']], 'T')),
  )
  await bench.configure({ start_url: `${bench.site.origin}/from`, row_selector: 'tr' }, [
    { column_name: 'seen_at', page_fact: 'fetched_at', type: 'timestamptz' },
    { column_name: 'page_title', page_fact: 'title', transform: 'lower' },
    { column_name: 'landed_on', page_fact: 'final_url' },
    { column_name: 'title', selector: 'td' },
  ])
  await bench.run()
  assert.deepEqual(
    await bench.query(
      `select seen_at > now() - interval '1 hour' as is_now, page_title, landed_on = $1 as has_landed, title from feeds.page`,
      [`${bench.site.origin}/to`],
    ),
    [{ is_now: true, page_title: 't', has_landed: true, title: 'x' }],
  )
})

test('a page is changed when what is read from it is, not when its noise is', async (t) => {
  let noise = 1
  let name = 'Acme'
  const bench = await scrapeBench(t, (_, response) =>
    response.end(
      `<title>T</title><script nonce=n${noise}></script><table><tr><td>${name}</td></tr></table><a class=more href="/x;jsessionid=${noise}">${noise}</a>`,
    ),
  )
  await bench.configure({ start_url: `${bench.site.origin}/a`, row_selector: 'tr', follow_selector: 'a.none', file_selector: null }, [
    { column_name: 'name', selector: 'td' },
    { column_name: 'fetched_at' },
  ])
  const lives: unknown[] = []
  const look = async () => {
    await bench.run()
    lives.push((await bench.query<{ life: string }>(`select life from dba.page`))[0]?.life)
  }
  await look()
  noise = 2
  await look()
  name = 'Acme Inc'
  await look()
  await look()
  assert.deepEqual(lives, ['new', 'seen', 'changed', 'seen'])
})
