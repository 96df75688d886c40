import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../helpers/engine.ts'
import { type ReportBench, reportBench } from './report-harness.ts'

test('nothing goes out when the queries have no rows, a threshold is not met, or nothing changed', async (t) => {
  const { report, run, mails, dba } = await reportBench(t)
  await dba('create table feeds.late (order_id int, amount numeric)')
  await report(
    { skip_if_empty: true, only_if_changed: true, threshold_query: 'select count(*) < 4 from feeds.late' },
    { late: 'select * from feeds.late order by 1', count: { query_text: 'select count(*) from feeds.late', shown_as: 'value' } },
  )
  const noted = async () => (await run()).note
  assert.equal(await noted(), 'Not sent: its queries have no rows')
  await dba('insert into feeds.late values (1, 5)')
  assert.equal(await noted(), '1 mail sent to 1 recipient')
  assert.equal(await noted(), 'Not sent: nothing changed since the last mail')
  await dba('update feeds.late set amount = 6')
  assert.equal(await noted(), '1 mail sent to 1 recipient')
  await dba('insert into feeds.late values (2, 5), (3, 5), (4, 5)')
  assert.equal(await noted(), 'Not sent: threshold_query does not say true')
  assert.equal((await mails()).length, 2)
})

test('what nobody got counts as not told: the next mail says it again', async (t) => {
  const { report, run, mails, server } = await reportBench(t)
  await report({ only_if_changed: true }, { orders: 'select * from feeds.orders' })
  server.refusals.set('ann@example.com', { code: 550, text: 'no such user' })
  assert.equal((await run()).error_code, 'mail_not_delivered')
  server.refusals.clear()
  assert.equal((await run()).note, '1 mail sent to 1 recipient')
  assert.equal((await run()).note, 'Not sent: nothing changed since the last mail')
  assert.equal((await mails()).length, 1)
})

test('what changed since the last mail stands below the table, by its keys', async (t) => {
  const { report, run, mails, dba } = await reportBench(t)
  await report({}, { orders: { query_text: 'select order_id, amount from feeds.orders order by 1', change_keys: ['order_id'] } })
  await run()
  await dba(
    `update feeds.orders set amount = 99 where order_id = 3; delete from feeds.orders where order_id = 4; insert into feeds.orders values (11, '<b>', 7, null)`,
  )
  const end = await run()
  assert.equal(end.state, 'succeeded', JSON.stringify(end))
  await run()
  const [first, second, third] = (await mails()).map(({ text, html }) => ({ text, html }))
  assert.match(first?.text ?? '', /This is the first mail, so there is nothing to compare with/)
  assert.match(second?.text ?? '', /Since the mail of 20\d\d-\d\d-\d\d \d\d:\d\d UTC: 1 added, 1 removed, 1 changed\./)
  assert.match(second?.text ?? '', /\n\nSince the mail[\s\S]*added +11 +7\nremoved +4 +6\.0\nchanged +3 +4\.5 → 99\n\n/)
  assert.match(second?.html ?? '', /4\.5 → 99/)
  assert.match(third?.text ?? '', /Nothing changed since the mail of/)
})

const stale = { fresh_datasets: ['prices'] }

async function withPrices(bench: ReportBench, settings: Record<string, unknown>): Promise<void> {
  await bench.database.query(`insert into dba.datasource (datasource) values ('prices')`)
  await bench.report({ ...stale, ...settings }, { orders: 'select 1 as a' })
}

async function load(bench: ReportBench, state: string, age = '0', table: string | null = null): Promise<void> {
  await bench.database.query(
    `insert into dba.dataset (datasource, datasettype, label, dataset_date, state, target_table, created_at, valid_from)
     select 'prices', 'file', 'x' || random(), current_date, $1, $3, clock_timestamp() - $2::interval, clock_timestamp() - $2::interval`,
    [state, age, table],
  )
}

test('stale data: the run fails and names it, and no client reads why', async (t) => {
  const bench = await reportBench(t)
  await withPrices(bench, {})
  const end = await bench.run()
  assert.deepEqual([end.state, end.error_code, end.error_detail], ['failed', 'data_not_fresh', 'there is no data "prices".'])
  await load(bench, 'quarantined')
  assert.match((await bench.run()).error_detail ?? '', /data "prices" is quarantined \(dataset \d+\)/)
  await load(bench, 'active')
  assert.equal((await bench.run()).state, 'succeeded')
  assert.equal((await bench.mails()).length, 1)
})

test('stale data, by choice: a red banner that says how old it is, or a short note', async (t) => {
  const bench = await reportBench(t)
  await bench.dba(
    `insert into dba.scheduler (schedule_name, job, max_attempts, args) values ('upstream', 'noop', 1, '{"fail": "secret words of an error"}')`,
  )
  await withPrices(bench, { when_stale: 'banner', fresh_within: '1 hour', show_findings: true, fresh_schedules: ['upstream'] })
  await load(bench, 'active', '3 days')
  await load(bench, 'failed')
  assert.equal((await bench.run()).state, 'succeeded')
  const [late] = await bench.mails()
  assert.match(late?.headers.subject ?? '', /^\[data not fresh\] Orders$/)
  assert.match(late?.html ?? '', /background:#b91c1c[^>]*>Data as of \d{4}-\d\d-\d\d \d\d:\d\d UTC\. Not up to date: prices, upstream\.</)
  assert.match(late?.text ?? '', /Quality findings of the day\n- dataset \d+ of "prices" \(x[0-9.]+\) is failed: its rows are missing/)
  await bench.run({}, 'upstream')
  await bench.dba(`update dba.reportconfig set when_stale = 'note'`)
  await bench.run()
  const [note] = await bench.mails()
  assert.deepEqual(
    [note?.headers.subject, note?.text.split('\n').slice(0, 2)],
    ['[delayed] Orders', ['This report is delayed, since its data is not complete yet.', 'Not up to date: prices, upstream.']],
  )
  assert.doesNotMatch(note?.raw.toString() ?? '', /secret words/)
})

test('a fire is held until its data has come, and goes then', async (t) => {
  const bench = await reportBench(t)
  await withPrices(bench, { hold_until: '23:59:59', cron: '0 0 1 1 *' })
  await bench.database.pool.query(`insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time)
    select schedule_id, schedule_name, job, config_name, 'cron', 'now', clock_timestamp(), clock_timestamp(), 'now' from dba.scheduler where schedule_name = 'orders'`)
  const held = await eventually(() =>
    bench.dba<{ run_id: string; reason: string }>(`select run_id, reason from dba.run where fire_key = 'now' and state = 'waiting'`),
  )
  assert.match(held[0]?.reason ?? '', /there is no data "prices"; held until \w{3} \d{4}-\d\d-\d\d 23:59:59 UTC/)
  await load(bench, 'active')
  assert.equal((await bench.ended(held[0]?.run_id ?? '')).state, 'succeeded')
})
