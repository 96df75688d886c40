import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reportBench } from './report-harness.ts'

test('a report puts the answers of its queries where its text names them, and files beside it', async (t) => {
  const { report, run, mails, dba } = await reportBench(t)
  await report(
    { subject: 'Orders {timestamp}', body_html: '<p>Good morning, {{count}} orders of {date}.</p>{{orders}}{{trend}}', time_zone: 'Europe/Warsaw' },
    {
      count: { query_text: 'select count(*) from feeds.orders', shown_as: 'value' },
      orders: 'select * from feeds.orders order by 1',
      trend: { query_text: 'select ordered_on, amount from feeds.orders order by 1', shown_as: 'line_chart', title: 'Amounts' },
      sheet: { query_text: 'select * from feeds.orders', shown_as: 'xlsx', file_name: 'orders_{timestamp}.xlsx' },
      list: { query_text: 'select * from feeds.orders', shown_as: 'csv' },
      raw: { query_text: 'select * from feeds.orders', shown_as: 'json' },
      print: { query_text: 'select * from feeds.orders', shown_as: 'pdf' },
    },
  )
  const end = await run()
  assert.deepEqual([end.state, end.note], ['succeeded', '1 mail sent to 1 recipient'], JSON.stringify(end))
  const [mail] = await mails()
  assert.ok(mail)
  console.log(mail.headers, mail.text, mail.parts.map(({ content, ...p }) => ({ ...p, size: content.length })), mail.defects)
  console.log(mail.html)
  console.log(await dba('select * from dba.report_use'), await dba('select * from dba.reportsource'))
})
