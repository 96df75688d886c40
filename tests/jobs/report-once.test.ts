import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { attemptReport } from './report-attempt.ts'
import { type ReportBench, reportBench } from './report-harness.ts'

const victim = fileURLToPath(new URL('report-victim.ts', import.meta.url))

test('a server that puts it off gets the same bytes in the next attempt, and nobody gets two', async (t) => {
  const { report, run, server, dba } = await reportBench(t)
  await report({ to_addresses: ['ann@example.com', 'bob@example.com'] }, { now: 'select clock_timestamp() as at, random() as r' })
  server.refusals.set('bob@example.com', { code: 452, text: 'mailbox full' })
  let refused = 0
  server.onMail = () => {
    refused += 1
    server.refusals.clear()
  }
  const end = await run()
  assert.deepEqual([end.state, end.attempt, end.note, refused], ['succeeded', 2, '1 mail sent to 2 recipients', 2], JSON.stringify(end))
  assert.deepEqual(
    server.mails.map(({ to }) => to),
    [['ann@example.com'], ['bob@example.com']],
  )
  assert.ok(server.mails[0]?.content.equals(server.mails[1]?.content ?? Buffer.alloc(0)), 'the same bytes')
  assert.deepEqual(await dba('select count(*) from dba.outbox'), [{ count: 1 }])
})

test('a rerun of a failed report mails nobody again who has it; one of a succeeded report is a new mail', async (t) => {
  const { report, run, ended, server, dba } = await reportBench(t)
  await report({ to_addresses: ['ann@example.com', 'bbo@example.com'] }, { now: 'select clock_timestamp() as at, :as_of as of' })
  server.refusals.set('bbo@example.com', { code: 550, text: 'no such user' })
  const failed = await run()
  assert.deepEqual(
    [failed.error_code, failed.error_message, failed.error_detail],
    ['mail_not_delivered', '1 of 2 recipients did not get it', 'bbo@example.com: 550 5.1.1 no such user.'.replace(' 5.1.1', '')],
  )
  assert.match(failed.error_hint ?? '', /select \* from dba\.outbox where outbox_id in \(1\)/)
  await dba(`update dba.reportconfig set to_addresses = '{ann@example.com,bob@example.com}'`)
  const again = async (runId: string) => {
    const [asked] = await dba<{ run: string }>('select dba.rerun($1) as run', [runId])
    return await ended(asked?.run ?? '')
  }
  const mended = await again(failed.run_id)
  assert.equal(mended.state, 'succeeded', JSON.stringify(mended))
  assert.deepEqual(
    server.mails.map(({ to }) => to),
    [['ann@example.com'], ['bob@example.com']],
  )
  assert.ok(server.mails[0]?.content.equals(server.mails[1]?.content ?? Buffer.alloc(0)), 'the same bytes')
  assert.deepEqual(await dba('select address, state from dba.outboxrecipient order by 1'), [
    { address: 'ann@example.com', state: 'sent' },
    { address: 'bbo@example.com', state: 'cancelled' },
    { address: 'bob@example.com', state: 'sent' },
  ])
  const anew = await again(mended.run_id)
  assert.equal(anew.note, '1 mail sent to 2 recipients')
  assert.deepEqual(server.mails[2]?.to, ['ann@example.com', 'bob@example.com'])
  assert.ok(!server.mails[2]?.content.equals(server.mails[0]?.content ?? Buffer.alloc(0)))
  assert.deepEqual(await dba('select count(*) from dba.outbox'), [{ count: 2 }])
})

