import type { ClientBase } from 'pg'
import type { DatasetFacts } from '../../job/ledgers.ts'
import type { LedgerDeps } from '../files/ledger-deps.ts'

/** How many rows the last good datasets of the same settings, source and type brought, the latest first; at most ten. */
export async function formerCounts(client: ClientBase, { job, configName }: LedgerDeps, facts: DatasetFacts): Promise<number[]> {
  const { rows } = await client.query<{ rows_loaded: string }>(
    `select rows_read - rows_rejected as rows_loaded
     from dba.dataset
     where job = $1 and config_name is not distinct from $2 and datasource = $3 and datasettype = $4 and state in ('active', 'superseded')
     order by dataset_id desc
     limit 10`,
    [job, configName, facts.datasource, facts.datasettype],
  )
  return rows.map((row) => Number(row.rows_loaded))
}
