import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meetmaxBench, meetmaxFiles, readMeetmaxSql } from './meetmax-bench.ts'

test('the files may be typed again by rota_dba, and all that they made is commented', async (t) => {
  const bench = await meetmaxBench(t)
  const dba = await bench.as('rota_dba')
  for (const name of meetmaxFiles) await dba.query(await readMeetmaxSql(name))
  assert.deepEqual(await bench.query('select count(*)::integer as schedules, bool_or(is_active) as any_active from dba.scheduler'), [
    { schedules: 12, any_active: false },
  ])
  const bare = await bench.query(
    `select relname as name from pg_class c where relnamespace = 'meetmax'::regnamespace and relkind in ('r', 'v') and obj_description(oid, 'pg_class') is null
     union all
     select format('%s.%s', relname, attname) from pg_attribute join pg_class c on c.oid = attrelid
     where relnamespace = 'meetmax'::regnamespace and relkind = 'r' and attnum > 0 and col_description(attrelid, attnum) is null
     union all
     select conname from pg_constraint where connamespace = 'meetmax'::regnamespace and contype in ('c', 'u') and obj_description(oid, 'pg_constraint') is null
     union all
     select proname from pg_proc where pronamespace = 'meetmax'::regnamespace and obj_description(oid, 'pg_proc') is null`,
  )
  assert.deepEqual(bare, [])
})

test('an event that was not fetched says so, and none of its companies is removed', async (t) => {
  const { list, changes } = await meetmaxBench(t)
  await list('120001', '2026-11-02', [
    ['Acme', 'ACM'],
    ['Beta', 'BET'],
  ])
  await list('120002', '2026-11-02', [['Gamma', 'GAM']])
  await list('120002', '2026-11-03', [['Delta', 'DEL']])
  assert.deepEqual(await changes('2026-11-03'), ['120002 removed Gamma GAM', '120002 added Delta DEL', '120001 not fetched'])
})

test('when nothing at all was imported, nothing is removed', async (t) => {
  const { list, changes } = await meetmaxBench(t)
  await list('120001', '2026-11-02', ['Acme', 'Beta'])
  await list('120002', '2026-11-02', ['Gamma'])
  assert.deepEqual(await changes('2026-11-03'), ['120001 not fetched', '120002 not fetched'])
})

test('a list is compared with the last one that was read well, however long ago', async (t) => {
  const { list, changes } = await meetmaxBench(t)
  await list('120001', '2026-09-01', ['Acme', 'Beta'])
  await list('120001', '2026-11-03', ['Acme', 'Delta'])
  assert.deepEqual(await changes('2026-11-03'), ['120001 removed Beta N/A', '120001 added Delta N/A'])
})

test('a failed load and one in quarantine leave the event not fetched until somebody releases it', async (t) => {
  const { list, changes, query, as } = await meetmaxBench(t)
  await list('120001', '2026-11-02', ['Acme', 'Beta', 'Gamma'])
  await query(
    `insert into dba.importcheck (config_name, check_name, kind, low, severity) values ('lists', 'enough', 'min_rows', 2, 'quarantine')`,
  )
  await list('120001', '2026-11-03', ['Acme'])
  await query(`update dba.importcheck set severity = 'fail'`)
  await assert.rejects(list('120001', '2026-11-03', ['Beta']))
  assert.deepEqual(await query(`select state from dba.dataset where dataset_date = '2026-11-03' order by dataset_id`), [
    { state: 'quarantined' },
    { state: 'failed' },
  ])
  assert.deepEqual(await changes('2026-11-03'), ['120001 not fetched'])
  const dba = await as('rota_dba')
  await dba.query(`update dba.dataset set state = 'active' where state = 'quarantined'`)
  assert.deepEqual(await changes('2026-11-03'), ['120001 removed Beta N/A', '120001 removed Gamma N/A'])
})

test('a list that is empty by its page’s own words removes its companies', async (t) => {
  const { list, changes } = await meetmaxBench(t)
  await list('120001', '2026-11-02', ['Acme'])
  await list('120001', '2026-11-03', [])
  assert.deepEqual(await changes('2026-11-03'), ['120001 removed Acme N/A'])
})

