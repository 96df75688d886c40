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
  assert.equal(await kindOf(t, book('xlsb')), 'xlsb')
  assert.equal(await kindOf(t, book('ods')), 'ods')
  assert.equal(await kindOf(t, book('fods')), 'ods')
  assert.equal(await kindOf(t, book('xlml')), 'xml')
  assert.equal(await kindOf(t, '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet>'), 'xml')
})

test('archives and JSON are known too', async (t) => {
  assert.equal(await kindOf(t, gzipSync('a,b\n')), 'gzip')
  assert.equal(await kindOf(t, zipOf({ 'prices.csv': 'a,b\n' })), 'zip')
  for (const text of [' [{"a": 1}]', '{"rows": []}', '{"a":1}\n{"a":2}\n', '[1, 2]', '[1]', '[]', 'null'])
    assert.equal(await kindOf(t, text), 'json', text)
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
  assert.equal(await kindOf(t, Buffer.from('номер;имя\r\n1;Москва\r\n', 'utf16le')), 'csv')
  assert.equal(await kindOf(t, Buffer.from('номер;имя\r\n1;Москва\r\n', 'utf16le').swap16()), 'csv')
})

test('a text with a NUL in it, or many at its end, is left to the reader, who tells the line', async (t) => {
  for (const text of ['a,b\n1,x\0y\n', `a,b\n1,2\n${'\0'.repeat(5000)}`]) assert.equal(await kindOf(t, text), 'csv')
})

test('what is recognised and not read is refused, each kind with its own code', async (t) => {
  const refused: [string, string | Buffer][] = [
    ['file_is_utf32', Buffer.from('fffe000061000000', 'hex')],
    ['file_is_utf32', Buffer.from('0000feff00000061', 'hex')],
    ['file_is_xml', '<?xml version="1.0"?><rows><row a="1"/></rows>'],
    ['file_is_xml', '<rows><row a="1"/></rows>'],
    ['file_is_office_document', zipOf({ '[Content_Types].xml': '<Types/>', 'visio/document.xml': '<v/>' })],
    ['file_is_word', zipOf({ '[Content_Types].xml': `<Types>${officeType('wordprocessingml.document.main')}</Types>` })],
    ['file_is_powerpoint', zipOf({ '[Content_Types].xml': `<Types>${officeType('presentationml.presentation.main')}</Types>` })],
    ['file_is_office_document', zipOf({ mimetype: 'application/vnd.oasis.opendocument.text', 'content.xml': '<a/>' })],
    ['file_is_numbers', zipOf({ 'Index/Document.iwa': 'x', 'preview.jpg': 'x' })],
    ['file_is_pdf', '%PDF-1.7\n'],
    ['file_is_image', Buffer.from('89504e470d0a1a0a', 'hex')],
    ['file_is_image', Buffer.from('ffd8ffe000104a46', 'hex')],
    ['file_is_mhtml', 'MIME-Version: 1.0\nContent-Type: multipart/related\n'],
    ['file_is_parquet', Buffer.from('PAR1\x15\x04\0', 'latin1')],
    ['file_is_tar', Buffer.concat([Buffer.alloc(257), Buffer.from('ustar'), Buffer.alloc(300)])],
    ['file_is_image', Buffer.from('424d36000000000000003600000028000000', 'hex')],
    ['file_is_program', Buffer.from('4d5a90000300000004000000', 'hex')],
    ['file_is_sylk', 'ID;PWXL;N;E\nC;Y1;X1;K"a"\n'],
    ['file_is_sylk', 'ID;PCALCOOO32\nC;X1;Y1;K"a"\n'],
    ['file_is_sylk', 'ID;PGnumeric;N;E\r\nP;P"Date: "0\r\n'],
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
  assert.equal(await kindOf(t, XLSX.CFB.write(locked, { type: 'buffer' })), 'protected')
})

test('old and OpenDocument workbooks behind a password are known as well', async (t) => {
  const bytes = book('biff8')
  const globals = bytes.indexOf(Buffer.from('0908100000060500', 'hex'))
  // The record behind the beginning becomes the mark of encryption.
  bytes.writeUInt16LE(0x2f, globals + 20)
  assert.equal((await refusal(t, bytes)).code, 'workbook_encrypted')
  const manifest = '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
  const locked = zipOf({ mimetype: 'application/vnd.oasis.opendocument.spreadsheet', 'META-INF/manifest.xml': manifest })
  assert.equal((await refusal(t, locked)).code, 'workbook_encrypted')
})

test('a compound file is known by what stands in its root, whatever is embedded deeper', async (t) => {
  const documents: [string, string][] = [
    ['/WordDocument', 'file_is_word'],
    ['/PowerPoint Document', 'file_is_powerpoint'],
    ['/__properties_version1.0', 'file_is_mail'],
    ['/Contents', 'file_is_office_document'],
  ]
  for (const [stream, code] of documents) {
    const document = XLSX.CFB.utils.cfb_new()
    XLSX.CFB.utils.cfb_add(document, stream, Buffer.alloc(9000))
    XLSX.CFB.utils.cfb_add(document, '/ObjectPool/_1/Workbook', Buffer.alloc(9000))
    assert.equal((await refusal(t, XLSX.CFB.write(document, { type: 'buffer' }))).code, code)
  }
})

test('an empty file is empty, also with a byte order mark and blanks in it', async (t) => {
  for (const text of ['', '\ufeff', ' \r\n\r\n']) assert.equal((await refusal(t, text)).code, 'file_empty')
})

test('binary that nobody knows is not recognised, and its first bytes are told', async (t) => {
  const error = await refusal(t, Buffer.from([1, 2, 3, 0, 255, 254, 7, 9, 0, 0, 12, 8, 1, 1, 1, 1]))
  assert.equal(error.code, 'file_not_recognised')
  assert.match(error.detail ?? '', /01 02 03 00 ff fe/)
})

function officeType(type: string): string {
  return `<Override ContentType="application/vnd.openxmlformats-officedocument.${type}+xml"/>`
}

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
  const content: string | Uint8Array = XLSX.write(workbook, { type: /^(xlml|fods)$/.test(bookType) ? 'string' : 'buffer', bookType })
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
