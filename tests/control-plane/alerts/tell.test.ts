import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callWebhooks } from '../../../src/control-plane/alerts/call-webhooks.ts'
import { tellByMail } from '../../../src/control-plane/alerts/tell-by-mail.ts'
import { createConnections } from '../../../src/control-plane/connections.ts'
import type { TestDatabase } from '../../helpers/database.ts'
import { eventually, workerOn } from '../../helpers/engine.ts'
import { launch } from '../../helpers/launch.ts'
import { addRun } from '../../helpers/rows.ts'
import { workerSecrets } from '../../helpers/worker-process.ts'
import { type AlertHouse, alertHouse } from './alert-house.ts'
import { startMailStand, startWebStand } from './listeners.ts'

const identity = (text: string): string => text

async function connectionsOf({ pool, url, dataDir }: TestDatabase) {
  const secrets = await workerSecrets({ pool, dataDir })
  return { secrets, connections: createConnections({ db: pool, secrets, url }) }
}

async function postBy(house: AlertHouse, port: number): Promise<void> {
  await house.dba(
    `insert into dba.connection (connection_name, kind, host, port, tls) values ('post', 'smtp', '127.0.0.1', ${port}, 'off')`,
  )
  await house.set('mail_connection', 'post')
  await house.set('mail_sender', 'Rota <rota@example.com>')
}

