import type { DocumentFacts, DocumentFile } from './document.ts'
import { type Cell, cutSentence, type Row, type RowSource, rowCount } from './row-source.ts'
import { type ValueKind, valueKind } from './value-kind.ts'

export interface CsvOptions {
  /** A byte order mark, without which Excel takes UTF-8 for something else. Default true. */
  byteOrderMark?: boolean
}

/** Characters that become bytes at once. Until then they are a tree of short texts, of many times their size. */
const PIECE = 32 * 1024

/**
 * A CSV as RFC 4180 has it: UTF-8, commas, lines end with CR LF, the first one holds the names of the columns. Null is nothing, empty text is `""`. In a
 * file of one column null is a line with a comma alone, since a blank line is no record.
 *
 * A text that a spreadsheet would take for a formula gets an apostrophe in front of it (https://owasp.org/www-community/attacks/CSV_Injection);
 * values whose type cannot hold one, such as negative numbers, stay as they are.
 */
export function csvDocument(source: RowSource, { byteOrderMark = true }: CsvOptions = {}): DocumentFile {
  const facts: DocumentFacts = { rows: 0, notes: [] }
  return { facts, pieces: pieces() }

  async function* pieces(): AsyncGenerator<Uint8Array> {
    const kinds = source.columns.map(({ typeOid }) => valueKind(typeOid))
    const header = source.columns.map(({ name }) => textField(name)).join(',')
    yield Buffer.from(`${byteOrderMark ? '\uFEFF' : ''}${header}\r\n`)
    for await (const batch of source.rows) {
      let lines = ''
      for (const row of batch) {
        lines += line(row, kinds)
        facts.rows += 1
        if (lines.length < PIECE) continue
        yield Buffer.from(lines)
        lines = ''
      }
      if (lines !== '') yield Buffer.from(lines)
    }
    const cut = cutSentence(rowCount(source, facts.rows, facts.rows))
    if (cut !== null) facts.notes.push(cut)
  }
}

function line(row: Row, kinds: readonly ValueKind[]): string {
  if (kinds.length === 1 && row[0] === null) return ',\r\n'
  let text = field(row[0] ?? null, kinds[0])
  for (let at = 1; at < kinds.length; at += 1) text += `,${field(row[at] ?? null, kinds[at])}`
  return `${text}\r\n`
}

function field(value: Cell, kind: ValueKind = 'text'): string {
  if (value === null) return ''
  if (kind === 'text') return textField(value)
  return NEEDS_QUOTES.test(value) ? quoted(value) : value
}

function textField(value: string): string {
  const harmless = STARTS_A_FORMULA.test(value) ? `'${value}` : value
  return harmless === '' || NEEDS_QUOTES.test(harmless) ? quoted(harmless) : harmless
}

function quoted(value: string): string {
  return `"${value.replaceAll('"', '""')}"`
}

/** The wide letters are what a Japanese Excel takes for the narrow ones. */
export const STARTS_A_FORMULA = /^[=+\-@\t\r\n＝＋－＠]/
const NEEDS_QUOTES = /[",\r\n]/
