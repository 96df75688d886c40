import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../helpers/refusal.ts'
import { addRun, addWorker, plan } from '../helpers/rows.ts'
import { inReplica, whyHouse } from '../helpers/why-house.ts'

test('never a fire of the cron: the fires around that time are named', async (t) => {
  const { why } = await whyHouse(t)
  assert.equal(
    await why('2015-03-04 06:20'),
    '"prices" never fires at Wed 2015-03-04 06:20 Europe/Warsaw: its cron "20 6 * * 1" fires Mon 2015-03-02 06:20 Europe/Warsaw before that and Mon 2015-03-09 06:20 Europe/Warsaw after it.',
  )
})

test('created later, edited later, switched on later: who and when', async (t) => {
  const { why, dba, database } = await whyHouse(t, false)
  assert.match(
    await why('2015-03-02 06:20'),
    /^"prices" did not exist at Mon 2015-03-02 06:20 Europe\/Warsaw: it was created at .* by rota_dba\.$/,
  )

  await database.query(inReplica(`update dba.scheduler set created_at = '2015-01-01'`))
  await dba(`update dba.scheduler set cron = '40 9 * * *' where schedule_name = 'prices'`)
  assert.match(
    await why('2015-03-03 09:40'),
    /never fires at .*: its cron "20 6 \* \* 1" .* rota_dba changed it at .*; its cron is "40 9 \* \* \*" now\./,
  )

  await dba(`update dba.scheduler set is_active = false where schedule_name = 'prices'`)
  await dba(`update dba.scheduler set is_active = true where schedule_name = 'prices'`)
  await database.query(
    `update dba.configaudit set changed_at = '2015-02-01' where after ->> 'is_active' = 'false' or after ->> 'version' = '2'`,
  )
  assert.match(await why('2015-03-02 09:40'), /^"prices" was switched off at .*\(is_active was false\); rota_dba changed it at /)
})

test('switched off: by whom and since when', async (t) => {
  const { why, dba } = await whyHouse(t)
  await dba(`update dba.scheduler set is_active = false where schedule_name = 'prices'`)
  assert.match(
    await why('2099-03-02 06:20'),
    /^"prices" does not fire at .*: it is switched off by rota_dba at .* \(is_active is false\)\.$/,
  )
  assert.match(await why(), /It is switched off now: switched off by rota_dba at/)
})

test('paused: by whom, until when and why', async (t) => {
  const { why, worker, operator } = await whyHouse(t)
  await operator(`select dba.pause('prices', '2099-12-24 06:20', 'storage move')`)
  assert.match(
    await why('2099-12-21 06:20'),
    /It is still to come.* It will be skipped: the schedule is paused by rota_operator until Thu 2099-12-24 06:20 Europe\/Warsaw: storage move\./,
  )
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'skipped', { reason: 'schedule is paused by rota_operator until …: storage move' })
  assert.match(
    await why('2015-03-02 06:20'),
    /^The fire of Mon 2015-03-02 06:20 Europe\/Warsaw was skipped: schedule is paused by rota_operator/,
  )
})

test('a holiday, past and to come', async (t) => {
  const { why, dba, worker } = await whyHouse(t)
  await dba(`insert into dba.calendarday (calendar, day, note) values ('weekdays', '2099-12-21', 'Founders Day')`)
  await dba(`update dba.scheduler set calendar = 'weekdays' where schedule_name = 'prices'`)
  assert.equal(
    await why('2099-12-21 06:20'),
    'The fire of Mon 2099-12-21 06:20 Europe/Warsaw will not run: holiday: 21 December (Founders Day) in calendar "weekdays".',
  )
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'skipped', { reason: 'holiday: 2 March in calendar "weekdays"' })
  assert.match(await why('2015-03-02 06:20'), /was skipped: holiday: 2 March/)
})

