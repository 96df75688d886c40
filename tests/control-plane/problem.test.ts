import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addRun, addWorker, one, type People, peopleOf } from '../helpers/rows.ts'

test('a house in order has no problem', async (t) => {
  const { problems } = await houseOf(t)
  assert.deepEqual(await problems(), [])
})

test('a failure stands until the schedule succeeds again, and its fix can be typed', async (t) => {
  const { problems, dba, worker } = await houseOf(t)
  const failed = await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed', { more: { error_hint: 'Fill it.' } })
  assert.deepEqual(await problems(), [
    ['severe', 'prices', 'its latest run failed: Printer has no paper (out_of_paper). Fill it.', `select dba.rerun('${failed}');`],
  ])
  await dba(`select dba.rerun('${failed}');`)
  await addRun(worker, 'prices', '2015-03-03 05:20Z', 'succeeded')
  assert.deepEqual(await problems(), [])
})

test('fires that are due and not taken, and runs that are queued and not begun', async (t) => {
  const { problems, worker } = await houseOf(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'planned')
  await addRun(worker, 'other', '2015-03-02 05:20Z', 'queued')
  const [overdue, queued] = await problems()
  assert.deepEqual(overdue?.slice(0, 2), ['severe', 'prices'])
  assert.match(overdue?.[2] ?? '', /^a fire has been due for \d+ d and not taken$/)
  assert.equal(overdue?.[3], `select dba.why_not('prices');`)
  assert.deepEqual(queued?.slice(0, 2), ['severe', 'default'])
  assert.match(queued?.[2] ?? '', /^a run has been handed out for more than a minute and not begun: .* the first is of "other"$/)
})

test('a lane without a live worker is one problem, however many schedules need it', async (t) => {
  const { problems, dba, worker } = await houseOf(t)
  await dba(`insert into dba.lane (lane) values ('plant')`)
  await dba(`update dba.scheduler set lane = 'plant'`)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'planned')
  assert.deepEqual(
    (await problems()).map((row) => row.slice(0, 3)),
    [['severe', 'plant', 'no live worker takes part in this lane, and 2 active schedules need one']],
  )
  await addWorker(worker, 'there', ['plant'])
  assert.equal((await problems()).filter(([, subject]) => subject === 'plant').length, 0)
})

test('a database that is a copy, or not live, is the one severe problem', async (t) => {
  const { problems, dba, database, worker } = await houseOf(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'planned')
  await dba(`update dba.setting set value = 'false' where name = 'is_live'`)
  const fix = `If this shall be the live one: update dba.setting set value = 'true' where name = 'is_live';`
  assert.deepEqual(await problems(), [['severe', 'this database', 'dba.setting.is_live is false, so nothing fires here', fix]])
  await dba(`update dba.setting set value = 'true' where name = 'is_live'`)
  await database.query(
    `set session_replication_role = replica; update dba.setting set value = 'elsewhere/1' where name = 'home'; set session_replication_role = origin`,
  )
  assert.deepEqual(await problems(), [['severe', 'this database', 'it is a restored copy, so nothing fires here', fix]])
})

test('configs that are not right, connections that do not answer, outdated workers', async (t) => {
  const { problems, dba, worker } = await houseOf(t)
  await dba(`insert into dba.connection (connection_name, kind, host) values ('mail', 'smtp', 'mail.example')`)
  await worker(`update dba.connection set check_state = 'failed', check_message = 'port 25 refuses'`)
  await worker(
    `update dba.scheduler set config_state = 'invalid', config_message = 'folder /data is missing' where schedule_name = 'prices'`,
  )
  await addWorker(worker, 'old')
  await worker(`update dba.worker set state = 'outdated', message = 'this worker is 0.0.1, the schema is 0.1.0' where worker = 'old'`)
  assert.deepEqual((await problems()).map((row) => row.slice(0, 3)).sort(), [
    ['warning', 'mail', 'the connection does not answer: port 25 refuses'],
    ['warning', 'old', 'this worker is 0.0.1, the schema is 0.1.0'],
    ['warning', 'prices', 'folder /data is missing'],
  ])
})

test('files and datasets that were held back or could not be loaded', async (t) => {
  const { problems, worker } = await houseOf(t)
  await worker(
    `insert into dba.file (config_name, file_name, path, size_bytes, state, reason) values
      ('prices', 'a.xlsx', '/in/a.xlsx', 1, 'failed', 'sheet "Budgt" is missing'), ('prices', 'b.xlsx', '/in/b.xlsx', 1, 'quarantined', 'too few rows'), ('prices', 'c.xlsx', '/in/c.xlsx', 1, 'dismissed', null)`,
  )
  await worker(`insert into dba.datasource (datasource) values ('prices')`)
  await worker(
    `insert into dba.dataset (label, dataset_date, datasettype, datasource, state, config_name, reason) values ('b', '2015-03-02', 'file', 'prices', 'quarantined', 'prices', 'too few rows')`,
  )
  assert.deepEqual((await problems()).map((row) => row.slice(0, 3)).sort(), [
    ['warning', 'prices', 'datasets held back: 1, the latest 1: too few rows'],
    ['warning', 'prices', 'files held back: 1, the latest "b.xlsx": too few rows'],
    ['warning', 'prices', 'files that could not be loaded: 1, the latest "a.xlsx": sheet "Budgt" is missing'],
  ])
})

