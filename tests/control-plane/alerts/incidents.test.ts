import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addRun, addWorker } from '../../helpers/rows.ts'
import { inReplica } from '../../helpers/why-house.ts'
import { alertHouse } from './alert-house.ts'

test('a failure opens an incident once, counts, and recovers by a success', async (t) => {
  const { watch, alerts, messages, worker, reader } = await alertHouse(t)
  const run = await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed')
  assert.equal(await watch('2015-03-02 05:21Z'), 1)
  assert.equal(await watch('2015-03-02 05:21:05Z'), 0, 'the same failure is told once')
  assert.deepEqual(await alerts(), ['failed prices open 1'])
  const [incident] = await reader<Record<string, unknown>>('select severity, message, fix, why, opened_at, run_id from dba.alert')
  assert.equal(incident?.severity, 'severe')
  assert.equal(incident?.message, 'its latest run failed: Printer has no paper (out_of_paper)')
  assert.equal(incident?.fix, `select dba.rerun('${run}');`)
  assert.match(String(incident?.why), /Printer has no paper/)
  assert.deepEqual(incident?.opened_at, new Date('2015-03-02 05:20:05Z'))
  await addRun(worker, 'prices', '2015-03-02 06:20Z', 'failed')
  await addRun(worker, 'prices', '2015-03-02 07:20Z', 'failed')
  assert.equal(await watch('2015-03-02 07:21Z'), 1)
  assert.deepEqual(await alerts(), ['failed prices open 3'])
  await worker(`update dba.alertmessage set state = 'told'`)
  await addRun(worker, 'prices', '2015-03-02 08:20Z', 'succeeded')
  await watch('2015-03-02 08:21Z')
  assert.deepEqual(await alerts(), ['failed prices recovered 3'])
  assert.deepEqual(await messages(), ['opened ann@example.com told', 'recovered ann@example.com waiting'])
  await addRun(worker, 'prices', '2015-03-03 05:20Z', 'failed')
  await watch('2015-03-03 05:21Z')
  assert.deepEqual(await alerts(), ['failed prices recovered 3', 'failed prices open 1'], 'another failure is another incident')
})

test('a look that is not whole finds what ended since the last', async (t) => {
  const { watch, alerts, worker } = await alertHouse(t)
  await watch('2015-03-02 05:20:10Z')
  const quick = (at: string) => worker('select dba.watch($1, false)', [at])
  await addRun(worker, 'prices', '2015-03-02 05:20:05Z', 'failed')
  await quick('2015-03-02 05:20:15Z')
  await quick('2015-03-02 05:20:20Z')
  assert.deepEqual(await alerts(), ['failed prices open 1'])
  await addRun(worker, 'prices', '2015-03-02 05:21Z', 'failed')
  await quick('2015-03-02 05:21:10Z')
  assert.deepEqual(await alerts(), ['failed prices open 2'])
  await addRun(worker, 'prices', '2015-03-02 05:22Z', 'succeeded')
  await quick('2015-03-02 05:22:10Z')
  assert.deepEqual(await alerts(), ['failed prices recovered 2'])
})

test('a report that fails at its own hour is as severe as any schedule, in whole sentences', async (t) => {
  const { watch, dba, worker, database, reader } = await alertHouse(t)
  await dba(
    `insert into dba.reportconfig (config_name, subject, to_addresses, cron) values ('orders', 'Orders', '{ann@example.com}', '20 6 * * *')`,
  )
  await database.query(inReplica(`update dba.scheduler set created_at = '2015-01-01', updated_at = '2015-01-01'`))
  await addRun(worker, 'orders', '2015-03-02 06:20Z', 'failed')
  await database.query(inReplica(`update dba.run set error_detail = 'Tray 2 is empty.', error_hint = 'Fill it.' where state = 'failed'`))
  await watch('2015-03-02 06:21Z')
  assert.deepEqual(await reader('select severity, message from dba.alert'), [
    { severity: 'severe', message: 'its latest run failed: Printer has no paper (out_of_paper). Tray 2 is empty. Fill it.' },
  ])
  assert.deepEqual(await reader(`select severity from dba.problem where subject = 'orders' and message like 'its latest run failed%'`), [
    { severity: 'severe' },
  ])
})

test('only what alert_on names is an incident', async (t) => {
  const { watch, alerts, messages, worker, dba } = await alertHouse(t, `alert_on = '{missed}', cron = '20 5 * * *'`)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed')
  await watch('2015-03-02 05:21Z')
  assert.deepEqual(await alerts(), [])
  await addRun(worker, 'prices', '2015-03-03 05:20Z', 'missed', { reason: 'no worker was up' })
  await watch('2015-03-03 05:21Z')
  await worker(`update dba.alertmessage set state = 'told'`)
  await addRun(worker, 'prices', '2015-03-04 05:20Z', 'succeeded')
  await watch('2015-03-04 05:21Z')
  assert.deepEqual(await alerts(), ['missed prices recovered 1'])
  assert.deepEqual(await messages(), ['opened ann@example.com told'], 'of recoveries nobody wants to hear')
  await dba(`update dba.scheduler set is_active = false`)
})

