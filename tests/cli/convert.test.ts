import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryFile, temporaryFolder } from '../systemscripts/test-files.ts'
import { workbook } from '../systemscripts/workbooks.ts'
import { book as packedBook } from '../systemscripts/xlsx/packages.ts'
import { rota } from './rota-process.ts'

const book = workbook(
  {
    Q1: [['Sales'], [], ['id', 'name, full', 'n'], [1, 'a "q"', 2.5], [2, null, '007']],
    'Q 2': [
      ['id', 'n'],
      [3, 4],
    ],
  },
  'xlsx',
)

test('a spreadsheet becomes a CSV: headers as shown, values exact, null is nothing', async (t) => {
  const from = await temporaryFile(t, 'sales.xlsx', book)
  const to = join(dirname(from), 'sales.csv')
  const ended = await rota(['convert', from, to], { env: {} })
  assert.deepEqual([ended.code, ended.err], [0, ''])
  assert.equal(ended.out, `${to}: 2 rows, 3 columns, from sheet "Q1" (xlsx), header in line 3\n`)
  assert.equal(await readFile(to, 'utf8'), 'id,"name, full",n\n1,"a ""q""",2.5\n2,,007\n')
})

test('options say which sheet, which cells and where the header is', async (t) => {
  const from = await temporaryFile(t, 'sales.xlsx', book)
  const shown = async (...words: string[]) => (await rota(['convert', from, '-', ...words], { env: {} })).out
  assert.equal(await shown('--sheet', 'q 2'), 'id,n\n3,4\n')
  assert.equal(await shown('--sheet', '2'), 'id,n\n3,4\n')
  assert.equal(await shown('--range', 'A3:A4'), 'id\n1\n')
  assert.equal(await shown('--header-row', '4'), '1,"a ""q""",2.5\n2,,007\n')
})

test('all sheets become a file each, in the same folder whatever they are called', async (t) => {
  const from = await temporaryFile(t, 'sales.xlsx', book)
  const to = join(await temporaryFolder(t), 'out.csv')
  assert.equal((await rota(['convert', from, to, '--all-sheets'], { env: {} })).code, 0)
  assert.deepEqual((await readdir(dirname(to))).sort(), ['out.Q 2.csv', 'out.Q1.csv'])
  assert.equal(await readFile(join(dirname(to), 'out.Q 2.csv'), 'utf8'), 'id,n\n3,4\n')
})

test('a file that breaks half way leaves what stood there before, and nothing else', async (t) => {
  const from = await temporaryFile(t, 'broken.csv', `a,b\n${'1,2\n'.repeat(100_000)}"open,2\n`)
  const to = join(dirname(from), 'out.csv')
  await writeFile(to, 'former')
  const ended = await rota(['convert', from, to], { env: {} })
  assert.equal(ended.code, 1)
  assert.match(
    ended.err,
    /^ERROR: {2}File "broken.csv": the quote opened on line 100002 is not closed\nDETAIL: .*\nHINT: .*\nCODE: {2}quote_not_closed\n$/,
  )
  assert.equal(await readFile(to, 'utf8'), 'former')
  assert.deepEqual((await readdir(dirname(to))).sort(), ['broken.csv', 'out.csv'])
})

test('values beyond the columns come out, in a column called by its place', async (t) => {
  const from = await temporaryFile(t, 'wide.csv', 'a,b\n1,2\n3,4,lost?\n')
  const ended = await rota(['convert', from, '-'], { env: {} })
  assert.deepEqual([ended.code, ended.out], [0, 'a,b,column_3\n1,2,\n3,4,lost?\n'])
  const to = join(await temporaryFolder(t), 'out.csv')
  assert.match((await rota(['convert', from, to], { env: {} })).out, /2 rows, 3 columns/)
})

test('what no CSV can hold is refused, and said where', async (t) => {
  const from = await temporaryFile(t, 'nul.json', '{"a":"1","b":"x"}\n{"a":"1","b":"\\u0000"}\n')
  const ended = await rota(['convert', from, '-'], { env: {} })
  assert.equal(ended.code, 1)
  assert.match(ended.err, /line 2, column "b": a NUL character stands in it/)
  assert.match(ended.err, /CODE: {2}value_not_writable/)
})

test('a reader of the standard output that has seen enough ends it without a word', async (t) => {
  const from = await temporaryFile(t, 'long.csv', `a,b\n${'some text,2\n'.repeat(500_000)}`)
  const child = spawn(fileURLToPath(new URL('../../src/cli/rota', import.meta.url)), ['convert', from, '-'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (part) => {
    said += part
  })
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const [code] = await once(child, 'close')
  assert.deepEqual([code, said], [0, ''])
})

test('what cannot be meant is a wrong command line, and a missing file is said', async (t) => {
  const from = await temporaryFile(t, 'a.csv', 'a\n1\n')
  assert.equal((await rota(['convert', from, from], { env: {} })).code, 2)
  assert.equal((await rota(['convert', from, '-', '--all-sheets'], { env: {} })).code, 2)
  assert.equal((await rota(['convert', from], { env: {} })).code, 2)
  const missing = await rota(['convert', '/nowhere/a.csv', '-'], { env: {} })
  assert.equal(missing.code, 1)
  assert.match(missing.err, /CODE: {2}file_missing/)
})

test('formulas without a value are said on the standard error', async (t) => {
  const sheet =
    '<sheetData><row><c t="str"><v>id</v></c><c t="str"><v>total</v></c></row><row><c><v>1</v></c><c><f>1+1</f></c></row></sheetData>'
  const from = await temporaryFile(t, 'sales.xlsx', packedBook({ sheet }))
  const ended = await rota(['convert', from, '-'], { env: {} })
  assert.deepEqual([ended.code, ended.out], [0, 'id,total\n1,\n'])
  assert.equal(
    ended.err,
    'WARNING:  Sheet "Data": 1 formula of column "total" holds no value, in B2: open the workbook in a spreadsheet program and save it.\n',
  )
})
