import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { readCompoundNames } from './compound-file.ts'
import { PermanentError } from './errors.ts'
import type { TableKind } from './table.ts'
import { readZipDirectory, readZipEntry, type ZipEntry } from './zip-file.ts'

/** What readTable can read. */
export type FileKind = TableKind

const HEAD_BYTES = 4096

/** Files that are known by their first bytes and hold no table that Rota reads. */
const SIGNATURES: { bytes: string; code: string; what: string }[] = [
  { bytes: '%PDF-', code: 'file_is_pdf', what: 'a PDF document' },
  { bytes: '\x1f\x8b', code: 'file_is_gzip', what: 'packed with gzip' },
  { bytes: 'BZh', code: 'file_is_bzip2', what: 'packed with bzip2' },
  { bytes: '\xfd7zXZ\0', code: 'file_is_xz', what: 'packed with xz' },
  { bytes: '\x28\xb5\x2f\xfd', code: 'file_is_zstd', what: 'packed with zstd' },
  { bytes: '7z\xbc\xaf\x27\x1c', code: 'file_is_7z', what: 'a 7-Zip archive' },
  { bytes: 'Rar!\x1a\x07', code: 'file_is_rar', what: 'a RAR archive' },
  { bytes: '\x89PNG\r\n', code: 'file_is_image', what: 'an image (PNG)' },
  { bytes: '\xff\xd8\xff', code: 'file_is_image', what: 'an image (JPEG)' },
  { bytes: 'GIF8', code: 'file_is_image', what: 'an image (GIF)' },
  { bytes: 'II*\0', code: 'file_is_image', what: 'an image (TIFF)' },
  { bytes: 'MM\0*', code: 'file_is_image', what: 'an image (TIFF)' },
  { bytes: 'PAR1', code: 'file_is_parquet', what: 'a Parquet file' },
  { bytes: 'SQLite format 3\0', code: 'file_is_sqlite', what: 'a SQLite database' },
  { bytes: '{\\rtf', code: 'file_is_rtf', what: 'an RTF document' },
]

/** BIFF 2 to 5 without a container: the beginning-of-file record and its length. */
const BARE_XLS = ['\x09\0\x04\0', '\x09\0\x06\0', '\x09\x02\x06\0', '\x09\x04\x06\0', '\x09\x08\x08\0', '\x09\x08\x10\0']

/**
 * What a file is, by its bytes and never by its name: web sites send HTML as .xls, and people rename.
 * Text that is nothing else is a CSV, in whatever encoding. Reads the first 4 KB, and the directory of a container.
 *
 * @throws PermanentError `file_empty`; `file_not_recognised` (binary); `workbook_encrypted`; and for what is recognised and not read:
 *   `file_is_ods`, `file_is_xlsb`, `file_is_zip`, `file_is_office_document`, `file_is_spreadsheetml`, `file_is_xml`, `file_is_json`,
 *   `file_is_mhtml`, and those of the signatures above (`file_is_pdf`, `file_is_gzip`, `file_is_image` …)
 */
export async function fileKind(path: string): Promise<FileKind> {
  const fileName = basename(path)
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.alloc(HEAD_BYTES)
    const { bytesRead } = await file.read(buffer, 0, HEAD_BYTES, 0)
    const head = buffer.subarray(0, bytesRead)
    if (head.length === 0) throw fileEmpty(fileName)
    const bytes = head.toString('latin1')
    if (bytes.startsWith('PK\x03\x04') || bytes.startsWith('PK\x05\x06')) return await kindOfZip(file, fileName)
    if (bytes.startsWith('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')) return await kindOfCompound(file, fileName)
    if (BARE_XLS.some((start) => bytes.startsWith(start))) return 'xls'
    const known = SIGNATURES.find((signature) => bytes.startsWith(signature.bytes))
    if (known) throw notReadYet(fileName, known.code, known.what)
    const text = textOf(head)
    if (text === null) throw fileNotRecognised(fileName, head)
    return kindOfText(text, fileName)
  } finally {
    await file.close()
  }
}

/** An encrypted workbook, whichever format it has inside. */
export function workbookEncrypted(fileName: string): PermanentError {
  return new PermanentError('workbook_encrypted', `Workbook "${fileName}" is protected by a password`, {
    hint: 'Ask the sender for a copy that opens without a password.',
  })
}

async function kindOfZip(file: FileHandle, fileName: string): Promise<FileKind> {
  const entries = await readZipDirectory(file)
  // Cut off: what it was going to be is told by the entries at its beginning; the reader then says that it is broken.
  const names = entries?.map((entry) => entry.name) ?? (await namesNearStart(file))
  if (names.includes('xl/workbook.bin')) throw notReadYet(fileName, 'file_is_xlsb', 'a binary workbook (.xlsb)')
  if (names.some((name) => name.startsWith('xl/'))) return 'xlsx'
  if (await isOpenDocument(file, entries ?? [])) throw notReadYet(fileName, 'file_is_ods', 'an OpenDocument spreadsheet (.ods)')
  if (names.includes('[Content_Types].xml') || names.includes('META-INF/manifest.xml'))
    throw notReadYet(fileName, 'file_is_office_document', 'an Office document, but no workbook')
  throw notReadYet(fileName, 'file_is_zip', `a zip archive (${names.length} ${names.length === 1 ? 'entry' : 'entries'})`)
}

