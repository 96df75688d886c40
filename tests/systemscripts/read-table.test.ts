import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTable } from '../../systemscripts/read-table.ts'
import { allValues, temporaryFile, xlsxOf } from './test-files.ts'

const page = '<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>'

test('the bytes decide which reader reads: a web page named .xls is a web page', async (t) => {
  const table = await readTable(await temporaryFile(t, 'export.xls', page))
  assert.deepEqual([table.kind, table.headers, await allValues(table)], ['html', ['a', 'b'], [['1', '2']]])
})

test('tabbed text named .xls is a CSV', async (t) => {
  const table = await readTable(await temporaryFile(t, 'export.xls', 'a\tb\n1\t2\n'))
  assert.deepEqual([table.kind, table.headers, await allValues(table)], ['csv', ['a', 'b'], [['1', '2']]])
})

test('a stated kind that the bytes contradict is refused', async (t) => {
  const path = await temporaryFile(t, 'export.xls', page)
  await assert.rejects(readTable(path, { kind: 'xls' }), { code: 'file_kind_differs', message: 'File "export.xls" is html, not xls' })
})

test('options reach the reader that knows them, and the others pass them over', async (t) => {
  const csv = await readTable(await temporaryFile(t, 'a.csv', 'x^y\na^b\n1^2\n'), { delimiter: '^', headerRow: 2, sheet: 'any' })
  assert.deepEqual([csv.headers, await allValues(csv)], [['a', 'b'], [['1', '2']]])
  const cell = '<c t="inlineStr"><is><t>a</t></is></c>'
  const path = await temporaryFile(t, 'a.xlsx', xlsxOf(`<sheetData><row r="1">${cell}</row><row r="2"><c><v>5</v></c></row></sheetData>`))
  const book = await readTable(path, { kind: 'xlsx', sheet: 'Data', delimiter: '^' })
  assert.deepEqual([book.sheet, book.headers, await allValues(book)], ['Data', ['a'], [['5']]])
})

test('a signal that is already aborted reads nothing', async (t) => {
  const path = await temporaryFile(t, 'a.csv', 'a,b\n')
  const reason = new Error('enough')
  await assert.rejects(readTable(path, { signal: AbortSignal.abort(reason) }), reason)
})
