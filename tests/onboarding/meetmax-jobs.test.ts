import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { allEvents, findEvent } from '../../onboarding/demo/site/events.ts'
import { serveEventSite } from '../../onboarding/demo/site/serve.ts'
import { createSecrets, openSecretKey } from '../../src/control-plane/secrets.ts'
import { createRedactor } from '../../systemscripts/redact.ts'
import { findBrowser } from '../../systemscripts/web/browser/find-browser.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'
import { eventually, testKey, workerOn } from '../helpers/engine.ts'
import { openSite } from '../jobs/scrape-site.ts'
import { meetmaxFiles, readMeetmaxSql } from './meetmax-bench.ts'

const noBrowser = await findBrowser().then(
  () => false,
  (error: Error) => error.message,
)
const events = allEvents()
const listed = events.filter(({ companies }) => companies.length > 0)
const known = (kind: string) => events.filter((event) => event.kind === kind).map(({ id }) => String(id))

test('the jobs of MeetMax go from check to download to import, and from scan to companies to changes', async (t) => {
  const database = await siteAndWorker(t)
  const { query } = database

  await scrape(database, 'MeetMax_URL_Check')
  const check = await query<{ eventid: string; url: string; ifexists: string; isdownloadable: string; downloadlink: string | null }>(
    'select eventid, url, ifexists, isdownloadable, downloadlink from meetmax.tmeetmaxurlcheck order by eventid',
  )
  assert.deepEqual([check.length, check.filter((row) => row.ifexists === '1').length], [44, events.length - known('denied').length])
  assert.deepEqual(
    check.filter((row) => row.url.includes('private')).map((row) => row.eventid),
    known('private'),
  )
  assert.deepEqual(
    check.filter((row) => row.isdownloadable === '1').map((row) => Number(row.eventid)),
    listed.map(({ id }) => id),
  )
  assert.ok(check.every(({ downloadlink: link }) => link === null || /co-list_cp[.]xls[?]event_id=\d+$/.test(link)))

  await scrape(database, 'MeetMax_Download')
  await query(`update dba.scheduler set is_active = true where schedule_name = 'MeetMax import'`)
  await run(database, `insert into dba.run (schedule_name) values ('MeetMax import') returning run_id`)
  assert.deepEqual(
    await query(
      `select count(distinct label)::integer as events from dba.dataset where datasettype = 'MeetMaxEvents' and state = 'active'`,
    ),
    [{ events: listed.length }],
  )

  await scrape(database, 'MeetMax_URL_Scan')
  const states = await query('select pagestatus, count(*)::integer as pages from meetmax.tmeetmaxurlscan group by 1 order by 1')
  assert.deepEqual(states, [
    { pagestatus: 'AccessDenied', pages: 1 },
    { pagestatus: 'Active', pages: listed.length - known('private').length },
    { pagestatus: 'Empty', pages: known('empty').length + known('private').length },
    { pagestatus: 'Invalid', pages: 4 },
  ])

  await scrape(database, 'MeetMax_Company_Scrape')
  const [seen] = await query(
    `select count(distinct event_id)::integer as events, count(*) filter (where company_name like '%KOL%' or company_name like '%:%')::integer as uncleaned,
       count(*) filter (where ticker ilike '%private%' and ticker <> 'Private (No Ticker)')::integer as unworded
     from meetmax.company_seen where datasettype = 'MeetMaxEventData'`,
  )
  assert.deepEqual(seen, { events: listed.length - known('private').length, uncleaned: 0, unworded: 0 })
  const [first] = await query('select distinct scenario from meetmax.f_get_event_changes((select max(fulldate) from meetmax.event_load))')
  assert.deepEqual(first, { scenario: 'added' })
})