test('a file without rows counts only where the last scan found the page Empty', async (t) => {
  const bench = await meetmaxBench(t)
  const sheet = (id: string, day: string, text: string) => bench.put(`inbox/meetmax/events/${day}T050000_MeetMax_${id}.xls`, text)
  const html = (rows: string) => `<html><body><table><tr><th>Company Name</th><th>Ticker</th></tr>${rows}</table></body></html>`
  for (const id of ['120001', '120002', '120003'])
    await sheet(id, '20261102', html('<tr><td>Acme</td><td>ACM</td></tr><tr><td>Beta</td><td>BET</td></tr>'))
  await bench.scan('2026-11-03', { 120001: 'Empty', 120002: 'Active', 120003: 'Empty' })
  for (const id of ['120001', '120002']) await sheet(id, '20261103', html(''))
  await sheet(
    '120003',
    '20261103',
    '<html><body><table><tr><td>Invalid Event ID: 120003</td></tr><tr><td>x</td></tr></table></body></html>',
  )
  await bench.run({ config: 'MeetMax_Events_XLS_Import', args: { settle: '0 seconds' } })
  assert.deepEqual(await bench.query(`select file_name, state from dba.file where state = 'duplicate' order by 1`), [
    { file_name: '20261102T050000_MeetMax_120002.xls', state: 'duplicate' },
    { file_name: '20261102T050000_MeetMax_120003.xls', state: 'duplicate' },
    { file_name: '20261103T050000_MeetMax_120002.xls', state: 'duplicate' },
  ])
  assert.deepEqual(await bench.changes('2026-11-03'), [
    '120001 removed Acme ACM',
    '120003 removed Acme ACM',
    '120001 removed Beta BET',
    '120003 removed Beta BET',
    '120002 not fetched',
  ])
})

test('a file that is the same as yesterday’s, byte for byte, is today’s list all the same', async (t) => {
  const bench = await meetmaxBench(t)
  const html = '<html><body><table><tr><th>Company Name</th></tr><tr><td>Acme</td></tr><tr><td>Beta</td></tr></table></body></html>'
  for (const day of ['20261102', '20261103', '20261104']) {
    const text = day === '20261104' ? html.replace('<tr><td>Beta</td></tr>', '') : html
    await bench.put(`inbox/meetmax/events/${day}T050000_MeetMax_120001.xls`, text)
    await bench.run({ config: 'MeetMax_Events_XLS_Import', args: { settle: '0 seconds' } })
  }
  assert.deepEqual(await bench.query('select fulldate::text from meetmax.event_load order by 1'), [
    { fulldate: '2026-11-02' },
    { fulldate: '2026-11-03' },
    { fulldate: '2026-11-04' },
  ])
  assert.deepEqual(await bench.changes('2026-11-03'), [])
  assert.deepEqual(await bench.query(`select company_name, mindate::text, maxdate::text from meetmax.f_get_event_changes('2026-11-04')`), [
    { company_name: 'Beta', mindate: '2026-11-02', maxdate: '2026-11-03' },
  ])
})

test('answers about a past day stay as they were when later lists and scans come', async (t) => {
  const { list, scan, changes, query } = await meetmaxBench(t)
  await scan('2026-10-31', { 120001: ['Active', 'Old title'] })
  await list('120001', '2026-11-02', ['Acme', 'Beta'])
  await list('120001', '2026-11-03', ['Acme'])
  const before = await changes('2026-11-03')
  await list('120001', '2026-11-04', ['Gamma'])
  await scan('2026-11-07', { 120001: ['Invalid', 'New title'] })
  assert.deepEqual(await changes('2026-11-03'), before)
  assert.deepEqual(before, ['120001 removed Beta N/A'])
  assert.deepEqual(await query(`select title from meetmax.f_page_state('120001', '2026-11-03')`), [{ title: 'Old title' }])
  assert.deepEqual(await changes('2026-11-04'), ['120001 removed Acme N/A', '120001 removed-previously Beta N/A', '120001 added Gamma N/A'])
  assert.deepEqual(await changes('2026-11-08'), [], 'an event that is invalid by now is over')
})

