import { PermanentError } from '../errors.ts'
import type { Dialect } from './dialect.ts'

export function quoteNotClosed(fileName: string, openedOnLine: number, { quote }: Dialect, where: string): PermanentError {
  return new PermanentError('quote_not_closed', `File "${fileName}": the quote opened on line ${openedOnLine} is not closed`, {
    detail: `No closing ${quote} stands before ${where}.`,
    hint: QUOTE_HINT,
  })
}

export interface AfterQuote {
  /** Of the closing quote, and of the one that it closes. */
  line: number
  openedOnLine: number
  dialect: Dialect
  /** The bytes around the closing quote. */
  seen: Uint8Array
}

export function textAfterQuote(fileName: string, { line, openedOnLine, dialect, seen }: AfterQuote): PermanentError {
  const { quote, delimiter } = dialect
  const opened = openedOnLine === line ? '' : ` The quote that it closes was opened on line ${openedOnLine}: one may be missing there.`
  return new PermanentError('text_after_quote', `File "${fileName}", line ${line}: text follows a closing quote`, {
    detail: `Seen: ${JSON.stringify(Buffer.from(seen).toString())}. After a closing ${quote} only ${JSON.stringify(delimiter)} or the end of the line may come.${opened}`,
    hint: QUOTE_HINT,
  })
}

export function recordTooLarge(fileName: string, line: number): PermanentError {
  return new PermanentError('record_too_large', `File "${fileName}": the record on line ${line} is larger than 64 MiB`, {
    hint: 'Check that the file is a CSV and that delimiter and quote in the settings are right.',
  })
}

export function nulCharacter(fileName: string, line: number): PermanentError {
  return new PermanentError('nul_character', `File "${fileName}", line ${line}: holds a NUL character`, {
    detail: 'PostgreSQL text cannot hold NUL (U+0000).',
    hint: 'When the file is UTF-16, set encoding to utf-16le in the settings; otherwise ask the sender for a clean file.',
  })
}

const QUOTE_HINT =
  "Ask the sender to write a quote inside a quoted field twice, or set quote in the settings: '' when quotes are plain text, \"\\ when a backslash stands before a quote that is data."
