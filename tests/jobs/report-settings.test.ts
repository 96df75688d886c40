import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../helpers/refusal.ts'
import { peopleOf } from '../helpers/rows.ts'
import { insert } from './report-harness.ts'

type Case = [row: Record<string, unknown>, message: RegExp, hint: RegExp]

test('a wrong row of dba.reportconfig is refused in words', async (t) => {
  const { dba } = await peopleOf(t)
  const least = { config_name: 'orders', subject: 'Orders', to_addresses: ['ann@example.com'] }
  await dba(
    `insert into dba.connection (connection_name, kind, host) values ('web', 'http', 'example.com'), ('post', 'smtp', 'mail.example.com')`,
  )
  const cases: Case[] = [
    [{ subject: 'a\nb' }, /subject is one line/, /one line/],
    [{ subject: null }, /subject/, /./],
    [{ sender: 'rota' }, /sender is an address/, /rota@example\.com/],
    [{ to_addresses: ['ann@example.com, bob@example.com'] }, /recipients are addresses/, /as an array/],
    [{ cc: ['x@example.com\nBcc: y@example.com'] }, /recipients are addresses/, /as an array/],
    [{ recipient_query: 'select 1' }, /a recipient query stands for to addresses/, /not both/],
    [{ connection_name: 'pots' }, /no connection "pots"/, /smtp, gmail or folder.*"post"/],
    [{ connection_name: 'web' }, /connection "web" is of kind http/, /smtp, gmail or folder/],
    [{ query_connection: 'post' }, /connection "post" is of kind smtp/, /kind postgres; null: this database/],
    [{ cron: '61 6 * * *' }, /minute 61 is out of range/, /0 to 59/],
    [{ cron: '@always' }, /a report cannot run @always/, /20 6 \* \* 1-5/],
    [{ time_zone: 'Europe/Warsow' }, /time zone "Europe\/Warsow" is not known/, /Europe\/Warsaw/],
    [{ fresh_schedules: ['nobody'] }, /fresh_schedules names no schedule "nobody"/, /./],
    [{ fresh_datasets: ['nothing'] }, /fresh_datasets names no datasource "nothing"/, /schema\.table/],
    [{ hold_until: '06:00' }, /freshness is that of something/, /fresh_datasets or fresh_schedules/],
    [{ when_stale: 'wait' }, /when stale is hold banner or note/, /hold, banner or note/],
    [{ allowed_domains: ['example.org'] }, /recipient "ann@example\.com" is outside allowed_domains/, /allowed_domains/],
    [{ allowed_domains: ['@Example.org'] }, /outside allowed_domains|allowed domains are domains/, /./],
    [{ max_rows_inline: -1 }, /max rows inline is between 0 and 10000/, /csv or xlsx/],
    [{ query_timeout: '0' }, /query timeout is between 1 second and 1 day/, /5 minutes/],
    [{ when_unknown: 'maybe' }, /when unknown is hold or resend or assume sent/, /assume_sent/],
  ]
  for (const [row, message, hint] of cases) {
    const said = await refusal(insert(dba, 'dba.reportconfig', { ...least, ...row }))
    assert.match(said.message, message, JSON.stringify(row))
    assert.match(said.hint, hint, JSON.stringify([row, said]))
  }
  assert.deepEqual(await dba('select from dba.reportconfig'), [])
})