test('a list that did not change is fetched and confirmed day by day, and a list that comes back is compared with the one before', async (t) => {
  let companies = ['Acme', 'Beta']
  const listOf = () =>
    `<html><body><table><tr><th>Company Name</th></tr>${companies.map((name) => `<tr><td>${name}</td></tr>`).join('')}</table></body></html>`
  const site = await openSite(t, (_, response, path) =>
    path.includes('.xls')
      ? response.end(listOf())
      : response.end('<title>Forum</title><a href="__co-list_cp.xls?event_id=120001">list</a>'),
  )
  const database = await siteAndWorker(t, site.origin)
  const { query } = database
  await query(`update dba.scrapeconfig set ids_from = 'list', ids_spec = '120001' where config_name = 'MeetMax_Download'`)
  await query(`update dba.scheduler set is_active = true where schedule_name = 'MeetMax import'`)
  /** All that happened until now moves to the day before, and the list is fetched anew. */
  const nextDay = async (): Promise<unknown[]> => {
    await database.pool.query(`update dba.dataset set dataset_date = dataset_date - 1 where datasettype = 'MeetMaxEvents'`)
    await database.pool.query(
      `update dba.file set file_name = to_char(left(file_name, 8)::date - 1, 'YYYYMMDD') || substr(file_name, 9) where file_name ~ '^\\d{8}T'`,
    )
    await fetchList()
    const changes = await query<{ said: string }>(
      `select concat_ws(' ', scenario, company_name) as said from meetmax.f_get_event_changes((clock_timestamp() at time zone 'UTC')::date)`,
    )
    return changes.map(({ said }) => said)
  }
  const fetchList = async (): Promise<void> => {
    await scrape(database, 'MeetMax_Download')
    await run(database, `insert into dba.run (schedule_name) values ('MeetMax import') returning run_id`)
  }
  await fetchList()
  assert.deepEqual(await nextDay(), [], 'fetched and unchanged')
  assert.deepEqual(await query(`select state from dba.file order by file_id`), [{ state: 'loaded' }, { state: 'duplicate' }])
  companies = ['Acme']
  assert.deepEqual(await nextDay(), ['removed Beta'])
  companies = ['Acme', 'Beta']
  await fetchList()
  assert.deepEqual(await nextDay(), [], 'Beta came back the same evening, and is there today')
  companies = ['Beta']
  assert.deepEqual(await nextDay(), ['removed Acme'])
  await query(
    `update dba.scrapeconfig set file_url = null, file_selector = 'a.none', low_band_percent = null where config_name = 'MeetMax_Download'`,
  )
  assert.deepEqual(await nextDay(), ['not fetched'])
})

test('the export clicks the button or the link in a browser, and its file is a list like any other', { skip: noBrowser }, async (t) => {
  const database = await siteAndWorker(t)
  const { query } = database
  await query(
    `update dba.scrapeconfig set ids_from = 'list', ids_spec = '120001, 120007, 120014, 120016' where config_name = 'MeetMax_Export'`,
  )
  await scrape(database, 'MeetMax_Export')
  await query(`update dba.scheduler set is_active = true where schedule_name = 'MeetMax import'`)
  await run(database, `insert into dba.run (schedule_name) values ('MeetMax import') returning run_id`)
  assert.deepEqual(await query('select event_id, count(*)::integer as companies from meetmax.company_seen group by 1 order by 1'), [
    { event_id: '120001', companies: findEvent(120_001)?.companies.length },
    { event_id: '120014', companies: findEvent(120_014)?.companies.length },
  ])
})

/** The site of the demo in place of the real one, and a worker. */
async function siteAndWorker(t: TestContext, origin?: string): Promise<TestDatabase> {
  const database = await freshDatabase(t)
  const dba = await database.as('rota_dba')
  for (const name of meetmaxFiles) await dba.query(await readMeetmaxSql(name))
  const site = origin === undefined ? await serveEventSite(0) : { origin, close: async () => {} }
  t.after(() => site.close())
  await dba.query(`insert into dba.scrapehost (host, min_gap, parallel) values ('127.0.0.1', '0', 8)`)
  await dba.query(
    `update dba.scrapeconfig
     set start_url = replace(start_url, 'https://www.meetmax.com', $1), file_url = replace(file_url, 'https://www.meetmax.com', $1), allow_private_hosts = true`,
    [site.origin],
  )
  await dba.query(
    `update dba.scrapeconfig set ids_from = 'range', ids_spec = '120001..120044' where config_name in ('MeetMax_URL_Check', 'MeetMax_URL_Scan')`,
  )
  const key = await openSecretKey({ secretKey: testKey, dataDir: database.dataDir })
  const secrets = createSecrets({ db: database.pool, key, redactor: createRedactor(), dataDir: database.dataDir })
  await secrets.set('login.rota_job', new URL(database.urlAs('rota_job')).password)
  await mkdir(join(database.dataDir, 'inbox/meetmax/events'), { recursive: true })
  await workerOn(t, database)
  return database
}

async function scrape(database: TestDatabase, config: string): Promise<void> {
  await run(database, `select dba.request_scrape('${config}') as run_id`)
}

async function run({ query }: TestDatabase, request: string): Promise<void> {
  const [made] = await query<{ run_id: string }>(request)
  const [ended] = await eventually(() =>
    query<{ state: string; said: string }>(
      `select state, concat_ws(' ', error_code, error_message, error_detail) as said from dba.run where run_id = $1 and state in ('succeeded', 'failed', 'cancelled')`,
      [made?.run_id],
    ),
  )
  assert.deepEqual(ended, { state: 'succeeded', said: '' }, request)
}
