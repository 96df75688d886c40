import { PermanentError } from '../errors.ts'
import type { TableRow } from '../table.ts'

/** How a CSV is written. `delimiter` and `quote` are one character each; quote null means that no character quotes. */
export interface Dialect {
  delimiter: string
  quote: string | null
  /** `\n` also takes `\r\n`; `\r` is for files in which nothing else ends a line. */
  lineEnd: '\n' | '\r'
}

export interface RecordParser {
  /** Takes the next piece of text, of any length, and gives the records that are complete with it. */
  push(text: string): TableRow[]
  /** Gives what is left when no more text comes. */
  end(): TableRow[]
}

/** In characters. A record cannot be larger, so a quote that nobody closed does not read the whole file into memory. */
const LARGEST_RECORD = 64 * 1024 * 1024

const CARRIAGE_RETURN = 13
const SPACE = 32
const TAB = 9

/**
 * A CSV parser for text that comes in pieces. What it gives does not depend on where the pieces were cut.
 *
 * RFC 4180, and where that is silent: an unquoted empty field is null and `""` is ''; a quote inside an unquoted field is a character
 * like others; blanks between a closing quote and the delimiter are passed over; lines with nothing on them are no records.
 * Records may have any number of fields here. Memory: one piece of text, or twice the largest record.
 *
 * @throws PermanentError `quote_not_closed`, `text_after_quote`, `record_too_large`, `nul_character`
 */
export function createRecordParser(dialect: Dialect, fileName: string): RecordParser {
  const delimiter = dialect.delimiter.charCodeAt(0)
  const quote = dialect.quote === null ? -1 : dialect.quote.charCodeAt(0)
  const quoteText = dialect.quote ?? ''
  const lineEnd = dialect.lineEnd.charCodeAt(0)
  const { lineEnd: lineEndText } = dialect
  let line = 1
  let unread = ''
  let pieces: string[] = []
  let piecesLength = 0

  return { push, end }

  function push(text: string): TableRow[] {
    if (text.includes('\0')) throw nulCharacter(text)
    pieces.push(text)
    piecesLength += text.length
    // A record that spans many pieces is looked at again only once as much has come as there was, so the work stays linear.
    return piecesLength < unread.length ? [] : parse(takeText(), false)
  }

  function end(): TableRow[] {
    return parse(takeText(), true)
  }

  function takeText(): string {
    const text = unread + pieces.join('')
    pieces = []
    piecesLength = 0
    return text
  }

  /** Hot: a million rows of twelve fields pass here, so the unquoted field is read in place. */
  function parse(text: string, isEnd: boolean): TableRow[] {
    const rows: TableRow[] = []
    const length = text.length
    let start = 0
    while (start < length) {
      const values: (string | null)[] = []
      let at = start
      let linesInside = 0
      let isComplete = false
      for (;;) {
        if (at < length && text.charCodeAt(at) === quote) {
          const closing = findClosingQuote(text, at, isEnd, line + linesInside)
          if (closing === -1) break
          const value = text.slice(at + 1, closing)
          linesInside += countLineEnds(value)
          values.push(value.includes(quoteText) ? value.replaceAll(quoteText + quoteText, quoteText) : value)
          at = skipBlanks(text, closing + 1)
          if (at < length && text.charCodeAt(at) !== delimiter && text.charCodeAt(at) !== lineEnd) {
            throw textAfterQuote(text, closing, line + linesInside)
          }
        } else {
          const from = at
          let code = -1
          while (at < length) {
            code = text.charCodeAt(at)
            if (code === delimiter || code === lineEnd) break
            at += 1
          }
          if (at >= length && !isEnd) break
          const until = code !== delimiter && at > from && text.charCodeAt(at - 1) === CARRIAGE_RETURN ? at - 1 : at
          values.push(until === from ? null : text.slice(from, until))
        }
        if (at >= length) {
          isComplete = isEnd
          break
        }
        at += 1
        if (text.charCodeAt(at - 1) === lineEnd) {
          isComplete = true
          break
        }
      }
      if ((isComplete ? at : length) - start > LARGEST_RECORD) throw recordTooLarge()
      if (!isComplete) break
      if (values.length > 1 || values[0] !== null) rows.push({ line, values })
      line += linesInside + 1
      start = at
    }
    unread = text.slice(start)
    return rows
  }

  /** Where the quoted field that opens at `open` closes, or -1 when that lies in text still to come. */
  function findClosingQuote(text: string, open: number, isEnd: boolean, openedOnLine: number): number {
    let from = open + 1
    for (;;) {
      const found = text.indexOf(quoteText, from)
      const isMissing = found === -1
      if (isMissing && isEnd) throw quoteNotClosed(openedOnLine, 'the end of the file')
      if (isMissing && text.length - open > LARGEST_RECORD) throw quoteNotClosed(openedOnLine, 'the next 64 MiB')
      if (isMissing || (found + 1 === text.length && !isEnd)) return -1
      if (text.charCodeAt(found + 1) !== quote) return found
      from = found + 2
    }
  }

  /** Past blanks, and past the carriage return of a `\r\n`. */
  function skipBlanks(text: string, from: number): number {
    let at = from
    for (;;) {
      const code = text.charCodeAt(at)
      if (code === delimiter || code === lineEnd) return at
      if (code !== SPACE && code !== TAB && code !== CARRIAGE_RETURN) return at
      at += 1
    }
  }

  function countLineEnds(value: string): number {
    let count = 0
    for (let at = value.indexOf(lineEndText); at !== -1; at = value.indexOf(lineEndText, at + 1)) count += 1
    return count
  }

  function quoteNotClosed(openedOnLine: number, where: string): PermanentError {
    return new PermanentError('quote_not_closed', `File "${fileName}": the quote opened on line ${openedOnLine} is not closed`, {
      detail: `No closing ${quoteText} stands before ${where}.`,
      hint: "Ask the sender to write a quote inside a quoted field twice, or set quote to '' in the settings when quotes are plain text.",
    })
  }

  function textAfterQuote(text: string, closing: number, onLine: number): PermanentError {
    const seen = text.slice(Math.max(0, closing - 20), closing + 20)
    return new PermanentError('text_after_quote', `File "${fileName}", line ${onLine}: text follows a closing quote`, {
      detail: `Seen: ${JSON.stringify(seen)}. After a closing ${quoteText} only ${JSON.stringify(dialect.delimiter)} or the end of the line may come.`,
      hint: "Ask the sender to write a quote inside a quoted field twice, or set quote to '' in the settings when quotes are plain text.",
    })
  }

  function recordTooLarge(): PermanentError {
    return new PermanentError('record_too_large', `File "${fileName}": the record on line ${line} is larger than 64 MiB`, {
      hint: 'Check that the file is a CSV and that delimiter and quote in the settings are right.',
    })
  }

  function nulCharacter(text: string): PermanentError {
    const before = unread + pieces.join('') + text.slice(0, text.indexOf('\0'))
    const onLine = line + countLineEnds(before)
    return new PermanentError('nul_character', `File "${fileName}", line ${onLine}: holds a NUL character`, {
      detail: 'PostgreSQL text cannot hold NUL (U+0000).',
      hint: 'When the file is UTF-16, set encoding to utf-16le in the settings; otherwise ask the sender for a clean file.',
    })
  }
}
