import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../helpers/engine.ts'
import { insert, reportBench } from './report-harness.ts'

test('a query that writes, hangs, breaks or brings too much sends nothing, and the run says which and why', async (t) => {
  const { report, run, server, dba } = await reportBench(t)
  await dba('create table feeds.big as select 1 as a')
  await report({ query_timeout: '1 second', max_bytes: 100_000 }, { good: 'select 1 as a', own: 'select 1 as a' })
  const cases: [string, string, string, RegExp, RegExp][] = [
    ['select pg_sleep(60)', 'table', 'report_query_failed', /Query "own": .*(timeout|too long|cancel)/i, /raise query_timeout/],
    ['insert into feeds.orders values (99)', 'table', 'report_query_failed', /Query "own": (syntax error|permission denied)/, /./],
    ['with x as (delete from feeds.orders returning 1) select * from x', 'table', 'report_query_failed', /Query "own": /, /./],
    [
      `select set_config('transaction_read_only', 'off', false), nextval('dba.outbox_outbox_id_seq')`,
      'table',
      'report_query_failed',
      /Query "own": /,
      /./,
    ],
    ['select * from dba.secret', 'table', 'report_query_failed', /Query "own": permission denied/, /./],
    ['select 1 / 0', 'value', 'report_query_failed', /Query "own": division by zero/, /./],
    ['select no_such from feeds.orders', 'csv', 'report_query_failed', /Query "own": column "no_such" does not exist/, /./],
    ['select 1; select 2', 'table', 'report_query_failed', /Query "own": /, /./],
    [`select repeat('x', 200000000)`, 'table', 'report_query_failed', /Query "own": /, /./],
    [
      `select repeat(md5(n::text), 100) from generate_series(1, 5000) n`,
      'table',
      'report_query_failed',
      /Query "own": /,
      /max_rows|max_bytes/,
    ],
    [`select md5(n::text) from generate_series(1, 50000) n`, 'csv', 'report_query_failed', /Query "own": .*own/, /fewer/],
    ['select order_id from feeds.orders', 'value', 'report_query_failed', /does not answer one single value/, /show it as table/],
    [`select 'a', 'b'`, 'line_chart', 'report_query_failed', /Query "own": /, /./],
  ]
  await dba(`update dba.scheduler set max_attempts = 1`)
  for (const [text, shown, code, message, hint] of cases) {
    await dba(`update dba.reportquery set query_text = $1, shown_as = $2 where query_name = 'own'`, [text, shown])
    const end = await run()
    assert.deepEqual([text, end.state, end.error_code], [text, 'failed', code], JSON.stringify(end))
    assert.match(end.error_message ?? '', message)
    assert.match(end.error_hint ?? '', hint)
  }
  assert.deepEqual(server.mails, [])
  assert.deepEqual(await dba(`select count(*) from dba.outbox`), [{ count: 0 }])
  assert.deepEqual(await dba(`select count(*) from feeds.orders`), [{ count: 10 }])
  await eventually(
    () => dba(`select from pg_stat_activity where datname = current_database() and application_name like 'rota report%'`),
    (left) => left.length === 0,
  )
})

test('markup, formulas, blobs and controls from the data do no harm where they are shown', async (t) => {
  const { report, run, mails, dba } = await reportBench(t)
  await dba(`create table feeds.evil (id int, note text, raw bytea)`)
  await dba(
    `insert into feeds.evil values (1, '<script>alert(1)</script>{{sheet}}{date}', repeat('a', 5000)::bytea), (2, '=cmd|''/c calc''!A1', null), (3, '+1', null), (4, '@SUM(1)', null), (5, E'a\\r\\nBcc: x@evil.org', null)`,
  )
  const query = 'select id, note, raw from feeds.evil order by id'
  await report(
    {
      recipient_query: `select 'ann@example.com' as address, note from feeds.evil where id = 1`,
      body_html: '<style>p {color: red}</style><p>{note}</p>{{evil}}',
    },
    { evil: query, sheet: { query_text: query, shown_as: 'xlsx' }, list: { query_text: query, shown_as: 'csv', file_name: '{note}.csv' } },
  )
  const end = await run()
  assert.equal(end.state, 'succeeded', JSON.stringify(end))
  const [mail] = await mails()
  assert.doesNotMatch(mail?.html ?? '', /<script>/)
  assert.match(mail?.html ?? '', /<p>&lt;script&gt;alert\(1\)&lt;\/script&gt;\{\{sheet\}\}\{date\}<\/p>/)
  assert.deepEqual([mail?.headers.bcc, mail?.defects], [undefined, []])
  const list = mail?.parts.find(({ type }) => type === 'text/csv')
  assert.match(list?.fileName ?? '', /^_script_alert\(1\)__script_/)
  assert.match(list?.content.toString() ?? '', /\r\n2,'=cmd\|'\/c calc'!A1,|\r\n2,"'=cmd/)
  assert.match(list?.content.toString() ?? '', /\r\n3,'\+1,\r\n4,'@SUM\(1\),/)
})