test('a rerun of a burst sends those that are missing, made anew where no server was told of them', async (t) => {
  const { report, run, ended, server, dba } = await reportBench(t)
  await report(
    { recipient_query: `select 'p' || n || '@example.com' as address, n from generate_series(1, 3) n` },
    { own: 'select 6 / (:n::int - 3) as x' },
  )
  await dba('update dba.scheduler set max_attempts = 1')
  const broken = await run()
  assert.deepEqual([broken.error_code, server.mails.length], ['report_query_failed', 0])
  await dba(`update dba.reportquery set query_text = 'select 7 * :n::int as x'`)
  server.refusals.set('p2@example.com', { code: 550, text: 'not today' })
  const [first] = await dba<{ run: string }>('select dba.rerun($1) as run', [broken.run_id])
  assert.equal((await ended(first?.run ?? '')).error_message, '1 of 3 recipients did not get it')
  server.refusals.clear()
  const [second] = await dba<{ run: string }>('select dba.rerun($1) as run', [first?.run])
  assert.equal((await ended(second?.run ?? '')).note, '3 mails sent to 3 recipients')
  assert.deepEqual(server.mails.map(({ to, content }) => [to.join(), /\b(7|14|21)\r?\n/.exec(content.toString())?.[1]]).toSorted(), [
    ['p1@example.com', '7'],
    ['p2@example.com', '14'],
    ['p3@example.com', '21'],
  ])
})

test('an operator sends the same bytes again to whom he likes', async (t) => {
  const { report, run, server, database } = await reportBench(t)
  await report({}, { now: 'select clock_timestamp() as at' })
  const end = await run()
  const { query: operator } = await database.as('rota_operator')
  await operator(`update dba.outbox set state = 'resend', resend_to = '{eve@example.com}' where outbox_id = $1`, [
    end.result?.outbox_ids?.[0],
  ])
  const { eventually } = await import('../helpers/engine.ts')
  await eventually(() => operator(`select from dba.outbox where state = 'sent' and round = 2`))
  assert.deepEqual(
    server.mails.map(({ to }) => to),
    [['ann@example.com'], ['eve@example.com']],
  )
  assert.ok(server.mails[0]?.content.equals(server.mails[1]?.content ?? Buffer.alloc(0)))
})

async function openRun({ database }: ReportBench): Promise<string> {
  const { rows } = await database.pool.query<{ run_id: string }>(
    `insert into dba.run (schedule_id, schedule_name, job, config_name, fire_key, due_at, state, attempt, worker)
     values (1, 'ask orders', 'report', 'orders', gen_random_uuid()::text, clock_timestamp(), 'running', 1, 'test') returning run_id`,
  )
  return rows[0]?.run_id ?? ''
}

async function killedAt({ database: { url, pool, dataDir } }: ReportBench, runId: string, attempt: number, seam: string): Promise<void> {
  const child = spawn(process.execPath, [victim, url, dataDir, runId, String(attempt), seam], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ROTA_SECRET_KEY: 'a key for tests that is long enough to be taken' },
  })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL', `the victim came past "${seam}"`)
  await pool.query('update dba.run set attempt = attempt + 1 where run_id = $1', [runId])
}

test('killed between render, store, send and record: each gets one mail, and it is the stored one', { timeout: 120_000 }, async (t) => {
  const bench = await reportBench(t, { noWorker: true })
  const { report, server, dba, database } = bench
  await report(
    { recipient_query: `select 'p' || n || '@example.com' as address, n from generate_series(1, 3) n`, when_unknown: 'resend' },
    { own: 'select :n as n, clock_timestamp() as at', sheet: { query_text: 'select :n as n', shown_as: 'xlsx' } },
  )
  for (const seam of ['before 1', 'after 1', 'before 2', 'after 2']) {
    const runId = await openRun(bench)
    server.mails.length = 0
    await killedAt(bench, runId, 1, seam)
    const before = await dba('select outbox_id, sha256 from dba.outbox where run_id = $1 order by 1', [runId])
    const outcome = await attemptReport({ pool: database.pool, url: database.url, dataDir: database.dataDir, runId, attempt: 2 })
    assert.equal(outcome.note, '3 mails sent to 3 recipients', seam)
    const after = await dba<{ outbox_id: number; sha256: string }>(
      'select outbox_id, sha256 from dba.outbox where run_id = $1 order by 1',
      [runId],
    )
    assert.equal(after.length, 3)
    if (before.length > 0) assert.deepEqual(after, before, `${seam}: what was stored is what is sent`)
    assert.deepEqual(server.mails.map(({ to }) => to.join()).toSorted(), ['p1@example.com', 'p2@example.com', 'p3@example.com'], seam)
    await database.pool.query(`update dba.run set state = 'succeeded', finished_at = clock_timestamp() where run_id = $1`, [runId])
  }
})
