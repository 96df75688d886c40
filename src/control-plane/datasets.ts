/** The datasets that jobs see as `ctx.datasets`: one load, one dataset, in force only when its rows are. */
import type { ClientBase } from 'pg'
import { JobError } from '../../systemscripts/errors.ts'
import type { DatasetFacts, Datasets, LoadedRows, NewDataset, TakenFile } from '../job/ledgers.ts'
import { endLoaded } from './files/end-file.ts'
import { BytesAlreadyLoaded, findKnownBytes, lockBytes } from './files/known-bytes.ts'
import type { LedgerDeps } from './files.ts'

/** The datasets of one run. */
export function createDatasets(deps: LedgerDeps): Datasets {
  return {
    async load(file, facts, work) {
      // By itself, so that the rows' long transaction holds no lock on dba.dataset, which new targets' foreign keys need.
      const { datasetId, isReload } = await deps.transaction((client) => registerDataset(client, deps, file, facts))
      return await deps.transaction(async (client) => {
        await requireFile(client, deps, file)
        if (!isReload) await refuseKnownBytes(client, deps, file)
        const loaded = await work(client, newDataset(datasetId))
        if (loaded.state === 'active') await endFormer(client, datasetId, file, facts)
        await putInForce(client, datasetId, loaded)
        await endLoaded(client, file.fileId, datasetId, file.place)
        return loaded
      })
    },
  }
}

function newDataset(datasetId: number): NewDataset {
  return { datasetId, references: { schema: 'dba', table: 'dataset', column: 'dataset_id' } }
}

/** What an attempt that died left as `new` is used again: one file, one dataset. */
async function registerDataset(client: ClientBase, deps: LedgerDeps, file: TakenFile, facts: DatasetFacts) {
  const { label, datasetDate, datasource, datasettype, targetTable } = facts
  await client.query('insert into dba.datasource (datasource) values ($1) on conflict do nothing', [datasource])
  await client.query('insert into dba.datasettype (datasettype) values ($1) on conflict do nothing', [datasettype])
  const { rows } = await client.query<{ dataset_id: number; is_reload: boolean }>(
    `with left_over as (
       update dba.dataset
       set label = $2, dataset_date = $3, datasource = $4, datasettype = $5, target_table = $6, run_id = $7, job = $8, config_name = $9
       where file_id = $1 and state = 'new'
       returning dataset_id
     ), made as (
       insert into dba.dataset (file_id, label, dataset_date, datasource, datasettype, target_table, run_id, job, config_name)
       select $1, $2, $3, $4, $5, $6, $7, $8, $9
       where not exists (select from left_over)
       returning dataset_id
     )
     select dataset_id, (select kept_path is not null from dba.file where file_id = $1) as is_reload
     from (select * from left_over union all select * from made) as dataset`,
    [file.fileId, label, datasetDate, datasource, datasettype, targetTable, deps.runId, deps.job, deps.configName],
  )
  const row = rows[0]
  if (row === undefined) throw new JobError('dataset_not_registered', `No dataset could be registered for file "${file.name}"`)
  return { datasetId: row.dataset_id, isReload: row.is_reload }
}

/** The fence proves the run; this proves the file. */
async function requireFile(client: ClientBase, { runId }: LedgerDeps, file: TakenFile): Promise<void> {
  const { rowCount } = await client.query(
    `select from dba.file where file_id = $1 and state = 'loading' and run_id = $2 for no key update`,
    [file.fileId, runId],
  )
  if (rowCount === 1) return
  throw new JobError('file_lost', `File "${file.name}" no longer belongs to this run`, {
    detail: `Another run took it over, or somebody set file ${file.fileId} otherwise.`,
    hint: 'Nothing to do: it is decided anew by the next run.',
  })
}

async function refuseKnownBytes(client: ClientBase, deps: LedgerDeps, file: TakenFile): Promise<void> {
  await lockBytes(client, { ...deps, ...file })
  const known = await findKnownBytes(client, { ...deps, ...file })
  if (known?.state === 'loaded') throw new BytesAlreadyLoaded(known)
}

/**
 * Ends the datasets that this one takes the place of; their rows leave by the trigger take_out_rows. Loads of the same source, type, label and
 * date take turns here, so that one of them stays in force.
 */
async function endFormer(client: ClientBase, datasetId: number, file: TakenFile, facts: DatasetFacts): Promise<void> {
  const { label, datasetDate, datasource, datasettype, replacesFormer } = facts
  await client.query(`set local lock_timeout = '60s'`)
  const key = `rota replaces ${JSON.stringify([datasource, datasettype, label, datasetDate])}`
  if (replacesFormer) await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [key])
  await client.query(
    `update dba.dataset
     set state = 'superseded', reason = format('superseded by dataset %s', $1::bigint)
     where state = 'active' and dataset_id <> $1
       and (file_id = $2 or $3 and datasource = $4 and datasettype = $5 and label = $6 and dataset_date = $7)`,
    [datasetId, file.fileId, replacesFormer, datasource, datasettype, label, datasetDate],
  )
}

async function putInForce(client: ClientBase, datasetId: number, loaded: LoadedRows): Promise<void> {
  await client.query(
    `update dba.dataset
     set state = $2, reason = $3, rows_read = $4, rows_written = $5, dataset_column = $6, valid_from = case when $2 = 'active' then clock_timestamp() end
     where dataset_id = $1`,
    [datasetId, loaded.state, loaded.reason ?? null, loaded.rowsRead, loaded.rowsWritten, loaded.datasetColumn],
  )
}
