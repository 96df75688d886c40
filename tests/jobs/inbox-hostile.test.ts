import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../helpers/engine.ts'
import { needsDovecot, startDovecot } from '../systemscripts/mail/dovecot.ts'
import { mail, plainMail } from '../systemscripts/mail/make-mail.ts'
import { type InboxBench, inboxBench } from './inbox-harness.ts'

process.env.ROTA_TEST_MAIL_PASSWORD = 'secret'

/** Mails that somebody wrote to do harm, or a broken program wrote; each with the file that is to be saved of it in spite of that. */
function hostileMails(): Record<string, { raw: Buffer; files: number }> {
  const csv = Buffer.from('a\n1\n')
  const one = (facts: Parameters<typeof plainMail>[0], name = 'a.csv') => plainMail({ files: [{ name, bytes: csv }], ...facts })
  const part = (name: string, body = 'YQox', encoding = 'base64') => [
    '--sep',
    `Content-Type: application/octet-stream; name="${name}"`,
    `Content-Transfer-Encoding: ${encoding}`,
    `Content-Disposition: attachment; filename="${name}"`,
    '',
    body,
  ]
  const multi = (id: string, ...lines: (string | Buffer)[]) =>
    mail(
      'From: a@example.com',
      'Subject: Prices',
      `Message-ID: <${id}@example.com>`,
      'Content-Type: multipart/mixed; boundary="sep"',
      '',
      ...lines,
      '--sep--',
    )
  const nested = Array.from({ length: 200 }).reduce<Buffer>(
    (inner, _, index) =>
      mail(
        'From: a@example.com',
        `Subject: Prices ${index}`,
        `Message-ID: <n${index}@example.com>`,
        'Content-Type: message/rfc822',
        '',
        inner,
      ),
    one({}),
  )
  return {
    hugeHeader: { raw: one({ above: Array.from({ length: 60_000 }, (_, index) => `X-Junk-${index}: ${'x'.repeat(60)}`) }), files: 0 },
    hugeLine: { raw: one({ subject: `Prices ${'x'.repeat(100_000)}` }), files: 1 },
    manyParts: { raw: multi('parts', ...Array.from({ length: 9_000 }, () => part('a.txt')).flat(), ...part('last.csv')), files: 1 },
    // So deep nobody looks; the mails within it are files that could be saved.
    nested: { raw: nested, files: 0 },
    paths: {
      raw: multi(
        'paths',
        ...['../../up.csv', '..\\..\\win.csv', '/etc/cron.d/x.csv', 'CON.csv', 'nul', 'a\u0000b.csv', '....', ' '].flatMap((name) =>
          part(name),
        ),
      ),
      files: 8,
    },
    junk: { raw: multi('junk', ...part('junk.csv', 'YQ!!ox\r\n*** scanned by ***\r\n====')), files: 1 },
    tnef: { raw: multi('tnef', ...part('winmail.dat', 'eJ8+IgEPAQ==')), files: 1 },
    truncatedTnef: {
      raw: multi(
        'tnef2',
        ...part('winmail.dat', Buffer.concat([Buffer.from('789f3e22', 'hex'), Buffer.alloc(40, 0xff)]).toString('base64')),
      ),
      files: 1,
    },
    noId: { raw: one({ messageId: null }), files: 1 },
    sameIdOne: { raw: one({ messageId: '<same@example.com>', date: 'Thu, 19 Nov 2026 10:00:00 +0100' }), files: 1 },
    sameIdTwo: { raw: one({ messageId: '<same@example.com>', date: 'Thu, 19 Nov 2026 11:00:00 +0100' }), files: 1 },
    old: { raw: one({ date: 'Mon, 1 Jan 1900 00:00:00 +0000' }), files: 1 },
    strangeDates: { raw: one({ date: 'Thu, 99 Foo 99999 99:99:99 +9999' }), files: 1 },
    farYear: { raw: one({ date: 'Thu, 19 Nov 9999 10:00:00 +0100' }), files: 1 },
    eightBit: {
      raw: Buffer.concat([
        Buffer.from('From: "M\xfcller" <a@example.com>\r\nSubject: Prices \xff\xfe\0\r\n', 'latin1'),
        one({ subject: 'Lunch' }),
      ]),
      files: 1,
    },
    openBoundary: {
      raw: mail('From: a@example.com', 'Subject: Prices', 'Content-Type: multipart/mixed; boundary="sep"', '', ...part('cut.csv')),
      files: 1,
    },
    noBody: { raw: mail('Subject: Prices'), files: 0 },
    empty: { raw: Buffer.alloc(0), files: 0 },
  }
}

async function check({ dba, dataDir, run }: InboxBench, mails: ReturnType<typeof hostileMails>): Promise<void> {
  const end = await run()
  assert.equal(end.state, 'succeeded', `${end.error_code} ${end.error_message} ${end.error_detail}`)
  const saved = (await readdir(join(dataDir, 'saved'))).filter((name) => !name.startsWith('.'))
  const expected = Object.values(mails).reduce((sum, { files }) => sum + files, 0)
  assert.equal(
    saved.length,
    expected,
    JSON.stringify(
      await dba(`select subject, state, attachments, reason from dba.message where state not in ('filed', 'saved') or attachments <> 1`),
    ),
  )
  for (const name of saved) assert.ok(!/[/\\\0]|^\.|^(con|nul)\b/i.test(name), name)
  assert.deepEqual(
    await dba(`select state, count(*)::integer as mails from dba.message where state not in ('filed', 'unmatched') group by state`),
    [],
  )
  assert.equal((await run()).files, 0)
}

test('mails that mean harm are saved as far as they can be, in a drop box', async (t) => {
  const bench = await inboxBench(t)
  const mails = hostileMails()
  for (const [name, { raw }] of Object.entries(mails)) await bench.put(`${name}.eml`, raw)
  await bench.rule({ subject_pattern: 'Prices', attachment_pattern: '^(?!.*[.](txt|eml)$)' })
  await check(bench, mails)
})

test('mails that mean harm are saved as far as they can be, over IMAP', needsDovecot, async (t) => {
  const dovecot = await startDovecot(null)
  t.after(() => dovecot.end())
  const bench = await inboxBench(t)
  const mails = hostileMails()
  for (const { raw } of Object.values(mails)) await dovecot.deliver('office', raw)
  await bench.dba(
    `insert into dba.connection (connection_name, kind, host, port, user_name, secret_name, tls)
     values ('office', 'imap', '127.0.0.1', $1, 'office', 'env:ROTA_TEST_MAIL_PASSWORD', 'off')`,
    [dovecot.port],
  )
  await bench.rule({ connection_name: 'office', subject_pattern: 'Prices', attachment_pattern: '^(?!.*[.](txt|eml)$)' })
  const [asked] = await bench.dba<{ id: number }>(`select dba.request_rehearsal('prices', 3650) as id`)
  const state = () =>
    bench.dba(`select state, message from dba.rehearsal where rehearsal_id = $1 and state in ('done', 'failed')`, [asked?.id])
  assert.deepEqual(await eventually(state).then(([row]) => row?.state), 'done')
  assert.deepEqual(await bench.names('saved'), [])
  await check(bench, mails)
})
