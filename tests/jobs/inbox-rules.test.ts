import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../helpers/engine.ts'
import { plainMail } from '../systemscripts/mail/make-mail.ts'
import { inboxBench } from './inbox-harness.ts'

const table = Buffer.from('day,price\n1,2\n')
const files = [{ name: 'a.csv', bytes: table }]
const program = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(200)])

test('a mail that is not trusted, blocked or too large goes under the error label, and the run says so and succeeds', async (t) => {
  const { dba, put, rule, run, names } = await inboxBench(t)
  await rule({ allowed_senders: ['example.com'], max_size_bytes: 1000 })
  await put('stranger.eml', plainMail({ from: 'eve@evil.example', files }))
  await put('program.eml', plainMail({ files: [{ name: 'prices.csv', bytes: program }] }))
  await put('named.eml', plainMail({ files: [{ name: 'prices.exe', bytes: table }] }))
  await put('large.eml', plainMail({ files: [{ name: 'large.csv', bytes: Buffer.alloc(1001, 'x') }] }))
  await put('huge.eml', plainMail({ files: [{ name: 'huge.csv', bytes: Buffer.alloc(100_000, 'x') }] }))
  await put('good.eml', plainMail({ files }))
  const end = await run()
  assert.equal(end.state, 'succeeded')
  assert.equal(end.note, '6 mails looked at, 1 taken with 1 file, 5 refused.')
  assert.deepEqual(await names('drop/ErrorFolder'), ['huge.eml', 'large.eml', 'named.eml', 'program.eml', 'stranger.eml'])
  assert.deepEqual(await names('saved'), ['a.csv'])
  assert.deepEqual(
    await dba(
      `select m.error_code, m.state, m.reason, d.decision, d.failed_on, m.filed_to, m.filed_at is not null as filed
       from dba.message m join dba.messagedecision d using (message_id) where m.state <> 'filed' order by m.reason`,
    ),
    [
      ['max_size_bytes', '"huge.csv" has about 99896 bytes, allowed are 1000'],
      ['max_size_bytes', '"large.csv" has more bytes, allowed are 1000'],
      ['blocked_types', '"prices.csv" is a Windows program'],
      ['blocked_types', 'attachment "prices.exe" is of the blocked type .exe'],
      ['allowed_senders', 'sender "eve@evil.example" is not allowed'],
    ].map(([filter, reason]) => ({
      error_code: filter,
      state: 'refused',
      reason,
      decision: 'refused',
      failed_on: filter,
      filed_to: 'ErrorFolder',
      filed: true,
    })),
  )
  await eventually(
    () => dba(`select from dba.logentry where level = 'warning' and message like '%was refused%'`),
    (lines) => lines.length === 5,
  )
})

test('a refused mail is looked at again when somebody asks, wherever it lies by then', async (t) => {
  const { dba, put, rule, run, names } = await inboxBench(t)
  await rule({ allowed_senders: ['example.org'] })
  await put('1.eml', plainMail({ files }))
  await run()
  await dba(`update dba.inboxconfig set allowed_senders = '{example.com}'`)
  assert.equal((await run()).note, '0 mails looked at, 0 taken with 0 files.', 'it is not taken by itself')
  await dba(`update dba.message set state = 'retry'`)
  assert.equal((await run()).state, 'succeeded')
  assert.deepEqual(await names('drop/Processed'), ['1.eml'])
  assert.deepEqual(await names('saved'), ['a.csv'])
  assert.deepEqual(await dba(`select state, round, found_in, folder, reason from dba.message`), [
    { state: 'filed', round: 2, found_in: 'INBOX', folder: 'ErrorFolder', reason: null },
  ])
})

