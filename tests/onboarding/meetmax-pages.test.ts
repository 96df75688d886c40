import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { findEvent } from '../../onboarding/demo/site/events.ts'
import { serveEventSite } from '../../onboarding/demo/site/serve.ts'
import type { PageReading } from '../../systemscripts/web/page/rules.ts'
import { readPage } from '../../systemscripts/web/read-page.ts'
import { meetmaxBench } from './meetmax-bench.ts'
import { rulesOf } from './rules-of-config.ts'

test('the URL check tells invalid, private, downloadable by link or button, and closed events apart', async (t) => {
  const check = await pagesBy(t, 'MeetMax_URL_Check')
  const [invalid, publicPage, link, button, empty] = await Promise.all(
    ['120007', '120005', '120001', '120014', '120016'].map((id) => check(`${id}/__co-list_cp.html`)),
  )
  assert.deepEqual(
    [invalid?.state, publicPage?.state, link?.state, button?.state, empty?.state],
    ['Invalid', 'Private', 'Downloadable', 'Downloadable', 'Closed'],
  )
  assert.deepEqual(publicPage?.follow.map(pathOf), ['/sched/event_120005/__private-co-list_cp.html'])
  assert.deepEqual(link?.follow, [])

  const privatePage = await check('120005/__private-co-list_cp.html')
  assert.deepEqual([privatePage.state, privatePage.follow], ['Downloadable', []])
  const [row] = privatePage.rows
  assert.equal(row?.title, findEvent(120_005)?.title)
  assert.equal(pathOf(row?.download_link ?? ''), '/sched/event_120005/__private-co-list_cp.xls?event_id=120005')
  assert.deepEqual(
    privatePage.files.map(({ url }) => pathOf(url)),
    [],
  )
  assert.equal(matchesOf(button, 'export_buttons'), 1)
  assert.equal(matchesOf(link, 'export_buttons'), 0)
})

test('the download finds the file of the private list, not of the public one that leads to it', async (t) => {
  const download = await pagesBy(t, 'MeetMax_Download')
  const publicPage = await download('120005/__co-list_cp.html')
  const privatePage = await download('120005/__private-co-list_cp.html')
  assert.deepEqual([publicPage.state, privatePage.state], ['Private', 'Downloadable'])
  assert.deepEqual(
    privatePage.files.map(({ url }) => pathOf(url)),
    ['/sched/event_120005/__private-co-list_cp.xls?event_id=120005;sort=name'],
  )
})

test('the URL scan says AccessDenied, Invalid, Active or Empty, and counts companies', async (t) => {
  const scan = await pagesBy(t, 'MeetMax_URL_Scan')
  const words = await Promise.all(['120027', '120007', '120001', '120016'].map(async (id) => (await scan(`${id}/__co-list_cp.html`)).state))
  assert.deepEqual(words, ['AccessDenied', 'Invalid', 'Active', 'Empty'])
  const listed = await scan('120001/__co-list_cp.html')
  assert.equal(listed.rows[0]?.title, findEvent(120_001)?.title)
  assert.equal(matchesOf(listed, 'num_companies'), findEvent(120_001)?.companies.length)
  assert.equal((await scan('', '<body>', 200)).state, 'Empty')
  assert.equal((await scan('', 'gone', 410)).state, 'Invalid')
})

test('the nightly scrape reads companies and tickers under every header, and leaves out talks', async (t) => {
  const scrape = await pagesBy(t, 'MeetMax_Company_Scrape')
  const table = (headers: string[], ...rows: string[][]) =>
    `<table><tr>${headers.map((header) => `<th>${header}</th>`).join('')}</tr>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</table>`
  const companies = async (html: string) =>
    (await scrape('', html, 200)).rows.map(({ company_name: name, tickers, ticker_header: header }) => [name, tickers, header])
  for (const header of [
    'Company Name',
    'COMPANY/ORGANIZATION',
    'Company Description',
    'Company Description (Bio)',
    'Organization Description',
    'Description',
  ]) {
    assert.deepEqual(
      await companies(table(['No', header, 'Company Ticker'], ['1', 'Acme', 'ACM'])),
      [['Acme', 'ACM', 'Company Ticker']],
      header,
    )
  }
  assert.deepEqual(await companies(table(['Description', 'Ticker', 'Company Name'], ['makes anvils', 'ACM', 'Acme'])), [
    ['Acme', 'ACM', 'Ticker'],
  ])
  assert.deepEqual(await companies(table(['Who', 'Where'], ['Acme: anvils', 'Graz'], ['** KOL Dr. X', 'Graz'])), [
    ['Acme: anvils', null, null],
  ])
})

test('a page without companies is Empty only by its own words or by its header; anything else was not read', async (t) => {
  const scrape = await pagesBy(t, 'MeetMax_Company_Scrape')
  const read = async (html: string) => {
    const { state, rows } = await scrape('', html, 200)
    return [state, rows.length, rows[0]?.company_name]
  }
  assert.deepEqual(await read('<p>No companies found</p>'), ['Empty', 1, null])
  assert.deepEqual(await read('<table><tr><th>Company Name</th></tr></table>'), ['Empty', 1, null])
  assert.deepEqual((await read('<p>We have moved</p>'))[0], 'Unknown')
  assert.deepEqual((await read('<p>Access denied</p>'))[0], 'AccessDenied')
})

