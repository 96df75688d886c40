import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addRun, addWorker, plan } from '../helpers/rows.ts'
import { whyHouse } from '../helpers/why-house.ts'

test('a fire that a person took out, with the way to put it back', async (t) => {
  const { why, operator, worker } = await whyHouse(t)
  await plan(worker)
  await operator(
    `update dba.run set state = 'skipped', requested_reason = 'not tonight' where run_id = (select run_id from dba.next_run where schedule_name = 'prices' limit 1)`,
  )
  const [first] = await worker<{ at: string }>(
    `select to_char(scheduled_for, 'YYYY-MM-DD HH24:MI:SSOF') as at from dba.run where state = 'skipped'`,
  )
  const text = await why(first?.at)
  assert.match(
    text,
    /will not run: taken out by rota_operator: not tonight\. To put it back: update dba\.run set state = 'planned' where run_id = /,
  )
  await operator(/update dba\.run set state = 'planned' where run_id = '[^']*'/.exec(text)?.[0] ?? '')
  assert.match(await why(first?.at), /is still to come/)
})

test('overlap, resource, max_late and catch_up: the reason of the row', async (t) => {
  const { why, worker } = await whyHouse(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'skipped', { reason: 'overlap: run 1 is still running' })
  assert.match(await why('2015-03-02 06:20'), /was skipped: overlap: run 1 is still running\./)
  await addRun(worker, 'prices', '2015-03-09 05:20Z', 'waiting', {
    reason: 'resource "erp" is in use by run 7 of "load"',
    more: { waits_for: 'resource' },
  })
  assert.match(await why('2015-03-09 06:20'), /waits: resource "erp" is in use by run 7 of "load"\./)
  const missed = await addRun(worker, 'prices', '2015-03-16 05:20Z', 'missed', {
    reason: 'no worker was up until 07:00; too late to be caught up (max_late)',
  })
  assert.match(
    await why('2015-03-16 06:20'),
    new RegExp(`was missed: no worker was up until 07:00; too late .* To run it now: select dba\\.rerun\\('${missed}'\\)`),
  )
})

test('a fire inside a long outage is answered by the row that stands for all of them', async (t) => {
  const { why, worker } = await whyHouse(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'missed', {
    reason: '9 fires: no worker was up',
    more: { fire_key: 'missed from 2', missed_from: '2015-03-02 05:20Z', missed_until: '2015-04-27 04:20Z', missed_count: 9 },
  })
  assert.match(
    await why('2015-03-23 06:20'),
    /^The fires from Mon 2015-03-02 06:20 Europe\/Warsaw to Mon 2015-04-27 06:20 Europe\/Warsaw were missed: 9 fires: no worker was up\. To run them now: select \* from dba\.backfill/,
  )
})

test('lane paused, lane without a live worker, workers busy', async (t) => {
  const { why, worker, operator } = await whyHouse(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'queued')
  assert.match(
    await why('2015-03-02 06:20'),
    /was handed to lane "default" .* ago, and no worker has begun it\. No live worker takes part in lane "default"\. To start one: ROTA_LANES=default npx rota worker\./,
  )

  await addWorker(worker)
  assert.match(await why('2015-03-02 06:20'), /The worker of the lane is busy with 0 runs\./)
  await worker(`update dba.worker set heartbeat_at = now() - interval '1 hour', state = 'lost'`)
  assert.match(
    await why('2015-03-02 06:20'),
    /No live worker takes part in lane "default"; the last sign of life came 1 h ago from here \(lost\)/,
  )

  await operator(`update dba.lane set paused_until = 'infinity', pause_reason = 'network' where lane = 'default'`)
  assert.match(
    await why('2099-03-02 06:20'),
    /It has to wait: lane "default" is paused by rota_operator until somebody resumes it: network\./,
  )
})

