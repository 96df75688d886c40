import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type ClientBase, DatabaseError, escapeIdentifier, escapeLiteral } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { CopyFormat, CopyPiece } from '../copy-plan.ts'
import type { TableCopy } from '../table.ts'
import { isRowRefusal, RowsRefused } from './row-refusal.ts'
import { quoted, type TableName } from './target.ts'

export interface CopyDestination {
  name: TableName
  columns: string[]
  /** The table was made in this very transaction, so its rows need not be frozen later. */
  isNew: boolean
}

/**
 * Sends the pieces of a table into another by one COPY: all rows or none. Whatever ends it early (the signal, a broken file, Postgres), the
 * COPY is ended and the connection can be used again; the transaction is then aborted, as after any failed statement.
 *
 * @param onPiece told of each piece as it is taken
 * @returns how many rows the table got: a trigger may leave some out
 * @throws RowsRefused when Postgres does not take a row; what the pieces throw; the signal's reason when aborted
 */
export async function sendCopy(
  client: ClientBase,
  destination: CopyDestination,
  { format, pieces }: TableCopy,
  onPiece: (piece: CopyPiece) => void,
  signal?: AbortSignal,
): Promise<number> {
  signal?.throwIfAborted()
  const source = Readable.from(endingAtOnce(bytesOf(pieces, onPiece)), { objectMode: true, highWaterMark: 1 })
  try {
    const copy = client.query(copyFrom(copyStatement(destination, format)))
    await pipeline(source, copy, signal ? { signal } : {})
    return copy.rowCount
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof DatabaseError && isRowRefusal(error) ? new RowsRefused(error) : error
  }
}

async function* bytesOf(pieces: AsyncIterable<CopyPiece>, onPiece: (piece: CopyPiece) => void): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    onPiece(piece)
    if (piece.bytes.length > 0) yield Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset, piece.bytes.byteLength)
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

function copyStatement({ name, columns, isNew }: CopyDestination, format: CopyFormat): string {
  const options = [
    ...(format.format === 'text'
      ? ['format text']
      : ['format csv', `delimiter ${escapeLiteral(format.delimiter)}`, `quote ${escapeLiteral(format.quote)}`]),
    `encoding 'UTF8'`,
    ...(isNew ? ['freeze'] : []),
  ]
  return `copy ${quoted(name)} (${columns.map(escapeIdentifier).join(', ')}) from stdin with (${options.join(', ')})`
}
