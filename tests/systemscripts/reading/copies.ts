/** Tables copied into Postgres for tests, as the loader copies them. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { TestContext } from 'node:test'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { CopyPiece, CopyPlan, RowReject } from '../../../systemscripts/copy-plan.ts'
import { emptyDatabase } from '../../helpers/database.ts'

/** Every header as it came, in the order of the file. */
export function planOf(headers: string[], more: Partial<CopyPlan> = {}): CopyPlan {
  const columns: CopyPlan['columns'] = headers.map((_, index) => ({ from: 'file', index, rule: null }))
  return { columns, output: 'copy', emptyWhen: null, toldRejects: 100, corrections: [], ...more }
}

/** A session with a table `item` of so many text columns `c1`, `c2` … */
export async function clientWithItems(t: TestContext, columns: number): Promise<Client> {
  const { url } = await emptyDatabase(t)
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end())
  await client.query(`create table item (n integer generated always as identity, ${names(columns).map((name) => `${name} text`)})`)
  return client
}

export interface Copied {
  rows: (string | null)[][]
  rejects: RowReject[]
  rowsRead: number
  rowsWritten: number
}

/** Copies the pieces into the first columns of `item`, after taking out what it held. */
export async function copied(client: Client, columns: number, pieces: AsyncIterable<CopyPiece>): Promise<Copied> {
  const outcome: Copied = { rows: [], rejects: [], rowsRead: 0, rowsWritten: 0 }
  await client.query('truncate item')
  await pipeline(
    Readable.from(bytes()),
    client.query(copyFrom(`copy item (${names(columns)}) from stdin with (format text, encoding 'UTF8')`)),
  )
  const { rows } = await client.query({ text: `select ${names(columns)} from item order by n`, rowMode: 'array' })
  return { ...outcome, rows }

  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      outcome.rejects.push(...piece.rejects)
      outcome.rowsRead += piece.rowsRead
      outcome.rowsWritten += piece.rowsWritten
      if (piece.bytes.length > 0) yield Buffer.from(piece.bytes)
    }
  }
}

function names(columns: number): string[] {
  return Array.from({ length: columns }, (_, index) => `c${index + 1}`)
}