test('a calendar that runs out of holidays, once schedules keep to it', async (t) => {
  const { problems, dba } = await houseOf(t)
  await dba(`insert into dba.calendarday (calendar, day, note) values ('weekdays', current_date - 30, 'Founders Day')`)
  assert.deepEqual(await problems(), [])
  await dba(`update dba.scheduler set calendar = 'weekdays' where schedule_name = 'prices'`)
  const [found] = await problems()
  assert.deepEqual(found?.slice(0, 2), ['warning', 'weekdays'])
  assert.match(found?.[2] ?? '', /has no holidays after .*, and an active schedule keeps to it$/)
  await dba(`insert into dba.calendarday (calendar, day, note) values ('weekdays', current_date + 90, 'Founders Day')`)
  assert.deepEqual(await problems(), [])
})

test('a missed fire stands until something succeeds, with the backfill to type', async (t) => {
  const { problems, dba, worker } = await houseOf(t)
  const fire = await one(
    worker,
    `select to_char(dba.cron_next('20 6 * * *', 'UTC', now() - interval '4 days') at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || '+00' as value`,
  )
  await addRun(worker, 'prices', fire, 'missed', { reason: 'no worker was up' })
  const [found] = await problems()
  assert.deepEqual(found?.slice(0, 3), ['warning', 'prices', 'its latest fire was missed: no worker was up'])
  assert.equal(found?.[3], `select * from dba.backfill('prices', '${fire}');`)
  assert.ok((await dba(found?.[3] ?? '')).length > 1)
})

test('no owner, nobody to tell, never a success, paused for ever: worth putting in order', async (t) => {
  const { problems, dba, operator, worker } = await houseOf(t)
  await dba(`insert into dba.scheduler (schedule_name, job) values ('new', 'noop')`)
  await operator(`select dba.pause('other', null, 'nobody needs it')`)
  await dba(`update dba.lane set paused_until = 'infinity', pause_reason = 'network' where lane = 'default'`)
  await worker(`delete from dba.run`)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'skipped', { reason: 'overlap' })
  assert.deepEqual((await problems()).sort(), [
    [
      'notice',
      'default',
      'the lane is paused until somebody clears it, by rota_dba: network',
      `update dba.lane set paused_until = null where lane = 'default';`,
    ],
    ['notice', 'new', 'it has no owner', `update dba.scheduler set owner = '…' where schedule_name = 'new';`],
    ['notice', 'other', 'it is paused until somebody resumes it, by rota_operator: nobody needs it', `select dba.resume('other');`],
    ['notice', 'prices', 'it has never succeeded', `select dba.why_not('prices');`],
  ])
  await dba(`update dba.setting set value = null where name = 'alert_to'`)
  assert.deepEqual((await problems()).find((row) => row[1] === 'new')?.slice(2), [
    'it has no owner and nobody is told when it fails',
    `update dba.scheduler set owner = '…', alert_to = '{…}' where schedule_name = 'new';`,
  ])
})

test('the worst comes first', async (t) => {
  const { problems, dba, worker } = await houseOf(t)
  await dba(`update dba.scheduler set owner = null`)
  await worker(`update dba.scheduler set config_state = 'invalid' where schedule_name = 'other'`)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed')
  assert.deepEqual(
    (await problems()).map(([severity]) => severity),
    ['severe', 'warning', 'notice', 'notice'],
  )
})

interface House extends People {
  problems(): Promise<(string | null)[][]>
}

/** Two schedules with owner and alert, which have succeeded, and a live worker. */
async function houseOf(t: Parameters<typeof peopleOf>[0]): Promise<House> {
  const people = await peopleOf(t)
  await people.dba(`update dba.setting set value = 'it@house.example' where name = 'alert_to'`)
  await people.dba(
    `insert into dba.scheduler (schedule_name, job, cron, owner) values ('prices', 'noop', '20 6 * * *', 'ann'), ('other', 'noop', null, 'ann')`,
  )
  await addRun(people.worker, 'prices', '2015-01-01 05:20Z', 'succeeded')
  await addRun(people.worker, 'other', '2015-01-01 05:20Z', 'succeeded')
  await addWorker(people.worker)
  const problems = async (): Promise<(string | null)[][]> => {
    const rows = await people.reader<{ severity: string; subject: string; message: string; fix: string }>(
      `select severity, subject, message, fix from dba.problem`,
    )
    return rows.map((row) => [row.severity, row.subject, row.message, row.fix])
  }
  return { ...people, problems }
}
