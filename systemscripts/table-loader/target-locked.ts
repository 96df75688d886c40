import type { ClientBase, DatabaseError } from 'pg'
import { JobError } from '../errors.ts'
import { quoted, type TableName } from './target.ts'

/** Looks who is in the way, in the transaction whose failed statement has been rolled back. */
export async function targetLocked(client: ClientBase, name: TableName, cause: DatabaseError): Promise<JobError> {
  // A row of the books, such as a dataset that somebody edits and has not committed: Postgres says of which table it is.
  const books = /in relation "(\w+)"/.exec(cause.where ?? '')?.[1]
  const { rows } = await client.query<{ who: string }>(lockHoldersQuery, [books === undefined ? quoted(name) : `dba.${books}`])
  const what = books === undefined ? `Table "${name.schema}.${name.table}"` : `A row of "dba.${books}" that the load has to change`
  return new JobError('target_locked', `${what} is held by somebody else's transaction`, {
    detail: rows.length === 0 ? cause.message : `Held by ${rows.map((row) => row.who).join('; ')}.`,
    hint: 'It is tried again. When it lasts, have that transaction ended: select pg_terminate_backend(<pid>).',
    cause,
  })
}

const lockHoldersQuery = `
  select distinct format('pid %s (%s%s, since %s)', a.pid, a.usename, coalesce(', ' || nullif(a.application_name, ''), ''), to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SS')) as who
  from pg_locks l
  join pg_stat_activity a on a.pid = l.pid
  where l.relation = to_regclass($1) and l.granted and l.pid <> pg_backend_pid()
  limit 5`
