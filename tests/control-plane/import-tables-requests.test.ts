import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../helpers/refusal.ts'
import { one, type People, peopleOf } from '../helpers/rows.ts'

test('a request loads one file by a config, on a schedule that carries requests alone', async (t) => {
  const { operator, dba } = await houseOf(t)
  const run = await one(operator, `select dba.request_import('prices', 'monday.xlsx', 'it came by mail') as value`)
  assert.deepEqual(
    await dba(`select run_id, schedule_name, job, config_name, trigger, args, state, requested_by, requested_reason from dba.run`),
    [
      {
        run_id: run,
        schedule_name: 'prices (on request)',
        job: 'import',
        config_name: 'prices',
        trigger: 'request',
        args: { file: 'inbox/prices/monday.xlsx' },
        state: 'planned',
        requested_by: 'rota_operator',
        requested_reason: 'it came by mail',
      },
    ],
  )
  await dba(`select dba.request_import('prices', '/mnt/old/sunday.xlsx')`)
  assert.deepEqual(await dba(`select schedule_name, overlap, cron, generated_by, created_by, lane from dba.scheduler`), [
    {
      schedule_name: 'prices (on request)',
      overlap: 'allow',
      cron: null,
      generated_by: 'requests for dba.importconfig',
      created_by: 'rota_operator',
      lane: 'default',
    },
  ])
})

test('a dry run is asked for by SQL and answered as rows', async (t) => {
  const { operator, reader, worker } = await houseOf(t)
  const id = Number(await one(operator, `select dba.request_dry_run('prices', 'monday.xlsx') as value`))
  const [asked] = await reader(
    `select d.dryrun_id::int, d.state, d.config_name, d.file, d.requested_by, r.args from dba.dryrun d join dba.run r using (run_id)`,
  )
  assert.deepEqual(asked, {
    dryrun_id: id,
    state: 'requested',
    config_name: 'prices',
    file: 'inbox/prices/monday.xlsx',
    requested_by: 'rota_operator',
    args: { file: 'inbox/prices/monday.xlsx', dry_run: true, dryrun_id: id },
  })
  await worker(`update dba.dryrun set state = 'done', rows_insert = 1, finished_at = now() where dryrun_id = $1`, [id])
  await worker(`insert into dba.dryrunrow (dryrun_id, kind, line, data) values ($1, 'insert', 2, '{"isin": "a"}')`, [id])
  assert.deepEqual(await reader(`select kind, line::int, data from dba.dryrunrow where dryrun_id = $1`, [id]), [
    { kind: 'insert', line: 2, data: { isin: 'a' } },
  ])
})

test('a dry run whose run ends without an answer says why', async (t) => {
  const { operator, reader, worker } = await houseOf(t)
  await operator(
    `select dba.request_dry_run('prices', 'a.xlsx'), dba.request_dry_run('prices', 'b.xlsx'), dba.request_dry_run('prices', 'c.xlsx')`,
  )
  await worker(
    `update dba.run set state = 'failed', attempt = 1, finished_at = now(), error_code = 'timed_out', error_message = 'it took too long', error_hint = 'Give it more time.' where args ->> 'file' ~ 'a.xlsx'`,
  )
  await operator(`select dba.cancel(run_id, 'wrong file') from dba.run where args ->> 'file' ~ 'b.xlsx'`)
  assert.deepEqual(await reader(`select state, message from dba.dryrun order by dryrun_id`), [
    { state: 'failed', message: 'it took too long. Give it more time.' },
    { state: 'failed', message: 'cancelled by rota_operator: wrong file' },
    { state: 'requested', message: null },
  ])
})

