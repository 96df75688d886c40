import { PermanentError } from '../errors.ts'

export function fileEmpty(fileName: string): PermanentError {
  return new PermanentError('file_empty', `File "${fileName}" is empty`, {
    detail: 'It holds no bytes, or only blanks.',
    hint: 'Ask the sender to send it again.',
  })
}

/** Recognised, and nothing that holds a table which Rota reads. */
export function fileIs(fileName: string, code: string, what: string): PermanentError {
  return new PermanentError(code, `File "${fileName}" is ${what}, which cannot be read as a table`, {
    detail: 'Told by its bytes, whatever its name ends in.',
    hint: 'Ask the sender for a workbook (.xlsx, .xls, .ods), CSV, or an HTML table.',
  })
}

export function fileNotRecognised(fileName: string, head: Buffer): PermanentError {
  return new PermanentError('file_not_recognised', `File "${fileName}" is neither a workbook nor text`, {
    detail: `It begins with the bytes ${head.toString('hex', 0, 16).replace(/(..)(?=.)/g, '$1 ')}.`,
    hint: 'Check that the sender sent the right file, and in one piece.',
  })
}

/** An encrypted workbook, whichever format it has inside. */
export function workbookEncrypted(fileName: string, detail = "Excel's own default password does not open it."): PermanentError {
  return new PermanentError('workbook_encrypted', `Workbook "${fileName}" is protected by a password`, {
    detail,
    hint: 'Ask the sender for a copy that opens without a password.',
  })
}
