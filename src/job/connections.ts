/** A row of dba.connection with its secret resolved. The secret never reaches a log line or an error. */
export interface ConnectionFacts {
  connectionName: string
  kind: string
  host: string | null
  port: number | null
  databaseName: string | null
  userName: string | null
  secret: string | null
  tls: 'verify' | 'require' | 'off'
  options: Record<string, unknown>
  isReadOnly: boolean
  /** The secret that option `dkim_key` names. */
  dkimKey?: string
}

export interface Connections {
  /** @throws PermanentError connection_not_found, secret_not_found, secret_unreadable */
  get(connectionName: string): Promise<ConnectionFacts>
  /** Address of this database for statements that people wrote, as the separate login rota_job. @throws PermanentError secret_not_found */
  jobDatabaseUrl(): Promise<string>
  /** Address of this database for queries that people wrote, as the login rota_query, which only reads. @throws PermanentError secret_not_found */
  queryDatabaseUrl(): Promise<string>
}
