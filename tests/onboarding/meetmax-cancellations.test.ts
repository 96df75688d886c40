import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meetmaxBench } from './meetmax-bench.ts'

test('tickers are split where lists separate them, and nowhere else', async (t) => {
  const { query } = await meetmaxBench(t)
  const expected: Record<string, string[]> = {
    'BRK.B': ['BRK.B'],
    'BRK/B': ['BRK/B'],
    'Private (No Ticker)': ['Private (No Ticker)'],
    'private company': ['Private (No Ticker)'],
    'N/A': ['N/A'],
    'ABC, DEF; GHI': ['ABC', 'DEF', 'GHI'],
    'ABC/DEF': ['ABC', 'DEF'],
    'NYSE: ABC / TSX: DEF': ['ABC', 'DEF'],
    '(NASDAQ: abc)': ['ABC'],
    'ABC US': ['ABC'],
    '7203 JP Equity': ['7203'],
    'VOD LN & VOD.L': ['VOD', 'VOD.L'],
    'ABC DEF': ['ABC', 'DEF'],
    '005930.KS': ['005930.KS'],
    ' , ': [],
  }
  const texts = Object.keys(expected)
  const rows = await query<{ text: string; tickers: string[] }>(
    `select text, array(select ticker from meetmax.f_split_tickers(text) order by 1) as tickers from unnest($1::text[]) as text`,
    [texts],
  )
  assert.deepEqual(Object.fromEntries(rows.map(({ text, tickers }) => [text, tickers])), expected)
})

test('daily cancellations are stored once however often they are asked for, and corrected when a list comes late', async (t) => {
  const { list, scan, query, as } = await meetmaxBench(t)
  const job = await as('rota_job')
  const stored = () =>
    query(`select event_name, company_name, ticker, min_date::text, max_date::text from meetmax.dailycancellation order by company_name`)
  const store = (day: string) => job.query(`call meetmax.p_insert_daily_cancellations('${day}')`)
  await scan('2026-11-01', { 120001: ['Active', 'Small Cap Meeting'] })
  await list('120001', '2026-11-02', [
    ['Acme', 'ACM'],
    ['Beta', 'BET'],
    ['Gamma', 'GAM'],
  ])
  await store('2026-11-03')
  assert.deepEqual(await stored(), [], 'what was not fetched is not cancelled')
  await list('120001', '2026-11-03', [['Acme', 'ACM']])
  await store('2026-11-03')
  await store('2026-11-03')
  const beta = { event_name: 'Small Cap Meeting', company_name: 'Beta', ticker: 'BET', min_date: '2026-11-02', max_date: '2026-11-02' }
  assert.deepEqual(await stored(), [beta, { ...beta, company_name: 'Gamma', ticker: 'GAM' }])
  await list('120001', '2026-11-03', [
    ['Acme', 'ACM'],
    ['Gamma', 'GAM'],
  ])
  await store('2026-11-03')
  assert.deepEqual(await stored(), [beta])
})

test('two calls at the same time store a cancellation once', async (t) => {
  const { list, query, as } = await meetmaxBench(t)
  await list('120001', '2026-11-02', ['Acme', 'Beta'])
  await list('120001', '2026-11-03', ['Acme'])
  const jobs = [await as('rota_job'), await as('rota_job')]
  await Promise.all(jobs.map((job) => job.query(`call meetmax.p_insert_daily_cancellations('2026-11-03')`)))
  assert.deepEqual(await query('select company_name from meetmax.dailycancellation'), [{ company_name: 'Beta' }])
})

test('the history joins all three sources, one ticker a row, without what is excepted, newest first', async (t) => {
  const { list, query, as, put, run } = await meetmaxBench(t)
  await list('120001', '2026-11-02', [
    ['Acme', 'ACM'],
    ['Berk', 'BRK.B'],
    ['Quill', 'Private (No Ticker)'],
    ['Nil', 'N/A'],
  ])
  await list('120001', '2026-11-03', [['Acme', 'ACM']])
  const dba = await as('rota_dba')
  await dba.query(`call meetmax.p_insert_daily_cancellations('2026-11-03')`)
  await dba.query(
    `insert into meetmax.historicalcancellation (source, company_name, ticker, event_name, cancellation_date, status)
     values ('MeetMax', 'Old', 'OLD; OLDB', 'Forum', '2025-03-01', 'Cancelled'), ('MeetMax', 'Hidden', 'HID', 'Secret Forum', '2025-03-02', 'Cancelled')`,
  )
  await dba.query(`insert into meetmax.tickerexception (tickername) values ('n/a')`)
  await dba.query(`insert into meetmax.conferenceexception (conferencename) values ('SECRET FORUM')`)
  await assert.rejects(dba.query(`insert into meetmax.tickerexception (tickername) values ('N/A ')`), {
    constraint: 'a_ticker_is_excepted_once',
  })
  await put(
    'inbox/dealogic/cancels.csv',
    'ticker,name,conference_title,start_date,end_date,location,hosting_bank,status\nDLG US,Dealog,Energy Days,2026-12-01,2026-12-02,Graz,Bank,Cancelled\n',
    new Date('2026-11-05T12:00:00Z'),
  )
  await run({ config: 'DealogicCancels', args: { settle: '0 seconds' } })
  assert.deepEqual(
    await query('select source, ticker, event_name, cancellation_date::text as day from meetmax.f_historical_cancellations()'),
    [
      { source: 'Dealogic', ticker: 'DLG', event_name: 'Energy Days', day: '2026-11-05' },
      { source: 'MeetMax', ticker: 'BRK.B', event_name: null, day: '2026-11-03' },
      { source: 'MeetMax', ticker: 'Private (No Ticker)', event_name: null, day: '2026-11-03' },
      { source: 'MeetMax', ticker: 'OLD', event_name: 'Forum', day: '2025-03-01' },
      { source: 'MeetMax', ticker: 'OLDB', event_name: 'Forum', day: '2025-03-01' },
    ],
  )
})

test('ticker removals are those of more than one event, and the unlisted are not one company', async (t) => {
  const { list, scan, query } = await meetmaxBench(t)
  await scan('2026-11-01', { 120001: ['Active', 'One'], 120002: ['Active', 'Two'] })
  for (const id of ['120001', '120002'])
    await list(id, '2026-11-02', [
      ['Acme', 'ACM'],
      [`Beta ${id}`, 'Private (No Ticker)'],
      [`Nil ${id}`, 'N/A'],
      [`Solo ${id}`, `S${id}`],
    ])
  await list('120001', '2026-11-03', [])
  await list('120002', '2026-11-10', [])
  for (const day of ['2026-11-03', '2026-11-10']) await query(`call meetmax.p_insert_daily_cancellations('${day}')`)
  const removals = (day: string, offset: number) =>
    query(
      `select ticker, event_id, event_name, cancellation_date::text as day, url like '%event_' || event_id || '/%' as has_url, event_count::integer
       from meetmax.f_get_ticker_removals('${day}', ${offset})`,
    )
  assert.deepEqual(await removals('2026-11-10', 31), [
    { ticker: 'ACM', event_id: '120002', event_name: 'Two', day: '2026-11-10', has_url: true, event_count: 2 },
    { ticker: 'ACM', event_id: '120001', event_name: 'One', day: '2026-11-03', has_url: true, event_count: 2 },
  ])
  assert.deepEqual(await removals('2026-11-09', 31), [])
  assert.deepEqual(await removals('2026-11-10', 5), [])
})
