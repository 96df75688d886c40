import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { planPages } from '../../../systemscripts/documents/pdf/plan-pages.ts'
import { textRuler } from '../../../systemscripts/documents/pdf/text-width.ts'
import { pdfDocument } from '../../../systemscripts/documents/pdf-document.ts'
import { bytesOf, manyRows, rowsOf, savedAs } from './row-sources.ts'

const run = promisify(execFile)
const READER = '/usr/bin/pdftotext'
const skip = !existsSync(READER) && 'pdftotext (poppler-utils) is not installed'

test('title, header on each page, page numbers and letters of many languages are in the text of a PDF', { skip }, async (t) => {
  const source = manyRows(['id integer', 'city text', 'price numeric'], 120, (row) => [
    String(row),
    'Łódź Αθήνα Москва',
    (row / 7).toFixed(2),
  ])
  const path = await savedAs(t, 'report.pdf', pdfDocument(source, { title: 'Cities – daily' }))
  const { stdout } = await run(READER, ['-layout', path, '-'])
  const pages = stdout.split('\f').slice(0, -1)
  assert.equal(pages.length, 3)
  pages.forEach((page, at) => {
    assert.match(page, /Cities – daily/)
    assert.match(page, /id +city +price/)
    assert.match(page, new RegExp(`Page ${at + 1} of 3`))
  })
  assert.match(pages[2] ?? '', /119 +Łódź Αθήνα Москва +17\.00/)
})

test('rows beyond the limit are counted and said', { skip }, async (t) => {
  const document = pdfDocument(
    manyRows(['n integer'], 48_211, (row) => [String(row)]),
    { title: 'Many', maxRows: 10 },
  )
  const path = await savedAs(t, 'report.pdf', document)
  assert.deepEqual(document.facts, { rows: 10, notes: ['first 10 of 48,211 rows'] })
  assert.match((await run(READER, ['-layout', path, '-'])).stdout, /first 10 of 48,211 rows/)
})

test('a PDF without rows has its header and says so', { skip }, async (t) => {
  const path = await savedAs(t, 'report.pdf', pdfDocument(rowsOf(['city text'], []), { title: 'None' }))
  assert.match((await run(READER, ['-layout', path, '-'])).stdout, /None\s+no rows\s+city\s+Page 1 of 1/)
})

test('letters that the font lacks are said', async () => {
  const document = pdfDocument(rowsOf(['city text'], [['東京']]), { title: 'Far' })
  assert.equal((await bytesOf(document)).subarray(0, 5).toString(), '%PDF-')
  assert.deepEqual(document.facts.notes, ['letters of scripts such as Chinese or Hindi, which the font lacks, show as boxes'])
})

const ruler = textRuler(() => 0.6)
const tableOf = (columns: number) => ({
  headers: Array.from({ length: columns }, (_, at) => `column ${at + 1}`),
  isRight: Array.from({ length: columns }, () => false),
  rows: [Array.from({ length: columns }, (_, at) => `value ${at + 1} `.repeat(2))],
})

test('a wide table lies across, then shrinks, then is split by columns with the first one on each page', () => {
  const plans = [4, 7, 9, 30].map((columns) => planPages(tableOf(columns), ruler, ruler))
  assert.deepEqual(
    plans.map(({ layout, fontSize }) => [layout, fontSize]),
    [
      ['portrait', 8.5],
      ['landscape', 8.5],
      ['landscape', 7.5],
      ['landscape', 7.5],
    ],
  )
  const split = plans[3]?.pages ?? []
  assert.deepEqual(
    split.map(({ part }) => part),
    ['columns 1 to 9 of 30', 'columns 10 to 16 of 30', 'columns 17 to 23 of 30', 'columns 24 to 30 of 30'],
  )
  assert.ok(split.every(({ columns: [first] }) => first?.index === 0))
  const shown = new Set(split.flatMap(({ columns }) => columns.map(({ index }) => index)))
  assert.equal(shown.size, 30)
})

test('a long value takes more lines, at most twelve, and a word without blanks is broken', () => {
  assert.deepEqual(ruler.lines('one two three four', 6, 12), ['one two', 'three four'])
  assert.deepEqual(ruler.lines('abcdefghijklmnopqrstuvwxyz', 6, 12), ['abcdefghij', 'klmnopqrst', 'uvwxyz'])
  const long = ruler.lines('word '.repeat(500), 6, 12)
  assert.equal(long.length, 12)
  assert.match(long.at(-1) ?? '', /…$/)
})
