import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importBench } from './import-harness.ts'

test('a file of more columns than a table can hold is refused for good, and is loaded with the others in extra', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const names = Array.from({ length: 2000 }, (_, index) => `c${index}`)
  const text = `${names.join(',')}\n${names.map(() => '1').join(',')}\n`
  await bench.put('inbox/wide.csv', text)
  await assert.rejects(bench.run(), { name: 'PermanentError', code: 'too_many_columns', detail: /2002.*1600/, hint: /extra/ })
  await bench.configure({ config_name: 'extra', source_folder: 'extra', target_table: 'feeds.wide', on_new_column: 'extra' })
  await bench.put('extra/wide.csv', `${text}`)
  await (await bench.as('rota_dba')).query(
    'create schema if not exists feeds; create table feeds.wide (dataset_id bigint, c0 text, extra jsonb)',
  )
  await bench.query(`insert into dba.importcolumn (config_name, column_name) values ('extra', 'c0')`)
  await bench.run({ config: 'extra' })
  assert.deepEqual(await bench.query('select c0, (select count(*)::int from jsonb_object_keys(extra)) as others from feeds.wide'), [
    { c0: '1', others: 1999 },
  ])
})

test('a label or date that no text of Postgres can hold, or that is no label, is refused', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ label_from: 'content', label_spec: 'a' })
  await bench.put('inbox/nul.json', '[{"a":"x\\u0000y"},{"a":"z"}]')
  await assert.rejects(bench.run(), { code: 'content_not_text', detail: /NUL/ })
  await bench.put('inbox/half.json', '[{"a":"\\ud800"},{"a":"z"}]')
  await assert.rejects(bench.run(), { code: 'content_not_text', detail: /surrogate/ })
  await bench.put('inbox/long.csv', `a\n${'x'.repeat(10_000)}\n`)
  await assert.rejects(bench.run(), { code: 'content_not_text', detail: /10000 characters/ })
})

test('an empty list of JSON is an empty dataset, and what holds no records is refused', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/list.json', '[]')
  await bench.run()
  assert.deepEqual(await bench.query('select state from dba.dataset'), [{ state: 'empty' }])
  for (const [name, text] of [
    ['null.json', 'null'],
    ['numbers.json', '[1]'],
    ['nulls.json', '[null]'],
  ] as const) {
    await bench.put(`inbox/${name}`, text)
    await assert.rejects(bench.run(), { code: 'json_not_records' })
  }
})

test('a NUL in a CSV is told by its line, in a JSON by its row', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ max_rejects: 1 })
  await bench.put('inbox/nul.csv', 'a,b\n1,x\0y\n')
  await assert.rejects(bench.run(), { code: 'nul_character', message: /line 2/ })
  await bench.put('inbox/nul.json', '{"a":"x\\u0000y"}\n{"a":"z"}\n')
  await bench.run()
  assert.deepEqual(await bench.query('select line::int, rule, value from dba.reject'), [
    { line: 1, rule: 'nul_character', value: 'x\u2400y' },
  ])
})
