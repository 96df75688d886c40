import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from '../helpers/database.ts'

const least = { config_name: 'prices', source_folder: 'inbox/prices', file_pattern: '*.xlsx', target_table: 'feeds.price' }

test('the least row works, and names its archive, its failed folder and its data source', async (t) => {
  const { as } = await freshDatabase(t)
  const dba = await as('rota_dba')
  const [row] = await dba.query(`
    insert into dba.importconfig (config_name, source_folder, file_pattern, target_table)
    values ('prices', 'inbox/prices', '*.xlsx', 'feeds.price')
    returning archive_folder, failed_folder, datasource, datasettype, settle, load_mode, on_new_column, on_missing_column, name_rule, version`)
  assert.deepEqual(row, {
    archive_folder: 'archive/prices',
    failed_folder: 'failed/prices',
    datasource: 'prices',
    datasettype: 'file',
    settle: '00:00:02',
    load_mode: 'append',
    on_new_column: 'add',
    on_missing_column: 'null',
    name_rule: 'legacy',
    version: 1,
  })
  assert.deepEqual(await dba.query('select datasource from dba.datasource'), [{ datasource: 'prices' }])
  assert.deepEqual(await dba.query(`select job, config_name from dba.jobconfig`), [{ job: 'import', config_name: 'prices' }])
})