test('rules are asked in their order, and dba.messagedecision says what each made of a mail', async (t) => {
  const { dba, put, rule, run, names } = await inboxBench(t)
  await rule({ config_name: 'prices', rule_order: 20, subject_pattern: 'prices', attachment_pattern: '[.]csv$' })
  await rule({ config_name: 'urgent', rule_order: 10, subject_pattern: 'urgent', save_to: 'urgent', processed_label: 'Urgent' })
  await rule({ config_name: 'all', rule_order: 30, subject_pattern: '.', save_to: 'all', stop_on_match: false, save_raw: true })
  await rule({ config_name: 'asleep', subject_pattern: '.', is_active: false })
  await put('1.eml', plainMail({ subject: 'urgent prices', files }))
  await put('2.eml', plainMail({ subject: 'prices', files: [{ name: 'a.txt', bytes: table }] }))
  const end = await run('prices')
  assert.equal(end.note, '2 mails looked at, 2 taken with 3 files.')
  assert.deepEqual(
    await dba(
      `select m.uid, d.config_name, d.decision, d.failed_on, d.detail from dba.messagedecision d join dba.message m using (message_id) order by m.uid, d.rule_order`,
    ),
    [
      ['1.eml', 'urgent', 'matched', null, null],
      ['1.eml', 'prices', 'not_asked', null, '"urgent" took it'],
      ['1.eml', 'all', 'not_asked', null, '"urgent" took it'],
      ['2.eml', 'urgent', 'not_matched', 'subject_pattern', 'subject "prices" does not match "urgent"'],
      ['2.eml', 'prices', 'not_matched', 'attachment_pattern', 'no attachment matches "[.]csv$": "a.txt"'],
      ['2.eml', 'all', 'matched', null, null],
    ].map(([uid, config_name, decision, failed_on, detail]) => ({ uid, config_name, decision, failed_on, detail })),
  )
  assert.deepEqual(await names('urgent'), ['a.csv'])
  assert.deepEqual(await names('all'), ['a.txt', 'prices.eml'], 'the whole mail as well')
  assert.deepEqual(await names('drop/Urgent'), ['1.eml'])
  assert.deepEqual(await names('drop/Processed'), ['2.eml'])
})

test('a copy of a mail that was taken is not taken, and another mail under the same name is', async (t) => {
  const { dba, put, rule, run, names } = await inboxBench(t)
  await rule()
  const first = plainMail({ messageId: '<one@example.com>', files })
  await put('prices.eml', first)
  await put('z copy.eml', first)
  await run()
  await put('prices.eml', plainMail({ messageId: '<two@example.com>', files: [{ name: 'a.csv', bytes: Buffer.from('other') }] }))
  assert.equal((await run()).state, 'succeeded')
  await put('moved back.eml', first)
  await run()
  assert.deepEqual(await names('saved'), ['a.csv', 'a_2.csv'])
  assert.deepEqual(await names('drop'), ['moved back.eml', 'z copy.eml'])
  assert.deepEqual(await dba(`select rfc_message_id, state, uid from dba.message order by message_id`), [
    { rfc_message_id: 'one@example.com', state: 'filed', uid: null },
    { rfc_message_id: 'one@example.com', state: 'duplicate', uid: 'z copy.eml' },
    { rfc_message_id: 'two@example.com', state: 'filed', uid: 'prices.eml' },
    { rfc_message_id: 'one@example.com', state: 'duplicate', uid: 'moved back.eml' },
  ])
})

test('a copy is known for one among thousands that are looked at together', async (t) => {
  const bench = await inboxBench(t)
  await bench.rule()
  const mail = (number: number) =>
    plainMail({
      subject: number % 100 === 0 ? 'Prices' : 'Lunch?',
      messageId: `<${number}@example.com>`,
      files: [{ name: `${number}.csv`, bytes: Buffer.from(`number\n${number}\n`) }],
    })
  const numbers = Array.from({ length: 1100 }, (_, index) => index)
  await Promise.all(numbers.map((number) => bench.put(`${String(number).padStart(4, '0')}.eml`, mail(number))))
  await bench.put('9000.eml', mail(900))
  assert.equal((await bench.run()).note, '1,101 mails looked at, 11 taken with 11 files.')
  assert.deepEqual(await bench.dba(`select uid from dba.message where state = 'duplicate'`), [{ uid: '9000.eml' }])
})

test('files get safe names that are free, with what the row puts before them', async (t) => {
  const { dba, put, rule, run, names } = await inboxBench(t)
  await rule({ name_prefix: '{message_date}_{sender}_' })
  const named = ['a.csv', 'a.csv', '../../etc/passwd', 'C:\\con.csv', 'x/y.csv', 'con.csv'].map((name) => ({
    name,
    bytes: Buffer.from(name),
  }))
  await put('1.eml', plainMail({ files: named }))
  assert.equal((await run()).files, 6)
  const prefix = '20261119_ann@example.com_'
  assert.deepEqual(
    await names('saved'),
    ['_con.csv', '_con_2.csv', 'a.csv', 'a_2.csv', 'passwd', 'x_y.csv'].map((name) => prefix + name).sort(),
  )
  assert.deepEqual(await dba(`select file_name, saved_as from dba.messagefile where file_name like '%passwd'`), [
    { file_name: '../../etc/passwd', saved_as: `${prefix}passwd` },
  ])
})

