import type { Dialect } from './dialect.ts'
import { BEHIND_BLANKS, DOUBLED, growFields, growRecords, newBatch, QUOTED, type RecordBatch, SPECIAL } from './record-batch.ts'
import { nulCharacter, quoteNotClosed, recordTooLarge, textAfterQuote } from './refusals.ts'

export interface RecordScanner {
  /** What the last scan found; after one that threw, the records before that place. */
  batch: RecordBatch
  /** Cuts the bytes from `from` up to `until` into records; `isEnd` says that no bytes follow. */
  scan(bytes: Uint8Array, from: number, until: number, isEnd: boolean): RecordBatch
}

/** In bytes. A record cannot be larger, so a quote that nobody closed does not read the whole file into memory. */
export const LARGEST_RECORD = 64 * 1024 * 1024

const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const SPACE = 32
const TAB = 9
const BACKSLASH = 92

// What a byte may mean; 0 is plain data.
const DELIMITER = 1
const LINE = 2
const RETURN = 3
const ESCAPED_BY_COPY = 4
const NUL = 5
const QUOTE = 6
const ESCAPE = 7

/**
 * Cuts a CSV, given as UTF-8 bytes, into records and fields, without making a text of any. What it gives does not depend on where the bytes
 * were cut into pieces.
 *
 * RFC 4180, and where that is silent: a quote inside an unquoted field is a character like others; blanks between a closing quote and the
 * delimiter are passed over, and those before an opening one where the dialect says so; lines with nothing on them are no records. Records may have any number of fields here.
 *
 * @throws PermanentError `quote_not_closed`, `text_after_quote`, `record_too_large`, `nul_character`
 */
