import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type ClientBase, DatabaseError, escapeIdentifier } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { PermanentError } from './errors.ts'

export interface CopyTarget {
  schema: string
  table: string
  columns: string[]
}

/** In characters; one write to the socket. Smaller ones cost a system call and a protocol message each. */
const CHUNK_CHARACTERS = 256 * 1024

/**
 * Writes rows into a table by COPY, in text format, in one statement: all rows or none. Values are texts as Postgres would read them from a
 * literal of the column's type; null is null, '' is empty text. Rows are pulled as fast as Postgres takes them.
 *
 * Whatever ends it early (the signal, an error of `rows`, a refusal by Postgres), the COPY is ended and the connection can be used again;
 * inside a transaction, that one is then aborted as after any failed statement.
 *
 * @returns rows copied, and bytes sent
 * @throws PermanentError `row_refused` for a value that the table does not take, with Postgres's context (line and column); any other
 *   error of Postgres as it is; what `rows` threw; the signal's reason when aborted
 */
export async function copyRows(
  client: ClientBase,
  target: CopyTarget,
  rows: AsyncIterable<(string | null)[][]>,
  signal?: AbortSignal,
): Promise<{ rows: number; bytes: number }> {
  signal?.throwIfAborted()
  const copy = client.query(copyFrom(copyStatement(target)))
  let bytes = 0
  const source = Readable.from(endingAtOnce(countedChunks()), { objectMode: true, highWaterMark: 1 })
  try {
    await pipeline(source, copy, signal ? { signal } : {})
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof DatabaseError ? explained(error, target) : error
  }
  return { rows: copy.rowCount, bytes }

  async function* countedChunks(): AsyncGenerator<Buffer> {
    for await (const text of encodedChunks(rows)) {
      const chunk = Buffer.from(text)
      bytes += chunk.length
      yield chunk
    }
  }
}

/** A generator ends only when what it waits for has come; a COPY that is to end cannot wait for rows that may never come. */
function endingAtOnce<Item>(items: AsyncGenerator<Item>): AsyncIterable<Item> {
  const end = (): Promise<IteratorResult<Item>> => {
    items.return(undefined).catch(() => {})
    return Promise.resolve({ done: true, value: undefined })
  }
  return { [Symbol.asyncIterator]: () => ({ next: () => items.next(), return: end }) }
}

function copyStatement({ schema, table, columns }: CopyTarget): string {
  const into = `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`
  return `copy ${into} (${columns.map(escapeIdentifier).join(', ')}) from stdin with (format text, encoding 'UTF8')`
}

async function* encodedChunks(batches: AsyncIterable<(string | null)[][]>): AsyncGenerator<string> {
  let text = ''
  for await (const batch of batches) {
    for (const values of batch) {
      text += encodedRow(values)
      if (text.length < CHUNK_CHARACTERS) continue
      yield text
      text = ''
    }
  }
  if (text !== '') yield text
}

/**
 * One line of COPY's text format: tabs between values, `\N` for null, backslash escapes.
 * https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"
 */
function encodedRow(values: (string | null)[]): string {
  let line = ''
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? null
    if (index > 0) line += '\t'
    line += value === null ? '\\N' : NEEDS_ESCAPE.test(value) ? escaped(value) : value
  }
  return `${line}\n`
}

const NEEDS_ESCAPE = /[\\\t\n\r]/
const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function escaped(value: string): string {
  return value.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character)
}

/** Classes 22 (data exception) and 23 (integrity constraint) say that the rows are wrong, which no retry mends. */
function explained(error: DatabaseError, { schema, table }: CopyTarget): Error {
  if (!error.code?.startsWith('22') && !error.code?.startsWith('23')) return error
  return new PermanentError('row_refused', `Table "${schema}.${table}" refused a row: ${error.message}`, {
    detail: [error.detail, error.where].filter((part) => part).join(' '),
    ...(error.hint ? { hint: error.hint } : {}),
    cause: error,
  })
}
