/** What a load leaves in the books, within its transaction. */
import type { ClientBase } from 'pg'
import type { TablesLoaded } from '../../../systemscripts/table-loader/load.ts'
import type { DatasetFacts, TakenFile } from '../../job/ledgers.ts'
import { endLoaded, staysKept } from '../files/end-file.ts'
import type { LedgerDeps } from '../files/ledger-deps.ts'
import { writeProposals } from './proposals.ts'

export interface DatasetOfFile {
  datasetId: number
  file: TakenFile
  facts: DatasetFacts
}

/**
 * Ends the datasets that this one takes the place of; their rows leave by the trigger take_out_rows. Loads of the same source, type, label and
 * date take turns here, so that one of them stays in force.
 *
 * @param fileId null: of no file
 * @returns how many rows they had
 */
export async function endFormer(client: ClientBase, datasetId: number, fileId: number | null, facts: DatasetFacts): Promise<number> {
  const { label, datasetDate, datasource, datasettype, targetTable, mode } = facts
  await client.query(`set local lock_timeout = '60s'`)
  const key = `rota replaces ${JSON.stringify([datasource, datasettype, label, datasetDate])}`
  if (mode === 'replace_dataset') await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [key])
  const { rows } = await client.query<{ rows_written: string }>(
    `update dba.dataset
     set state = 'superseded', reason = format('superseded by dataset %s', $1::bigint)
     where dataset_id <> $1
       and (file_id = $2 and state in ('active', 'quarantined')
            or state = 'active' and ($3 = 'replace_dataset' and datasource = $4 and datasettype = $5 and label = $6 and dataset_date = $7
                                     or $3 = 'replace' and target_table = $8))
     returning rows_written`,
    [datasetId, fileId, mode, datasource, datasettype, label, datasetDate, targetTable],
  )
  return rows.reduce((sum, row) => sum + Number(row.rows_written), 0)
}

/** The dataset is in force, empty, in quarantine or not needed, and the file is where it belongs. Its bytes are put away after the commit. */
export async function settleLoad(client: ClientBase, deps: LedgerDeps, of: DatasetOfFile, loaded: TablesLoaded): Promise<void> {
  const { datasetId, file, facts } = of
  if (loaded.state === 'waiting') {
    await client.query('delete from dba.dataset where dataset_id = $1', [datasetId])
    await writeProposals(client, deps, file.fileId, facts.targetTable, loaded.proposals)
    await keepFile(client, file, 'waiting', null, loaded.reason)
    return
  }
  await client.query(
    `update dba.dataset
     set state = $2, reason = $3, rows_read = $4, rows_written = $5, rows_rejected = $6, dataset_column = $7, load_mode = $8, key_columns = $9,
         valid_from = case when $2 = 'active' then clock_timestamp() end
     where dataset_id = $1`,
    [
      datasetId,
      loaded.state,
      loaded.reason,
      loaded.rowsRead,
      loaded.rowsInserted + loaded.rowsUpdated,
      loaded.rejects.count,
      loaded.datasetColumn,
      facts.mode,
      facts.keyColumns,
    ],
  )
  if (loaded.state !== 'quarantined') return await endLoaded(client, file.fileId, datasetId, file.place)
  // The one before it stays in force until this one is released; only what was in quarantine already gives way.
  await client.query(
    `update dba.dataset set state = 'superseded', reason = format('superseded by dataset %s', $1::bigint) where file_id = $2 and state = 'quarantined' and dataset_id <> $1`,
    [datasetId, file.fileId],
  )
  await keepFile(client, file, 'quarantined', datasetId, loaded.reason)
}

/** The file is not loaded, and waits for a person. */
async function keepFile(
  client: ClientBase,
  file: TakenFile,
  state: 'waiting' | 'quarantined',
  datasetId: number | null,
  reason: string | null,
): Promise<void> {
  await client.query(
    `update dba.file
     set state = $2, reason = $3, dataset_id = $4, ${staysKept('$5')}, updated_at = clock_timestamp()
     where file_id = $1`,
    [file.fileId, state, reason, datasetId, file.place],
  )
}