test('an operator has files of the source folder loaded and no others, by whatever function', async (t) => {
  const { operator, reader } = await houseOf(t)
  for (const file of ['/etc/passwd', 'inbox/prices/../../secret.key', 'inbox/prices_old/a.xlsx', 'inbox/prices/sub/../../x', '..\\x']) {
    for (const call of [
      `dba.request_import('prices', $1)`,
      `dba.request_dry_run('prices', $1)`,
      `dba.write_request('prices', $1, false, null)`,
      `dba.write_request('prices', $1, true, null)`,
    ]) {
      const refused = await refusal(operator(`select ${call}`, [file]))
      assert.equal(refused.code, '42501', `${call} ${file}`)
      assert.match(refused.message, /an operator may not have files loaded from outside inbox\/prices\//)
    }
  }
  await operator(`select dba.request_import('prices', 'inbox/prices/sub/a.xlsx')`)
  const asked = await refusal(reader(`select dba.request_import('prices', 'a.xlsx')`))
  assert.deepEqual([asked.code, asked.message], ['42501', 'role "rota_reader" may not ask for imports'])
  for (const call of [`dba.write_request('prices', 'inbox/prices/a', true, null)`, `dba.request_schedule('import', 'prices')`]) {
    assert.equal((await refusal(reader(`select ${call}`))).code, '42501', call)
  }
  assert.equal((await refusal(operator(`select dba.request_schedule('import', 'prices')`))).code, '42501')
})

test('a request that cannot be is refused in words', async (t) => {
  const { dba } = await houseOf(t)
  const unknown = await refusal(dba(`select dba.request_import('price', 'a.xlsx')`))
  assert.deepEqual([unknown.message, unknown.hint], [`no config "price" in dba.importconfig`, 'Did you mean "prices"? There is: "prices".'])
  assert.match((await refusal(dba(`select dba.request_dry_run(null, 'a.xlsx')`))).message, /no config ""/)
  for (const file of ['', null, 'a\nb']) {
    assert.match((await refusal(dba(`select dba.request_import('prices', $1)`, [file]))).message, /names no file/)
  }
  await dba(`insert into dba.scheduler (schedule_name, job) values ('prices (on request)', 'noop')`)
  const taken = await refusal(dba(`select dba.request_import('prices', 'a.xlsx')`))
  assert.match(taken.message, /"prices \(on request\)" is needed for requests/)
  assert.match(taken.hint, /another name/)
})

test('the schedule of requests follows its config in a rename and in a DELETE, and asks nobody to answer for it', async (t) => {
  const { dba, operator, reader } = await houseOf(t)
  await operator(`select dba.request_dry_run('prices', 'a.xlsx')`)
  assert.deepEqual(await reader(`select message from dba.problem where subject ~ 'request' and severity = 'notice'`), [])
  await dba(`update dba.importconfig set config_name = 'quotes'`)
  assert.deepEqual(
    await dba(
      `select s.schedule_name, s.config_name, r.schedule_name as run, d.config_name as dryrun from dba.scheduler s, dba.run r, dba.dryrun d`,
    ),
    [{ schedule_name: 'quotes (on request)', config_name: 'quotes', run: 'quotes (on request)', dryrun: 'quotes' }],
  )
  await operator(`select dba.request_import('quotes', 'a.xlsx')`)
  assert.equal((await dba(`select from dba.scheduler`)).length, 1)
  assert.match((await refusal(dba(`update dba.scheduler set cron = '* * * * *'`))).message, /is made by requests for dba\.importconfig/)
  await dba(`delete from dba.importconfig`)
  assert.deepEqual(await dba(`select schedule_name from dba.scheduler`), [])
})

test('a config that a schedule of a person uses is kept, and its schedule of requests with it', async (t) => {
  const { dba, operator } = await houseOf(t)
  await dba(`insert into dba.scheduler (schedule_name, job, config_name, lane) values ('load prices', 'import', 'prices', 'default')`)
  await operator(`select dba.request_import('prices', 'a.xlsx')`)
  assert.match((await refusal(dba(`delete from dba.importconfig`))).message, /is used by schedule "load prices"$/)
  assert.equal((await dba(`select from dba.scheduler`)).length, 2)
})

test('the loader makes its tables in rota_staging, rota_job reads what it is granted there, reports read nothing', async (t) => {
  const { database, worker } = await houseOf(t)
  await worker(`create unlogged table rota_staging.load_1 (isin text); grant select on rota_staging.load_1 to rota_job`)
  await worker(`create table rota_staging.load_2 (isin text)`)
  const job = await database.as('rota_job')
  assert.deepEqual(await job.query(`select * from rota_staging.load_1`), [])
  for (const statement of [
    `select * from rota_staging.load_2`,
    `insert into rota_staging.load_1 values ('x')`,
    `create table rota_staging.mine (x int)`,
  ]) {
    assert.equal((await refusal(job.query(statement))).code, '42501', statement)
  }
  assert.equal((await refusal((await database.as('rota_query')).query(`select * from rota_staging.load_1`))).code, '42501')
})

async function houseOf(t: Parameters<typeof peopleOf>[0]): Promise<People> {
  const people = await peopleOf(t)
  await people.dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'inbox/prices/', '*.xlsx', 'feeds.price')`,
  )
  return people
}