async function namesNearStart(file: FileHandle): Promise<string[]> {
  const buffer = Buffer.alloc(64 * 1024)
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
  const bytes = buffer.toString('latin1', 0, bytesRead)
  return ['[Content_Types].xml', 'xl/workbook.bin', 'xl/workbook.xml', 'xl/worksheets/', 'xl/_rels/'].filter((name) => bytes.includes(name))
}

/** An OpenDocument file says in its entry `mimetype` what it is. */
async function isOpenDocument(file: FileHandle, entries: ZipEntry[]): Promise<boolean> {
  const entry = entries.find(({ name, unpackedBytes }) => name === 'mimetype' && unpackedBytes < 200)
  const type = entry === undefined ? '' : await readZipEntry(file, entry).catch(() => '')
  return type.toString().startsWith('application/vnd.oasis.opendocument.spreadsheet')
}

async function kindOfCompound(file: FileHandle, fileName: string): Promise<FileKind> {
  const names = await readCompoundNames(file)
  if (names?.includes('EncryptedPackage')) throw workbookEncrypted(fileName)
  if (names === null || names.some((name) => /^(workbook|book)$/i.test(name))) return 'xls'
  throw notReadYet(fileName, 'file_is_office_document', 'an Office document, but no workbook')
}

/** The head as text for sniffing (bytes above 127 are as good as letters), or null when it is binary. */
function textOf(head: Buffer): string | null {
  const mark = head.toString('latin1', 0, 2)
  if (mark === '\xff\xfe' || mark === '\xfe\xff') return new TextDecoder(mark === '\xff\xfe' ? 'utf-16le' : 'utf-16be').decode(head)
  const bytes = head.toString('latin1').replace(/^\xef\xbb\xbf/, '')
  const text = isUtf16(bytes) ? bytes.replaceAll('\0', '') : bytes
  const controls = [...text].filter((character) => character < ' ' && !'\t\n\v\f\r\x1b'.includes(character)).length
  return controls > text.length / 50 || text.includes('\0') ? null : text
}

function isUtf16(bytes: string): boolean {
  const start = [...bytes.slice(0, 8)]
  return start.length === 8 && [0, 1].some((side) => start.every((character, at) => (character === '\0') === (at % 2 === side)))
}

function kindOfText(text: string, fileName: string): FileKind {
  if (text.trim() === '' && text.length < HEAD_BYTES / 2) throw fileEmpty(fileName)
  const start = text.replace(/^\s*(<!--[\s\S]*?-->\s*)*/, '')
  if (/^MIME-Version:/i.test(start)) throw notReadYet(fileName, 'file_is_mhtml', 'a web page saved as a single file (.mht)')
  if (/^<\?xml/i.test(start)) return kindOfXml(start, fileName)
  if (/^<(!doctype html|html|head|meta|style|body|table|div|font|center|script|title|link|thead|tr|p|br)\b/i.test(start)) return 'html'
  if (/^<[a-z_][\w.:-]*(\s[^>]*)?\/?>/i.test(start)) {
    if (/<table[\s>]/i.test(start)) return 'html'
    throw notReadYet(fileName, 'file_is_xml', 'XML')
  }
  if (/^\{\s*("|\})/.test(start) || /^\[\s*([{["]|\]|-?\d[\d.]*\s*,|(true|false|null)\s*[,\]])/.test(start)) {
    throw notReadYet(fileName, 'file_is_json', 'JSON')
  }
  return 'csv'
}

function kindOfXml(start: string, fileName: string): FileKind {
  if (start.includes('urn:schemas-microsoft-com:office:spreadsheet')) {
    throw notReadYet(fileName, 'file_is_spreadsheetml', 'a workbook in XML (SpreadsheetML 2003)')
  }
  if (/<html[\s>]|<!doctype html/i.test(start)) return 'html'
  throw notReadYet(fileName, 'file_is_xml', 'XML')
}

function fileEmpty(fileName: string): PermanentError {
  return new PermanentError('file_empty', `File "${fileName}" is empty`, {
    detail: 'It holds no bytes, or only blanks.',
    hint: 'Ask the sender to send it again.',
  })
}

function notReadYet(fileName: string, code: string, what: string): PermanentError {
  return new PermanentError(code, `File "${fileName}" is ${what}, which cannot be read as a table`, {
    detail: 'Told by its bytes, whatever its name ends in.',
    hint: 'Ask the sender for .xlsx, .xls, an HTML table or CSV.',
  })
}

function fileNotRecognised(fileName: string, head: Buffer): PermanentError {
  return new PermanentError('file_not_recognised', `File "${fileName}" is neither a workbook nor text`, {
    detail: `It begins with the bytes ${head.toString('hex', 0, 16).replace(/(..)(?=.)/g, '$1 ')}.`,
    hint: 'Check that the sender sent the right file, and in one piece.',
  })
}
