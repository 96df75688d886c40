import type { ClientBase, Pool } from 'pg'
import { cancelOnAbort } from './cancel-on-abort.ts'

/**
 * Runs `work` in one transaction of a pooled connection; commits when it returns, rolls back when it throws.
 *
 * @param signal its abort reaches the statement that Postgres is at, which else would go on to its end; the commit it does not touch
 * @throws what `work` throws, or the reason of an abort that came meanwhile
 */
export async function inTransaction<T>(pool: Pool, work: (client: ClientBase) => Promise<T>, signal?: AbortSignal): Promise<T> {
  const client = await pool.connect()
  const stopCancelling = signal === undefined ? async () => {} : cancelOnAbort(pool, client, signal)
  let broken: Error | undefined
  try {
    await client.query('begin')
    const result = await work(client)
    await stopCancelling()
    await client.query('commit')
    return result
  } catch (error) {
    // A COPY that was left to itself may still be at work, and the rollback waits for it.
    await client.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError
    })
    signal?.throwIfAborted()
    throw error
  } finally {
    await stopCancelling()
    // A connection whose rollback failed is not given back for use.
    client.release(broken)
  }
}
