import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { eventually, workerOn } from '../helpers/engine.ts'
import { type ScrapeBench, scrapeBench } from './scrape-harness.ts'

/** Pages `/1`, `/2` with a link to a file each. */
async function fileBench(t: { after(end: () => Promise<void>): void }, settings: Record<string, unknown> = {}): Promise<ScrapeBench> {
  const bench = await scrapeBench(t, (_, response, path) => {
    if (!path.startsWith('/files/')) return response.end(`<a class=file href="/files${path}.csv?id=1">the list</a>`)
    response.setHeader('content-type', 'text/csv')
    response.setHeader('content-disposition', 'attachment; filename="list.csv"')
    return response.end(`company,from\nX,${path}\n`)
  })
  await bench.query(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, settle) values ('lists', 'inbox/lists', '*.csv', 'feeds.list', '0')`,
  )
  await bench.configure(
    {
      start_url: `${bench.site.origin}/{id}`,
      ids_from: 'range',
      ids_spec: '1..2',
      target_table: null,
      file_selector: '.file',
      file_config: 'lists',
      file_name: 'event_{id}_{name}',
      ...settings,
    },
    [],
  )
  return bench
}

test('files that pages link to lie whole in the folder of the import config, under the name that was asked for', async (t) => {
  const bench = await fileBench(t)
  assert.equal((await bench.run()).note, '2 pages read; 2 files saved, 0 unchanged.')
  assert.deepEqual(await bench.names('inbox'), ['event_1_list.csv', 'event_2_list.csv'])
  assert.deepEqual(await bench.names('scrape'), [])
  assert.deepEqual(await bench.query('select file_name, size_bytes from dba.pagefile order by 1'), [
    { file_name: 'event_1_list.csv', size_bytes: 33 },
    { file_name: 'event_2_list.csv', size_bytes: 33 },
  ])
})

test('a file that is as it was is saved again, so that the import behind it confirms it; twice in one run it is not', async (t) => {
  const bench = await fileBench(t)
  const plain = bench.site.answer
  bench.site.answer = (request, response, path) => {
    if (path.startsWith('/files/')) assert.equal(request.headers['if-none-match'], undefined)
    response.setHeader('etag', '"one"')
    return path.startsWith('/files/')
      ? plain(request, response, '/files/same')
      : response.end('<a class=file href="/files/same">the list</a>')
  }
  await bench.query(`update dba.scrapehost set parallel = 1 where host = '*'`)
  await bench.run()
  const { note } = await bench.run()
  assert.match(note ?? '', /^2 pages read; [12] files? saved/)
  assert.ok((await bench.names('inbox')).length >= 2)
})

test('by save_unchanged a file that is as it was is left alone, by its bytes or by the word of the server', async (t) => {
  const bench = await fileBench(t, { save_unchanged: false })
  await bench.run()
  assert.equal((await bench.run()).note, '2 pages read; 0 files saved, 2 unchanged.')
  assert.equal((await bench.names('inbox')).length, 2)
  const plain = bench.site.answer
  let asked: unknown
  bench.site.answer = (request, response, path) => {
    if (path !== '/files/1.csv?id=1') return plain(request, response, path)
    asked = request.headers['if-none-match']
    if (asked === '"two"') return response.writeHead(304).end()
    response.setHeader('etag', '"two"')
    return response.end('company,from\nY,new\n')
  }
  assert.equal((await bench.run()).note, '2 pages read; 1 file saved, 1 unchanged.')
  assert.equal((await bench.run()).note, '2 pages read; 0 files saved, 2 unchanged.')
  assert.equal(asked, '"two"')
})

test('where no link is found, the address that file_url makes is asked for; only pages of file_states have files', async (t) => {
  const bench = await fileBench(t, { file_url: 'http://x/{id}', file_states: '{Active}' })
  await bench.query(`update dba.scrapeconfig set file_url = $1`, [`${bench.site.origin}/files/built_{id}`])
  await bench.query(
    `insert into dba.scrapefield (config_name, column_name, selector, state_word) values ('pages', 'is active', 'b', 'Active')`,
  )
  const plain = bench.site.answer
  bench.site.answer = (request, response, path) =>
    path === '/1' ? response.end('<b>no link</b>') : path === '/2' ? response.end('<i>empty</i>') : plain(request, response, path)
  assert.equal((await bench.run()).note, '2 pages read; 1 file saved, 0 unchanged.')
  assert.deepEqual(bench.site.asked.toSorted(), ['/1', '/2', '/files/built_1'])
})

test('of all links those are files whose address or name matches file_pattern, and names end at a semicolon or question mark', async (t) => {
  const bench = await fileBench(t, { file_selector: null, file_pattern: '^list_\\d[.]csv$|/exports/', file_name: null, ids_spec: '1..1' })
  bench.site.answer = (_, response, path) =>
    path !== '/1'
      ? response.end('a\n1\n')
      : response.end(
          '<a href="/about">a</a><a href="/files/list_1.csv;jsessionid=7F?x=1">b</a><a href="/exports/a.csv">c</a><a href="/files/list_22.csv">d</a>',
        )
  await bench.run()
  assert.deepEqual(await bench.query(`select regexp_replace(file_name, '^.*?_', '') as name from dba.pagefile order by 1`), [
    { name: '1_a.csv' },
    { name: '1_list_1.csv' },
  ])
})

test('an id that looks like a path does not leave the folder', async (t) => {
  const bench = await fileBench(t, { ids_from: 'list', ids_spec: '../../../escaped', file_name: '{id}.csv', start_url: 'http://x/{id}' })
  await bench.query('update dba.scrapeconfig set start_url = $1', [`${bench.site.origin}/{id}`])
  bench.site.answer = (_, response, path) =>
    path.startsWith('/files') ? response.end('a\n1\n') : response.end('<a class=file href="/files/x">x</a>')
  await bench.run()
  const [file] = await bench.query<{ saved_path: string }>('select saved_path from dba.pagefile')
  const path = file?.saved_path ?? ''
  assert.ok(path.startsWith(`${bench.dataDir}/inbox/lists/`), path)
  assert.ok(existsSync(path))
})

test('a page whose file is not there fails, and the file of the others is kept', async (t) => {
  const bench = await fileBench(t)
  const plain = bench.site.answer
  bench.site.answer = (request, response, path) =>
    path.startsWith('/files/2') ? response.writeHead(404).end() : plain(request, response, path)
  await assert.rejects(bench.run(), { code: 'pages_failed', name: 'PermanentError' })
  assert.deepEqual(await bench.names('inbox'), ['event_1_list.csv'])
})

test('from the page over the file to the table, by rows alone, and dba.trace tells the way', async (t) => {
  const bench = await fileBench(t)
  await bench.query(`insert into dba.scheduler (schedule_name, job, config_name) values ('scrape lists', 'scrape', 'pages')`)
  await bench.query(
    `insert into dba.scheduler (schedule_name, job, config_name, run_after) values ('load lists', 'import', 'lists', '{scrape lists}')`,
  )
  await workerOn(t, bench)
  await bench.query(`insert into dba.run (schedule_name) values ('scrape lists')`)
  await eventually(() => bench.query(`select from dba.run where schedule_name = 'load lists' and state = 'succeeded'`))
  assert.deepEqual(await bench.query('select company, "from" from feeds.list order by 2'), [
    { company: 'X', from: '/files/1.csv?id=1' },
    { company: 'X', from: '/files/2.csv?id=1' },
  ])
  assert.deepEqual(await bench.query(`select page, mail, file, file_state, dataset_state, target_table from dba.trace order by page`), [
    {
      page: `${bench.site.origin}/1`,
      mail: 'unknown',
      file: 'event_1_list.csv',
      file_state: 'loaded',
      dataset_state: 'active',
      target_table: 'feeds.list',
    },
    {
      page: `${bench.site.origin}/2`,
      mail: 'unknown',
      file: 'event_2_list.csv',
      file_state: 'loaded',
      dataset_state: 'active',
      target_table: 'feeds.list',
    },
  ])
  assert.deepEqual(await bench.query('select distinct origin from dba.file'), [{ origin: 'page' }])
})
