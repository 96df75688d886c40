import type { ClientBase } from 'pg'

/** How long a change of the target waits for those who read it; while it waits, whoever comes later waits behind it. */
const LOCK_SECONDS = 5

/** How long loads of one target wait for each other where one of them changes it. */
const TURN_SECONDS = 600

/** How long what is made after the rows waits for others. */
const FINISH_SECONDS = 60

/**
 * Loads of one target go on beside each other; who wants to shape it, or to look what is in it already, waits for them, and they for him. He
 * would otherwise stand in Postgres's own queue for the table, with every reader behind him. Held until the transaction ends.
 */
export async function takeTurn(client: ClientBase, target: string, isAlone: boolean): Promise<void> {
  await client.query(`set local lock_timeout = '${TURN_SECONDS}s'`)
  await client.query(`select pg_advisory_xact_lock${isAlone ? '' : '_shared'}(hashtextextended($1, 0))`, [`rota loads ${target}`])
  await client.query(`set local lock_timeout = '${LOCK_SECONDS}s'`)
}

/** Two loads that find no schema: the second waits for the first, which makes it. Postgres itself would refuse the second. */
export async function takeSchemaTurn(client: ClientBase, schema: string): Promise<void> {
  await client.query(`set local lock_timeout = '${TURN_SECONDS}s'`)
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`rota makes schema ${schema}`])
  await client.query(`set local lock_timeout = '${LOCK_SECONDS}s'`)
}

/** What is left to do holds nobody up for long, and a load that has come so far is worth waiting for. */
export async function waitLonger(client: ClientBase): Promise<void> {
  await client.query(`set local lock_timeout = '${FINISH_SECONDS}s'`)
}
