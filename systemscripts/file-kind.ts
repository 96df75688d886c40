import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { kindOfCompound, refuseLocked } from './file-kind/compound-kind.ts'
import { fileEmpty, fileIs, fileNotRecognised } from './file-kind/refusals.ts'
import { isWeak, SIGNATURES } from './file-kind/signatures.ts'
import { kindOfText, sniffedText } from './file-kind/text-kind.ts'
import { kindOfZip } from './file-kind/zip-kind.ts'
import type { GridKind } from './grid.ts'

/** A kind of table, an archive of such files, or a workbook that has to be deciphered first (protected-workbook.ts). */
export type FileKind = GridKind | 'gzip' | 'zip' | 'protected'

/** So many bytes at the beginning tell what a file is, save for containers. */
export const HEAD_BYTES = 4096

/** An entry, the end of a zip without entries, the mark of one that was written in parts. */
const ZIP = ['PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08PK']

/** BIFF 2 to 5 without a container: the beginning-of-file record and its length. */
const BARE_XLS = ['\x09\0\x04\0', '\x09\0\x06\0', '\x09\x02\x06\0', '\x09\x04\x06\0', '\x09\x08\x08\0', '\x09\x08\x10\0']

/**
 * What a file is, by its bytes and never by its name: web sites send HTML as .xls, and people rename.
 * Text that is nothing else is a CSV, in whatever encoding. Reads the first 4 KB, and the directory of a container.
 *
 * @param fileName for messages; default the path's last part
 * @throws PermanentError `file_empty`; `file_not_recognised` (binary); `workbook_encrypted`; and for what is recognised and not read:
 *   `file_is_word`, `file_is_powerpoint`, `file_is_office_document`, `file_is_numbers`, `file_is_mail`, `file_is_xml`, `file_is_mhtml`,
 *   `file_is_sylk`, `file_is_dif`, and those of file-kind/signatures.ts (`file_is_pdf`, `file_is_image`, `file_is_tar` …)
 */
export async function fileKind(path: string, fileName = basename(path)): Promise<FileKind> {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.alloc(HEAD_BYTES)
    const { bytesRead } = await file.read(buffer, 0, HEAD_BYTES, 0)
    const kind = kindOfHead(buffer.subarray(0, bytesRead), fileName)
    if (kind === 'zip') return await kindOfZip(file, fileName)
    if (kind === 'compound') return await kindOfCompound(file, fileName)
    return kind
  } finally {
    await file.close()
  }
}

/**
 * What the first HEAD_BYTES of a file tell; `zip` and `compound` may be workbooks as well as other things.
 * @throws PermanentError as fileKind
 */
export function kindOfHead(head: Buffer, fileName: string): Exclude<FileKind, 'protected'> | 'compound' {
  if (head.length === 0) throw fileEmpty(fileName)
  const bytes = head.toString('latin1')
  if (ZIP.some((start) => bytes.startsWith(start))) return 'zip'
  if (bytes.startsWith('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')) return 'compound'
  if (bytes.startsWith('\x1f\x8b')) return 'gzip'
  if (BARE_XLS.some((start) => bytes.startsWith(start))) {
    refuseLocked(head, fileName)
    return 'xls'
  }
  const text = sniffedText(head)
  const known = SIGNATURES.find(
    (signature) => bytes.startsWith(signature.bytes, signature.at ?? 0) && (text === null || !isWeak(signature)),
  )
  if (known) throw fileIs(fileName, known.code, known.what)
  if (text === null) throw fileNotRecognised(fileName, head)
  return kindOfText(text, head.length < HEAD_BYTES, fileName)
}
