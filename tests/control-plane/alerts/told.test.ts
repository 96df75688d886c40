import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../../helpers/refusal.ts'
import { addRun } from '../../helpers/rows.ts'
import { inReplica } from '../../helpers/why-house.ts'
import { alertHouse } from './alert-house.ts'

test('those whom the schedule names are told; else its owner; else those of the setting; and else it stands in dba.problem', async (t) => {
  const { watch, messages, worker, dba, set, reader, database } = await alertHouse(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed')
  await dba(`update dba.scheduler set owner = 'ann', alert_to = null`)
  await watch('2015-03-02 05:21Z')
  assert.deepEqual(await messages(), [])
  assert.deepEqual(await reader(`select severity, message from dba.problem where subject = 'alerts'`), [
    { severity: 'warning', message: 'nobody is told of an open incident: "prices"' },
  ])
  await set('alert_to', 'it@example.com, "Night shift" <night@example.com>')
  await watch('2015-03-02 05:22Z')
  assert.deepEqual((await messages()).sort(), ['opened "Night shift" <night@example.com> waiting', 'opened it@example.com waiting'])
  assert.deepEqual(await reader(`select * from dba.problem where subject = 'alerts'`), [])
  await worker('delete from dba.alert')
  await dba(`update dba.scheduler set owner = 'ann@example.com'`)
  await watch('2015-03-02 05:23Z')
  assert.deepEqual(await messages(), ['opened ann@example.com waiting'])
  await worker('delete from dba.alert')
  await dba(`update dba.scheduler set alert_to = '{bob@example.com,carl@example.com}'`)
  await watch('2015-03-02 05:24Z')
  assert.deepEqual((await messages()).sort(), ['opened bob@example.com waiting', 'opened carl@example.com waiting'])
  await database.query(inReplica(`update dba.setting set value = null where name = 'alert_to'`))
})

test('an open incident is repeated, an acknowledged one not, a muted one not until then', async (t) => {
  const { watch, messages, worker, operator, database } = await alertHouse(t)
  const tell = () => worker(`update dba.alertmessage set state = 'told' where state = 'waiting'`)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed')
  await watch('2015-03-02 05:21Z')
  await tell()
  await watch('2015-03-02 09:20Z')
  assert.equal((await messages()).length, 1)
  await watch('2015-03-02 09:21Z')
  assert.deepEqual((await messages()).at(-1), 'repeated ann@example.com waiting')
  await watch('2015-03-02 14:00Z')
  assert.equal((await messages()).length, 2, 'what nobody could be told yet is not repeated')
  await tell()
  await operator(`update dba.alert set state = 'acknowledged'`)
  await watch('2015-03-03 09:00Z')
  assert.equal((await messages()).length, 2)
  await operator(`update dba.alert set muted_until = 'tomorrow'`)
  assert.deepEqual(await worker('select state, acknowledged_by from dba.alert'), [{ state: 'muted', acknowledged_by: 'rota_operator' }])
  await database.query(inReplica(`update dba.alert set muted_until = '2015-03-04'`))
  await watch('2015-03-03 23:59Z')
  assert.equal((await messages()).length, 2)
  await watch('2015-03-04 00:00Z')
  assert.equal((await messages()).length, 3)
})

test('what recovers or is muted before anybody was told is not told', async (t) => {
  const { watch, messages, worker, set, operator } = await alertHouse(t, `cron = '20 5 * * *'`)
  await set('quiet_hours', '22:00-06:00')
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'missed')
  await watch('2015-03-02 05:21Z')
  await addRun(worker, 'prices', '2015-03-02 05:30Z', 'succeeded')
  await watch('2015-03-02 05:31Z')
  assert.deepEqual(await messages(), ['opened ann@example.com dropped'])
  await addRun(worker, 'prices', '2015-03-03 05:20Z', 'missed')
  await watch('2015-03-03 05:21Z')
  await operator(`update dba.alert set state = 'muted' where state = 'open'`)
  await watch('2015-03-03 05:22Z')
  assert.deepEqual((await messages()).at(-1), 'opened ann@example.com dropped')
})

