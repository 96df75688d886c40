import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { splitStatements } from '../../src/db/split-sql.ts'
import { freshDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'
import { keepQueryLogin } from '../jobs/report-harness.ts'

const read = (name: string) => readFileSync(new URL(`../../onboarding/sql/${name}`, import.meta.url), 'utf8')

test('the story of a report goes as it is told', async (t) => {
  const database = await freshDatabase(t)
  await keepQueryLogin(database)
  await workerOn(t, database)
  const { query: dba } = await database.as('rota_dba')
  for (const { text: statement } of splitStatements(read('report.sql'))) {
    await dba(statement)
    if (!/dba\.(request_preview|run_now)\(/.test(statement)) continue
    await eventually(
      () => dba(`select from dba.run where trigger = 'request' and finished_at is null`),
      (open) => open.length === 0,
    )
  }
  await eventually(() => dba(`select from dba.outbox where round = 2 and state = 'sent'`))
  assert.deepEqual(
    await dba(
      `select kind, state, subject ~ '^(\\[Test\\] )?Sales (north |south )?of ' as named, count(*) from dba.outbox group by 1, 2, 3 order by 1, 2`,
    ),
    [
      { kind: 'report', state: 'sent', named: true, count: 2 },
      { kind: 'test', state: 'held', named: true, count: 1 },
      { kind: 'test', state: 'sent', named: true, count: 1 },
    ],
  )
  assert.deepEqual(await dba(`select state, count(*) from dba.run where trigger = 'request' group by 1`), [
    { state: 'succeeded', count: 3 },
  ])
})

test('the predecessor’s table of reports is loaded with its JSON unchanged', async (t) => {
  const database = await freshDatabase(t)
  const { query: dba } = await database.as('rota_dba')
  await dba('create schema predecessor')
  await dba(`create table predecessor.treportmanager (reportid serial primary key, reportname varchar(255) not null, reportdescription text, frequency varchar(50) not null,
    subjectheader varchar(255) not null, toheader text not null, hasattachment boolean default false, attachmentqueries jsonb, emailbodytemplate text,
    emailbodyqueries jsonb, datastatusid int, createddate timestamp default now(), createduser varchar(100))`)
  await dba(`insert into predecessor.treportmanager (reportname, reportdescription, frequency, subjectheader, toheader, hasattachment, attachmentqueries, emailbodytemplate, emailbodyqueries, datastatusid, createduser) values
    ('Daily Event Changes', 'What changed', '30 6 * * 1-5', 'Changes {timestamp}', 'ann@example.com, bob@example.com,', true, '[{"name": "changes_{timestamp}.csv", "query": "SELECT 1 AS a"}, {"name": "b.csv", "query": "SELECT 2 AS b"}]',
      '<p>Hello</p>{{grid1}} {{grid2}} {{gone}}', '{"grid1": "SELECT 1 AS x", "grid2": "SELECT 2 AS y"}', 1, 'etl'),
    ('Plain', null, '0 7 * * 1', 'Plain', 'ann@example.com', false, '[{"name": "never.csv", "query": "SELECT 1"}]', '<p>{{gone}}Nothing</p>', null, 2, null)`)
  for (let times = 1; times <= 2; times += 1) for (const { text } of splitStatements(read('reports-from-predecessor.sql'))) await dba(text)
  assert.deepEqual(
    await dba('select config_name, is_active, cron, subject, to_addresses, body_html, description from dba.reportconfig order by 1'),
    [
      {
        config_name: 'Daily Event Changes',
        is_active: false,
        cron: '30 6 * * 1-5',
        subject: 'Changes {timestamp}',
        to_addresses: ['ann@example.com', 'bob@example.com'],
        body_html: '<p>Hello</p>{{grid1}} {{grid2}} ',
        description: 'What changed (was report 1, active)',
      },
      {
        config_name: 'Plain',
        is_active: false,
        cron: '0 7 * * 1',
        subject: 'Plain',
        to_addresses: ['ann@example.com'],
        body_html: '<p>Nothing</p>',
        description: '(was report 2, not active)',
      },
    ],
  )
  assert.deepEqual(
    await dba('select config_name, query_name, shown_as, file_name, query_text from dba.reportquery order by config_name, position'),
    [
      { config_name: 'Daily Event Changes', query_name: 'grid1', shown_as: 'table', file_name: null, query_text: 'SELECT 1 AS x' },
      { config_name: 'Daily Event Changes', query_name: 'grid2', shown_as: 'table', file_name: null, query_text: 'SELECT 2 AS y' },
      {
        config_name: 'Daily Event Changes',
        query_name: 'file_1',
        shown_as: 'csv',
        file_name: 'changes_{timestamp}.csv',
        query_text: 'SELECT 1 AS a',
      },
      { config_name: 'Daily Event Changes', query_name: 'file_2', shown_as: 'csv', file_name: 'b.csv', query_text: 'SELECT 2 AS b' },
    ],
  )
})