const refused: [settings: Record<string, unknown>, message: RegExp, hint: RegExp][] = [
  [{ file_pattern: '*.{csv' }, /glob "\*\.\{csv"/, /\{csv,xlsx\}/],
  [{ file_pattern: '(', pattern_kind: 'regex' }, /file_pattern "\(" is not right/, /come in pairs/],
  [{ file_pattern: 'sub/*.csv' }, /file pattern names files not folders/, /recurse/],
  [{ label_spec: '[' }, /label_spec "\["/, /brackets/],
  [{ date_from: 'filename', date_spec: '(' }, /date_spec "\("/, /come in pairs/],
  [{ empty_when: '*' }, /empty_when "\*"/, /literally/],
  [{ empty_when: '[[:alpha:]]' }, /regular expressions mean the same everywhere/, /\[A-Za-z\]/],
  [{ archive_folder: 'inbox/prices/' }, /source archive and failed are three folders/, /its own archive/],
  [{ failed_folder: 'inbox/prices' }, /source archive and failed are three folders/, /its own archive/],
  [{ recurse: true, archive_folder: 'inbox/prices/done' }, /a folder that recurses holds no archive/, /elsewhere/],
  [{ target_table: 'price' }, /target table is written schema dot table/, /feeds\.price/],
  [{ target_table: 'dba.run' }, /target table is in a schema for data/, /the system's/],
  [{ source_zone: 'Europe/Warsow' }, /source_zone "Europe\/Warsow" is not known/, /Did you mean "Europe\/Warsaw"/],
  [{ date_format: 'yyyyMM' }, /date format "yyyyMM": it has no day/, /yyyyMMdd/],
  [{ date_format: 'yyyyMMddQ' }, /"Q" is no part of a date/, /quotes/],
  [{ date_format: 'dd.MM.yyyy | yyyy-MM' }, /it has no day/, /tried in turn/],
  [{ date_format: 'd MMM@xx yyyy' }, /@xx is none of the languages/, /MMM@de/],
  [{ date_format: '' }, /there is no date in it/, /Build it/],
  [{ header_row: 0 }, /header row counts from 1/, /from 1/],
  [{ header_rows: 0 }, /header rows is between 1 and 5/, /1 to 5/],
  [{ header_rows: 6 }, /header rows is between 1 and 5/, /1 to 5/],
  [{ delimiter: ';;' }, /delimiter is one character/, /part_delimiter/],
  [{ quote: '""' }, /quote is one character or none/, /without quotes/],
  [{ encoding: 'utf8mb4' }, /encoding is known/, /windows-1252/],
  [{ label_from: 'static' }, /a static label stands in label spec/, /label_spec/],
  [{ label_from: 'content' }, /a label from content names its cell or column/, /B2/],
  [{ date_from: 'content' }, /a date from content names its cell or column/, /B2/],
  [{ label_from: 'static', label_spec: '' }, /a static label stands in label spec/, /label_spec/],
  [{ date_from: 'static', date_spec: '' }, /a static date stands in date spec/, /date_spec/],
  [{ label_from: 'static', label_spec: ' ' }, /a static label stands in label spec/, /label_spec/],
  [{ date_from: 'static', date_spec: ' ' }, /a static date stands in date spec/, /date_spec/],
  [
    { date_from: 'static', date_spec: 'yesterday' },
    /date_spec "yesterday" is not a date of the form yyyyMMdd: it is not written so/,
    /20261122/,
  ],
  [{ date_from: 'static', date_spec: '2026-11-22' }, /is not a date of the form yyyyMMdd/, /yyyy-MM-dd/],
  [{ date_from: 'static', date_spec: '20260230' }, /there is no such day/, /20261122/],
  [{ date_from: 'static', date_spec: '31.6.26', date_format: 'd.M.yy | dd.MM.yyyy' }, /there is no such day/, /as date_format says/],
  [{ on_unreadable_date: 'skip' }, /on unreadable date is fail or today/, /today/],
  [{ settle: '2 hours' }, /settle is between 0 and 1 hour/, /10 seconds/],
  [{ on_missing_column: null }, /column "on_missing_column" .* must not be empty/, /null \(default\) or fail/],
  [{ target_table: null }, /rows go to a table or a csv/, /keep_csv = true/],
  [{ target_table: 'rota_staging.x' }, /target table is in a schema for data/, /the system's/],
  [{ file_kind: 'xlsm' }, /file kind is known/, /\.xlsm is xlsx/],
  [{ sheet: ' ' }, /sheet is not blank/, /\* for all/],
  [{ sheet: '/Price(/' }, /sheet "Price\(" is not right/, /come in pairs/],
  [{ sheet: '/[[:alpha:]]/' }, /regular expressions mean the same everywhere/, /\[A-Za-z\]/],
  [{ ends_when: '(' }, /ends_when "\("/, /come in pairs/],
  [{ cell_range: 'B3' }, /cell_range "B3" is no part of a sheet/, /B3:K200/],
  [{ cell_range: ':' }, /cell_range ":" is no part of a sheet/, /B3:K200/],
  [{ cell_range: 'K3:B9' }, /cell_range "K3:B9" ends before it begins/, /B3:K200/],
  [{ cell_range: 'AA3:B9' }, /ends before it begins/, /B3:K200/],
  [{ cell_range: '20:3' }, /ends before it begins/, /B3:K200/],
  [{ on_new_column: 'ask' }, /on new column is add ignore fail extra or propose/, /propose/],
  [{ load_mode: 'merge' }, /load mode is known/, /upsert/],
  [{ load_mode: 'upsert' }, /upsert knows rows by key columns/, /\{isin,price_date\}/],
  [{ load_mode: 'upsert', key_columns: [] }, /key columns are names of columns/, /63 bytes/],
  [{ key_columns: ['a', ''] }, /key columns are names of columns/, /63 bytes/],
  [{ key_columns: ['a', null] }, /key columns are names of columns/, /63 bytes/],
  [{ key_columns: ['a', 'b', 'a'] }, /key columns stand once/, /twice/],
  [{ key_columns: ['ä'.repeat(32)] }, /key columns are names of columns/, /63 bytes/],
  [{ on_duplicate_key: 'last' }, /on duplicate key needs key columns/, /key_columns/],
  [{ on_duplicate_key: 'newest', key_columns: ['a'] }, /on duplicate key is fail last or first/, /last or first/],
  [{ max_rejects: -1 }, /max rejects is not negative/, /null for no limit/],
  [{ max_reject_percent: 101 }, /max reject percent is between 0 and 100/, /0\.5/],
]

test('a wrong setting is refused at the write, in words and with a hint', async (t) => {
  const { as } = await freshDatabase(t)
  const dba = await as('rota_dba')
  for (const [settings, message, hint] of refused) {
    const row = { ...least, ...settings }
    const places = Object.keys(row).map((_, index) => `$${index + 1}`)
    await assert.rejects(
      dba.query(`insert into dba.importconfig (${Object.keys(row).join(', ')}) values (${places.join(', ')})`, Object.values(row)),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'hint' in error)
        assert.match(error.message, message)
        assert.match(String(error.hint), hint, `hint for ${JSON.stringify(settings)}`)
        return true
      },
      JSON.stringify(settings),
    )
  }
})

