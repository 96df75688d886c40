import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needsDovecot, startDovecot } from '../systemscripts/mail/dovecot.ts'
import { plainMail } from '../systemscripts/mail/make-mail.ts'
import { attemptInbox } from './inbox-attempt.ts'
import { type InboxBench, inboxBench } from './inbox-harness.ts'

const victim = fileURLToPath(new URL('inbox-victim.ts', import.meta.url))
/** Of a run that takes one mail. */
const commits = [1, 2, 3, 4, 5, 6, 7, 8]

async function openRun({ database }: InboxBench): Promise<string> {
  const { rows } = await database.pool.query<{ run_id: string }>(
    `insert into dba.run (schedule_id, schedule_name, job, config_name, fire_key, due_at, state, attempt, worker)
     values (1, 'test', 'inbox', 'prices', gen_random_uuid()::text, clock_timestamp(), 'running', 1, 'test') returning run_id`,
  )
  return rows[0]?.run_id ?? ''
}

async function endRun({ database }: InboxBench, runId: string): Promise<void> {
  await database.pool.query(
    `update dba.run set state = 'failed', finished_at = clock_timestamp(), error_code = 'x', error_message = 'x' where run_id = $1`,
    [runId],
  )
}

async function runKilled(bench: InboxBench, seam: string): Promise<void> {
  const runId = await openRun(bench)
  const { url } = bench.database
  const child = spawn(process.execPath, [victim, url, bench.dataDir, runId, seam], { stdio: ['ignore', 'inherit', 'inherit'] })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL', `the victim came past "${seam}"`)
  await endRun(bench, runId)
}

async function runWhole(bench: InboxBench): Promise<void> {
  const runId = await openRun(bench)
  const { pool, url } = bench.database
  try {
    await attemptInbox({ pool, url, dataDir: bench.dataDir, runId })
  } finally {
    await endRun(bench, runId)
  }
}

async function assertEachTakenOnce(bench: InboxBench, wanted: string[]): Promise<void> {
  const contents = await Promise.all((await bench.names('saved')).map((name) => bench.read(`saved/${name}`)))
  assert.deepEqual(contents.sort(), wanted.toSorted(), 'each file is there once')
  const hidden = (await readdir(join(bench.dataDir, 'saved'))).filter((name) => name.startsWith('.'))
  assert.deepEqual(hidden, [], 'nothing hidden is left')
  assert.deepEqual(
    await bench.dba(`select state, count(*) as mails from dba.message group by state`),
    [{ state: 'filed', mails: wanted.length }],
    'every mail is filed',
  )
  assert.deepEqual(await bench.dba(`select count(*) as files from dba.messagefile where saved_at is not null`), [{ files: wanted.length }])
}

test('killed before or after any commit, no mail is taken twice and none forgotten', async (t) => {
  const bench = await inboxBench(t, { noWorker: true })
  await bench.rule()
  const wanted: string[] = []
  for (const moment of ['before', 'after']) {
    for (const commit of commits) {
      const seam = `${moment} ${commit}`
      const content = `a;b\r\n${seam};2\r\n`
      await bench.put(`${moment}-${commit}.eml`, plainMail({ files: [{ name: 'a.csv', bytes: Buffer.from(content) }] }))
      wanted.push(content)
      await runKilled(bench, seam)
      if (commit % 2 === 0) await runKilled(bench, 'before 1')
      await runWhole(bench)
      await assertEachTakenOnce(bench, wanted)
    }
  }
  assert.equal((await bench.names('drop/Processed')).length, wanted.length)
  assert.deepEqual(await bench.names('drop'), [])
})

test('the same over IMAP, where a mail that was moved has another number', needsDovecot, async (t) => {
  const dovecot = await startDovecot(null)
  t.after(() => dovecot.end())
  const bench = await inboxBench(t, { noWorker: true })
  process.env.ROTA_TEST_IMAP_PASSWORD = 'secret'
  await bench.dba(
    `insert into dba.connection (connection_name, kind, host, port, user_name, secret_name, tls)
     values ('office', 'imap', '127.0.0.1', $1, 'office', 'env:ROTA_TEST_IMAP_PASSWORD', 'off')`,
    [dovecot.port],
  )
  await bench.rule({ connection_name: 'office' })
  const wanted: string[] = []
  for (const seam of ['after 2', 'before 3', 'after 3', 'before 5', 'after 5', 'before 7', 'after 7']) {
    const content = `a;b\r\n${seam};2\r\n`
    await dovecot.deliver('office', plainMail({ files: [{ name: 'a.csv', bytes: Buffer.from(content) }] }))
    wanted.push(content)
    await runKilled(bench, seam)
    await runWhole(bench)
    await assertEachTakenOnce(bench, wanted)
  }
})

test('a mail that ends every run that has it in hand is put aside, and the others are taken', async (t) => {
  const bench = await inboxBench(t, { noWorker: true })
  await bench.rule()
  await bench.put('1 poison.eml', plainMail({ files: [{ name: 'a.csv', bytes: Buffer.from('poison') }] }))
  for (let tries = 1; tries <= 3; tries += 1) await runKilled(bench, 'before 3')
  await bench.put('2 good.eml', plainMail({ files: [{ name: 'b.csv', bytes: Buffer.from('good') }] }))
  await assert.rejects(runWhole(bench), { code: 'mails_failed', message: '1 mail could not be saved; all others were dealt with' })
  assert.deepEqual(await bench.dba(`select uid, state, error_code from dba.message order by message_id`), [
    { uid: '1 poison.eml', state: 'failed', error_code: 'mail_not_saved' },
    { uid: '2 good.eml', state: 'filed', error_code: null },
  ])
  await runWhole(bench)
  await bench.dba(`update dba.message set state = 'retry' where state = 'failed'`)
  await runWhole(bench)
  assert.deepEqual(await bench.names('saved'), ['a.csv', 'b.csv'])
})

test('a place that cannot be written to is no fault of the mails: they are taken once it can', async (t) => {
  const bench = await inboxBench(t, { noWorker: true })
  await bench.rule({ save_to: 'drop/1.eml/saved' })
  await bench.put('1.eml', plainMail({ files: [{ name: 'a.csv', bytes: Buffer.from('a') }] }))
  for (let tries = 1; tries <= 4; tries += 1) await assert.rejects(runWhole(bench), { code: 'ENOTDIR' })
  assert.deepEqual(await bench.dba(`select state, attempts from dba.message`), [{ state: 'saving', attempts: 0 }])
  await bench.dba(`update dba.inboxconfig set save_to = 'saved'`)
  await runWhole(bench)
  assert.deepEqual(await bench.names('saved'), ['a.csv'])
})
