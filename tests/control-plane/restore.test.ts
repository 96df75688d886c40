import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../helpers/refusal.ts'
import { one, type People, peopleOf } from '../helpers/rows.ts'

test('every change of a row that people write is recorded with who, when, before and after', async (t) => {
  const { dba, operator, reader } = await houseOf(t)
  await dba(`update dba.scheduler set priority = 5 where schedule_name = 'a'`)
  await operator(`select dba.pause('b', null, 'move')`)
  await dba(`delete from dba.scheduler where schedule_name = 'b'`)
  const entries = await reader(
    `select changed_by, row_key, before ->> 'priority' as before, after ->> 'priority' as after, version, before is null as is_insert, after is null as is_delete
      from dba.configaudit where table_name = 'scheduler' order by audit_id`,
  )
  assert.deepEqual(entries, [
    { changed_by: 'rota_dba', row_key: 'a', before: null, after: '0', version: 1, is_insert: true, is_delete: false },
    { changed_by: 'rota_dba', row_key: 'b', before: null, after: '0', version: 1, is_insert: true, is_delete: false },
    { changed_by: 'rota_dba', row_key: 'a', before: '0', after: '5', version: 2, is_insert: false, is_delete: false },
    { changed_by: 'rota_operator', row_key: 'b', before: '0', after: '0', version: 2, is_insert: false, is_delete: false },
    { changed_by: 'rota_dba', row_key: 'b', before: '0', after: null, version: 2, is_insert: false, is_delete: true },
  ])
})

test('answers that the system writes leave no trace in the audit and count no version', async (t) => {
  const { worker, reader } = await houseOf(t)
  const before = await one(reader, `select count(*)::int as value from dba.configaudit`)
  await worker(`update dba.scheduler set config_state = 'ok', config_message = 'fine', explained = 'daily', next_fire_at = now()`)
  assert.equal(await one(reader, `select count(*)::int as value from dba.configaudit`), before)
  assert.equal(await one(reader, `select max(version) as value from dba.scheduler`), 1)
})

test('a bulk UPDATE is undone by its transaction', async (t) => {
  const { dba } = await houseOf(t)
  const before = await dba(`select schedule_name, cron, lane, args from dba.scheduler order by 1`)
  await dba(`update dba.scheduler set cron = '0 0 * * *', lane = 'plant', args = '{"seconds": 9}'`)
  const transaction = await one(dba, `select max(transaction_id) as value from dba.configaudit where table_name = 'scheduler'`)
  const answers = await dba<{ restore: string }>(`select dba.restore(audit_id) from dba.configaudit where transaction_id = $1`, [
    transaction,
  ])
  assert.equal(answers.length, 2)
  assert.match(answers[0]?.restore ?? '', /^scheduler ".*": as before change \d+$/)
  assert.deepEqual(await dba(`select schedule_name, cron, lane, args from dba.scheduler order by 1`), before)
  assert.equal(await one(dba, `select min(version) as value from dba.scheduler`), 3)
})

test('a deleted schedule comes back under its name, with its own number and fresh answers', async (t) => {
  const { dba, worker } = await houseOf(t)
  const [former] = await dba(`select schedule_id, cron, args, priority from dba.scheduler where schedule_name = 'a'`)
  await dba(`delete from dba.scheduler where schedule_name = 'a'`)
  const answer = await one(dba, `select dba.restore(max(audit_id)) as value from dba.configaudit where row_key = 'a'`)
  assert.match(answer, /^scheduler "a": inserted again/)
  assert.deepEqual(await dba(`select schedule_id, cron, args, priority from dba.scheduler where schedule_name = 'a'`), [former])
  assert.equal(await one(dba, `select cardinality(next_fires) as value from dba.scheduler where schedule_name = 'a'`), 5)
  assert.equal(await one(worker, `select count(*)::int as value from dba.plan`), 2)
  await dba(`insert into dba.scheduler (schedule_name, job) values ('later', 'noop')`)
})

