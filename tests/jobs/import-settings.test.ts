import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from '../helpers/database.ts'
import { importBench } from './import-harness.ts'

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
  [{ date_format: 'yyyyMM' }, /date format holds year month and day/, /yyyyMMdd/],
  [{ date_format: 'yyyyMMddQ' }, /date format holds year month and day/, /quotes/],
  [{ header_row: 0 }, /header row counts from 1/, /from 1/],
  [{ delimiter: ';;' }, /delimiter is one character/, /part_delimiter/],
  [{ label_from: 'static' }, /a static label stands in label spec/, /label_spec/],
  [{ settle: '2 hours' }, /settle is between 0 and 1 hour/, /10 seconds/],
  [{ on_missing_column: null }, /column "on_missing_column" .* must not be empty/, /null \(default\) or fail/],
  [{ target_table: null }, /rows go to a table in this version/, /not in this version/],
  [{ keep_csv: true }, /keep csv is off in this version/, /Not in this version/],
  [{ file_kind: 'ods' }, /file kind is not ods xml or json in this version/, /Not in this version/],
  [{ sheet: '*' }, /one sheet is read in this version/, /not in this version/],
  [{ cell_range: 'A1:B9' }, /the whole sheet is read in this version/, /Not in this version/],
  [{ header_rows: 2 }, /the header is one row in this version/, /not in this version/],
  [{ on_new_column: 'propose' }, /on new column is add ignore or fail in this version/, /not in this version/],
  [{ load_mode: 'upsert' }, /load mode is append or replace dataset in this version/, /not in this version/],
  [{ key_columns: ['a'] }, /rows have no key in this version/, /not in this version/],
  [{ on_duplicate_key: 'last' }, /rows have no key in this version/, /not in this version/],
  [{ label_from: 'content' }, /label and date are not read from content in this version/, /not in this version/],
  [{ max_rejects: 5 }, /no row may be rejected in this version/, /not in this version/],
  [{ max_reject_percent: 5 }, /no row may be rejected in this version/, /not in this version/],
]

test('a wrong or a later setting is refused at the write, in words and with a hint', async (t) => {
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

test('args of a schedule are judged as the row would be', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const dba = await bench.as('rota_dba')
  const schedule = (args: unknown) =>
    dba.query(`insert into dba.scheduler (schedule_name, job, config_name, args) values ('p', 'import', 'prices', $1)`, [
      JSON.stringify(args),
    ])
  await assert.rejects(schedule({ load_mode: 'upsert' }), /load mode is append or replace dataset in this version/)
  await assert.rejects(schedule({ file_pattern: '*.{csv' }), /glob/)
  await assert.rejects(schedule({ shet: 'x' }), { hint: /Did you mean "sheet"/ })
  await schedule({ header_row: 3, settle: '10 seconds' })
})

test('args overrule the row, in the words of people too', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'x;y\n\na;b\n1;2\n')
  await bench.run({ args: { header_row: '3', delimiter: ';', settle: '0 seconds', target_table: 'feeds.other' } })
  assert.deepEqual(await bench.query('select a, b from feeds.other'), [{ a: '1', b: '2' }])
  await assert.rejects(bench.run({ args: { settle: 'soon' } }), { code: 'setting_invalid', hint: /'10 seconds'/ })
})

test('the answer at the row says how many files match now, and on which host', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ file_pattern: '*.csv' })
  assert.deepEqual(await bench.check(), { isOk: true, message: 'no file matches now on host here' })
  for (const name of ['a.csv', 'b.csv', 'c.txt']) await bench.put(`inbox/${name}`, 'a\n1\n')
  assert.deepEqual(await bench.check(), { isOk: true, message: '2 files match now on host here' })
})

test('the answer at the row names a missing folder, a target of others with its statement, and a date that cannot be read', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await assert.rejects(bench.check({ source_folder: 'inbax' }), { code: 'folder_missing', message: new RegExp(`${bench.dataDir}/inbax`) })
  await assert.rejects(bench.check({ date_from: 'static', date_spec: '20260230' }), { code: 'date_not_read' })

  await (await bench.as('rota_dba')).query('create schema feeds create table price (a text)')
  const { isOk, message } = await bench.check()
  assert.equal(isOk, false)
  assert.match(
    message,
    /belongs to "rota_dba".*alter table "feeds"\."price" owner to rota_target; grant usage, create on schema "feeds" to rota_target;/,
  )
})

test('a rename takes the ledger along, and a reader writes nothing', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a\n1\n')
  await bench.run()
  const dba = await bench.as('rota_dba')
  await dba.query(`update dba.importconfig set config_name = 'quotes'`)
  assert.deepEqual(await bench.query('select f.config_name as file, d.config_name as dataset from dba.file f, dba.dataset d'), [
    { file: 'quotes', dataset: 'quotes' },
  ])
  await bench.put('inbox/2.csv', 'a\n1\n')
  await bench.run({ config: 'quotes' })
  assert.deepEqual(await bench.query('select state from dba.file where file_id = 2'), [{ state: 'duplicate' }])

  const reader = await bench.as('rota_reader')
  assert.equal((await reader.query('select config_name from dba.importconfig')).length, 1)
  await assert.rejects(reader.query(`update dba.importconfig set file_pattern = 'x'`), /permission denied/)
})