test('quiet hours go across midnight in the zone of the house, and severe alerts through them', async (t) => {
  const { watch, worker, set, reader, database, dba } = await alertHouse(t, `cron = '20 5 * * *'`)
  await set('time_zone', 'Europe/Warsaw')
  await set('quiet_hours', '22:00-06:00')
  const quietUntil = async (at: string) =>
    (await reader<{ until: Date | null }>('select dba.quiet_until($1) as until', [at]))[0]?.until ?? null
  assert.equal(await quietUntil('2015-03-02 20:59Z'), null)
  assert.deepEqual(await quietUntil('2015-03-02 21:00Z'), new Date('2015-03-03 05:00Z'))
  assert.deepEqual(await quietUntil('2015-03-03 04:59Z'), new Date('2015-03-03 05:00Z'))
  assert.equal(await quietUntil('2015-03-03 05:00Z'), null)
  assert.deepEqual(await quietUntil('2015-03-28 22:00Z'), new Date('2015-03-29 04:00Z'), 'the night in which the clocks go forward')
  await dba(`insert into dba.scheduler (schedule_name, job, owner) values ('stock', 'noop', 'ann@example.com')`)
  await database.query(inReplica(`update dba.scheduler set created_at = '2015-01-01', updated_at = '2015-01-01'`))
  await addRun(worker, 'prices', '2015-03-02 22:00Z', 'missed')
  await addRun(worker, 'stock', '2015-03-02 22:00Z', 'failed')
  await watch('2015-03-02 22:01Z')
  const due = (at: string) =>
    worker<{ kind: string }>(
      'select a.kind from dba.messages_due($1) d join dba.alertmessage using (message_id) join dba.alert a using (alert_id) order by kind',
      [at],
    ).then((rows) => rows.map(({ kind }) => kind))
  assert.deepEqual(await due('2015-03-02 22:01:05Z'), [], 'a moment in which more may come')
  assert.deepEqual(await due('2015-03-02 22:01:10Z'), ['failed'])
  assert.deepEqual(await due('2015-03-03 05:00Z'), ['failed', 'missed'])
})

test('a digest goes to everybody concerned once a day, and to nobody when there is nothing', async (t) => {
  const { watch, messages, worker, set } = await alertHouse(t)
  await set('digest_at', '07:00')
  await watch('2015-03-01 08:00Z')
  await watch('2015-03-02 08:00Z')
  assert.deepEqual(await messages(), [])
  await addRun(worker, 'prices', '2015-03-02 09:00Z', 'failed')
  await watch('2015-03-02 09:01Z')
  await worker(`update dba.alertmessage set state = 'told'`)
  await set('alert_repeat', null)
  await watch('2015-03-03 06:59Z')
  assert.deepEqual(await messages(), ['opened ann@example.com told'])
  await watch('2015-03-03 07:00Z')
  await watch('2015-03-03 07:01Z')
  assert.deepEqual(await messages(), ['opened ann@example.com told', 'digest ann@example.com waiting'])
  await worker(`update dba.alertmessage set state = 'told'`)
  await addRun(worker, 'prices', '2015-03-03 09:00Z', 'succeeded')
  await watch('2015-03-03 09:01Z')
  await worker(`update dba.alertmessage set state = 'told'`)
  await watch('2015-03-04 07:00Z')
  assert.deepEqual((await messages()).at(-1), 'digest ann@example.com waiting', 'what recovered since is in it')
  await worker(`update dba.alertmessage set state = 'told'`)
  await watch('2015-03-05 07:00Z')
  assert.equal((await messages()).filter((line) => line.startsWith('digest')).length, 2)
})