test('an upstream that did not end well, and one that has not ended', async (t) => {
  const { why, dba, worker } = await whyHouse(t)
  await dba(`insert into dba.scheduler (schedule_name, job, run_after) values ('report', 'noop', '{prices}')`)
  assert.match(
    await why(undefined, 'report'),
    /has never been due; .* It runs after "prices" \(run_after_state succeeded\): "prices" has not so ended since, it has had no run\./,
  )
  const failed = await addRun(worker, 'prices', 'now', 'failed', { more: { finished_at: new Date() } })
  await worker(`select dba.plan_after()`)
  assert.match(
    await why(undefined, 'report'),
    /was skipped: upstream "prices" failed \(Printer has no paper\)\..* "prices" has not so ended since \(its last run failed at /,
  )
  assert.match(
    await why(undefined, 'prices'),
    new RegExp(`failed at .*: Printer has no paper \\(out_of_paper\\)\\. \\(run_id ${failed}\\)`),
  )
})

test('it did run, it runs, it waits for a retry, it failed, it was cancelled', async (t) => {
  const { why, worker } = await whyHouse(t)
  const id = await addRun(worker, 'prices', '2015-03-02 05:20Z', 'succeeded', { more: { note: '3 files' } })
  assert.equal(
    await why('2015-03-02 06:20'),
    `It did run: the fire of Mon 2015-03-02 06:20 Europe/Warsaw succeeded at Mon 2015-03-02 06:20:05 Europe/Warsaw after 5 s (3 files). (run_id ${id})`,
  )
  await addRun(worker, 'prices', '2015-03-09 05:20Z', 'running', { more: { progress: 0.4, progress_note: 'file 2 of 5' } })
  assert.match(
    await why('2015-03-09 06:20'),
    /is running: since Mon 2015-03-09 06:20 Europe\/Warsaw \(.* ago\), attempt 1 on worker here, 40 %: file 2 of 5\./,
  )
  await addRun(worker, 'prices', '2015-03-16 05:20Z', 'failed', { more: { error_detail: 'Tray 2 is empty.', error_hint: 'Fill it.' } })
  assert.match(
    await why('2015-03-16 06:20'),
    /failed at .*, in attempt 1 of 3: Printer has no paper \(out_of_paper\)\. Tray 2 is empty\. Fill it\./,
  )
  await addRun(worker, 'prices', '2015-03-23 05:20Z', 'waiting', {
    reason: 'attempt 1 of 3 failed',
    more: { waits_for: 'retry', attempt: 1, error_code: 'out_of_paper', error_message: 'Printer has no paper' },
  })
  assert.match(await why('2015-03-23 06:20'), /waits: attempt 1 of 3 failed\. Its last error: Printer has no paper \(out_of_paper\)\./)
  await worker(`update dba.run set state = 'skipped', reason = 'x' where state = 'waiting'`)
  await addRun(worker, 'prices', '2015-03-30 04:20Z', 'cancelled', { reason: 'cancelled by rota_operator: wrong file' })
  assert.match(await why('2015-03-30 06:20'), /was cancelled: cancelled by rota_operator: wrong file\./)
})

test('a repeated run is told together with the run that repeats it', async (t) => {
  const { why, operator, worker } = await whyHouse(t)
  const failed = await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed')
  await operator(`select dba.rerun($1)`, [failed])
  assert.match(await why('2015-03-02 06:20'), /It was asked for again by rota_operator: that run is planned\.$/)
})

test('without a time it speaks of the latest fire that was due', async (t) => {
  const { why, worker } = await whyHouse(t)
  assert.match(await why(), /^"prices" has never been due; it was created at .* by rota_dba\. It fires next at Mon /)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'succeeded')
  await addRun(worker, 'prices', '2015-03-09 05:20Z', 'skipped', { reason: 'overlap' })
  assert.match(await why(), /^The fire of Mon 2015-03-09 06:20 Europe\/Warsaw was skipped: overlap\. .* It fires next at /)
})

test('of several runs in that minute the one that did not go well is told, and the others counted', async (t) => {
  const { why, dba, worker } = await whyHouse(t)
  await dba(`insert into dba.scheduler (schedule_name, job, cron) values ('often', 'noop', '@every 20s')`)
  await addRun(worker, 'often', '2015-03-02 05:20:00Z', 'succeeded')
  await addRun(worker, 'often', '2015-03-02 05:20:20Z', 'missed')
  await addRun(worker, 'often', '2015-03-02 05:20:40Z', 'succeeded')
  assert.match(
    await why('2015-03-02 05:20', 'often'),
    /^The fire of Mon 2015-03-02 05:20:20 UTC was missed: .* Besides, 2 more of its runs/,
  )
  assert.match(await why('2015-03-02 05:20:40', 'often'), /^It did run/)
})