test('an inserted row is taken out again, a rename is undone, and a restore can be restored', async (t) => {
  const { dba } = await houseOf(t)
  const last = `select max(audit_id) as value from dba.configaudit`
  await dba(`update dba.scheduler set schedule_name = 'renamed' where schedule_name = 'a'`)
  const rename = await one(dba, last)
  await dba(`select dba.restore($1)`, [rename])
  assert.deepEqual(await names(dba), ['a', 'b'])
  await dba(`select dba.restore($1)`, [await one(dba, last)])
  assert.deepEqual(await names(dba), ['b', 'renamed'])

  await dba(`insert into dba.scheduler (schedule_name, job) values ('new', 'noop')`)
  const insertion = await one(dba, last)
  assert.equal(await one(dba, `select dba.restore($1) as value`, [insertion]), 'scheduler "new": deleted again')
  assert.equal(await one(dba, `select dba.restore($1) as value`, [insertion]), 'scheduler "new": was gone already')
})

test('settings, lanes, calendars, connections and configs come back as well', async (t) => {
  const { dba } = await houseOf(t)
  for (const [change, look, expected] of [
    [
      `update dba.setting set value = '1 day' where name = 'retention_run'`,
      `select value from dba.setting where name = 'retention_run'`,
      '400 days',
    ],
    [
      `update dba.lane set description = 'x' where lane = 'plant'`,
      `select description as value from dba.lane where lane = 'plant'`,
      'Plant A',
    ],
    [`delete from dba.calendarday`, `select note as value from dba.calendarday`, 'Founders Day'],
    [`delete from dba.connection`, `select host as value from dba.connection`, 'mail.example'],
    [`update dba.importconfig set header_row = 3`, `select coalesce(header_row, -1) as value from dba.importconfig`, -1],
    [`delete from dba.importconfig`, `select config_name as value from dba.jobconfig where job = 'import'`, 'prices'],
  ] as const) {
    await dba(change)
    await dba(`select dba.restore(max(audit_id)) from dba.configaudit`)
    assert.equal(await one(dba, look), expected, change)
  }
})

test('a restore is held to rights and rules like any other write', async (t) => {
  const { dba, operator, reader } = await houseOf(t)
  await dba(`insert into dba.lane (lane) values ('gone')`)
  await dba(`update dba.scheduler set lane = 'gone' where schedule_name = 'a'`)
  await dba(`update dba.scheduler set lane = 'default' where schedule_name = 'a'`)
  const audit = await one(dba, `select max(audit_id) as value from dba.configaudit where table_name = 'scheduler'`)
  assert.equal((await refusal(reader(`select dba.restore($1)`, [audit]))).code, '42501')
  assert.equal((await refusal(operator(`select dba.restore($1)`, [audit]))).code, '42501')
  await dba(`delete from dba.lane where lane = 'gone'`)
  assert.equal((await refusal(dba(`select dba.restore($1)`, [audit]))).message, 'no lane "gone"')
  const unknown = await refusal(dba(`select dba.restore(0)`))
  assert.equal(unknown.message, 'no change 0 in dba.configaudit')
  assert.match(unknown.hint, /select \* from dba\.configaudit/)
})

async function names(query: People['dba']): Promise<string[]> {
  return (await query<{ schedule_name: string }>(`select schedule_name from dba.scheduler order by 1`)).map((row) => row.schedule_name)
}

async function houseOf(t: Parameters<typeof peopleOf>[0]): Promise<People> {
  const people = await peopleOf(t)
  const { dba } = people
  await dba(`insert into dba.scheduler (schedule_name, job, cron, args) values ('a', 'noop', '0 6 * * *', '{"seconds": 1}')`)
  await dba(`insert into dba.scheduler (schedule_name, job) values ('b', 'noop')`)
  await dba(`insert into dba.lane (lane, description) values ('plant', 'Plant A')`)
  await dba(`insert into dba.calendarday (calendar, day, note) values ('weekdays', '2015-03-04', 'Founders Day')`)
  await dba(`insert into dba.connection (connection_name, kind, host) values ('mail', 'smtp', 'mail.example')`)
  await dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'inbox/prices', '*.xlsx', 'feeds.price')`,
  )
  return people
}
