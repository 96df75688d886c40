import type { ClientBase, Pool } from 'pg'

/** Runs `work` in one transaction of a pooled connection; commits when it returns, rolls back when it throws. */
export async function inTransaction<T>(pool: Pool, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError
    })
    throw error
  } finally {
    // A connection whose rollback failed is not given back for use.
    client.release(broken)
  }
}
