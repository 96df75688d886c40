import type { FileHandle } from 'node:fs/promises'
import { type CompoundFile, openCompoundFile } from '../compound-file.ts'
import { biffCipher } from '../protected-workbook/biff-cipher.ts'
import { fileIs, workbookEncrypted } from './refusals.ts'

/** Streams in the root by which other documents are known. */
const DOCUMENTS: [stream: string, code: string, what: string][] = [
  ['WordDocument', 'file_is_word', 'a Word document'],
  ['PowerPoint Document', 'file_is_powerpoint', 'a PowerPoint presentation'],
  ['VisioDocument', 'file_is_office_document', 'a Visio drawing'],
  ['Quill', 'file_is_office_document', 'a Publisher document'],
  ['__properties_version1.0', 'file_is_mail', 'a mail saved from Outlook (.msg)'],
]

/** Globals of a workbook in which the mark of encryption stands, if it does. */
const GLOBALS_BYTES = 4096
const FILE_PASS = 0x2f

/**
 * What a compound file is: a workbook of Excel 97 or before, or a newer one that is encrypted, by which password remains to be seen.
 * @throws PermanentError `workbook_encrypted`; what it is when it is no workbook: `file_is_word`, `file_is_mail`, `file_is_office_document` …
 */
export async function kindOfCompound(file: FileHandle, fileName: string): Promise<'xls' | 'protected'> {
  const container = await openCompoundFile(file).catch(() => null)
  // Cut off: the reader says that it is broken.
  if (container === null || container.entries.length === 0) return 'xls'
  const names = container.entries.map(({ name }) => name)
  if (names.includes('EncryptedPackage')) return 'protected'
  for (const [stream, code, what] of DOCUMENTS) if (names.includes(stream)) throw fileIs(fileName, code, what)
  const globals = await readGlobals(container)
  if (globals === null) throw fileIs(fileName, 'file_is_office_document', 'an Office document, but no workbook')
  refuseLocked(globals, fileName)
  return 'xls'
}

/**
 * For a stream of BIFF records: [MS-XLS] 2.4.117, right after the beginning, says that what follows is encrypted.
 * @throws PermanentError `workbook_encrypted` when the default password does not open it
 */
export function refuseLocked(bytes: Buffer, fileName: string): void {
  for (let at = 0, seen = 0; at + 4 <= bytes.length && seen < 20; seen += 1) {
    const end = at + 4 + bytes.readUInt16LE(at + 2)
    if (bytes.readUInt16LE(at) === FILE_PASS && biffCipher(bytes.subarray(at + 4, end)) === null) throw workbookEncrypted(fileName)
    at = end
  }
}

async function readGlobals(container: CompoundFile): Promise<Buffer | null> {
  const stream = container.entries.find(({ name }) => /^(workbook|book)$/i.test(name))
  if (stream === undefined) return null
  return container.read(stream, GLOBALS_BYTES).catch(() => Buffer.alloc(0))
}
