import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { demoFiles } from '../../onboarding/demo/make-files.ts'
import { demoMails } from '../../onboarding/demo/make-mails.ts'
import { readTable } from '../../systemscripts/read-table.ts'
import { allRows, allValues, temporaryFile } from '../systemscripts/test-files.ts'

const folder = join(import.meta.dirname, '../../onboarding/demo')

test('the demo’s files are what the script makes', async (t) => {
  for (const { name, bytes } of demoFiles()) {
    const committed = await readTable(join(folder, name))
    const made = await readTable(await temporaryFile(t, name, bytes))
    assert.deepEqual([committed.kind, committed.sheet, committed.headers], [made.kind, made.sheet, made.headers])
    assert.deepEqual(await allRows(committed), await allRows(made), name)
  }
})

test('the demo’s mails are what the script makes', async () => {
  const mails = demoMails()
  assert.deepEqual((await readdir(join(folder, 'mails'))).sort(), mails.map(({ name }) => name).sort())
  for (const { name, bytes } of mails) assert.deepEqual(await readFile(join(folder, 'mails', name)), bytes, name)
})

test('products.xls is a workbook of Excel 97 whose codes look like numbers, truth and nothing', async () => {
  const table = await readTable(join(folder, 'products.xls'))
  const rows = await allValues(table)
  assert.deepEqual([table.kind, table.sheet, rows.length], ['xls', 'Products', 120])
  const codes = rows.map(([code]) => code)
  for (const code of ['1E5', 'TRUE', '00123', 'NA', '2024-03', '3/4']) assert.ok(codes.includes(code), code)
  assert.equal(new Set(codes).size, 120)
  assert.deepEqual(rows[0], ['00037', 'Brass gasket 34 mm', '744.07', '2861', '21.166', '2017-11-03', 'false'])
})

test('orders.xlsx has a title above its header, texts with leading zeros, and a second sheet', async () => {
  const table = await readTable(join(folder, 'orders.xlsx'))
  const rows = await allValues(table)
  assert.deepEqual([table.kind, table.sheet, table.headerLine, rows.length], ['xlsx', 'Orders', 4, 400])
  assert.deepEqual(table.headers.slice(0, 5), ['Order No', 'Customer No', 'Customer', 'Phone', 'Article Code'])
  for (const [order, customer, , phone, , , , orderedAt, deliverBy] of rows) {
    assert.match(order ?? '', /^000\d{5}$/)
    assert.match(customer ?? '', /^\d{5}$/)
    assert.match(phone ?? '', /^\+47 0\d{5}$/)
    assert.match(orderedAt ?? '', /^2025-\d\d-\d\d \d\d:\d\d:00$/)
    assert.match(deliverBy ?? '', /^2025-\d\d-\d\d$/)
  }
  assert.ok(rows.some((row) => row[10] === '#N/A'))
  const notes = await readTable(join(folder, 'orders.xlsx'), { sheet: 'Notes' })
  assert.deepEqual([notes.headers, (await allValues(notes)).length], [['Topic', 'Note'], 2])
})

test('suppliers.xls is a web page, with a company that is called NA', async () => {
  const table = await readTable(join(folder, 'suppliers.xls'))
  const rows = await allValues(table)
  assert.deepEqual([table.kind, table.headers[0], rows.length], ['html', 'Supplier No', 80])
  assert.ok(rows.some(([, name]) => name === 'NA'))
  assert.ok(rows.every(([number]) => /^0\d{5}$/.test(number ?? '')))
})

test('shipments.csv has line breaks inside quotes, and tells nothing from empty text', async () => {
  const table = await readTable(join(folder, 'shipments.csv'))
  const rows = await allValues(table)
  assert.deepEqual([table.kind, table.headers[0], rows.length], ['csv', 'Shipment', 300])
  assert.ok(rows.every((row) => row[6]?.includes('\n')))
  assert.deepEqual(
    [null, '', 'NULL'].map((value) => rows.some((row) => row[7] === value)),
    [true, true, true],
  )
})
