import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Query } from '../helpers/database.ts'
import { refusal } from '../helpers/refusal.ts'
import { peopleOf } from '../helpers/rows.ts'

type Wrong = [row: Record<string, unknown>, message: RegExp, detail: RegExp | null, hint: RegExp]

const wrongConfigs: Wrong[] = [
  [{ config_name: ' a ' }, /config name is not blank/, /config_name is " a "/, /without blanks at its ends/],
  [{ config_name: 'a\nb' }, /config name is not blank/, /config_name is "a\\nb"/, /on one line/],
  [{ source_folder: '../in' }, /folders are written without dots/, /source_folder is "\.\.\/in"/, /without \. and \.\./],
  [{ archive_folder: './inbox' }, /folders are written without dots/, /archive_folder is "\.\/inbox"/, /inbox\/prices/],
  [{ archive_folder: ' ' }, /archive and failed folder are not blank/, /archive_folder is " "/, /null: archive/],
  [{ pattern_kind: 'regex', file_pattern: '(a+)+b' }, /"\(a\+\)\+b" repeats a group that holds a repetition/, null, /for ever/],
  [{ target_table: 'feeds."My Table"' }, /schema dot table/, /target_table is "feeds\.\\"My Table/, /rename to price_list/],
  [{ file_kind: 'xlsm' }, /file kind is known/, /file_kind is "xlsm"/, /\.xlsm is xlsx/],
  [{ done_file: '{nam}.done' }, /done file is a name/, /\{nam\}\.done/, /\{stem\} the name without extension/],
  [{ delimiter: '"' }, /delimiter is not the quote/, /quote is null/, /another delimiter/],
  [{ delimiter: '\n' }, /delimiter is one character/, /delimiter is "\\n"/, /\\t for a tab/],
  [{ source_zone: 'CET' }, /source_zone "CET" is not known/, null, /^Write an IANA name/],
  [{ source_zone: 'Europe/Warsav' }, /source_zone "Europe\/Warsav" is not known/, null, /^Did you mean "Europe\/Warsaw"/],
  [{ empty_when: '' }, /null or not empty/, /empty_when is ""/, /found in every text/],
  [{ label_from: 'email' }, /label from is known/, /label_from is "email"/, /mail, page or static/],
  [
    { label_from: 'mail', label_spec: 'subjekt' },
    /label_spec "subjekt" names nothing that a mail tells/,
    null,
    /^Did you mean "subject"\?/,
  ],
  [{ date_from: 'mail', date_spec: 'subject:' }, /date_spec "subject:" ends at its colon/, null, /^Write subject, sender or date/],
  [{ label_from: 'page', label_spec: 'address: (' }, /label_spec "\(" is not right/, null, /come in pairs/],
  [{ label_spec: '' }, /null or not empty/, /label_spec is ""/, /found in every text/],
  [{ load_mode: 'upsert', key_columns: ['dataset_id'] }, /key columns come from the file/, /\["dataset_id"\]/, /columns of the file/],
  [{ load_mode: 'upsert', key_columns: ['ctid'] }, /key columns are names of columns/, /\["ctid"\]/, /none of Postgres's own/],
]

const wrongColumns: Wrong[] = [
  [{ column_name: 'dataset_id' }, /column "dataset_id" is filled by Rota/, null, /another name/],
  [{ column_name: 'xmin' }, /name that a column can have/, /column_name is "xmin"/, /none of Postgres's own/],
  [{ column_name: 'rota_line' }, /name that a column can have/, /column_name is "rota_line"/, /63 bytes/],
  [{ type: 'name' }, /type name cuts values/, null, /Write text/],
  [{ type: '"char"' }, /type "char" cuts values/, null, /Write text/],
  [{ type: 'NVARCHAR(20)' }, /there is no type "NVARCHAR\(20\)"/, null, /Did you mean "varchar"/],
  [{ type: 'datetime' }, /there is no type "datetime"/, null, /Did you mean "timestamp"/],
  [{ type: 'string' }, /there is no type "string"/, null, /Did you mean "text"/],
  [{ type: 'date', default_value: 'tomorrow' }, /default_value "tomorrow" is no date/, null, /the moment itself/],
  [{ type: 'numeric(3,1)', default_value: '1.234' }, /has more decimals than numeric\(3,1\)/, null, /rounded/],
  [{ source_name: '/(a+)+/' }, /repeats a group/, null, /for ever/],
]

const wrongChecks: Wrong[] = [
  [{ kind: 'min_rows', low: 'NaN' }, /low and high are not negative/, /low is "NaN"/, /a number/],
  [{ kind: 'max_rows', high: 'Infinity' }, /low and high are not negative/, /high is "Infinity"/, /a number/],
  [{ kind: 'allowed', column_name: 'a', allowed: ['EUR', null] }, /allowed values are texts/, /\["EUR", null\]/, /always allowed/],
  [{ kind: 'expression', expression: 'price >' }, /"price >" is not right: something is missing at its end/, null, /price > 0/],
  [{ kind: 'expression', expression: 'price > 0 /* ok' }, /is not right: unterminated \/\* comment$/, null, /price > 0/],
]

test('a row that cannot be right says which value it is about and what would be right', async (t) => {
  const { dba } = await peopleOf(t)
  await dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'inbox', '*.csv', 'feeds.price')`,
  )
  const config = { config_name: 'x', source_folder: 'in', file_pattern: '*', target_table: 'feeds.x' }
  for (const wrong of wrongConfigs) await refuses(dba, 'importconfig', config, wrong)
  for (const wrong of wrongColumns) await refuses(dba, 'importcolumn', { config_name: 'prices', column_name: 'a' }, wrong)
  for (const wrong of wrongChecks) await refuses(dba, 'importcheck', { config_name: 'prices', check_name: 'c' }, wrong)
})

test('rows that only look wrong are taken', async (t) => {
  const { dba } = await peopleOf(t)
  await insert(dba, 'importconfig', {
    config_name: 'prices',
    source_folder: 'inbox/v1.0/..a',
    file_pattern: 'p\\(([+)]x)+[0-9]{4,}[.]csv',
    pattern_kind: 'regex',
    target_table: 'feeds.price',
    done_file: '{stem}.ok',
    delimiter: '\\t',
  })
  const column = { config_name: 'prices', type: 'numeric(3,1)', default_value: '1.20' }
  await insert(dba, 'importcolumn', { ...column, column_name: 'a' })
  await insert(dba, 'importcolumn', { ...column, column_name: 'b', type: 'json', default_value: '{}' })
  await insert(dba, 'importcolumn', { ...column, column_name: 'oid', type: 'timestamptz', default_value: '2026-01-31' })
  await insert(dba, 'importcheck', { config_name: 'prices', check_name: 'c', kind: 'expression', expression: `case when a then b end` })
})

test('two configs for the same files, and a key that is not looked at, are taken with a warning', async (t) => {
  const { database } = await peopleOf(t)
  const { client, query } = await database.as('rota_dba')
  const warnings: (string | undefined)[] = []
  client.on('notice', ({ message }) => warnings.push(message))
  const row = { source_folder: 'inbox', file_pattern: '*.csv', target_table: 'feeds.price' }
  await insert(query, 'importconfig', { ...row, config_name: 'one' })
  await insert(query, 'importconfig', { ...row, config_name: 'other', source_folder: 'inbox/', is_active: false })
  assert.deepEqual(warnings, [])
  await query(`update dba.importconfig set is_active = true, key_columns = '{isin}' where config_name = 'other'`)
  assert.deepEqual(warnings, [
    'config "one" takes the files of the same folder and pattern as "other"',
    'key_columns and on_duplicate_key say nothing in load_mode append',
  ])
})

async function refuses(dba: Query, table: string, least: Record<string, unknown>, [row, message, detail, hint]: Wrong): Promise<void> {
  const refused = await refusal(insert(dba, table, { ...least, ...row }))
  assert.match(refused.message, message)
  if (detail !== null) assert.match(refused.detail ?? '', detail)
  assert.match(refused.hint ?? '', hint)
}

async function insert(query: Query, table: string, row: Record<string, unknown>): Promise<void> {
  const places = Object.keys(row).map((_, index) => `$${index + 1}`)
  await query(`insert into dba.${table} (${Object.keys(row).join(', ')}) values (${places.join(', ')})`, Object.values(row))
}