test('whom an incident is assigned to is told of it, and when it is over', async (t) => {
  const { watch, messages, worker, operator } = await alertHouse(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed')
  await watch('2015-03-02 05:21Z')
  await operator(`update dba.alert set assigned_to = 'bob@example.com', state = 'acknowledged'`)
  await watch('2015-03-02 05:22Z')
  await watch('2015-03-02 05:23Z')
  assert.deepEqual(await messages(), ['opened ann@example.com waiting', 'assigned bob@example.com waiting'])
  await worker(`update dba.alertmessage set state = 'told'`)
  await addRun(worker, 'prices', '2015-03-02 06:20Z', 'succeeded')
  await watch('2015-03-02 06:21Z')
  assert.deepEqual((await messages()).slice(2).sort(), ['recovered ann@example.com waiting', 'recovered bob@example.com waiting'])
})

test('wrong words are refused with what would be right', async (t) => {
  const { watch, worker, dba, operator, set, reader } = await alertHouse(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed')
  await watch('2015-03-02 05:21Z')
  const wrong: [() => Promise<unknown>, RegExp, RegExp][] = [
    [() => operator(`update dba.alert set state = 'done'`), /alert state is a known word/, /acknowledged .*muted/],
    [() => operator(`update dba.alert set state = 'recovered'`), /recovers by itself/, /acknowledged or muted/],
    [() => operator(`update dba.alert set muted_until = 'yesterday'`), /which is over/, /tomorrow/],
    [() => operator(`update dba.alert set state = 'acknowledged', muted_until = 'tomorrow'`), /is not muted/, /muted_until alone/],
    [() => operator(`update dba.alert set assigned_to = 'bob@'`), /assigned_to is "bob@"/, /ann@example\.com/],
    [() => operator(`update dba.alert set message = 'fine'`), /kept by Rota/, /muted_until/],
    [() => dba(`update dba.scheduler set alert_to = '{ann}'`), /"ann" is no mail address and no connection/, /webhook/],
    [() => set('alert_to', 'it@example.com, opps'), /"opps"/, /webhook/],
    [() => set('quiet_hours', '22-6'), /quiet_hours/, /22:00-06:00/],
    [() => set('digest_at', '7'), /digest_at/, /07:00/],
    [() => set('alert_repeat', 'often'), /no length of time/, /interval/],
    [() => set('alert_storm', 'many'), /no number/, /number/],
    [
      () => dba(`insert into dba.connection (connection_name, kind) values ('ops', 'webhook')`),
      /has no secret_name/,
      /rota secret set ops/,
    ],
    [
      () => dba(`insert into dba.connection (connection_name, kind, secret_name, host) values ('ops', 'webhook', 'ops', 'x')`),
      /has no host/,
      /secret/,
    ],
    [
      () =>
        dba(
          `insert into dba.connection (connection_name, kind, secret_name, options) values ('ops', 'webhook', 'ops', '{"url": "https://x"}')`,
        ),
      /no option "url"/,
      /shape/,
    ],
    [
      () =>
        dba(
          `insert into dba.connection (connection_name, kind, secret_name, options) values ('ops', 'webhook', 'ops', '{"shape": "irc"}')`,
        ),
      /"irc"/,
      /slack/,
    ],
  ]
  for (const [statement, message, hint] of wrong) {
    const refused = await refusal(statement())
    assert.match(refused.message, message)
    assert.match(refused.hint ?? '', hint)
  }
  await dba(
    `insert into dba.connection (connection_name, kind, secret_name, options) values ('ops', 'webhook', 'ops', '{"shape": "slack"}')`,
  )
  await dba(`update dba.scheduler set alert_to = '{ops}'`)
  assert.match(
    (await refusal(dba(`delete from dba.connection where connection_name = 'ops'`))).message,
    /alerts of schedule "prices" go to webhook "ops"/,
  )
  await dba(`update dba.connection set connection_name = 'ops_room' where connection_name = 'ops'`)
  assert.deepEqual(await reader('select alert_to from dba.scheduler'), [{ alert_to: ['ops_room'] }])
})
