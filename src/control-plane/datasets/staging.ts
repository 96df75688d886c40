/** The tables in schema rota_staging, where rows lie before they are moved. Each is named after what it belongs to. */
import { type ClientBase, escapeIdentifier } from 'pg'
import type { TableName } from '../../../systemscripts/table-loader/target.ts'

export function stagingFor(what: 'load' | 'join' | 'dry', id: number): TableName {
  return { schema: 'rota_staging', table: `${what}_${id}` }
}

/** Drops what loads, joins and dry runs have left behind that died or could not clean up; what is in use is not touched. */
export async function dropLeftOvers(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ table: string }>(
    `select t.tablename as table
     from pg_tables t
     cross join lateral (select split_part(t.tablename, '_', 1) as what, substring(t.tablename from '^(?:load|join|dry)_([0-9]{1,18})$')::bigint as id) as of
     left join dba.dataset d on of.what <> 'dry' and d.dataset_id = of.id
     left join dba.dryrun y on of.what = 'dry' and y.dryrun_id = of.id
     where t.schemaname = 'rota_staging' and pg_has_role(t.tableowner, 'usage') and of.id is not null
       and not exists (
         select from dba.run r
         where r.state = 'running'
           and case of.what
             when 'load' then d.state = 'new' and r.run_id = d.run_id
             when 'join' then r.job = d.job and r.config_name is not distinct from d.config_name
             else r.run_id = y.run_id
           end)
     limit 20`,
  )
  for (const { table } of rows) await client.query(`drop table if exists rota_staging.${escapeIdentifier(table)}`)
}
