import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scrapeBench } from './scrape-harness.ts'
import { tablePage } from './scrape-site.ts'

const name = [{ column_name: 'name', selector: 'td' }]

test('a page is new, seen, changed, gone, and says since when', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end(tablePage([['a']])))
  await bench.configure(
    { start_url: `${bench.site.origin}/{id}`, ids_from: 'list', ids_spec: '1', row_selector: 'tr', low_band_percent: null },
    name,
  )
  const lives: unknown[] = []
  const look = async () => {
    await bench.run()
    lives.push(...(await bench.query('select life, gone_at is not null as is_gone from dba.page')))
  }
  await look()
  await look()
  bench.site.answer = (_, response) => response.end(tablePage([['b']]))
  await look()
  bench.site.answer = (_, response) => response.writeHead(410).end()
  await look()
  await look()
  bench.site.answer = (_, response) => response.end(tablePage([['b']]))
  await look()
  assert.deepEqual(lives, [
    { life: 'new', is_gone: false },
    { life: 'seen', is_gone: false },
    { life: 'changed', is_gone: false },
    { life: 'gone', is_gone: true },
    { life: 'gone', is_gone: true },
    { life: 'changed', is_gone: false },
  ])
})

test('a page that came with an ETag is asked for anew only when it has changed, without a word in the settings', async (t) => {
  const askedWith: (string | undefined)[] = []
  const bench = await scrapeBench(t, (request, response) => {
    askedWith.push(request.headers['if-none-match'])
    response.setHeader('etag', '"v1"')
    if (request.headers['if-none-match'] === '"v1"') return response.writeHead(304).end()
    return response.end(tablePage([['a']]))
  })
  await bench.configure({ start_url: `${bench.site.origin}/page`, row_selector: 'tr' }, name)
  await bench.run()
  await bench.run()
  assert.deepEqual(askedWith, [undefined, '"v1"'])
  assert.deepEqual(await bench.query('select name from feeds.page'), [{ name: 'a' }])
})

test('a page whose bytes are kept is fetched again only when it has changed', async (t) => {
  let version = 1
  let bodies = 0
  const bench = await scrapeBench(t, (request, response) => {
    response.setHeader('etag', `"v${version}"`)
    if (request.headers['if-none-match'] === `"v${version}"`) return response.writeHead(304).end()
    bodies += 1
    return response.end(tablePage([[`version ${version}`]]))
  })
  await bench.configure({ start_url: `${bench.site.origin}/page`, row_selector: 'tr', keep_pages: 'all' }, name)
  await bench.run()
  await bench.run()
  assert.equal(bodies, 1)
  assert.deepEqual(await bench.query('select life, row_count from dba.page'), [{ life: 'seen', row_count: 1 }])
  version = 2
  await bench.run()
  await bench.run()
  assert.equal(bodies, 2)
  assert.deepEqual(await bench.query('select name from feeds.page'), [{ name: 'version 2' }])
  // Bytes of an older version answer for no newer one.
  await bench.query(`update dba.scrapeconfig set keep_pages = 'none'`)
  version = 3
  await bench.run()
  await bench.run()
  assert.equal(bodies, 4)
  assert.deepEqual(await bench.query('select name from feeds.page'), [{ name: 'version 3' }])
})

test('kept bytes go after replay_days', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end(tablePage([['a']])))
  await bench.configure({ start_url: `${bench.site.origin}/page`, row_selector: 'tr', keep_pages: 'all', replay_days: 3 }, name)
  await bench.run()
  await bench.query(`update dba.page set url = 'http://example.com/old', body_at = now() - interval '4 days'`)
  await bench.run()
  assert.deepEqual(await bench.query('select url, body is not null as is_kept from dba.page order by page_id'), [
    { url: 'http://example.com/old', is_kept: false },
    { url: `${bench.site.origin}/page`, is_kept: true },
  ])
})

test('links are followed on the same host, as deep as is said, and each page is asked for once', async (t) => {
  const links: Record<string, string> = {
    '/': '<a href="/a">a</a><a href="/b">b</a><a href="http://localhost:1/away">away</a>',
    '/a': '<a href="/b">b</a><a href="/deep">deep</a><a href="/skip">skip</a>',
    '/b': '<a href="/">home</a>',
    '/deep': '<a href="/deeper">deeper</a>',
  }
  const bench = await scrapeBench(t, (_, response, path) => response.end(`<h1>${path}</h1>${links[path] ?? ''}`))
  await bench.configure({ start_url: `${bench.site.origin}/`, follow_selector: 'a', follow_pattern: '^(?!.*skip)', max_depth: 2 }, [
    { column_name: 'name', selector: 'h1' },
  ])
  await bench.run()
  assert.deepEqual(bench.site.asked.toSorted(), ['/', '/a', '/b', '/deep'])
  assert.deepEqual(await bench.query('select name from feeds.page order by name'), [
    { name: '/' },
    { name: '/a' },
    { name: '/b' },
    { name: '/deep' },
  ])
})

