import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import * as XLSX from 'xlsx'
import { PermanentError } from '../../systemscripts/errors.ts'
import { fileKind } from '../../systemscripts/file-kind.ts'
import { temporaryFile, xlsxOf, zipOf } from './test-files.ts'

test('workbooks are known by their bytes, whatever the name says', async (t) => {
  assert.equal(await kindOf(t, book('xlsx')), 'xlsx')
  assert.equal(await kindOf(t, book('xlsm')), 'xlsx')
  assert.equal(await kindOf(t, xlsxOf('<sheetData/>')), 'xlsx')
  assert.equal(await kindOf(t, book('biff8')), 'xls')
  assert.equal(await kindOf(t, book('biff5')), 'xls')
  assert.equal(await kindOf(t, book('biff2')), 'xls')
})

test('a workbook that was cut off is still known as one', async (t) => {
  assert.equal(await kindOf(t, book('xlsx').subarray(0, 3000)), 'xlsx')
  assert.equal(await kindOf(t, book('biff8').subarray(0, 700)), 'xls')
})

test('HTML is known by its beginning, after blanks, comments and byte order marks', async (t) => {
  for (const page of [
    '<!DOCTYPE html><html>',
    '\ufeff \r\n<HTML><table>',
    '<!-- exported --><!-- by us -->\n<table border=1>',
    '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">',
    '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head>',
    '<custom-export><table><tr>',
  ]) {
    assert.equal(await kindOf(t, page), 'html', page)
  }
  assert.equal(await kindOf(t, Buffer.from('\ufeff<html><table>', 'utf16le')), 'html')
})

test('text that is nothing else is a CSV, in whatever encoding', async (t) => {
  for (const text of ['a,b\n1,2\n', 'a\tb', 'x', '[id],[name]\n1,2', '{note},b', '<5,>6\n', 'BM,b\n', 'PK\n1\n']) {
    assert.equal(await kindOf(t, text), 'csv', text)
  }
  assert.equal(await kindOf(t, Buffer.from('größe,preis\n1,2\n', 'latin1')), 'csv')
  assert.equal(await kindOf(t, Buffer.from('\ufeffid;name\n', 'utf16le')), 'csv')
  assert.equal(await kindOf(t, Buffer.from('id;name;city\n', 'utf16le')), 'csv')
  assert.equal(await kindOf(t, Buffer.from('id;name;city\n', 'utf16le').swap16()), 'csv')
})

test('what is recognised and not read is refused, each kind with its own code', async (t) => {
  const refused: [string, string | Buffer][] = [
    ['file_is_ods', book('ods')],
    ['file_is_xlsb', book('xlsb')],
    ['file_is_spreadsheetml', book('xlml')],
    ['file_is_xml', '<?xml version="1.0"?><rows><row a="1"/></rows>'],
    ['file_is_xml', '<rows><row a="1"/></rows>'],
    ['file_is_json', ' [{"a": 1}]'],
    ['file_is_json', '{"rows": []}'],
    ['file_is_json', '[1, 2]'],
    ['file_is_gzip', gzipSync('a,b\n')],
    ['file_is_zip', zipOf({ 'prices.csv': 'a,b\n' })],
    ['file_is_office_document', zipOf({ '[Content_Types].xml': '<Types/>', 'word/document.xml': '<w/>' })],
    ['file_is_pdf', '%PDF-1.7\n'],
    ['file_is_image', Buffer.from('89504e470d0a1a0a', 'hex')],
    ['file_is_image', Buffer.from('ffd8ffe000104a46', 'hex')],
    ['file_is_mhtml', 'MIME-Version: 1.0\nContent-Type: multipart/related\n'],
    ['file_is_parquet', Buffer.from('PAR1\x15\x04', 'latin1')],
  ]
  for (const [code, content] of refused) {
    const error = await refusal(t, content)
    assert.equal(error.code, code)
    assert.match(error.message, /^File "prices.csv" is /)
    assert.ok(error.hint)
  }
})

test('a workbook behind a password is told from a broken one', async (t) => {
  const locked = XLSX.CFB.utils.cfb_new()
  XLSX.CFB.utils.cfb_add(locked, '/EncryptionInfo', Buffer.alloc(64))
  XLSX.CFB.utils.cfb_add(locked, '/EncryptedPackage', Buffer.alloc(9000))
  assert.equal((await refusal(t, XLSX.CFB.write(locked, { type: 'buffer' }))).code, 'workbook_encrypted')
})

test('a compound file without a workbook is another document', async (t) => {
  const letter = XLSX.CFB.utils.cfb_new()
  XLSX.CFB.utils.cfb_add(letter, '/WordDocument', Buffer.alloc(9000))
  assert.equal((await refusal(t, XLSX.CFB.write(letter, { type: 'buffer' }))).code, 'file_is_office_document')
})

test('an empty file is empty, also with a byte order mark and blanks in it', async (t) => {
  for (const text of ['', '\ufeff', ' \r\n\r\n']) assert.equal((await refusal(t, text)).code, 'file_empty')
})

test('binary that nobody knows is not recognised, and its first bytes are told', async (t) => {
  const error = await refusal(t, Buffer.from([1, 2, 3, 0, 255, 254, 7, 9, 0, 0, 12, 8, 1, 1, 1, 1]))
  assert.equal(error.code, 'file_not_recognised')
  assert.match(error.detail ?? '', /01 02 03 00 ff fe/)
})

function book(bookType: XLSX.BookType): Buffer {
  const workbook = XLSX.utils.book_new()
  XLSX.utils.book_append_sheet(
    workbook,
    XLSX.utils.aoa_to_sheet([
      ['a', 'b'],
      [1, 2],
    ]),
    'Data',
  )
  const content: string | Uint8Array = XLSX.write(workbook, { type: bookType === 'xlml' ? 'string' : 'buffer', bookType })
  return Buffer.from(content)
}

async function kindOf(t: TestContext, content: string | Buffer): Promise<string> {
  return fileKind(await temporaryFile(t, 'prices.csv', content))
}

async function refusal(t: TestContext, content: string | Buffer): Promise<PermanentError> {
  try {
    await kindOf(t, content)
  } catch (error) {
    if (error instanceof PermanentError) return error
    throw error
  }
  throw new Error('it was not refused')
}
