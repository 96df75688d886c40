import type { ClientBase, DatabaseError } from 'pg'
import { JobError } from '../errors.ts'
import { quoted, type TableName } from './target.ts'

/** Looks who is in the way, in the transaction whose failed statement has been rolled back. */
export async function targetLocked(client: ClientBase, name: TableName, cause: DatabaseError): Promise<JobError> {
  const { rows } = await client.query<{ who: string }>(lockHoldersQuery, [quoted(name)])
  return new JobError('target_locked', `Table "${name.schema}.${name.table}" is held by somebody else's transaction`, {
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
