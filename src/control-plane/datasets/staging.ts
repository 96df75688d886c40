/** The tables in schema rota_staging, where rows lie before they are moved. Each is named after what it belongs to. */
import { type ClientBase, escapeIdentifier } from 'pg'
import type { TableName } from '../../../systemscripts/table-loader/target.ts'

export function stagingFor(what: 'load' | 'join' | 'dry', id: number): TableName {
  return { schema: 'rota_staging', table: `${what}_${id}` }
}

/** Drops what loads have left behind that died or could not clean up; what is in use is not touched. */
export async function dropLeftOvers(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ table: string }>(
    `select t.tablename as table
     from pg_tables t
     cross join lateral (select substring(t.tablename from '^load_([0-9]{1,18})$')::bigint as load_id) as number
     left join dba.dataset d on d.dataset_id = number.load_id
     left join dba.run r on r.run_id = d.run_id
     where t.schemaname = 'rota_staging' and pg_has_role(t.tableowner, 'usage')
       and number.load_id is not null and (d.state is distinct from 'new' or r.state is distinct from 'running')
     limit 20`,
  )
  for (const { table } of rows) await client.query(`drop table if exists rota_staging.${escapeIdentifier(table)}`)
}