test('a run that is far from what is usual on its weekday is slow or small, and says the figures', async (t) => {
  const { watch, alerts, worker, reader } = await alertHouse(t, `alert_on = '{slow,small,empty}'`)
  // Six Mondays of 5 s and about a thousand rows; Tuesdays bring little.
  for (const [index, day] of ['2015-01-05', '2015-01-12', '2015-01-19', '2015-01-26', '2015-02-02', '2015-02-09'].entries()) {
    await addRun(worker, 'prices', `${day} 05:20Z`, 'succeeded', { more: { rows_written: 1000 + index * 10 } })
  }
  await watch('2015-02-16 05:00Z')
  await addRun(worker, 'prices', '2015-02-16 05:20Z', 'succeeded', { more: { rows_written: 990, finished_at: '2015-02-16 05:20:07Z' } })
  await watch('2015-02-16 05:21Z')
  assert.deepEqual(await alerts(), [])
  await addRun(worker, 'prices', '2015-02-17 05:20Z', 'succeeded', { more: { rows_written: 3, finished_at: '2015-02-17 05:50Z' } })
  await watch('2015-02-17 05:51Z')
  assert.deepEqual(await alerts(), [], 'on Tuesdays nothing is known yet')
  await addRun(worker, 'prices', '2015-02-23 05:20Z', 'succeeded', { more: { rows_written: 300, finished_at: '2015-02-23 05:22Z' } })
  await watch('2015-02-23 05:23Z')
  await watch('2015-02-23 05:24Z')
  assert.deepEqual((await alerts()).sort(), ['slow prices open 1', 'small prices open 1'])
  const said = await reader<{ message: string }>('select message from dba.alert order by kind')
  assert.deepEqual(
    said.map(({ message }) => message),
    [
      'its run took 2 min; usual on a Monday are 5 s, and 10 s at most (median of 7 runs and 5 deviations of 1 s)',
      'its run brought 300 rows; usual on a Monday are 1020, and 765 at least (median of 7 runs and 5 deviations)',
    ],
  )
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'succeeded', { more: { rows_written: 1000 } })
  await watch('2015-03-02 05:21Z')
  assert.deepEqual((await alerts()).sort(), ['slow prices recovered 1', 'small prices recovered 1'])
  await addRun(worker, 'prices', '2015-03-09 05:20Z', 'succeeded')
  await watch('2015-03-09 05:21Z')
  assert.deepEqual((await alerts()).at(-1), 'empty prices open 1')
  await addRun(worker, 'prices', '2015-03-16 05:20Z', 'running', { more: { started_at: '2015-03-16 05:20Z' } })
  await watch('2015-03-16 05:20:08Z')
  assert.ok(!(await alerts()).includes('slow prices open 1'))
  await watch('2015-03-16 05:30Z')
  assert.ok((await alerts()).includes('slow prices open 1'), 'one that still runs is slow already')
})

test('connections, secrets, disks, lanes and datasets have incidents of their own', async (t) => {
  const { watch, alerts, worker, dba, database, set, messages } = await alertHouse(t)
  await set('alert_to', 'it@example.com')
  await dba(`insert into dba.connection (connection_name, kind, host, owner) values ('sftp_x', 'sftp', 'files.example', 'bob@example.com')`)
  await worker(`update dba.connection set check_state = 'failed', checked_at = '2015-03-02 05:00Z', check_message = 'nobody there'`)
  await worker(`insert into dba.secret (secret_name, sealed, expires_at) values ('token', '\\x00', '2015-03-10')`)
  await worker(
    `insert into dba.disk (host, path, free_bytes, total_bytes, worker, seen_at) values ('h', '/data', 100, 1000000, 'w', '2015-03-02 05:59Z')`,
  )
  await worker(
    `insert into dba.dataset (label, dataset_date, datasettype, datasource, state, config_name, reason) values ('a', '2015-03-02', 'file', 'prices', 'quarantined', 'feed', 'half of the rows')`,
  ).catch(async () => {
    await worker(`insert into dba.datasource (datasource) values ('prices')`)
    await worker(
      `insert into dba.dataset (label, dataset_date, datasettype, datasource, state, config_name, reason) values ('a', '2015-03-02', 'file', 'prices', 'quarantined', 'feed', 'half of the rows')`,
    )
  })
  await watch('2015-03-02 06:00Z')
  assert.deepEqual((await alerts()).sort(), [
    'connection sftp_x open 1',
    'disk h:/data open 1',
    'quarantined feed open 1',
    'secret token open 1',
  ])
  assert.deepEqual(
    (await messages()).sort(),
    ['opened bob@example.com waiting', 'opened it@example.com waiting', 'opened it@example.com waiting', 'opened it@example.com waiting'],
    'the owner of a connection, else those of the setting',
  )
  await watch('2015-03-02 06:00:30Z')
  await watch('2015-03-02 06:01:05Z')
  assert.ok((await alerts()).includes('worker_gone default open 1'), 'told when the watch has gone on for a minute')
  await addWorker(worker)
  await database.query(inReplica(`update dba.worker set heartbeat_at = clock_timestamp()`))
  await worker(`update dba.connection set check_state = 'ok'`)
  await worker(`update dba.secret set expires_at = '2016-01-01'`)
  await worker(`update dba.disk set free_bytes = 900000, total_bytes = 1000000`)
  await set('min_free_bytes', '1000')
  await worker(`update dba.dataset set state = 'deleted'`)
  await watch('2015-03-02 06:01:30Z')
  const reasons = await worker<{ kind: string; closed_reason: string }>(
    `select kind, closed_reason from dba.alert where state = 'recovered' order by kind`,
  )
  assert.deepEqual(
    reasons.map(({ kind, closed_reason }) => `${kind}: ${closed_reason}`),
    [
      'connection: the connection answers',
      'disk: there is room again',
      'quarantined: nothing is held back any more',
      'secret: it was given a new term',
      'worker_gone: a worker takes part in the lane again',
    ],
  )
})