test('the mailbox is not touched where the row or the connection says so, and nothing is taken twice all the same', async (t) => {
  const { dba, put, rule, run, names } = await inboxBench(t)
  await rule({ processed_action: 'leave', allowed_senders: ['example.com'] })
  await put('1.eml', plainMail({ files }))
  await put('2.eml', plainMail({ from: 'eve@evil.example', files }))
  assert.equal((await run()).note, '2 mails looked at, 1 taken with 1 file, 1 refused.')
  assert.equal((await run()).files, 0)
  await dba(`update dba.inboxconfig set processed_action = 'move'`)
  await dba(`update dba.connection set is_read_only = true`)
  await put('3.eml', plainMail({ files }))
  assert.equal((await run()).files, 1)
  assert.deepEqual(await names('drop'), ['1.eml', '2.eml', '3.eml'])
  assert.deepEqual(await dba(`select state, action from dba.message order by message_id`), [
    { state: 'filed', action: 'leave' },
    { state: 'refused', action: 'leave' },
    { state: 'filed', action: 'leave' },
  ])
})

test('mails that were left alone are judged again when the rules change', async (t) => {
  const { dba, put, rule, run } = await inboxBench(t)
  await rule({ subject_pattern: 'Rates' })
  await put('1.eml', plainMail({ subject: 'Prices', files }))
  assert.equal((await run()).files, 0)
  await dba(`update dba.inboxconfig set description = 'another word'`)
  assert.equal((await run()).files, 0)
  await dba(`update dba.inboxconfig set subject_pattern = 'Prices'`)
  assert.equal((await run()).files, 1)
  assert.deepEqual(await dba(`select state, taken_by, attempts from dba.message`), [{ state: 'filed', taken_by: 'prices', attempts: 1 }])
})

test('a rule whose pattern could take for ever, or whose folder is missing, fails with the column to correct', async (t) => {
  const { dba, rule, run } = await inboxBench(t)
  await rule({ subject_pattern: 'a*a*a*a*a*a*a*b' })
  const end = await run()
  assert.equal(end.error_code, 'rule_pattern_invalid')
  assert.equal(end.error_message, 'subject_pattern of "prices" cannot be used')
  await dba(`update dba.inboxconfig set subject_pattern = 'a', folder = 'Nowhere'`)
  const missing = await run()
  assert.equal(missing.error_code, 'mail_folder_missing')
  assert.deepEqual(await eventually(() => dba(`select config_state from dba.scheduler where config_state = 'invalid'`)), [
    { config_state: 'invalid' },
  ])
})

test('two runs of one mailbox go one after the other, and each mail is taken once', async (t) => {
  const { dba, put, rule, names } = await inboxBench(t)
  await rule()
  await rule({ config_name: 'others', subject_pattern: 'Rates', save_to: 'others' })
  for (let number = 1; number <= 30; number += 1) {
    await put(`${number}.eml`, plainMail({ subject: number % 2 ? 'Prices' : 'Rates', files: [{ name: `${number}.csv`, bytes: table }] }))
  }
  await dba(`insert into dba.run (schedule_name) values ('prices'), ('others')`)
  await eventually(
    () => dba<{ state: string }>(`select state from dba.run where job = 'inbox'`),
    (runs) => runs.length === 2 && runs.every(({ state }) => state === 'succeeded'),
  )
  assert.equal((await names('saved')).length + (await names('others')).length, 30)
  assert.deepEqual(await dba(`select state, count(*) as mails from dba.message group by state`), [{ state: 'filed', mails: 30 }])
})

test('a renamed connection or rule keeps its mails', async (t) => {
  const { dba, put, rule, run } = await inboxBench(t)
  await rule({ processed_action: 'leave' })
  await put('1.eml', plainMail({ files }))
  await run()
  await dba(`update dba.connection set connection_name = 'letterbox'`)
  await dba(`update dba.inboxconfig set config_name = 'daily prices'`)
  assert.equal((await run()).files, 0)
  assert.deepEqual(
    await dba(
      `select m.connection_name, m.taken_by, d.config_name as decided_by, f.config_name as saved_by
       from dba.message m join dba.messagedecision d using (message_id) join dba.messagefile f using (message_id)`,
    ),
    [{ connection_name: 'letterbox', taken_by: 'daily prices', decided_by: 'daily prices', saved_by: 'daily prices' }],
  )
})

test('expected mail: what came for another rule of the mailbox does not count', async (t) => {
  const { dba, put, rule, run } = await inboxBench(t)
  await rule()
  await rule({ config_name: 'rates', subject_pattern: 'Rates' })
  await dba(`update dba.scheduler set due_by = '{23:59:59}', time_zone = 'UTC'`)
  await put('1.eml', plainMail({ subject: 'Prices', files }))
  await run('rates')
  assert.deepEqual(
    await dba(
      `select s.schedule_name, dba.first_brought_at(s, clock_timestamp() - interval '1 hour', clock_timestamp()) is not null as brought
       from dba.scheduler s order by 1`,
    ),
    [
      { schedule_name: 'prices', brought: true },
      { schedule_name: 'rates', brought: false },
    ],
  )
})
