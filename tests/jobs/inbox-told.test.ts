import assert from 'node:assert/strict'
import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { plainMail } from '../systemscripts/mail/make-mail.ts'
import { inboxBench } from './inbox-harness.ts'

const files = [{ name: 'a.csv', bytes: Buffer.from('day,price\n1,2\n') }]

test('mails of one second that share their Message-ID are all taken', async (t) => {
  const { put, rule, run, names } = await inboxBench(t)
  await rule()
  const twin = (subject: string, day: number) =>
    plainMail({ messageId: '<daily@example.com>', subject, files: [{ name: `${day}.csv`, bytes: Buffer.from(`day\n${day}\n`) }] })
  await put('1.eml', twin('Prices, part 1', 1))
  await put('2.eml', twin('Prices, part 2', 2))
  await put('3.eml', twin('Prices, part 2', 2))
  assert.equal((await run()).note, '3 mails looked at, 2 taken with 2 files.')
  assert.deepEqual(await names('saved'), ['1.csv', '2.csv'])
})

test('a mail that is too old is written down with that reason', async (t) => {
  const { dba, drop, put, rule, run } = await inboxBench(t)
  await rule({ max_age: '30 days' })
  await put('old.eml', plainMail({ files, date: new Date(Date.now() - 40 * 86_400_000).toUTCString() }))
  const then = new Date(Date.now() - 40 * 86_400_000)
  await utimes(join(drop, 'old.eml'), then, then)
  await run()
  assert.deepEqual(await dba('select m.state, d.decision, d.failed_on from dba.message m join dba.messagedecision d using (message_id)'), [
    { state: 'unmatched', decision: 'not_matched', failed_on: 'max_age' },
  ])
})