test('a secret that is about to expire is told again when it is urgent', async (t) => {
  const { watch, worker, set, messages } = await alertHouse(t)
  await set('alert_to', 'it@example.com')
  await set('alert_repeat', null)
  await worker(`insert into dba.secret (secret_name, sealed, expires_at) values ('token', '\\x00', '2015-03-10')`)
  await watch('2015-03-02 06:00Z')
  await worker(`update dba.alertmessage set state = 'told'`)
  await watch('2015-03-03 06:00Z')
  assert.deepEqual(await messages(), ['opened it@example.com told'])
  await watch('2015-03-08 06:00Z')
  assert.deepEqual(await messages(), ['opened it@example.com told', 'repeated it@example.com waiting'])
})

test('a run that shall go on for ever and ends again and again has failed', async (t) => {
  const { watch, alerts, worker } = await alertHouse(t, `cron = '@always'`)
  const run = await addRun(worker, 'prices', '2015-03-02 05:00Z', 'running', { trigger: 'always', more: { attempt: 4 } })
  for (const attempt of [1, 2, 3]) {
    await worker(
      `insert into dba.attempt (run_id, attempt, worker, finished_at, outcome, error_code, error_message) values ($1, $2, 'w', '2015-03-02 05:05Z', 'failed', 'cut', 'cut off')`,
      [run, attempt],
    )
  }
  await watch('2015-03-02 05:06Z')
  assert.deepEqual(await alerts(), ['failed prices open 1'])
  await watch('2015-03-02 05:30Z')
  assert.deepEqual(await alerts(), ['failed prices recovered 1'])
})

test('an incident goes by the new name of its schedule', async (t) => {
  const { watch, alerts, worker, dba } = await alertHouse(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed')
  await watch('2015-03-02 05:21Z')
  await dba(`update dba.scheduler set schedule_name = 'new prices'`)
  await watch('2015-03-02 05:22Z')
  assert.deepEqual(await alerts(), ['failed new prices open 1'])
})

test('a file that does not come by its hour, and a report that does not arrive', async (t) => {
  const { watch, alerts, worker, reader } = await alertHouse(t, `on_file = 'in/*.csv', due_by = '{09:00}'`)
  await worker(
    `insert into dba.outbox (once_key, kind, config_name, message_id, dated_at, sender, subject, size_bytes, sha256, state, error_message)
     values ('a', 'report', 'orders', '<a@x>', now(), 'r@x', 'Orders', 1, '', 'refused', 'no such user'),
            ('b', 'alert', null, '<b@x>', now(), 'r@x', '[Rota] failed', 1, '', 'refused', 'no such user')`,
  )
  await watch('2015-03-02 09:00:30Z')
  assert.deepEqual((await alerts()).sort(), ['absent prices open 1', 'mail orders open 1'], 'alerts do not tell of alerts')
  const said = await reader<{ message: string; fix: string }>('select message, fix from dba.alert order by kind')
  assert.equal(said[0]?.message, 'no file that is called in/*.csv came by Mon 2015-03-02 09:00 UTC; it is due by 09:00')
  assert.match(said[1]?.fix ?? '', /update dba\.outbox set state = 'resend'/)
  await worker(`update dba.outbox set state = 'cancelled'`)
  await addRun(worker, 'prices', '2015-03-02 10:00Z', 'succeeded', { more: { files: 1 } })
  await watch('2015-03-02 10:01Z')
  assert.deepEqual((await alerts()).sort(), ['absent prices recovered 1', 'mail orders recovered 1'])
})
