import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Query } from '../helpers/database.ts'
import { refusal } from '../helpers/refusal.ts'
import { addRun, one, type People, peopleOf, plan } from '../helpers/rows.ts'

/** What stands in one column of an INSERT into dba.scheduler, and what the person who typed it reads. */
const wrongValues: [columns: Record<string, unknown>, message: RegExp, hint: RegExp][] = [
  [{ cron: '61 * * * *' }, /^cron "61 \* \* \* \*": minute 61 is out of range 0-59$/, /./],
  [{ cron: '* * * *' }, /4 fields given, 5 or 6 needed/, /minute hour day/],
  [{ cron: '0 0 30 2 *' }, /never fires/, /./],
  [{ cron: '@every 0s' }, /@every/, /./],
  [{ cron: '' }, /cron/, /./],
  [{ time_zone: 'Europe/Warsow' }, /^time zone "Europe\/Warsow" is not known$/, /^Did you mean "Europe\/Warsaw"\? /],
  [{ time_zone: 'EST5EDT6' }, /^time zone "EST5EDT6" is not known$/, /Write an IANA name/],
  [{ time_zone: null }, /^column "time_zone" of dba\.scheduler must not be empty$/, /IANA name/],
  [{ on_file: 'inbox/[a.xlsx' }, /^glob "inbox\/\[a\.xlsx": "\[" is not closed$/, /Use \* for any characters/],
  [{ on_file: '../secret/*' }, /climbs out with "\.\."/, /absolute path/],
  [{ on_file: '  ' }, /a glob must have 1 to 1000 characters/, /inbox/],
  [{ on_notify: 'No Channel' }, /^dba\.scheduler: on notify is a channel name$/, /lower case letters/],
  [{ on_notify: 'rota_x' }, /^dba\.scheduler: on notify is a channel name$/, /Rota's own/],
  [{ calendar: 'weekday' }, /^no calendar "weekday"$/, /^Did you mean "weekdays"\? /],
  [{ lane: 'plnt_a' }, /^no lane "plnt_a"$/, /Insert it into dba\.lane first\. /],
  [{ job: 'nope' }, /^no job "nope"$/, /There is: .*"noop"/],
  [{ job: 'noop', config_name: 'x' }, /^job "noop" has no settings table, so it takes no config$/, /args/],
  [{ job: 'import' }, /^job "import" needs a config$/, /dba\.importconfig/],
  [
    { job: 'import', config_name: 'price' },
    /^job "import" has no config "price"$/,
    /Insert it into dba\.importconfig first\. Did you mean "prices"\?/,
  ],
  [{ args: { secnods: 1 } }, /^job "noop" takes no args key "secnods"$/, /Did you mean "seconds"\?/],
  [{ args: [1] }, /^dba\.scheduler: args is an object$/, /JSON object/],
  [{ job: 'import', config_name: 'prices', args: { header_row: 0 } }, /^args override dba\.importconfig: header row counts from 1$/, /./],
  [{ job: 'import', config_name: 'prices', args: { headr_row: 3 } }, /takes no args key "headr_row"/, /Did you mean "header_row"\?/],
  [{ run_after: ['a', 'nope'] }, /^run_after names no schedule "nope"$/, /There is: /],
  [{ run_after: [] }, /^dba\.scheduler: run after names at least one schedule$/, /null when it waits for none/],
  [{ run_after: ['new'] }, /^run_after of "new" goes in a circle$/, /Take one of these out/],
  [{ schedule_name: ' ' }, /schedule name is not blank/, /1 to 200 characters/],
  [{ schedule_name: null }, /^column "schedule_name" of dba\.scheduler must not be empty$/, /unique/],
  [{ overlap: 'never' }, /overlap is skip queue cancel or allow/, /Write skip, queue, cancel or allow\./],
  [{ dst_gap: 'first' }, /dst.gap/, /shift or skip/i],
  [{ dst_fold: 'shift' }, /dst.fold/, /first.*last.*both/i],
  [{ on_holiday: 'no' }, /on holiday is skip run previous or next/, /skip, run, previous or next/],
  [{ catch_up: 'some' }, /catch up is last skip or all/, /last, skip or all/],
  [{ max_late: '-1 day' }, /max late is not negative/, /interval/],
  [{ max_catch_up: 1001 }, /max catch up is between 0 and 1000/, /./],
  [{ max_attempts: 0 }, /max attempts is between 1 and 100/, /1 for no retry/],
  [{ retry_delay: '2 days' }, /retry delay is between 0 and a day/, /at most 1 day/],
  [{ retry_backoff: 0.5 }, /retry backoff is between 1 and 10/, /1 for equal waits/],
  [{ timeout: '24 hours' }, /timeout is between a second and a day/, /@always/],
  [{ timeout: '0' }, /timeout is between a second and a day/, /1 second/],
  [{ alert_on: ['failed', 'always'] }, /alert on holds known words/, /recovered/],
  [{ resource: '' }, /resource is not blank/, /leave it null/],
]

test('a wrong value is refused at the write, with what is wrong and what would be right', async (t) => {
  const { dba } = await houseOf(t)
  for (const [columns, message, hint] of wrongValues) {
    const refused = await refusal(insert(dba, columns))
    const what = `${JSON.stringify(columns)}: ${refused.message} / ${refused.hint}`
    assert.match(refused.message, message, what)
    assert.match(refused.hint, hint, what)
  }
  assert.equal(await one(dba, `select count(*)::int as value from dba.scheduler`), 2)
})

test('an UPDATE is held to the same rules as an INSERT', async (t) => {
  const { dba } = await houseOf(t)
  for (const [columns, message, hint] of wrongValues) {
    if ('job' in columns || 'run_after' in columns) continue
    const [[column, value] = ['', null]] = Object.entries(columns)
    const refused = await refusal(dba(`update dba.scheduler set ${column} = $1 where schedule_name = 'b'`, [typed(column, value)]))
    assert.match(refused.message, message, column)
    assert.match(refused.hint, hint, column)
  }
})

test('the INSERT itself answers with the next fires in local time', async (t) => {
  const { dba } = await houseOf(t)
  const [answer] = await dba<{ next_fires: string[]; config_state: string; is_next: boolean }>(
    `insert into dba.scheduler (schedule_name, job, cron, time_zone) values ('new', 'noop', '20 6 * * MON', 'Europe/Warsaw')
      returning next_fires, config_state, next_fire_at = dba.cron_next(cron, time_zone) as is_next`,
  )
  assert.equal(answer?.next_fires.length, 5)
  for (const fire of answer?.next_fires ?? []) assert.match(fire, /^Mon \d{4}-\d\d-\d\d 06:20 Europe\/Warsaw$/)
  assert.deepEqual({ state: answer?.config_state, isNext: answer?.is_next }, { state: 'unchecked', isNext: true })
})

test('a circle of run_after is refused with its path, also when two people each write one half of it', async (t) => {
  const { dba, database } = await houseOf(t)
  await dba(`update dba.scheduler set run_after = '{a}' where schedule_name = 'b'`)
  const refused = await refusal(dba(`update dba.scheduler set run_after = '{b}' where schedule_name = 'a'`))
  assert.equal(refused.message, 'run_after of "a" goes in a circle')
  assert.equal(refused.detail, 'a → b → a (each waits for the next)')

  await dba(`update dba.scheduler set run_after = null`)
  const [first, second] = [await database.as('rota_dba'), await database.as('rota_dba')]
  await first.query('begin')
  await second.query('begin')
  await first.query(`update dba.scheduler set run_after = '{a}' where schedule_name = 'b'`)
  // The second one waits for the first, then sees what it wrote.
  const late = refusal(second.query(`update dba.scheduler set run_after = '{b}' where schedule_name = 'a'`))
  await first.query('commit')
  assert.equal((await late).message, 'run_after of "a" goes in a circle')
  await second.query('rollback')
})

test('what the system keeps cannot be changed by people, and says so', async (t) => {
  const { dba } = await houseOf(t)
  for (const assignment of [
    'next_fire_at = now()',
    `next_fires = '{}'`,
    `explained = 'x'`,
    `config_state = 'ok'`,
    `config_message = 'x'`,
    `paused_by = 'x'`,
    `generated_by = 'x'`,
    'created_at = now()',
    `created_by = 'x'`,
    `updated_at = '2020-01-01'`,
    `updated_by = 'x'`,
    'version = 7',
  ]) {
    const refused = await refusal(dba(`update dba.scheduler set ${assignment} where schedule_name = 'a'`))
    assert.match(refused.message, /^column ".*" of dba\.scheduler is kept by Rota$/, assignment)
    assert.match(refused.hint, /Leave that column out/)
    assert.equal(refused.code, '42501')
  }
})

test('a duplicated row, every column copied, becomes a fresh schedule of its own', async (t) => {
  const { dba, worker } = await houseOf(t)
  await worker(
    `update dba.scheduler set explained = 'every day', config_state = 'ok', config_message = 'fine', generated_by = 'report "x"', version = 9, created_by = 'old', next_fires = '{x}' where schedule_name = 'a'`,
  )
  // As DBeaver sends it: all columns but the identity, with the values of the row.
  const columns = await one(
    dba,
    `select string_agg(quote_ident(attname), ', ' order by attnum) as value from pg_attribute
      where attrelid = 'dba.scheduler'::regclass and attnum > 0 and not attisdropped and attidentity = ''`,
  )
  await dba(
    `insert into dba.scheduler (${columns}) select ${columns.replace('schedule_name', `'a copy'`).replace(/\b(created_at|updated_at)\b/g, `'2020-01-01'`)} from dba.scheduler where schedule_name = 'a'`,
  )
  const [copy] = await dba(
    `select explained, config_state, config_message, generated_by, version, created_by, updated_by, created_at > now() - interval '1 minute' as is_new, next_fires <> '{x}' as has_own_fires, args
      from dba.scheduler where schedule_name = 'a copy'`,
  )
  assert.deepEqual(copy, {
    explained: null,
    config_state: 'unchecked',
    config_message: null,
    generated_by: null,
    version: 1,
    created_by: 'rota_dba',
    updated_by: 'rota_dba',
    is_new: true,
    has_own_fires: true,
    args: { seconds: 1 },
  })
})

test('a renamed schedule takes along every name that refers to it', async (t) => {
  const { dba, worker } = await houseOf(t)
  await plan(worker)
  const old = await addRun(worker, 'a', '2015-03-02 05:20Z', 'succeeded')
  await dba(`update dba.scheduler set run_after = '{a}' where schedule_name = 'b'`)
  await dba(`update dba.scheduler set schedule_name = 'renamed' where schedule_name = 'a'`)
  assert.deepEqual(await dba(`select run_after from dba.scheduler where schedule_name = 'b'`), [{ run_after: ['renamed'] }])
  await plan(worker)
  assert.deepEqual(await worker(`select distinct schedule_name from dba.run where state = 'planned'`), [{ schedule_name: 'renamed' }])
  assert.equal(
    await one(worker, `select schedule_name as value from dba.run where run_id = $1`, [old]),
    'a',
    'history keeps the name it had',
  )
})

test('a renamed config takes along its registry row, its schedules, bookmarks and open runs', async (t) => {
  const { dba, worker } = await houseOf(t)
  await dba(`insert into dba.scheduler (schedule_name, job, config_name, cron) values ('load', 'import', 'prices', '0 6 * * *')`)
  await plan(worker)
  await worker(`insert into dba.bookmark (job, config_name, value) values ('import', 'prices', '1')`)
  await dba(`update dba.importconfig set config_name = 'daily prices' where config_name = 'prices'`)
  const names = await worker(
    `select (select config_name from dba.jobconfig where job = 'import') as registry, (select config_name from dba.scheduler where job = 'import') as schedule,
        (select config_name from dba.bookmark) as bookmark, (select distinct config_name from dba.run where job = 'import') as run`,
  )
  assert.deepEqual(names, [{ registry: 'daily prices', schedule: 'daily prices', bookmark: 'daily prices', run: 'daily prices' }])
})

test('what is in use is not deleted, and the refusal names who uses it', async (t) => {
  const { dba } = await houseOf(t)
  await dba(`insert into dba.lane (lane) values ('plant')`)
  await dba(`insert into dba.calendar (calendar) values ('poland')`)
  await dba(
    `insert into dba.scheduler (schedule_name, job, config_name, lane, calendar, run_after) values ('load', 'import', 'prices', 'plant', 'poland', '{a}')`,
  )
  for (const [statement, message] of [
    [`delete from dba.lane where lane = 'plant'`, 'lane "plant" is used by schedule "load"'],
    [`delete from dba.calendar where calendar = 'poland'`, 'calendar "poland" is used by schedule "load"'],
    [`delete from dba.importconfig`, 'config "prices" of job "import" is used by schedule "load"'],
    [`delete from dba.scheduler where schedule_name = 'a'`, 'schedule "a" is awaited by "load"'],
  ]) {
    const refused = await refusal(dba(statement ?? ''))
    assert.equal(refused.message, message)
    assert.notEqual(refused.hint, '')
    assert.equal(refused.code, '23503')
  }
  await dba(`delete from dba.scheduler where schedule_name = 'load'`)
  await dba(`delete from dba.importconfig`)
  assert.equal(await one(dba, `select count(*)::int as value from dba.jobconfig where job = 'import'`), 0)
})

test('a second schedule of the same name is refused by the law that says so', async (t) => {
  const { dba } = await houseOf(t)
  const refused = await refusal(insert(dba, { schedule_name: 'a' }))
  assert.equal(refused.code, '23505')
  assert.match(refused.message, /a_schedule_name_stands_for_one_schedule/)
})

async function houseOf(t: Parameters<typeof peopleOf>[0]): Promise<People> {
  const people = await peopleOf(t)
  await people.dba(
    `insert into dba.scheduler (schedule_name, job, cron, args) values ('a', 'noop', '0 6 * * *', '{"seconds": 1}'), ('b', 'noop', null, '{}')`,
  )
  await people.dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'inbox/prices', '*.xlsx', 'feeds.price')`,
  )
  return people
}

/** Inserts a schedule that is right but for the given columns. */
async function insert(query: Query, columns: Record<string, unknown>): Promise<unknown> {
  const row = { schedule_name: 'new', job: 'noop', ...columns }
  const names = Object.keys(row)
  return await query(
    `insert into dba.scheduler (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.entries(row).map(([column, value]) => typed(column, value)),
  )
}

function typed(column: string, value: unknown): unknown {
  return column === 'args' ? JSON.stringify(value) : value
}