test('a list over several pages is one label, and an id that a page links to is asked for once', async (t) => {
  const bench = await scrapeBench(t, (_, response, path) => {
    const [, id = '', part = '1'] = /^\/(\d+)(?:[?]part=(\d+))?$/.exec(path) ?? []
    const next = Number(part) < 3 ? `<a class=next href="?part=${Number(part) + 1}">next</a>` : ''
    response.end(`${tablePage([[`${id}.${part}`]])}${next}<a class=more href="/${Number(id) + 1}">more</a>`)
  })
  await bench.configure(
    {
      start_url: `${bench.site.origin}/{id}`,
      ids_from: 'range',
      ids_spec: '1..2',
      row_selector: 'tr',
      next_selector: '.next',
      follow_selector: '.more',
      max_depth: 1,
      label: '{id}',
    },
    name,
  )
  await bench.run()
  assert.deepEqual(
    bench.site.asked.toSorted(),
    ['/1', '/1?part=2', '/1?part=3', '/2', '/2?part=2', '/2?part=3', '/3', '/3?part=2', '/3?part=3'].toSorted(),
  )
  assert.deepEqual(await bench.query('select label, rows_written from dba.dataset order by label'), [
    { label: '1', rows_written: 3 },
    { label: '2', rows_written: 6 },
  ])
})

test('ids come from a query as rota_job, and from a frontier that grows with what is found', async (t) => {
  let last = 4
  const bench = await scrapeBench(t, (_, response, path) =>
    Number(path.slice(1)) <= last ? response.end(tablePage([[path]])) : response.writeHead(404).end(),
  )
  await bench.query(`create schema lists; create table lists.event (id integer); insert into lists.event values (2), (3), (3), (null)`)
  await bench.configure(
    { start_url: `${bench.site.origin}/{id}`, ids_from: 'query', ids_spec: 'select id from lists.event order by id', row_selector: 'tr' },
    name,
  )
  await assert.rejects(bench.run(), { code: 'ids_query_failed' })
  await bench.query('grant usage on schema lists to rota_job; grant select on lists.event to rota_job')
  assert.equal((await bench.run()).note, '2 pages read; 2 rows.')
  assert.deepEqual(bench.site.asked, ['/2', '/3'])

  await bench.query(`update dba.scrapeconfig set ids_from = 'frontier', ids_spec = '1 misses 3'`)
  bench.site.asked.length = 0
  await bench.run()
  assert.deepEqual(bench.site.asked.toSorted(), ['/1', '/2', '/3', '/4', '/5', '/6', '/7'])
  last = 6
  await bench.query(`update dba.scrapeconfig set ids_spec = '1 misses 3 back 1'`)
  bench.site.asked.length = 0
  await bench.run()
  assert.deepEqual(
    bench.site.asked.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1))),
    ['/4', '/5', '/6', '/7', '/8', '/9'],
  )
})

test('robots.txt is obeyed: what a link leads to is left alone, what the config names fails', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end('<h1>x</h1><a href="/closed/1">closed</a>'))
  await bench.query(
    `insert into dba.hoststate (host, robots_kind, robots_text, robots_at) values ($1, 'file', 'User-agent: *\nDisallow: /closed/', now())`,
    [bench.site.origin],
  )
  await bench.configure({ start_url: `${bench.site.origin}/`, follow_selector: 'a' }, [{ column_name: 'name', selector: 'h1' }])
  assert.equal((await bench.run()).note, '1 page read; 1 row; 1 page left alone (robots.txt, address inside).')
  await bench.query(`update dba.scrapeconfig set start_url = start_url || 'closed/0'`)
  await assert.rejects(bench.run(), { code: 'robots_disallowed' })
  assert.deepEqual(bench.site.asked, ['/'])
  await bench.query(`update dba.scrapehost set obey_robots = false, robots_reason = 'agreed'`)
  await bench.run()
})
