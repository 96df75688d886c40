import type { FileHandle } from 'node:fs/promises'
import { readZipDirectory, readZipEntry, type ZipEntry } from '../zip-file.ts'
import { fileIs, workbookEncrypted } from './refusals.ts'

const LARGEST_PART = 16 * 1024 * 1024

/** By the main part's type, as [Content_Types].xml states it. */
const MAIN_PARTS: [pattern: RegExp, is: 'xlsx' | 'xlsb' | { code: string; what: string }][] = [
  [/spreadsheetml\.(sheet|template)\.main\+xml|ms-excel\.(sheet|template|addin)\.macroEnabled\.main\+xml/i, 'xlsx'],
  // Also the default type of .bin in a workbook of XML that holds macros.
  [/sheet\.binary\.macroEnabled\.main/i, 'xlsb'],
  [/wordprocessingml\.|ms-word\./i, { code: 'file_is_word', what: 'a Word document' }],
  [/presentationml\.|ms-powerpoint\./i, { code: 'file_is_powerpoint', what: 'a PowerPoint presentation' }],
]

/**
 * What a zip is by what lies in it: a workbook, or an archive of files.
 * @throws PermanentError `workbook_encrypted` (OpenDocument), `file_is_word`, `file_is_powerpoint`, `file_is_office_document`, `file_is_numbers`
 */
export async function kindOfZip(file: FileHandle, fileName: string): Promise<'xlsx' | 'xlsb' | 'ods' | 'zip'> {
  const entries = await readZipDirectory(file)
  // Cut off: what it was going to be is told by the entries at its beginning; the reader then says that it is broken.
  if (entries === null) return kindByNames(await namesNearStart(file)) ?? 'zip'
  const types = await partText(file, entries, '[Content_Types].xml')
  if (types !== null) return officeKind(types, entries, fileName)
  const openDocument = await kindOfOpenDocument(file, entries, fileName)
  if (openDocument !== null) return openDocument
  const names = entries.map(({ name }) => name)
  if (names.some((name) => /^Index(\/.*\.iwa|\.zip)$/.test(name))) {
    throw fileIs(fileName, 'file_is_numbers', 'an Apple document (Numbers, Pages or Keynote)')
  }
  return kindByNames(names) ?? 'zip'
}

function officeKind(types: string, entries: ZipEntry[], fileName: string): 'xlsx' | 'xlsb' {
  const is = MAIN_PARTS.find(([pattern]) => pattern.test(types))?.[1] ?? kindByNames(entries.map(({ name }) => name))
  if (is === 'xlsx' || is === 'xlsb') return is
  if (is === null || is === 'ods') throw fileIs(fileName, 'file_is_office_document', 'an Office document, but no workbook')
  throw fileIs(fileName, is.code, is.what)
}

function kindByNames(names: string[]): 'xlsx' | 'xlsb' | 'ods' | null {
  if (names.some((name) => /^xl\/workbook\.bin$/i.test(name))) return 'xlsb'
  if (names.some((name) => /^xl\//i.test(name))) return 'xlsx'
  return names.includes('spreadsheet') ? 'ods' : null
}

/** An OpenDocument file says in its entry `mimetype`, or in its manifest, what it is. */
async function kindOfOpenDocument(file: FileHandle, entries: ZipEntry[], fileName: string): Promise<'ods' | null> {
  const manifest = await partText(file, entries, 'META-INF/manifest.xml')
  const type =
    (await partText(file, entries, 'mimetype')) ??
    /full-path="\/"[^>]*media-type="([^"]*)|media-type="([^"]*)"[^>]*full-path="\/"/.exec(manifest ?? '')?.[0]
  if (!type?.includes('application/vnd.oasis.opendocument.')) return null
  if (!type.includes('opendocument.spreadsheet')) throw fileIs(fileName, 'file_is_office_document', 'an OpenDocument file, but no workbook')
  if (manifest?.includes('encryption-data')) throw workbookEncrypted(fileName)
  return 'ods'
}

async function partText(file: FileHandle, entries: ZipEntry[], name: string): Promise<string | null> {
  // Names of parts compare without case (ECMA-376 part 2, 6.2.2.3).
  const entry = entries.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase())
  if (entry === undefined || entry.isEncrypted || entry.unpackedBytes > LARGEST_PART) return null
  const bytes = await readZipEntry(file, entry).catch(() => null)
  if (bytes === null) return null
  return bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.toString('utf16le') : bytes.toString('utf8')
}

async function namesNearStart(file: FileHandle): Promise<string[]> {
  const buffer = Buffer.alloc(64 * 1024)
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
  const bytes = buffer.toString('latin1', 0, bytesRead)
  if (bytes.includes('application/vnd.oasis.opendocument.spreadsheet')) return ['spreadsheet']
  return ['xl/workbook.bin', 'xl/workbook.xml', 'xl/worksheets/', 'xl/_rels/', 'xl/styles', 'xl/theme'].filter((name) =>
    bytes.includes(name),
  )
}
