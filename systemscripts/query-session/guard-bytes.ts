import type { Client } from 'pg'
import { PermanentError } from '../errors.ts'

/** Watches what one fetch brings. */
export interface ByteGuard {
  /** Counts from 0 again. */
  begin(): void
  /** Bytes since `begin`. */
  count(): number
  /** Why the connection was ended, if the guard ended it. */
  broken(): PermanentError | null
}

/**
 * Ends the connection when one fetch brings more than `limitBytes`: a value of that size would otherwise stand whole in memory before anybody
 * could look at it.
 */
export function guardBytes(client: Client, limitBytes: number): ByteGuard {
  let bytes = 0
  let error: PermanentError | null = null
  client.connection.stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= limitBytes || error !== null) return
    error = new PermanentError('answer_too_large', `The query answers with rows of more than ${Math.round(limitBytes / 1_048_576)} MB`, {
      hint: 'Leave large values out of the query, or shorten them: left(notes, 1000).',
    })
    client.connection.stream.destroy()
  })
  return {
    begin: () => {
      bytes = 0
    },
    count: () => bytes,
    broken: () => error,
  }
}
