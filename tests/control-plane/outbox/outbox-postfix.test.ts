/** The outbox through a real mail server to real mailboxes. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { freshDatabase } from '../../helpers/database.ts'
import { eventually } from '../../helpers/engine.ts'
import { needsPostfix, startPostfix } from '../../systemscripts/outgoing-mail/postfix.ts'
import { newMail, openRun, outboxOf } from './outbox-bench.ts'

test('through Postfix the outbox brings the stored bytes to each mailbox once, and says who was refused', needsPostfix, async (t) => {
  const database = await freshDatabase(t)
  const { pool, query, dataDir } = database
  const maildirs = join(dataDir, 'maildirs')
  await mkdir(maildirs)
  execFileSync('chmod', ['755', dataDir])
  execFileSync('chown', ['nobody', maildirs])
  const postfix = await startPostfix({ certificate: null, maildirs, users: ['ann', 'bob'] })
  t.after(() => postfix.end())
  await query(`insert into dba.connection (connection_name, kind, host, port, tls) values ('post', 'smtp', '127.0.0.1', $1, 'off')`, [
    postfix.port,
  ])
  const { outbox, close } = await outboxOf({ ...database, runId: await openRun(pool) })
  t.after(close)
  const draft = { to: ['ann@example.com', 'gone@example.com'], cc: ['bob@example.com'], html: '<p>Zażółć</p>', text: '.\nZażółć\n' }
  const ids = await outbox.store([await newMail('a', draft)])
  assert.deepEqual(
    (await outbox.send(ids)).map(({ state }) => state),
    ['sent'],
  )
  await outbox.send(ids)
  assert.deepEqual(await query('select address, state, code from dba.outboxrecipient order by position'), [
    { address: 'ann@example.com', state: 'sent', code: '250' },
    { address: 'gone@example.com', state: 'refused', code: '550' },
    { address: 'bob@example.com', state: 'sent', code: '250' },
  ])
  const [row] = await query<{ sha256: string; message_id: string }>('select sha256, message_id from dba.outbox')
  // What a mail server has taken is delivered when its queue is empty.
  await eventually(async () => (/removed$/m.test(await postfix.log()) ? [{}] : []))
  for (const user of ['ann', 'bob']) {
    const names = await readdir(join(maildirs, user, 'new'))
    assert.equal(names.length, 1, user)
    const raw = (await readFile(join(maildirs, user, 'new', names[0] ?? ''))).toString('latin1').replaceAll('\n', '\r\n')
    // Servers on the way write above it, and change nothing of it.
    const own = raw.slice(raw.indexOf('Auto-Submitted: '))
    assert.equal(createHash('sha256').update(own, 'latin1').digest('hex'), row?.sha256, raw)
  }
})
