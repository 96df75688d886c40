import { PermanentError } from '../../systemscripts/errors.ts'
import type { ConnectionRow } from '../db/row-types.ts'
import type { ConnectionFacts, Connections } from '../job/connections.ts'
import { loginUrl } from './logins.ts'
import type { Queryable, Secrets } from './secrets.ts'

export interface ConnectionsOptions {
  /** Acts as rota_worker. */
  db: Queryable
  secrets: Secrets
  /** Address of the control database, with any login. */
  url: string
}

/** The connections of dba.connection, as jobs are handed them. Each call reads the row anew, so an edit counts from the next use. */
export function createConnections({ db, secrets, url }: ConnectionsOptions): Connections {
  return {
    async get(connectionName) {
      const { rows } = await db.query<FactsRow>(
        `select connection_name, kind, host, port, database_name, user_name, secret_name, tls, options, is_read_only
         from dba.connection
         where connection_name = $1`,
        [connectionName],
      )
      const row = rows[0]
      if (row === undefined) throw await notFound(db, connectionName)
      const facts = factsOf(row, row.secret_name === null ? null : await secrets.get(row.secret_name))
      const { dkim_key: dkimKey } = row.options
      return typeof dkimKey === 'string' ? { ...facts, dkimKey: await secrets.get(dkimKey) } : facts
    },
    jobDatabaseUrl: async () => loginUrl(url, 'rota_job', await secrets.get('login.rota_job')),
    queryDatabaseUrl: async () => loginUrl(url, 'rota_query', await secrets.get('login.rota_query')),
  }
}

type FactsRow = Pick<
  ConnectionRow,
  'connection_name' | 'kind' | 'host' | 'port' | 'database_name' | 'user_name' | 'secret_name' | 'tls' | 'options' | 'is_read_only'
>

function factsOf(row: FactsRow, secret: string | null): ConnectionFacts {
  return {
    connectionName: row.connection_name,
    kind: row.kind,
    host: row.host,
    port: row.port,
    databaseName: row.database_name,
    userName: row.user_name,
    secret,
    tls: row.tls,
    options: row.options,
    isReadOnly: row.is_read_only,
  }
}

async function notFound(db: Queryable, connectionName: string): Promise<PermanentError> {
  const { rows } = await db.query<{ hint: string }>(
    'select dba.known_names_hint($1, array(select connection_name from dba.connection)) as hint',
    [connectionName],
  )
  return new PermanentError('connection_not_found', `There is no connection "${connectionName}"`, {
    hint: `Insert it into dba.connection, or correct the name. ${rows[0]?.hint ?? ''}`.trim(),
  })
}
