import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTable } from '../../systemscripts/read-table.ts'
import { allValues, temporaryFile } from '../systemscripts/test-files.ts'
import { insert, reportBench } from './report-harness.ts'

test('a report puts the answers of its queries where its text names them, and files beside it', async (t) => {
  const { report, run, mails } = await reportBench(t)
  await report(
    {
      subject: 'Orders {timestamp}',
      body_html: '<p>Good morning, {{count}} orders of {date}.</p>{{orders}}{{trend}}',
      time_zone: 'Europe/Warsaw',
      description: 'Open orders',
      owner: 'desk@example.com',
    },
    {
      count: { query_text: 'select count(*) from feeds.orders', shown_as: 'value' },
      orders: 'select * from feeds.orders order by 1',
      trend: { query_text: 'select ordered_on, amount from feeds.orders order by 1', shown_as: 'line_chart', title: 'Amounts' },
      sheet: { query_text: 'select * from feeds.orders order by 1', shown_as: 'xlsx', file_name: 'orders_{timestamp}.xlsx' },
      list: { query_text: 'select * from feeds.orders order by 1', shown_as: 'csv', file_name: 'list.csv' },
      raw: { query_text: 'select order_id, amount from feeds.orders order by 1', shown_as: 'json', file_name: 'raw.json' },
      print: { query_text: 'select * from feeds.orders', shown_as: 'pdf', file_name: 'print.pdf' },
    },
  )
  const end = await run()
  assert.deepEqual([end.state, end.note, end.error_message], ['succeeded', '1 mail sent to 1 recipient', null])
  const [mail] = await mails()
  assert.ok(mail)
  assert.deepEqual(
    [mail.defects, mail.to, mail.headers.to, mail.headers['auto-submitted']],
    [[], ['ann@example.com'], 'ann@example.com', 'auto-generated'],
  )
  const stamp = /^Orders (\d{8}T\d{6})$/.exec(mail.headers.subject ?? '')?.[1]
  assert.ok(stamp, mail.headers.subject)
  assert.deepEqual(
    mail.parts.map(({ type, disposition, fileName }) => [type, disposition, fileName]),
    [
      ['text/plain', null, null],
      ['text/html', null, null],
      ['image/png', 'inline', 'trend.png'],
      ['text/csv', 'attachment', 'list.csv'],
      ['application/pdf', 'attachment', 'print.pdf'],
      ['application/json', 'attachment', 'raw.json'],
      ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'attachment', `orders_${stamp}.xlsx`],
    ],
  )
  const [, , picture, list, print, raw, sheet] = mail.parts
  assert.match(mail.html, /<p>Good morning, 10 orders of \d{4}-\d\d-\d\d\.<\/p><table/)
  assert.ok(mail.html.includes(`src="cid:${picture?.contentId?.replace(/[<>]/g, '')}"`))
  assert.match(mail.text, /Good morning, 10 orders[\s\S]*order_id {2}customer[\s\S]*Line chart "Amounts"/)
  for (const body of [mail.html.replaceAll('&quot;', '"'), mail.text]) {
    assert.match(
      body,
      /Report "orders": Open orders[\s\S]*Owner: desk@example\.com\. Sent on request\.[\s\S]*Queries asked \d{4}-\d\d-\d\d \d\d:\d\d Europe\/Warsaw\. Run [0-9a-f-]{36}\./,
    )
  }
  assert.deepEqual(picture?.content.subarray(1, 4).toString(), 'PNG')
  assert.match(list?.content.toString() ?? '', /order_id,customer,amount,ordered_on\r\n1,Customer 1,1\.5,2026-11-02\r\n/)
  assert.equal(print?.content.subarray(0, 5).toString(), '%PDF-')
  assert.deepEqual(JSON.parse(raw?.content.toString() ?? '')[9], { order_id: 10, amount: 15 })
  const table = await readTable(await temporaryFile(t, 'orders.xlsx', sheet?.content ?? Buffer.alloc(0)))
  assert.deepEqual((await allValues(table)).at(-1), ['10', 'Customer 10', '15', '2026-11-11'])
})

