import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freshDatabase, type TestDatabase } from '../../helpers/database.ts'
import { startSmtpStandIn } from '../../systemscripts/outgoing-mail/smtp-stand-in.ts'
import { newMail, openRun, outboxOf } from './outbox-bench.ts'

const victim = fileURLToPath(new URL('outbox-victim.ts', import.meta.url))

interface Killed {
  database: TestDatabase
  runId: string
  keys: string[]
  seam: string
  connection?: string
}

/** True: it died; false: it came past that seam. */
async function sendKilled({ database, runId, keys, seam, connection = 'post' }: Killed): Promise<boolean> {
  const child = spawn(process.execPath, [victim, database.url, database.dataDir, runId, '1', keys.join(), seam, connection], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [, signal] = await once(child, 'exit')
  return signal === 'SIGKILL'
}

async function goOn(database: TestDatabase, runId: string, keys: string[], connectionName: string | null = 'post') {
  await database.pool.query('update dba.run set attempt = 2 where run_id = $1', [runId])
  const { outbox, close } = await outboxOf({ ...database, runId, attempt: 2 })
  const ids = await outbox.store(await Promise.all(keys.map((key) => newMail(key, {}, { connectionName }))))
  const mails = await outbox.send(ids)
  await close()
  return mails
}

const seams = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].flatMap((at) => [`before ${at}`, `after ${at}`])

test('killed at any statement, no recipient gets two, and whoever may have none is told of', async (t) => {
  const [database, server] = [await freshDatabase(t), await startSmtpStandIn(t)]
  await database.query(
    `insert into dba.connection (connection_name, kind, host, port, tls) values ('post', 'smtp', '127.0.0.1', $1, 'off')`,
    [server.port],
  )
  const seen = new Set<string>()
  for (const seam of seams) {
    const runId = await openRun(database.pool)
    const keys = [`${seam} a`, `${seam} b`]
    const before = server.mails.length
    const died = await sendKilled({ database, runId, keys, seam })
    const mails = await goOn(database, runId, keys)
    const arrived = server.mails.slice(before).map(({ content }) => /^Subject: (.*)$/m.exec(content.replaceAll('\r', ''))?.[1] ?? '')
    for (const { subject, state } of mails) {
      seen.add(state)
      const copies = arrived.filter((found) => found === subject).length
      assert.ok(copies <= 1, `${subject} came ${copies} times`)
      assert.ok(state === 'sent' ? copies === 1 : state === 'unknown', `${subject} is ${state}, came ${copies} times`)
    }
    if (!died) break
  }
  assert.deepEqual([...seen].sort(), ['sent', 'unknown'])
})

test('into a folder, killed at any statement, each mail is there once and nothing is unknown', async (t) => {
  const database = await freshDatabase(t)
  for (const seam of seams) {
    const runId = await openRun(database.pool)
    const keys = [`${seam} a`, `${seam} b`]
    const died = await sendKilled({ database, runId, keys, seam, connection: '' })
    assert.deepEqual(
      (await goOn(database, runId, keys, null)).map(({ state }) => state),
      ['sent', 'sent'],
    )
    const names = await readdir(join(database.dataDir, 'outbox'))
    for (const key of keys) assert.equal(names.filter((name) => name.includes(`Mail ${key} `)).length, 1, `${key}: ${names.join()}`)
    if (!died) break
  }
})