test('a second list of the same day takes the place of the first, and one that is deleted no longer counts', async (t) => {
  const { list, changes, as } = await meetmaxBench(t)
  await list('120001', '2026-11-02', ['Acme', 'Beta'])
  await list('120001', '2026-11-03', ['Acme'])
  await list('120001', '2026-11-03', ['Acme', 'Beta', 'Gamma'])
  assert.deepEqual(await changes('2026-11-03'), ['120001 added Gamma N/A'])
  const dba = await as('rota_dba')
  await dba.query(`update dba.dataset set state = 'deleted' where state = 'active' and dataset_date = '2026-11-03'`)
  assert.deepEqual(await changes('2026-11-03'), ['120001 not fetched'])
})

test('a company is the same by its name or by its ticker; other spellings are no change', async (t) => {
  const { list, changes } = await meetmaxBench(t)
  await list('120001', '2026-11-02', [
    ['Acme  Inc', 'ACM'],
    ['Beta', 'N/A'],
    ['Gamma', 'gam'],
    ['Quill Foods', 'Private (No Ticker)'],
    ['Onda', 'Private (No Ticker)'],
  ])
  await list('120001', '2026-11-03', [
    ['ACME Inc', 'ACM US'],
    ['Beta', 'BET'],
    ['Gamma Holdings', 'GAM'],
    ['Onda', 'Private (No Ticker)'],
  ])
  assert.deepEqual(await changes('2026-11-03'), ['120001 removed Quill Foods Private (No Ticker)'])
})

test('without a header of tickers a name ends at its first colon', async (t) => {
  const { list, query } = await meetmaxBench(t)
  await list('120001', '2026-11-02', ['Acme: makes anvils'], { ticker_header: null })
  await list('120002', '2026-11-02', [['Beta: the company', 'BET']])
  assert.deepEqual(await query('select event_id, company_name, ticker from meetmax.company_seen order by 1'), [
    { event_id: '120001', company_name: 'Acme', ticker: 'N/A' },
    { event_id: '120002', company_name: 'Beta: the company', ticker: 'BET' },
  ])
})

test('conferences of the exception list are neither scraped nor reported', async (t) => {
  const { list, scan, changes, query, as } = await meetmaxBench(t)
  await scan('2026-11-01', { 120001: ['Active', 'Private Dinner'], 120002: 'Active', 120003: 'Invalid' })
  await list('120001', '2026-11-02', ['Acme'])
  await list('120002', '2026-11-02', ['Beta'])
  const dba = await as('rota_dba')
  await dba.query(`insert into meetmax.conferenceexception (conferencename) values (' private dinner')`)
  await assert.rejects(dba.query(`insert into meetmax.conferenceexception (conferencename) values ('PRIVATE DINNER')`), {
    constraint: 'a_conference_is_excepted_once',
  })
  assert.deepEqual(await query('select event_id from meetmax.event_to_scrape'), [{ event_id: '120002' }])
  assert.deepEqual(await changes('2026-11-02'), ['120002 added Beta N/A'])
})

test('reports and statements may ask the views although they cannot read the books of datasets', async (t) => {
  const { list, as } = await meetmaxBench(t)
  await list('120001', '2026-11-02', ['Acme'])
  for (const role of ['rota_query', 'rota_job', 'rota_reader']) {
    const session = await as(role)
    assert.equal((await session.query(`select * from meetmax.f_get_event_changes('2026-11-02')`)).length, 1, role)
  }
  const job = await as('rota_job')
  assert.ok((await job.query('select event_id from meetmax.id_to_scan')).length >= 30_000)
})

test('the difference between two days takes the lists that were known on each', async (t) => {
  const { list, query } = await meetmaxBench(t)
  await list('120001', '2026-11-02', ['Acme', 'Beta'])
  await list('120002', '2026-11-02', ['Gamma'])
  await list('120001', '2026-11-05', ['Acme', 'Delta'])
  assert.deepEqual(await query(`select event_id, company_name, change from meetmax.f_get_ticker_diff('2026-11-03', '2026-11-06')`), [
    { event_id: '120001', company_name: 'Delta', change: 'Added' },
    { event_id: '120001', company_name: 'Beta', change: 'Removed' },
  ])
})