const taken: Record<string, unknown>[] = [
  { sheet: '*', cell_range: '$b$3:k200', header_row: 2, header_rows: 3 },
  { sheet: '/^Prices (EU|US)$/', cell_range: 'B:K', skip_hidden: true, ends_when: '^Total' },
  { sheet: '/', cell_range: '3:200' },
  { file_kind: 'xlsb', cell_range: 'B3:' },
  { load_mode: 'upsert', key_columns: ['isin', 'company/organization'], on_duplicate_key: 'last' },
  { load_mode: 'append_new' },
  { load_mode: 'replace', key_columns: ['isin'] },
  { on_new_column: 'propose', max_rejects: null, max_reject_percent: 0.5 },
  { target_table: null, keep_csv: true },
  { label_from: 'content', label_spec: 'B2', date_from: 'content', date_spec: 'Price (EUR', on_unreadable_date: 'today' },
  { date_format: 'd. MMMM@de yyyy | dd.MM.yyyy' },
  { date_format: "yyyyMMddTHHmmss'Z'" },
  { date_format: 'M/d/yy h:mm' },
  { date_from: 'static', date_spec: ' 20261122 ' },
  { date_from: 'static', date_spec: '22. November 2026', date_format: 'd. MMMM@de yyyy | dd.MM.yyyy' },
  { date_from: 'static', date_spec: '1.2.2026', date_format: 'd. MMMM@de yyyy | d.M.yyyy' },
  { date_from: 'static', date_spec: 'at 20261122T101112.5Z', date_format: "'at 'yyyyMMddTHHmmss.SSSXXX" },
  ...[
    'UTF-8',
    'utf-16le',
    'windows-1252',
    'cp1250',
    'latin1',
    'ISO-8859-15',
    'iso8859-2',
    'koi8-r',
    'ibm866',
    'shift_jis',
    'gb18030',
    'x-mac-cyrillic',
  ].map((encoding) => ({ encoding })),
]

test('every setting that the engine carries out is taken', async (t) => {
  const { as } = await freshDatabase(t)
  const dba = await as('rota_dba')
  for (const [index, settings] of taken.entries()) {
    const row = { ...least, ...settings, config_name: `config ${index}` }
    const places = Object.keys(row).map((_, place) => `$${place + 1}`)
    await dba.query(`insert into dba.importconfig (${Object.keys(row).join(', ')}) values (${places.join(', ')})`, Object.values(row))
  }
})

test('every encoding that is taken is one that the workers know', async (t) => {
  const { as } = await freshDatabase(t)
  const dba = await as('rota_dba')
  await dba.query(`insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('c', 'in', '*', 'f.t')`)
  const known = [
    'utf-8',
    'utf8',
    'utf-16',
    'utf-16be',
    'ucs-2',
    'ascii',
    'us-ascii',
    'latin2',
    'l1',
    'iso-8859-8-i',
    'windows-874',
    'tis-620',
  ]
  const more = [
    'koi8-u',
    'koi8-ru',
    'macintosh',
    'gbk',
    'gb2312',
    'big5',
    'big5-hkscs',
    'euc-jp',
    'sjis',
    'windows-31j',
    'iso-2022-jp',
    'euc-kr',
    'korean',
  ]
  for (const encoding of [...known, ...more]) {
    assert.ok(new TextDecoder(encoding), encoding)
    await dba.query('update dba.importconfig set encoding = $1', [encoding])
  }
})

test('args of a schedule are judged as the row would be', async (t) => {
  const { as } = await freshDatabase(t)
  const dba = await as('rota_dba')
  await dba.query(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'in', '*', 'feeds.price')`,
  )
  const schedule = (args: unknown) =>
    dba.query(`insert into dba.scheduler (schedule_name, job, config_name, args) values ('p', 'import', 'prices', $1)`, [
      JSON.stringify(args),
    ])
  await assert.rejects(schedule({ load_mode: 'upsert' }), /upsert knows rows by key columns/)
  await assert.rejects(schedule({ cell_range: 'K:B' }), /cell_range "K:B" ends before it begins/)
  await assert.rejects(schedule({ dry_run: true }), { message: /takes no args key "dry_run"/ })
  await assert.rejects(schedule({ file_pattern: '*.{csv' }), /glob/)
  await assert.rejects(schedule({ shet: 'x' }), { hint: /Did you mean "sheet"/ })
  await schedule({ header_row: 3, settle: '10 seconds' })
})
