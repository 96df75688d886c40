import { jsonBroken, jsonNotRecords, jsonRecordTooLarge } from './refusals.ts'

interface State {
  shape: 'unknown' | 'list' | 'lines'
  /** What may come next, outside of a record. */
  expects: 'record' | 'comma' | 'first' | 'nothing'
}

/** The text of one object, from `{` to `}`. */
export interface RecordText {
  text: string
  /** Where it begins, from 1. */
  line: number
}

const LARGEST_RECORD = 64 * 1024 * 1024

const NEWLINE = 10
const QUOTE = 34
const COMMA = 44
const OPEN_LIST = 91
const BACKSLASH = 92
const CLOSE_LIST = 93
const OPEN = 123
const CLOSE = 125
/** Before each record of an RFC 7464 sequence. */
const RECORD_SEPARATOR = 30

/**
 * The objects of a JSON text, whether one array holds them or they stand behind each other. Only where they end is looked for, so what is
 * inside may still be wrong.
 * @throws PermanentError `json_broken`, `json_not_records`, `json_record_too_large`
 */
export async function* splitRecords(texts: AsyncIterable<string>, fileName: string): AsyncGenerator<RecordText[]> {
  const state: State = { shape: 'unknown', expects: 'first' }
  let line = 1
  let depth = 0
  let isInString = false
  let isEscaped = false
  let pieces: string[] = []
  let size = 0
  let startLine = 1
  for await (const text of texts) {
    const records = [...take(text)]
    if (records.length > 0) yield records
  }
  if (depth > 0) throw jsonBroken(fileName, startLine, 'The record that begins there has no end.')
  if (state.shape === 'list' && state.expects !== 'nothing') throw jsonBroken(fileName, line, 'The list has no end: the file was cut off.')

  function* take(text: string): Generator<RecordText> {
    let start = 0
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (isInString) at = endOfString(text, at)
      else if (code === QUOTE && depth > 0) isInString = true
      else if (code === OPEN || code === OPEN_LIST) {
        if (depth === 0 && !beginRecord(code)) continue
        if (depth === 0) start = at
        depth += 1
      } else if (code === CLOSE || code === CLOSE_LIST) {
        if (depth === 0) endList(code)
        else if (--depth === 0) {
          pieces.push(text.slice(start, at + 1))
          yield { text: pieces.length === 1 ? (pieces[0] ?? '') : pieces.join(''), line: startLine }
          pieces = []
          size = 0
          state.expects = state.shape === 'list' ? 'comma' : 'record'
        }
      } else if (code === NEWLINE) line += 1
      else if (depth === 0) passBetween(code, text, at)
    }
    if (depth === 0) return
    pieces.push(text.slice(start))
    size += text.length - start
    if (size > LARGEST_RECORD) throw jsonRecordTooLarge(fileName, startLine, LARGEST_RECORD)
  }

  /** Where the string's end quote stands, or the end of this text. */
  function endOfString(text: string, from: number): number {
    for (let at = from; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (isEscaped) isEscaped = false
      else if (code === BACKSLASH) isEscaped = true
      else if (code === QUOTE) {
        isInString = false
        return at
      }
    }
    return text.length
  }

  /** False for the `[` of the list itself. */
  function beginRecord(code: number): boolean {
    if (code === OPEN_LIST && state.expects === 'first' && state.shape === 'unknown') {
      state.shape = 'list'
      return false
    }
    if (state.expects === 'nothing' || state.expects === 'comma')
      throw jsonBroken(fileName, line, 'Something stands there after the end of the record or list before.')
    if (code === OPEN_LIST) throw jsonNotRecords(fileName, line, 'a list')
    if (state.shape === 'unknown') state.shape = 'lines'
    startLine = line
    return true
  }

  function endList(code: number): void {
    if (code !== CLOSE_LIST || state.shape !== 'list' || (state.expects !== 'comma' && state.expects !== 'first')) {
      throw jsonBroken(fileName, line, `"${String.fromCharCode(code)}" closes nothing.`)
    }
    state.expects = 'nothing'
  }

  function passBetween(code: number, text: string, at: number): void {
    if (code === 32 || code === 9 || code === 13 || code === RECORD_SEPARATOR) return
    if (code === COMMA && state.shape === 'list' && state.expects === 'comma') {
      state.expects = 'record'
      return
    }
    const found = /^("[^"]{0,40}"?|[\w.+-]{1,40}|.)/.exec(text.slice(at, at + 50))?.[0] ?? ''
    if (code === COMMA || state.expects === 'nothing' || state.expects === 'comma')
      throw jsonBroken(fileName, line, `\`${found}\` does not belong there.`)
    throw jsonNotRecords(fileName, line, `\`${found}\``)
  }
}
