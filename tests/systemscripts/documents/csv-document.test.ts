import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { csvDocument } from '../../../systemscripts/documents/csv-document.ts'
import { saveDocument } from '../../../systemscripts/documents/document.ts'
import { readTable } from '../../../systemscripts/read-table.ts'
import { allValues, temporaryFolder } from '../test-files.ts'
import { rowsOf, savedAs, textOf } from './row-sources.ts'

const plain = { byteOrderMark: false }

test('a CSV has CR LF, quotes where they are needed, and keeps null and empty text apart', async () => {
  const source = rowsOf(
    ['a text', 'b "quoted", text', 'n integer'],
    [
      ['x', 'y,z', '1'],
      [null, '', null],
      ['two\nlines', 'said "so"', '-2'],
    ],
  )
  assert.equal(await textOf(csvDocument(source, plain)), 'a,"b ""quoted"",",n\r\nx,"y,z",1\r\n,"",\r\n"two\nlines","said ""so""",-2\r\n')
})

test('a CSV begins with a byte order mark unless it shall not', async () => {
  assert.equal(await textOf(csvDocument(rowsOf(['ż text'], [['ó']]))), '\uFEFFż\r\nó\r\n')
})

test('a text that a spreadsheet would take for a formula is defused, a number is not', async () => {
  const texts = ['=1+1', '+48 22', '-1', '@SUM(A1)', '\tx', '\rx', '=cmd|" /C calc"!A0', '＝1', 'a=b']
  const source = rowsOf(
    ['=name text', 'n integer', 'p numeric', 'i interval'],
    texts.map((text) => [text, '-1', '-1.5', '-1 days']),
  )
  assert.equal(
    await textOf(csvDocument(source, plain)),
    [
      "'=name,n,p,i",
      "'=1+1,-1,-1.5,-1 days",
      "'+48 22,-1,-1.5,-1 days",
      "'-1,-1,-1.5,-1 days",
      "'@SUM(A1),-1,-1.5,-1 days",
      "'\tx,-1,-1.5,-1 days",
      '"\'\rx",-1,-1.5,-1 days',
      '"\'=cmd|"" /C calc""!A0",-1,-1.5,-1 days',
      "'＝1,-1,-1.5,-1 days",
      'a=b,-1,-1.5,-1 days',
      '',
    ].join('\r\n'),
  )
})

test('a CSV is read again as it was', async (t) => {
  const value = fc.option(fc.stringMatching(/^([a-zé",;' ][a-zé","\n;' ]{0,6})?$/), { nil: null })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 20 }), async (rows) => {
      const path = await savedAs(t, 'again.csv', csvDocument(rowsOf(['first text', 'second text'], rows)))
      const again = await readTable(path, { headerRow: 1, delimiter: ',', quote: '"' })
      assert.deepEqual(await allValues(again), rows)
    }),
    { numRuns: 30 },
  )
})

test('what the query has beyond the rows that were given is said', async () => {
  const counted = csvDocument(rowsOf(['n integer'], [['1'], ['2'], ['3']], { withheld: () => 48_208 }))
  await textOf(counted)
  assert.deepEqual(counted.facts, { rows: 3, notes: ['first 3 of 48,211 rows'] })
  const uncounted = csvDocument(rowsOf(['n integer'], [['1']], { withheld: () => null }))
  await textOf(uncounted)
  assert.deepEqual(uncounted.facts.notes, ['first 1 of more than 1 rows'])
})

test('a document that becomes too large is refused and leaves no file, nor touches the one that is there', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'report.csv'), 'of yesterday')
  const rows = Array.from({ length: 100 }, (_, at) => [`row ${at}`])
  await assert.rejects(saveDocument(csvDocument(rowsOf(['name text'], rows)), join(folder, 'report.csv'), { maxBytes: 200 }), {
    code: 'document_too_large',
    message: 'File "report.csv" would be larger than 0.0 MiB',
  })
  assert.deepEqual(await readdir(folder), ['report.csv'])
})

test('an error of the query passes through and leaves no file', async (t) => {
  const folder = await temporaryFolder(t)
  const source = rowsOf(['n integer'], [])
  const broken = csvDocument({ ...source, rows: failing() })
  await assert.rejects(saveDocument(broken, join(folder, 'report.csv')), { message: 'division by zero' })
  assert.deepEqual(await readdir(dirname(join(folder, 'report.csv'))), [])
})

async function* failing(): AsyncGenerator<string[][]> {
  yield [['1']]
  throw new Error('division by zero')
}
