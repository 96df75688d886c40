import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import * as XLSX from 'xlsx'
import { importBench } from './import-harness.ts'

function workbook(sheets: Record<string, unknown[][]>): Buffer {
  const book = XLSX.utils.book_new()
  for (const [name, rows] of Object.entries(sheets)) XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet(rows), name)
  return XLSX.write(book, { type: 'buffer', bookType: 'xlsx' })
}

test('keep_csv keeps the CSV that a workbook became beside the archived original', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ keep_csv: true })
  await bench.put(
    'inbox/book.xlsx',
    workbook({
      Q1: [
        ['id', 'name'],
        ['007', 'a, b'],
        ['008', null],
      ],
    }),
  )
  await bench.run()
  const [file] = await bench.query('select state, kept_path, csv_paths from dba.file')
  assert.equal(file?.state, 'loaded')
  assert.deepEqual(file.csv_paths, [`${file.kept_path}.csv`])
  assert.equal(await readFile(`${file.kept_path}.csv`, 'utf8'), 'id,name\n007,"a, b"\n008,\n')
  assert.deepEqual(await bench.query('select id, name from feeds.price order by id'), [
    { id: '007', name: 'a, b' },
    { id: '008', name: null },
  ])
})

test('of several sheets each has its CSV, named after it', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ keep_csv: true, sheet: '*' })
  await bench.put('inbox/book.xlsx', workbook({ Q1: [['id'], ['1']], Q2: [['id'], ['2']] }))
  await bench.run()
  const [file] = await bench.query('select kept_path, csv_paths from dba.file')
  assert.deepEqual(
    file?.csv_paths,
    ['Q1', 'Q2'].map((sheet) => `${file?.kept_path}.${sheet}.csv`),
  )
  assert.equal((await bench.query('select from feeds.price')).length, 2)
})

test('a file that fails leaves no CSV', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ keep_csv: true, on_new_column: 'fail' })
  await bench.put('inbox/book.xlsx', workbook({ Q1: [['id'], ['1']] }))
  await assert.rejects(bench.run(), { code: 'target_not_found' })
  assert.deepEqual(await bench.query('select state, csv_paths from dba.file'), [{ state: 'failed', csv_paths: null }])
  assert.deepEqual(await bench.names('archive').catch(() => []), [])
})

test('without a target a file becomes a CSV and no more, once', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ keep_csv: true, target_table: null })
  const book = workbook({ Q1: [['id'], ['1']] })
  await bench.put('inbox/book.xlsx', book)
  assert.equal((await bench.run()).note, '1 file converted to CSV.')
  await bench.put('inbox/again.xlsx', book)
  await bench.run()
  const files: { state?: string; csv_paths?: string[] | null }[] = await bench.query(
    `select state, csv_paths from dba.file order by file_id`,
  )
  assert.deepEqual(
    files.map((file) => file.state),
    ['stored', 'duplicate'],
  )
  assert.equal(await readFile(String(files[0]?.csv_paths?.[0]), 'utf8'), 'id\n1\n')
  assert.deepEqual(await bench.query('select from dba.dataset'), [])
  assert.deepEqual(await bench.names('inbox'), [])
})
