import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { type TestContext, test } from 'node:test'
import * as XLSX from 'xlsx'
import { PermanentError } from '../../systemscripts/errors.ts'
import { openTables, type ReadTableOptions } from '../../systemscripts/read-table.ts'
import { agile, EXCELS_OWN, protectedXls, standard, type XlsScheme } from './protect.ts'
import { allValues, temporaryFile, zipOf } from './test-files.ts'

test('a workbook that Excel opens without asking for its password is read', async (t) => {
  for (const bookType of ['xlsx', 'xlsb', 'ods'] as const) {
    for (const encrypt of [(plain: Buffer, password: string) => agile(plain, password, bookType === 'xlsx' ? 100_000 : 100), standard])
      assert.deepEqual(await valuesIn(t, encrypt(book(bookType), EXCELS_OWN)), expected, bookType)
  }
})

test('so is an old one, whichever way it was encrypted', async (t) => {
  for (const scheme of ['xor', 'rc4', 'rc4 of 128 bits', 'rc4 of 40 bits'] satisfies XlsScheme[])
    assert.deepEqual(await valuesIn(t, protectedXls(book('biff8'), EXCELS_OWN, scheme)), expected, scheme)
  assert.deepEqual(await valuesIn(t, protectedXls(book('biff5'), EXCELS_OWN, 'xor')), expected)
})

test('inside an archive too, and by the kind that is stated', async (t) => {
  const locked = agile(book('xlsx'), EXCELS_OWN, 10)
  assert.deepEqual(await valuesIn(t, zipOf({ 'prices.xlsx': locked })), expected)
  assert.deepEqual(await valuesIn(t, locked, { kind: 'xlsx', sheet: 'Data' }), expected)
  await assert.rejects(valuesIn(t, locked, { kind: 'ods' }), { code: 'file_kind_differs' })
})

test('any other password is refused, and so is what is no workbook once it is open', async (t) => {
  const refused: [Buffer, string][] = [
    [agile(book('xlsx'), 'VelvetSweatshoq', 10), 'workbook_encrypted'],
    [standard(book('xlsx'), 'secret'), 'workbook_encrypted'],
    [replaced(agile(book('xlsx'), EXCELS_OWN, 10), 'cipherAlgorithm="AES"', 'cipherAlgorithm="RC2"'), 'workbook_encrypted'],
    [replaced(agile(book('xlsx'), EXCELS_OWN, 10), '<keyData', '<keyData<'), 'workbook_encrypted'],
    [replaced(agile(book('xlsx'), EXCELS_OWN, 10), 'spinCount="10"', 'spinCount="9999999999"'), 'workbook_encrypted'],
    [protectedXls(book('biff8'), 'VelvetSweatshoq', 'xor'), 'workbook_encrypted'],
    [protectedXls(book('biff8'), 'secret', 'rc4'), 'workbook_encrypted'],
    [protectedXls(book('biff8'), 'secret', 'rc4 of 128 bits'), 'workbook_encrypted'],
    [agile(zipOf({ 'a.csv': 'a\n1\n' }), EXCELS_OWN, 10), 'file_is_office_document'],
    [agile(zipOf({ '[Content_Types].xml': 'wordprocessingml.document' }), EXCELS_OWN, 10), 'file_is_word'],
  ]
  for (const [bytes, code] of refused) {
    const error = await valuesIn(t, bytes).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof PermanentError, `${code}: ${String(error)}`)
    assert.equal(error.code, code)
  }
})

test('one that was cut off is refused, and nothing of it stays in the temporary folder', async (t) => {
  const before = await keptFolders()
  const locked = agile(book('xlsx', 3000), EXCELS_OWN, 10)
  const path = await temporaryFile(t, 'cut.xlsx', locked.subarray(0, locked.length / 2))
  await assert.rejects(valuesAt(path), { code: 'workbook_broken' })
  assert.deepEqual(await keptFolders(), before)
})

const expected = Array.from({ length: 400 }, (_, row) => [`text ${row}`, String(row / 4)])

function book(bookType: XLSX.BookType, rows = 400): Buffer {
  const sheet = XLSX.utils.aoa_to_sheet([['name', 'price'], ...Array.from({ length: rows }, (_, row) => [`text ${row}`, row / 4])])
  const made = XLSX.utils.book_new()
  XLSX.utils.book_append_sheet(made, sheet, 'Data')
  return Buffer.from(XLSX.write(made, { type: 'buffer', bookType }))
}

/** As many bytes as there were. */
function replaced(bytes: Buffer, former: string, later: string): Buffer {
  const at = bytes.indexOf(former)
  assert.notEqual(at, -1)
  bytes.write(later, at, 'latin1')
  return bytes
}

async function valuesIn(t: TestContext, bytes: Buffer, options: ReadTableOptions = {}) {
  return await valuesAt(await temporaryFile(t, 'prices.xls', bytes), options)
}

async function valuesAt(path: string, options: ReadTableOptions = {}): Promise<(string | null)[][]> {
  const values: (string | null)[][] = []
  for await (const table of openTables(path, options)) values.push(...(await allValues(table)))
  return values
}

async function keptFolders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('rota-') && !name.startsWith('rota-test-'))
}
