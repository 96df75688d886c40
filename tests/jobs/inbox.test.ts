import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../helpers/engine.ts'
import { plainMail } from '../systemscripts/mail/make-mail.ts'
import { inboxBench } from './inbox-harness.ts'

const table = Buffer.from('day,price\n2026-11-19,1.5\n2026-11-20,1.75\n')

test('a mail becomes a file, the file a dataset, the dataset rows of a table, and dba.trace shows every step', async (t) => {
  const { dba, put, rule, run, names } = await inboxBench(t)
  await dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, settle) values ('prices', 'inbox', '*.csv', 'feeds.price', '0.1 seconds')`,
  )
  await rule({ import_config: 'prices' })
  await put('1.eml', plainMail({ subject: 'Prices of today', files: [{ name: 'prices.csv', bytes: table }] }))
  await put('2.eml', plainMail({ subject: 'Lunch?', files: [{ name: 'menu.csv', bytes: table }] }))
  const end = await run()
  assert.deepEqual(
    { ...end, run_id: '' },
    {
      run_id: '',
      state: 'succeeded',
      note: '2 mails looked at, 1 taken with 1 file.',
      files: 1,
      error_code: null,
      error_message: null,
      error_detail: null,
    },
  )
  assert.deepEqual(await names('drop'), ['2.eml'], 'a mail that no rule matches is left alone')
  assert.deepEqual(await names('drop/Processed'), ['1.eml'])
  await dba(`insert into dba.scheduler (schedule_name, job, config_name) values ('load prices', 'import', 'prices')`)
  await dba(`insert into dba.run (schedule_name) values ('load prices')`)
  await eventually(() => dba(`select from dba.dataset where state = 'active'`))
  assert.deepEqual(await dba('select day, price from feeds.price order by day'), [
    { day: '2026-11-19', price: '1.5' },
    { day: '2026-11-20', price: '1.75' },
  ])
  assert.deepEqual(
    await dba(
      `select t.mail, t.page, t.file, t.file_state, t.dataset_state, t.target_table, t.rows_written, f.origin, fetched.job as fetched_by, loaded.job as loaded_by
       from dba.trace t
       join dba.file f on f.file_id = t.file_id
       join dba.run fetched on fetched.run_id = t.fetched_by
       join dba.run loaded on loaded.run_id = t.loaded_by`,
    ),
    [
      {
        mail: '"Prices of today" from ann@example.com',
        page: 'unknown',
        file: 'prices.csv',
        file_state: 'loaded',
        dataset_state: 'active',
        target_table: 'feeds.price',
        rows_written: 2,
        origin: 'mail',
        fetched_by: 'inbox',
        loaded_by: 'import',
      },
    ],
  )
})