test('data cannot add headers or recipients', async (t) => {
  const { report, run, mails, server, dba } = await reportBench(t)
  await report(
    { recipient_query: `select 'ann@example.com' as address, E'Hi\\r\\nBcc: x@evil.org' as team`, subject: 'For {team}' },
    { a: 'select 1 as a' },
  )
  assert.equal((await run()).state, 'succeeded')
  const [mail] = await mails()
  assert.deepEqual([mail?.headers.subject, mail?.headers.bcc, mail?.to], ['For Hi Bcc: x@evil.org', undefined, ['ann@example.com']])
  for (const [recipients, code] of [
    [`select E'ann@example.com\\r\\nBcc: x@evil.org' as address`, 'header_injection'],
    [`select 'no address' as address`, 'address_invalid'],
    [`select 'x' as other`, 'recipient_query_invalid'],
    [`select null::text as address`, 'recipient_query_invalid'],
    [`select 'a@b.example' as address from generate_series(1, 2)`, 'recipient_query_invalid'],
    ['select 1 / 0 as address', 'report_query_failed'],
  ] as const) {
    await dba('update dba.reportconfig set recipient_query = $1, subject = $2', [recipients, 'x'])
    const end = await run()
    assert.deepEqual([recipients, end.error_code], [recipients, code], JSON.stringify(end))
  }
  assert.equal(server.mails.length, 1)
})

test('recipients outside allowed_domains get nothing, and neither does anybody else', async (t) => {
  const { report, run, server } = await reportBench(t)
  await report(
    { recipient_query: `select x as address from unnest('{ann@example.com,eve@evil.org}'::text[]) x`, allowed_domains: ['example.com'] },
    { a: 'select 1 as a' },
  )
  const end = await run()
  assert.deepEqual([end.error_code, end.error_message], ['recipient_not_allowed', 'Report "orders" may not go to "eve@evil.org"'])
  assert.deepEqual(server.mails, [])
})

test('a place that nothing fills fails the render', async (t) => {
  const { report, run, server, dba } = await reportBench(t)
  await report({ body_html: '<p>{{orders}} {{gone}}</p>' }, { orders: 'select 1 as a' })
  for (const [column, text, place] of [
    ['body_html', '<p>{{orders}} {{gone}}</p>', '{{gone}}'],
    ['body_html', '{{orders}} {who}', '{who}'],
    ['subject', 'Orders of {team}', '{team}'],
    ['body_text', 'As text {{other}}', '{{other}}'],
  ] as const) {
    await dba(`update dba.reportconfig set body_html = null, body_text = null, subject = 'x'`)
    await dba(`update dba.reportconfig set ${column} = $1`, [text])
    const end = await run()
    assert.deepEqual(
      [end.error_code, end.error_message],
      ['place_not_filled', `${column} of the report has a place ${place} that nothing fills`],
    )
  }
  assert.deepEqual(server.mails, [])
})

test('what a worker finds at a report before it runs stands at its schedule', async (t) => {
  const { report, dba } = await reportBench(t)
  await report({ body_html: '{{orders}}' }, { orders: 'select nothing from feeds.orders' })
  const state = () =>
    dba<{ config_state: string; config_message: string }>(
      `select config_state, config_message from dba.scheduler where config_state <> 'unchecked'`,
    )
  const [wrong] = await eventually(state)
  assert.equal(wrong?.config_state, 'invalid')
  assert.match(wrong?.config_message ?? '', /Query "orders": column "nothing" does not exist/)
  await dba(`update dba.reportquery set query_text = 'select order_id from feeds.orders'`)
  const [fine] = await eventually(state, ([row]) => row?.config_state === 'ok')
  assert.equal(fine?.config_message, 'Postgres understands 1 query; goes to 1 recipient')
  await insert(dba, 'dba.reportquery', { config_name: 'orders', query_name: 'second', query_text: 'select 1' })
  await eventually(state, ([row]) => row?.config_message === 'Postgres understands 2 queries; goes to 1 recipient')
})