export function createRecordScanner(dialect: Dialect, fileName: string): RecordScanner {
  const delimiterBytes = Buffer.from(dialect.delimiter)
  const delimiter = delimiterBytes[0] ?? 0
  const delimiterLength = delimiterBytes.length
  const quote = dialect.quote === null ? -1 : dialect.quote.charCodeAt(0)
  const endsAtReturn = dialect.lineEnd === 'any'
  const { skipsBlanks } = dialect
  const plain = plainClasses(delimiter)
  const quoted = quotedClasses(quote, dialect.escape === null ? -1 : dialect.escape.charCodeAt(0))
  const batch = newBatch()
  let fields = 0
  let line = 1

  return { batch, scan }

  /** Hot: hundreds of megabytes pass here byte by byte. */
  function scan(bytes: Uint8Array, from: number, until: number, isEnd: boolean): RecordBatch {
    batch.count = 0
    fields = 0
    let at = from
    let recordStart = from
    let openQuoteLine = -1
    records: while (at < until) {
      recordStart = at
      const firstField = fields
      let linesInside = 0
      openQuoteLine = -1
      for (;;) {
        let flags = 0
        let start = at
        let end = at
        if (skipsBlanks && at < until && isBlank(bytes[at] ?? 0)) {
          while (at < until && isBlank(bytes[at] ?? 0)) at += 1
          if (at >= until && !isEnd) break records
          if (fields === firstField && bytes[at] !== quote) at = start
          else flags = BEHIND_BLANKS
          start = at
        }
        if (at < until && bytes[at] === quote) {
          flags |= QUOTED
          openQuoteLine = line + linesInside
          at += 1
          start = at
          for (;;) {
            while (at < until && quoted[bytes[at] ?? 0] === 0) at += 1
            if (at >= until) break records
            const meaning = quoted[bytes[at] ?? 0]
            if (meaning === QUOTE) {
              if (at + 1 >= until && !isEnd) break records
              if (at + 1 >= until || bytes[at + 1] !== quote) break
              flags |= DOUBLED
              at += 2
            } else if (meaning === ESCAPE) {
              if (at + 1 >= until) break records
              flags |= SPECIAL
              if (bytes[at + 1] === quote || bytes[at + 1] === bytes[at]) {
                flags |= DOUBLED
                at += 1
              }
              at += 1
            } else if (meaning === NUL) {
              throw nulCharacter(fileName, line + linesInside)
            } else {
              flags |= SPECIAL
              if (meaning === LINE) linesInside += 1
              else if (meaning === RETURN && endsAtReturn) {
                if (at + 1 >= until && !isEnd) break records
                if (bytes[at + 1] !== LINE_FEED) linesInside += 1
              }
              at += 1
            }
          }
          end = at
          const openedOnLine = openQuoteLine
          openQuoteLine = -1
          at += 1
          while (at < until && isBlank(bytes[at] ?? 0)) at += 1
          if (at >= until && !isEnd) break records
          if (at < until && !isDelimiterAt(bytes, at, until) && !isLineEndAt(bytes, at)) {
            if (delimiterLength > 1 && bytes[at] === delimiter && until - at < delimiterLength && !isEnd) break records
            const seen = bytes.subarray(Math.max(0, end - 20), Math.min(until, end + 20))
            throw textAfterQuote(fileName, { line: line + linesInside, openedOnLine, dialect, seen })
          }
        } else {
          for (;;) {
            while (at < until && plain[bytes[at] ?? 0] === 0) at += 1
            end = at
            if (at >= until) break
            const meaning = plain[bytes[at] ?? 0]
            if (meaning === LINE) break
            if (meaning === DELIMITER) {
              if (delimiterLength === 1) break
              if (until - at < delimiterLength && !isEnd) break records
              if (isDelimiterAt(bytes, at, until)) break
              at += 1
            } else if (meaning === RETURN) {
              if (endsAtReturn) break
              if (at + 1 >= until || bytes[at + 1] === LINE_FEED) {
                if (at + 1 >= until && !isEnd) break records
                at += 1
                break
              }
              flags |= SPECIAL
              at += 1
            } else if (meaning === NUL) {
              throw nulCharacter(fileName, line + linesInside)
            } else {
              flags |= SPECIAL
              at += 1
            }
          }
        }
        if (at >= until && !isEnd) break records
        if (endsAtReturn && bytes[at] === CARRIAGE_RETURN) {
          if (at + 1 >= until && !isEnd) break records
          if (at + 1 < until && bytes[at + 1] === LINE_FEED) at += 1
        }
        if (fields === batch.starts.length) growFields(batch)
        batch.starts[fields] = start
        batch.ends[fields] = end
        batch.flags[fields] = flags
        fields += 1
        if (at >= until) break
        const isRecordEnd = isLineEndAt(bytes, at)
        at += isRecordEnd ? 1 : delimiterLength
        if (isRecordEnd) break
      }
      if (at - recordStart > LARGEST_RECORD) throw recordTooLarge(fileName, line)
      if (fields === firstField + 1 && batch.starts[firstField] === batch.ends[firstField] && batch.flags[firstField] === 0) {
        fields = firstField
      } else {
        if (batch.count + 1 >= batch.lines.length) growRecords(batch)
        batch.lines[batch.count] = line
        batch.firstField[batch.count] = firstField
        batch.count += 1
        batch.firstField[batch.count] = fields
      }
      line += linesInside + 1
      recordStart = at
    }
    if (recordStart < until) refuseUnfinished(until - recordStart, openQuoteLine, isEnd)
    batch.consumed = recordStart
    return batch
  }

  function refuseUnfinished(length: number, openQuoteLine: number, isEnd: boolean): void {
    if (openQuoteLine !== -1 && isEnd) throw quoteNotClosed(fileName, openQuoteLine, dialect, 'the end of the file')
    if (length <= LARGEST_RECORD) return
    throw openQuoteLine === -1 ? recordTooLarge(fileName, line) : quoteNotClosed(fileName, openQuoteLine, dialect, 'the next 64 MiB')
  }

  /** Past blanks after a closing quote, and past the carriage return of a `\r\n`. */
  function isBlank(byte: number): boolean {
    if (byte === delimiter) return false
    return byte === SPACE || byte === TAB || (byte === CARRIAGE_RETURN && !endsAtReturn)
  }

  function isLineEndAt(bytes: Uint8Array, at: number): boolean {
    return bytes[at] === LINE_FEED || (endsAtReturn && bytes[at] === CARRIAGE_RETURN)
  }

  function isDelimiterAt(bytes: Uint8Array, at: number, until: number): boolean {
    if (bytes[at] !== delimiter || until - at < delimiterLength) return false
    for (let index = 1; index < delimiterLength; index += 1) if (bytes[at + index] !== delimiterBytes[index]) return false
    return true
  }
}

function plainClasses(delimiter: number): Uint8Array {
  const classes = new Uint8Array(256)
  classes[TAB] = ESCAPED_BY_COPY
  classes[BACKSLASH] = ESCAPED_BY_COPY
  classes[LINE_FEED] = LINE
  classes[CARRIAGE_RETURN] = RETURN
  classes[0] = NUL
  classes[delimiter] = DELIMITER
  return classes
}

function quotedClasses(quote: number, escapeByte: number): Uint8Array {
  const classes = new Uint8Array(256)
  classes[TAB] = ESCAPED_BY_COPY
  classes[BACKSLASH] = ESCAPED_BY_COPY
  classes[CARRIAGE_RETURN] = RETURN
  classes[LINE_FEED] = LINE
  classes[0] = NUL
  if (escapeByte !== -1) classes[escapeByte] = ESCAPE
  if (quote !== -1) classes[quote] = QUOTE
  return classes
}
