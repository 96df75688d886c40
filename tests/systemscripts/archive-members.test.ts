import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTables } from '../../systemscripts/read-table.ts'
import { allValues, temporaryFile, zipOf } from './test-files.ts'

const archive = zipOf({
  'README.pdf': '%PDF-1.4\n',
  'prices.csv': 'a,b\n1,2\n',
  '2024/prices.csv': 'a,b\n3,4\n',
  '2024/notes.txt': 'a,b\n5,6\n',
})

test('the files of a zip that are tables are chosen by name, by path or by a regular expression', async (t) => {
  const path = await temporaryFile(t, 'all.zip', archive)
  const chosen: [string, string[]][] = [
    ['*.csv', ['2024/prices.csv', 'prices.csv']],
    ['2024/*.csv', ['2024/prices.csv']],
    ['*.{csv,txt}', ['2024/notes.txt', '2024/prices.csv', 'prices.csv']],
    ['/^2024/', ['2024/notes.txt', '2024/prices.csv']],
    ['/csv$/', ['2024/prices.csv', 'prices.csv']],
  ]
  for (const [memberPattern, names] of chosen) {
    const found: (string | null)[] = []
    for await (const table of openTables(path, { memberPattern })) {
      found.push(table.sheet)
      assert.equal((await allValues(table)).length, 1)
    }
    assert.deepEqual(found, names, memberPattern)
  }
})

test('a pattern that no file of a zip matches is refused with what there is', async (t) => {
  const path = await temporaryFile(t, 'all.zip', archive)
  await assert.rejects(firstTable(path, '*.json'), {
    code: 'member_not_found',
    message: 'Archive "all.zip" holds no file that matches "*.json"',
    detail: /"2024\/notes.txt", "2024\/prices.csv"/,
    hint: /member_pattern/,
  })
})

test('a file among others that is no table is refused with the way to leave it out', async (t) => {
  await assert.rejects(firstTable(await temporaryFile(t, 'all.zip', zipOf({ 'a.pdf': '%PDF-1.4\n', 'b.csv': 'a\n1\n' })), null), {
    code: 'file_is_pdf',
    hint: /member_pattern/,
  })
})

test('a zip packed in a way that is not read says so', async (t) => {
  const bytes = zipOf({ 'a.csv': 'a\n1\n' })
  const directory = bytes.indexOf('PK\x01\x02')
  bytes.writeUInt16LE(12, directory + 10)
  await assert.rejects(firstTable(await temporaryFile(t, 'a.zip', bytes), null), { code: 'archive_method_unknown', detail: /bzip2/ })
})

async function firstTable(path: string, memberPattern: string | null): Promise<string | null> {
  for await (const table of openTables(path, { memberPattern })) return table.sheet
  return null
}