test('a failed run is mailed to its owner by a worker, and so is its recovery', async (t) => {
  const house = await alertHouse(t)
  const stand = await startMailStand(t)
  await postBy(house, stand.port)
  await house.set('public_address', 'https://rota.example/')
  await addRun(house.worker, 'prices', new Date(Date.now() - 60_000).toISOString(), 'failed')
  await addRun(house.worker, 'prices', new Date(Date.now() - 30_000).toISOString(), 'failed')
  await workerOn(t, house.database)
  const told = () => house.reader(`select event, address, state from dba.alert_told where state = 'sent' order by asked_at`)
  assert.deepEqual(await eventually(told), [{ event: 'opened', address: 'ann@example.com', state: 'sent' }])
  const [mail] = stand.mails
  assert.equal(mail?.subject, '[Rota] failed: prices (2nd time)')
  assert.deepEqual(mail?.to, ['ann@example.com'])
  assert.match(mail?.text ?? '', /Its latest run failed: Printer has no paper/)
  assert.match(mail?.text ?? '', /select dba\.rerun\('/)
  assert.match(mail?.text ?? '', /https:\/\/rota\.example\/alerts\/1/)
  await addRun(house.worker, 'prices', new Date().toISOString(), 'succeeded', { more: { finished_at: new Date().toISOString() } })
  await eventually(told, (rows) => rows.length === 2)
  assert.equal(stand.mails[1]?.subject, '[Rota] recovered: prices (failed)')
})

test('a storm of 500 failing schedules is one mail with a list', async (t) => {
  const house = await alertHouse(t)
  const { connections } = await connectionsOf(house.database)
  await house.dba(
    `insert into dba.scheduler (schedule_name, job, owner) select 'feed ' || n, 'noop', 'ann@example.com' from generate_series(1, 499) n`,
  )
  await house.worker(
    `insert into dba.run (schedule_id, schedule_name, job, trigger, fire_key, scheduled_for, due_at, state, attempt, started_at, finished_at, error_code, error_message)
     select schedule_id, schedule_name, job, 'cron', 'x', '2035-03-02 05:20Z', '2035-03-02 05:20Z', 'failed', 1, '2035-03-02 05:20Z', '2035-03-02 05:20Z', 'no_route', 'Nobody there' from dba.scheduler`,
  )
  await house.watch('2035-03-02 05:21Z')
  const at = new Date('2035-03-02 05:21:10Z')
  assert.equal(await tellByMail({ pool: house.database.pool, connections, at }), 1)
  assert.equal(await tellByMail({ pool: house.database.pool, connections, at }), 0)
  const [mail] = await house.reader<{ subject: string; excerpt: string }>('select subject, excerpt from dba.outbox')
  assert.equal(mail?.subject, '[Rota] 500 alerts: 500 failed')
  assert.match(mail?.excerpt ?? '', /^- feed 1: failed: its latest run failed: Nobody there/m)
  assert.deepEqual(await house.reader(`select distinct state, outbox_id is not null as has_mail from dba.alertmessage`), [
    { state: 'told', has_mail: true },
  ])
})

test('a digest is one mail, and few alerts are one each', async (t) => {
  const house = await alertHouse(t)
  const { connections } = await connectionsOf(house.database)
  await house.set('digest_at', '07:00')
  await house.watch('2035-03-01 08:00Z')
  await addRun(house.worker, 'prices', '2035-03-02 06:00Z', 'failed')
  await house.watch('2035-03-02 07:00Z')
  assert.equal(await tellByMail({ pool: house.database.pool, connections, at: new Date('2035-03-02 07:01Z') }), 2)
  const subjects = await house.reader<{ subject: string }>('select subject from dba.outbox order by subject')
  assert.deepEqual(
    subjects.map(({ subject }) => subject),
    ['[Rota] daily: 1 open', '[Rota] failed: prices'],
  )
})

test('who is killed between opening and telling has told nobody, and another tells once', async (t) => {
  const house = await alertHouse(t)
  const { connections } = await connectionsOf(house.database)
  const { pool, url } = house.database
  await addRun(house.worker, 'prices', '2035-03-02 05:20Z', 'failed')
  const at = new Date('2035-03-02 05:22Z')
  await house.watch('2035-03-02 05:21Z')
  const { process: victim } = await launch(t, new URL('./alert-victim.ts', import.meta.url), [url])
  await new Promise((resolve) => (victim.exitCode === null && victim.signalCode === null ? victim.once('exit', resolve) : resolve(null)))
  assert.equal(victim.signalCode, 'SIGKILL')
  assert.deepEqual(await house.reader('select * from dba.outbox'), [])
  await eventually(
    async () => [{ told: await tellByMail({ pool, connections, at }) }],
    ([row]) => row?.told === 1,
  )
  await tellByMail({ pool, connections, at })
  assert.deepEqual(await house.messages(), ['opened ann@example.com told'])
  assert.deepEqual(await house.reader('select count(*)::integer as mails from dba.outbox'), [{ mails: 1 }])
})

test('a webhook is told in its shape, tried again with back-off, and its trouble stands in dba.problem without the address', async (t) => {
  const house = await alertHouse(t)
  const stand = await startWebStand(t)
  const { secrets, connections } = await connectionsOf(house.database)
  const { pool } = house.database
  for (const shape of ['generic', 'slack', 'teams']) {
    await secrets.set(shape, `${stand.url}/${shape}/s3cr3t`)
    await house.dba(
      `insert into dba.connection (connection_name, kind, secret_name, tls, options) values ('${shape}', 'webhook', '${shape}', 'off', '{"shape": "${shape}", "allow_private": true}')`,
    )
  }
  await house.dba(`update dba.scheduler set alert_to = '{generic,slack,teams}'`)
  await addRun(house.worker, 'prices', '2035-03-02 05:20Z', 'failed')
  await house.watch('2035-03-02 05:21Z')
  stand.statuses.push(500, 503, 404)
  const call = (at: string) => callWebhooks({ pool, connections, redact: identity, at: new Date(at) })
  assert.equal(await call('2035-03-02 05:21:10Z'), 0)
  assert.equal(stand.calls.length, 3)
  assert.equal(await call('2035-03-02 05:21:30Z'), 0)
  assert.equal(stand.calls.length, 3, 'not before the pause is over')
  const problems = await house.reader<{ subject: string; message: string }>(
    `select subject, message from dba.problem where subject = any ('{generic,slack,teams}')`,
  )
  assert.equal(problems.length, 3)
  assert.doesNotMatch(JSON.stringify(problems), /s3cr3t/)
  assert.equal(await call('2035-03-02 05:22:15Z'), 3)
  assert.equal(await call('2035-03-02 05:30:00Z'), 0)
  assert.equal(new Set(stand.calls.map(({ key }) => key)).size, 3, 'the same alert has the same key each time')
  const body = (path: string) => JSON.stringify(stand.calls.findLast((one) => one.path.startsWith(`/${path}/`))?.body)
  assert.match(body('generic'), /"title":"failed: prices".*"severity":"severe".*"alert_id":1/)
  assert.match(body('slack'), /"type":"mrkdwn","text":":red_circle: \*failed: prices\*"/)
  assert.match(body('teams'), /"contentType":"application\/vnd\.microsoft\.card\.adaptive".*"version":"1\.4"/)
  assert.deepEqual((await house.messages()).sort(), ['opened generic told', 'opened slack told', 'opened teams told'])
})

test('a webhook into an inner network is refused where its options do not allow it', async (t) => {
  const house = await alertHouse(t)
  const stand = await startWebStand(t)
  const { secrets, connections } = await connectionsOf(house.database)
  await secrets.set('ops', `${stand.url}/x`)
  await house.dba(`insert into dba.connection (connection_name, kind, secret_name, tls) values ('ops', 'webhook', 'ops', 'off')`)
  await house.dba(`update dba.scheduler set alert_to = '{ops}'`)
  await addRun(house.worker, 'prices', '2035-03-02 05:20Z', 'failed')
  await house.watch('2035-03-02 05:21Z')
  await callWebhooks({ pool: house.database.pool, connections, redact: identity, at: new Date('2035-03-02 05:22Z') })
  assert.equal(stand.calls.length, 0)
  const [told] = await house.reader<{ state: string; answer: string }>('select state, answer from dba.alert_told')
  assert.equal(told?.state, 'waiting')
  assert.match(told?.answer ?? '', /inner network/)
})

test('while all is well the address outside is called once a minute, whoever works', async (t) => {
  const house = await alertHouse(t)
  const stand = await startWebStand(t)
  await house.set('heartbeat_url', `${stand.url}/alive`)
  await workerOn(t, house.database)
  await workerOn(t, house.database)
  await eventually(async () => stand.calls.map(({ path }) => ({ path })))
  await eventually(() => house.reader(`select from dba.watchmark where mark = 'look' and moved_at > since + interval '9 seconds'`))
  assert.deepEqual(
    stand.calls.map(({ method, path }) => `${method} ${path}`),
    ['GET /alive'],
  )
})

test('an address that no mail can go to keeps nobody else’s alert back, and stands in dba.problem', async (t) => {
  const house = await alertHouse(t)
  const { connections } = await connectionsOf(house.database)
  await house.database.query(
    `set session_replication_role = replica; update dba.scheduler set alert_to = '{a@b..c,bob@example.com}'; set session_replication_role = origin`,
  )
  await addRun(house.worker, 'prices', '2035-03-02 05:20Z', 'failed')
  await house.watch('2035-03-02 05:21Z')
  assert.equal(await tellByMail({ pool: house.database.pool, connections, at: new Date('2035-03-02 05:22Z') }), 1)
  assert.deepEqual((await house.messages()).sort(), ['opened a@b..c failed', 'opened bob@example.com told'])
  const [problem] = await house.reader<{ message: string }>(`select message from dba.problem where subject = 'a@b..c'`)
  assert.match(problem?.message ?? '', /^alerts do not reach this address: /)
})