test('wrong rows of dba.reportquery and dba.reportrecipient are refused in words', async (t) => {
  const { dba } = await peopleOf(t)
  await insert(dba, 'dba.reportconfig', {
    config_name: 'orders',
    subject: 'x',
    to_addresses: ['a@example.com'],
    allowed_domains: ['example.com'],
  })
  const query = { config_name: 'orders', query_name: 'a', query_text: 'select 1' }
  const recipient = { config_name: 'orders', address: 'b@example.com' }
  const cases: [table: string, ...Case][] = [
    ['dba.reportquery', { ...query, config_name: 'order' }, /no config "order" in dba\.reportconfig/, /orders/],
    ['dba.reportquery', { ...query, query_name: 'open orders' }, /query name is a plain name/, /open_orders/],
    ['dba.reportquery', { ...query, query_name: 'date' }, /query name is a plain name/, /Rota's own/],
    ['dba.reportquery', { ...query, query_text: ' ' }, /query text is not blank/, /SELECT/],
    ['dba.reportquery', { ...query, shown_as: 'chart' }, /shown as is known/, /line_chart/],
    ['dba.reportquery', { ...query, file_name: 'a.csv' }, /only a file has a file name/, /shown_as to csv/],
    ['dba.reportquery', { ...query, shown_as: 'csv', file_name: '../a.csv' }, /file name is a name/, /without folder/],
    ['dba.reportquery', { ...query, max_rows: 0 }, /max rows is positive/, /1 or more/],
    ['dba.reportquery', { ...query, shown_as: 'csv', change_keys: ['a'] }, /changes are those of a table/, /shown_as = 'table'/],
    ['dba.reportrecipient', { ...recipient, address: 'b' }, /address is a mail address/, /ann@example\.com/],
    [
      'dba.reportrecipient',
      { ...recipient, address: 'b@evil.org' },
      /recipient "b@evil\.org" is outside allowed_domains/,
      /Add the domain/,
    ],
    ['dba.reportrecipient', { ...recipient, kind: 'for' }, /kind is to cc or bcc/, /to, cc or bcc/],
  ]
  for (const [table, row, message, hint] of cases) {
    const said = await refusal(insert(dba, table, row))
    assert.match(said.message, message, JSON.stringify(row))
    assert.match(said.hint, hint, JSON.stringify([row, said]))
  }
})

test('the cron of a report is its row in dba.scheduler, which follows it and is changed only there', async (t) => {
  const { dba, worker } = await peopleOf(t)
  const schedules = () => dba(`select schedule_name, config_name, cron, time_zone, generated_by from dba.scheduler order by 1`)
  await insert(dba, 'dba.reportconfig', {
    config_name: 'orders',
    subject: 'x',
    to_addresses: ['a@example.com'],
    cron: '20 6 * * 1-5',
    time_zone: 'Europe/Warsaw',
    owner: 'desk',
  })
  const made = {
    schedule_name: 'orders',
    config_name: 'orders',
    cron: '20 6 * * 1-5',
    time_zone: 'Europe/Warsaw',
    generated_by: 'dba.reportconfig',
  }
  assert.deepEqual(await schedules(), [made])
  for (const change of [`cron = '0 7 * * *'`, `time_zone = 'UTC'`, `schedule_name = 'x'`, 'cron = null']) {
    const said = await refusal(dba(`update dba.scheduler set ${change}`))
    assert.deepEqual([said.message, said.hint], ['schedule "orders" is made by dba.reportconfig', 'Change it there: dba.reportconfig.'])
  }
  await dba(`update dba.scheduler set calendar = 'weekdays', run_after = null, max_attempts = 5`)
  await dba(`update dba.reportconfig set cron = '@daily', time_zone = 'UTC'`)
  assert.deepEqual(await dba('select cron, time_zone, calendar, max_attempts, next_fires is not null as fires from dba.scheduler'), [
    { cron: '@daily', time_zone: 'UTC', calendar: 'weekdays', max_attempts: 5, fires: true },
  ])
  await dba(`update dba.reportconfig set config_name = 'open orders'`)
  assert.deepEqual(await schedules(), [
    { ...made, schedule_name: 'open orders', config_name: 'open orders', cron: '@daily', time_zone: 'UTC' },
  ])
  await insert(dba, 'dba.scheduler', { schedule_name: 'taken', job: 'noop' })
  const taken = await refusal(dba(`update dba.reportconfig set config_name = 'taken'`))
  assert.match(taken.message, /the report's schedule would be called "taken", and there is another one of that name/)
  await dba(`delete from dba.scheduler where schedule_name = 'taken'`)
  await dba(`update dba.reportconfig set cron = null`)
  assert.deepEqual(await schedules(), [])
  await dba(`update dba.reportconfig set cron = '@weekly'`)
  const [schedule] = await dba(`select schedule_name from dba.scheduler`)
  assert.deepEqual(schedule, { schedule_name: 'open orders' })
  await dba(`select dba.request_preview('open orders')`)
  assert.equal((await schedules()).length, 2)
  await worker(`update dba.run set state = 'cancelled', finished_at = now()`)
  await dba(`delete from dba.reportconfig`)
  assert.deepEqual(await schedules(), [])
})

test('an operator previews, and has tests sent to recipients of the report only', async (t) => {
  const { dba, operator, reader } = await peopleOf(t)
  await insert(dba, 'dba.reportconfig', { config_name: 'orders', subject: 'x', to_addresses: ['a@example.com'] })
  await operator(`select dba.request_preview('orders')`)
  await operator(`select dba.request_preview('orders', '{a@example.com}')`)
  assert.deepEqual(await dba('select args from dba.run order by args::text'), [
    { args: { preview: true } },
    { args: { test_to: ['a@example.com'] } },
  ])
  const outside = await refusal(operator(`select dba.request_preview('orders', '{me@evil.org}')`))
  assert.match(outside.message, /an operator may not have the report sent to "me@evil\.org"/)
  assert.match((await refusal(reader(`select dba.request_preview('orders')`))).message, /may not ask for previews/)
  assert.match((await refusal(dba(`select dba.request_preview('orders', '{me}')`))).hint, /me@example\.com/)
  const unknown = await refusal(dba(`select dba.request_preview('order')`))
  assert.deepEqual([unknown.message, /orders/.test(unknown.hint)], ['no config "order" in dba.reportconfig', true])
  await dba(`select dba.request_preview('orders', '{me@elsewhere.example}')`)
})