test('the clean-up rules of the nightly scrape hold at the load', async (t) => {
  const bench = await meetmaxBench(t)
  const [settings] = await bench.query<{ transform: string; default_value: string }>(
    `select transform, default_value from dba.scrapefield where config_name = 'MeetMax_Company_Scrape' and column_name = 'tickers'`,
  )
  await bench.query(
    `insert into dba.importcolumn (config_name, column_name, transform, default_value) values ('lists', 'tickers', $1, $2)`,
    [settings?.transform, settings?.default_value],
  )
  await bench.put(
    'lists/120001_20261102.ndjson',
    ['Private Company', 'a PRIVATE  one', 'BRK.B', null]
      .map(
        (tickers, index) =>
          `${JSON.stringify({ company_name: `C${index}`, tickers, ticker_header: 'Ticker', url: null, state: 'Active' })}\n`,
      )
      .join(''),
  )
  await bench.run({ config: 'lists' })
  assert.deepEqual(await bench.query('select tickers from meetmax.company order by company_name'), [
    { tickers: 'Private (No Ticker)' },
    { tickers: 'Private (No Ticker)' },
    { tickers: 'BRK.B' },
    { tickers: 'N/A' },
  ])
})

test('the old tables of checks and scans have their eight columns and words', async (t) => {
  const bench = await meetmaxBench(t)
  const base = 'https://www.meetmax.com/sched'
  await bench.configure({ config_name: 'checks', source_folder: 'checks', target_table: 'meetmax.urlcheck', load_mode: 'replace_dataset' })
  const page = (id: number, name: string, state: string, link: string | null, buttons: string) => ({
    url: `${base}/event_${id}/${name}`,
    state,
    status_code: '200',
    title: `T${id}`,
    download_link: link,
    export_buttons: buttons,
  })
  const rows = [
    page(1, '__co-list_cp.html', 'Private', null, '0'),
    page(1, '__private-co-list_cp.html', 'Downloadable', `${base}/event_1/__private-co-list_cp.xls?event_id=1`, '0'),
    page(2, '__co-list_cp.html', 'Downloadable', null, '1'),
    page(3, '__co-list_cp.html', 'Invalid', null, '0'),
  ]
  await bench.put('checks/a.ndjson', rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await bench.run({ config: 'checks' })
  const words = await bench.query<{ words: string }>(
    `select concat_ws(' ', eventid, replace(url, '${base}', ''), ifexists, invalideventid, isdownloadable, replace(downloadlink, '${base}', ''), statuscode, title) as words
     from meetmax.tmeetmaxurlcheck order by eventid`,
  )
  assert.deepEqual(
    words.map((row) => row.words),
    [
      '1 /event_1/__private-co-list_cp.html 1 False 1 /event_1/__private-co-list_cp.xls?event_id=1 200 T1',
      '2 /event_2/__co-list_cp.html 1 False 1 /event_2/__co-list_cp.xls?event_id=2 200 T2',
      '3 /event_3/__co-list_cp.html 0 True 0 200 T3',
    ],
  )
  assert.deepEqual(await bench.query('select event_id from meetmax.event_to_download order by 1'), [{ event_id: '1' }, { event_id: '2' }])
  await bench.scan('2026-11-02', { 4: 'Active', 5: 'Invalid' })
  assert.deepEqual(
    await bench.query(
      'select eventid, isactivewebpage, isinvalideventid, statuscode, title, pagestatus, numcompanies from meetmax.tmeetmaxurlscan order by 1',
    ),
    [
      {
        eventid: '4',
        isactivewebpage: 'True',
        isinvalideventid: 'False',
        statuscode: '200',
        title: 'Event 4',
        pagestatus: 'Active',
        numcompanies: '3',
      },
      {
        eventid: '5',
        isactivewebpage: 'False',
        isinvalideventid: 'True',
        statuscode: '200',
        title: 'Event 5',
        pagestatus: 'Invalid',
        numcompanies: '0',
      },
    ],
  )
})

/** Reads pages of the demo's site, or a text, by the rows of a config, as the job does. */
async function pagesBy(t: TestContext, config: string): Promise<(path: string, html?: string, status?: number) => Promise<PageReading>> {
  const rules = await rulesOf(await meetmaxBench(t), config)
  const site = await serveEventSite(0)
  t.after(() => site.close())
  return async (path, html, status = 200) => {
    if (html !== undefined) return readPage({ html, url: `${site.origin}/`, status }, rules)
    const answer = await fetch(`${site.origin}/sched/event_${path}`)
    return readPage({ html: await answer.text(), url: answer.url, status: answer.status }, rules)
  }
}

function matchesOf(reading: PageReading | undefined, name: string): number | undefined {
  return reading?.statistics.find((one) => one.name === name)?.matched
}

function pathOf(address: string): string {
  return address.replace(/^http:\/\/127[.]0[.]0[.]1:\d+/, '')
}