test('a config that is switched off or not right', async (t) => {
  const { why, worker, database } = await whyHouse(t)
  await database.query(`insert into dba.jobconfig (job, config_name, is_active) values ('noop', 'quiet', false)`)
  await database.query(inReplica(`update dba.scheduler set config_name = 'quiet'`))
  assert.match(await why('2099-03-02 06:20'), /It will be skipped: config "quiet" is switched off \(is_active is false in dba\./)
  await worker(`update dba.scheduler set config_state = 'invalid', config_message = 'folder /data is missing'`)
  assert.match(await why('2099-03-02 06:20'), /What it shall do is not right: folder \/data is missing\./)
})

test('schedules without a cron say what they wait for', async (t) => {
  const { why, dba, worker } = await whyHouse(t)
  await dba(
    `insert into dba.scheduler (schedule_name, job, on_file, on_notify) values ('files', 'noop', 'inbox/*.xlsx', 'new_price'), ('by hand', 'noop', null, null)`,
  )
  assert.match(
    await why(undefined, 'files'),
    /It waits for files that match "inbox\/\*\.xlsx" and have stopped changing; none has come so far\. It waits for NOTIFY new_price\./,
  )
  assert.match(await why('2099-01-01 10:00', 'files'), /has no fire at .*: it has no cron\. It waits for files/)
  assert.match(await why(undefined, 'by hand'), /has never been due; .* It runs on request only: select dba\.run_now\('by hand'\)\./)
  await addRun(worker, 'files', '2015-03-02 05:20Z', 'succeeded', { trigger: 'file', args: { file: 'inbox/a.xlsx' } })
  assert.match(await why('2015-03-02 05:20', 'files'), /^It did run: the run for file inbox\/a\.xlsx succeeded at/)
})

test('a fire to come says when, in which words, and what stands in its way', async (t) => {
  const { why, worker } = await whyHouse(t)
  await addWorker(worker)
  assert.match(await why('2099-12-21 06:20'), /^It is still to come: "prices" is due at Mon 2099-12-21 06:20 Europe\/Warsaw, in \d+ d\.$/)
  await plan(worker)
  const [next] = await worker<{ day: string }>(`select to_char(min(scheduled_for), 'YYYY-MM-DD') as day from dba.run`)
  assert.match(await why(next?.day), /^The fire of .* is still to come: it is due in .*\. \(run_id /)
})

test('a fire that nobody has taken up', async (t) => {
  const { why, dba, worker, database } = await whyHouse(t, false)
  await database.query(inReplica(`update dba.scheduler set created_at = '2015-01-01', updated_at = '2015-01-01'`))
  await worker(`update dba.plan set planned_through = '2015-03-01'`)
  assert.equal(
    await why('2015-03-02 06:20'),
    'The fire of Mon 2015-03-02 06:20 Europe/Warsaw is older than the ledger goes back (dba.setting.retention_run).',
  )
  await dba(`update dba.setting set value = '100 years' where name = 'retention_run'`)
  assert.match(
    await why('2015-03-02 06:20'),
    /^The fire of Mon 2015-03-02 06:20 Europe\/Warsaw has not been taken up by any worker\. No live worker takes part in lane "default"/,
  )
  assert.match(await why(), /^The fire of .* has not been taken up by any worker\./)
  await dba(`update dba.setting set value = 'false' where name = 'is_live'`)
  assert.match(
    await why(),
    /Nothing fires in this database: dba\.setting\.is_live is false\. To make it the live one: update dba\.setting set value = 'true'/,
  )
  await database.query(
    inReplica(
      `update dba.setting set value = 'elsewhere/1' where name = 'home'; update dba.setting set value = 'true' where name = 'is_live'`,
    ),
  )
  assert.match(await why(), /Nothing fires in this database: it is a restored copy\./)
})

test('an hour that does not exist and one that comes twice', async (t) => {
  const { why, dba, worker } = await whyHouse(t)
  await dba(
    `insert into dba.scheduler (schedule_name, job, cron, time_zone, dst_gap) values ('night', 'noop', '30 2 * * *', 'Europe/Warsaw', 'skip'), ('moved', 'noop', '30 2 * * *', 'Europe/Warsaw', 'shift')`,
  )
  assert.match(
    await why('2099-03-29 02:30', 'night'),
    /never fires at Sun 2099-03-29 03:30 Europe\/Warsaw.* The clocks of Europe\/Warsaw went forward then: 02:30 did not exist\.$/,
  )
  assert.match(await why('2099-03-29 02:30', 'moved'), /is due at Sun 2099-03-29 03:30 Europe\/Warsaw, .* 02:30 did not exist\.$/)
  await addRun(worker, 'night', '2015-10-25 00:30Z', 'succeeded')
  assert.match(
    await why('2015-10-25 02:30', 'night'),
    /^It did run: the fire of Sun 2015-10-25 02:30 Europe\/Warsaw \(\+02:00\) .* 02:30 came twice\.$/,
  )
})

test('a deleted schedule is told with the way back, an unknown one refused with the nearest name', async (t) => {
  const { why, dba } = await whyHouse(t)
  await dba(`delete from dba.scheduler where schedule_name = 'prices'`)
  assert.match(
    await why(),
    /^Schedule "prices" was deleted by rota_dba at .*, so it does not fire\. To bring it back: select dba\.restore\(\d+\)\.$/,
  )
  const { reader } = await whyHouse(t)
  assert.match((await refusal(reader(`select dba.why_not('prises')`))).hint, /Did you mean "prices"\?/)
  assert.match((await refusal(reader(`select dba.why_not('prices', 'some day')`))).message, /"some day" is not a moment/)
})
