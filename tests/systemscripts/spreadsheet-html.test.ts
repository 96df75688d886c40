import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PermanentError } from '../../systemscripts/errors.ts'
import { type ReadTableOptions, readTable } from '../../systemscripts/read-table.ts'
import { allRows, temporaryFile } from './test-files.ts'

test('cells are read as they are shown', async (t) => {
  const found = await read(
    t,
    `<table><tr><th>No</th><th><span>Na</span>me &amp; town</th><th>Price</th></tr>
     <tr><td>00123</td><td>&nbsp;Caf&eacute;<br>M&#252;nchen
        Mitte&nbsp;</td><td align=right><b>1,234.50</b> &euro;</td></tr>
     <tr><td>1E5</td><td><p>one</p><p>two</p></td><td>&nbsp;</td></tr></table>`,
  )
  assert.deepEqual(found.headers, ['No', 'Name & town', 'Price'])
  assert.deepEqual(found.values, [
    ['00123', 'Café\nMünchen Mitte', '1,234.50 €'],
    ['1E5', 'one\ntwo', null],
  ])
})

test('scripts, styles and what is hidden are not shown', async (t) => {
  const cell = '<script>alert(1)</script>a<style>x{}</style><span style="display: none">b</span><i hidden>c</i>d'
  assert.deepEqual((await read(t, `<table><tr><th>x</th><th>y</th></tr><tr><td>${cell}</td><td>e</td></tr></table>`)).values, [['ad', 'e']])
})

test('tags that nobody closed and sections in between make no difference', async (t) => {
  const found = await read(t, '<html><body><table><thead><tr><th>a<th>b<tbody><tr><td>1<td>2<tr><td>3<td>4<tfoot><tr><td>sum<td>6')
  assert.deepEqual(found.values, [
    ['1', '2'],
    ['3', '4'],
    ['sum', '6'],
  ])
})

test('a cell over several rows holds for each, a cell over several columns stands in the first', async (t) => {
  const found = await read(
    t,
    `<table><tr><td colspan=3>Prices</td></tr><tr><th>group</th><th>article</th><th>price</th></tr>
     <tr><td rowspan=2>A</td><td>x</td><td rowspan=3>1</td></tr><tr><td>y</td></tr><tr><td>B</td><td>z</td></tr></table>`,
  )
  assert.equal(found.headerLine, 2)
  assert.deepEqual(found.values, [
    ['A', 'x', '1'],
    ['A', 'y', '1'],
    ['B', 'z', '1'],
  ])
})

test('a table that lays out the page does not hide the one inside', async (t) => {
  const inner = '<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>'
  const found = await read(t, `<table><tr><td>menu</td></tr><tr><td>${inner}</td></tr></table><table><tr><td>small</td></tr></table>`)
  assert.deepEqual([found.headers, found.values.length], [['a', 'b'], 2])
})

test('a table is asked for by its number, and one that is not there is refused with their count', async (t) => {
  const page =
    '<table><tr><td>a</td></tr><tr><td>1</td></tr></table><table><tr><td>b</td></tr><tr><td>2</td></tr><tr><td>3</td></tr></table>'
  assert.deepEqual((await read(t, page)).headers, ['b'])
  assert.deepEqual((await read(t, page, { sheet: 1 })).headers, ['a'])
  const error = await refusal(t, page, { sheet: 3 })
  assert.equal(error.code, 'html_table_not_found')
  assert.match(error.detail ?? '', /2/)
})

test('a page without a table is refused, with the thought that it may be an error page', async (t) => {
  const error = await refusal(t, '<html><body><h1>Session expired</h1></body></html>')
  assert.equal(error.code, 'html_table_not_found')
  assert.match(error.hint ?? '', /error page/)
})

test('the encoding is what is stated, else what the page says, else UTF-8 or windows-1252', async (t) => {
  const page = (meta: string) => `<html><head>${meta}</head><table><tr><th>größe</th></tr><tr><td>ü</td></tr></table>`
  const latin = (text: string) => Buffer.from(text, 'latin1')
  assert.deepEqual((await read(t, page(''))).headers, ['größe'])
  assert.deepEqual((await read(t, latin(page('')))).headers, ['größe'])
  assert.deepEqual((await read(t, latin(page('<meta charset="iso-8859-1">')))).headers, ['größe'])
  assert.deepEqual((await read(t, Buffer.from(`\ufeff${page('')}`, 'utf16le'))).headers, ['größe'])
  assert.deepEqual((await read(t, latin(page('<meta charset="utf-8">')), { encoding: 'windows-1252' })).headers, ['größe'])
})

async function read(t: TestContext, page: string | Buffer, options: Partial<ReadTableOptions> = {}) {
  const path = await temporaryFile(t, 'export.xls', page)
  const table = await readTable(path, { ...options, kind: 'html' })
  const { headers, headerLine } = table
  return { headers, headerLine, values: (await allRows(table)).map((row) => row.values) }
}

async function refusal(t: TestContext, page: string, options: Partial<ReadTableOptions> = {}): Promise<PermanentError> {
  try {
    await read(t, page, options)
  } catch (error) {
    if (error instanceof PermanentError) return error
    throw error
  }
  throw new Error('it was not refused')
}
