import type { DocumentFacts, DocumentFile } from './document.ts'
import { type Cell, cutSentence, type Row, type RowSource, rowCount } from './row-source.ts'
import { type ValueKind, valueKind } from './value-kind.ts'

/**
 * A JSON array of objects, one a line. Numbers have all digits that Postgres wrote, whatever a reader's own numbers can hold; `NaN` and the
 * infinities, which JSON lacks, are texts. Columns of json stand in it as they are. Moments are ISO 8601 (`2026-03-01T08:00:00+01:00`); what has no
 * kind of its own is text as Postgres writes it. Where two columns have one name the second is called `name_2`, or readers would lose one.
 * No rows: `[]`.
 */
export function jsonDocument(source: RowSource): DocumentFile {
  const facts: DocumentFacts = { rows: 0, notes: [] }
  return { facts, pieces: pieces() }

  async function* pieces(): AsyncGenerator<Uint8Array> {
    const kinds = source.columns.map(({ typeOid }) => valueKind(typeOid))
    const keys = distinctNames(source.columns.map(({ name }) => name)).map((name) => `${JSON.stringify(name)}:`)
    yield Buffer.from('[')
    for await (const batch of source.rows) {
      let text = ''
      for (const row of batch) {
        text += `${facts.rows === 0 ? '\n' : ',\n'}${record(row, keys, kinds)}`
        facts.rows += 1
      }
      if (text !== '') yield Buffer.from(text)
    }
    yield Buffer.from(facts.rows === 0 ? ']\n' : '\n]\n')
    const cut = cutSentence(rowCount(source, facts.rows, facts.rows))
    if (cut !== null) facts.notes.push(cut)
  }
}

/** Every name once: a second `id` becomes `id_2`, or the next that is free. */
function distinctNames(names: readonly string[]): string[] {
  const taken = new Set(names)
  const used = new Set<string>()
  return names.map((name) => {
    let own = name
    for (let copy = 2; used.has(own) || (own !== name && taken.has(own)); copy += 1) own = `${name}_${copy}`
    used.add(own)
    return own
  })
}

function record(row: Row, keys: readonly string[], kinds: readonly ValueKind[]): string {
  let text = '{'
  for (let at = 0; at < keys.length; at += 1) text += `${at === 0 ? '' : ','}${keys[at]}${jsonValue(row[at] ?? null, kinds[at])}`
  return `${text}}`
}

function jsonValue(value: Cell, kind: ValueKind = 'text'): string {
  if (value === null) return 'null'
  switch (kind) {
    case 'integer':
    case 'numeric':
    case 'float':
      return JSON_NUMBER.test(value) ? value : JSON.stringify(value)
    case 'boolean':
      return value === 't' ? 'true' : 'false'
    case 'json':
      return value
    case 'timestamp':
    case 'timestamptz':
      return JSON.stringify(isoMoment(value))
    default:
      return JSON.stringify(value)
  }
}

/** https://www.rfc-editor.org/rfc/rfc8259#section-6 */
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** Moments outside of four-digit years, and the infinities, stay as they are. */
function isoMoment(value: string): string {
  const [, date, time, offset = ''] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d(?::\d\d)?)?$/.exec(value) ?? []
  if (date === undefined) return value
  return `${date}T${time}${offset.length === 3 ? `${offset}:00` : offset}`
}