test('without a template the queries stand one below the other, and people of dba.reportrecipient get it too', async (t) => {
  const { report, run, mails, dba } = await reportBench(t)
  await report(
    { cc: ['"Bob, B" <bob@example.com>'] },
    {
      open_orders: 'select 1 as a',
      bars: { query_text: `select 'x' as x, 2 as n`, shown_as: 'bar_chart' },
      spark: { query_text: `select 1, 2`, shown_as: 'sparkline' },
    },
  )
  await insert(dba, 'dba.reportrecipient', { config_name: 'orders', address: 'carl@example.com', kind: 'bcc' })
  await insert(dba, 'dba.reportrecipient', { config_name: 'orders', address: 'gone@example.com', is_active: false })
  assert.equal((await run()).note, '1 mail sent to 3 recipients')
  const [mail] = await mails()
  assert.deepEqual(mail?.to.toSorted(), ['ann@example.com', 'bob@example.com', 'carl@example.com'])
  assert.deepEqual([mail?.headers.cc, mail?.raw.includes('carl@')], ['"Bob, B" <bob@example.com>', false])
  assert.match(mail?.html ?? '', /cid:bars[\s\S]*<h3[^>]*>open orders<\/h3>[\s\S]*<table[\s\S]*<h3[^>]*>spark<\/h3>[\s\S]*cid:spark/)
})

test('one mail per row of a recipient query, its columns in subject, text, file names and queries', async (t) => {
  const { report, run, mails } = await reportBench(t)
  await report(
    {
      recipient_query: `select 'p' || n || '@example.com' as address, n as least, 'Team ' || n as team from generate_series(1, 3) n`,
      subject: 'For {team}',
      body_html: '<p>Dear {team}</p>{{own}}{{all}}',
    },
    {
      own: { query_text: 'select order_id from feeds.orders where order_id >= :least::int + 7 order by 1' },
      all: { query_text: 'select count(*), min(:as_of) as at from feeds.orders', shown_as: 'table' },
      file: { query_text: 'select :least::int as n', shown_as: 'csv', file_name: '{team}.csv' },
    },
  )
  const end = await run()
  assert.deepEqual([end.state, end.note], ['succeeded', '3 mails sent to 3 recipients'], JSON.stringify(end))
  const came = await mails()
  assert.deepEqual(
    came.map(({ to, headers, parts, text }) => [
      to[0],
      headers.to,
      headers.subject,
      parts.at(-1)?.fileName,
      parts.at(-1)?.content.toString().trim().split('\r\n')[1],
      /Dear (.*)/.exec(text)?.[1],
    ]),
    [1, 2, 3].map((n) => [`p${n}@example.com`, `p${n}@example.com`, `For Team ${n}`, `Team ${n}.csv`, String(n), `Team ${n}`]),
  )
  assert.match(came[2]?.text ?? '', /order_id\n-+\n {6}10\n\n/)
  assert.doesNotMatch(came[2]?.text ?? '', /\n {7}9\n/)
})

test('a burst of a thousand mails reaches each once', { timeout: 120_000 }, async (t) => {
  const { report, run, server, dba } = await reportBench(t)
  await report(
    {
      recipient_query: `select 'p' || n || '@example.com' as address, n from generate_series(1, 1000) n`,
      subject: 'For {n}',
      body_html: '{{own}}',
    },
    { own: 'select :n as n' },
  )
  const end = await run()
  assert.deepEqual([end.state, end.note], ['succeeded', '1,000 mails sent to 1000 recipients'], JSON.stringify(end))
  assert.equal(new Set(server.mails.map(({ to }) => to.join())).size, 1000)
  assert.equal(server.mails.length, 1000)
  assert.deepEqual(await dba(`select state, count(*) from dba.outbox group by 1`), [{ state: 'sent', count: 1000 }])
})

test('the folder outbox takes a report that names no connection, and its run says so', async (t) => {
  const { report, run, database } = await reportBench(t)
  await report({ connection_name: null, sender: null }, { a: 'select 1 as one' })
  assert.equal((await run()).state, 'succeeded')
  assert.match((await readdir(join(database.dataDir, 'outbox'))).join(), /Orders.*\.eml$/)
  assert.deepEqual(await readdir(join(database.dataDir, 'outgoing')), [])
})

test('a chart, table or file of many rows says that it is cut', async (t) => {
  const { report, run, mails } = await reportBench(t)
  await report(
    { max_rows_inline: 5 },
    {
      orders: 'select n from generate_series(1, 1000000) n',
      sheet: { query_text: 'select n from generate_series(1, 48211) n', shown_as: 'csv', max_rows: 10_000, file_name: 'n.csv' },
    },
  )
  const end = await run()
  assert.equal(end.state, 'succeeded', JSON.stringify(end))
  const [mail] = await mails()
  for (const body of [mail?.html ?? '', mail?.text ?? '']) {
    assert.match(body, /first 5 of 1,000,000 rows/)
    assert.match(body, /n\.csv: first 10,000 of 48,211 rows/)
  }
  assert.equal(mail?.parts.at(-1)?.content.toString().trim().split('\r\n').length, 10_001)
})
