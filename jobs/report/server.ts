import type { Connections } from '../../src/job/connections.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { PostgresServer } from '../../systemscripts/postgres.ts'

/** Where the queries run: this database with the separate login rota_query, which only reads, or a connection. */
export async function findServer(connections: Connections, queryConnection: string | null): Promise<PostgresServer | string> {
  if (queryConnection === null) return await connections.queryDatabaseUrl()
  const facts = await connections.get(queryConnection)
  if (facts.kind === 'postgres') return { ...facts, isReadOnly: true }
  throw new PermanentError('connection_of_another_kind', `Connection "${queryConnection}" is no Postgres`, {
    detail: `Its kind is "${facts.kind}".`,
    hint: 'Name a connection of kind postgres in query_connection of dba.reportconfig, or leave it empty for this database.',
  })
}
