/** The datasets that jobs see as `ctx.datasets`: one load, one dataset, in force only when its rows are. */
import type { ClientBase } from 'pg'
import { JobError } from '../../systemscripts/errors.ts'
import { faceAt, fileChanged } from '../../systemscripts/file-face.ts'
import type { Correction, LoadHost, TablesLoaded } from '../../systemscripts/table-loader/load.ts'
import { LoadRefused } from '../../systemscripts/table-loader/load-refused.ts'
import type { DatasetFacts, Datasets, TakenFile } from '../job/ledgers.ts'
import { dryRun } from './datasets/dry-run.ts'
import { endFormer, settleLoad } from './datasets/end-load.ts'
import { formerCounts } from './datasets/former-counts.ts'
import { fixedRows, join } from './datasets/join.ts'
import { refusedProposals } from './datasets/proposals.ts'
import { dropLeftOvers, stagingFor } from './datasets/staging.ts'
import { writeHash } from './files/end-file.ts'
import { BytesAlreadyLoaded, findKnownBytes, isDealtWith, lockBytes } from './files/known-bytes.ts'
import type { LedgerDeps } from './files/ledger-deps.ts'
import { knownRejects, writeRejects } from './rejects.ts'

/** The datasets of one run. */
export function createDatasets(deps: LedgerDeps): Datasets {
  return {
    load: (file, facts, work) => load(deps, file, facts, work),
    fixedRows: () => fixedRows(deps),
    join: (fixed, work) => join(deps, fixed, work),
    dryRun: (request, facts, work) => dryRun(deps, request, facts, work),
  }
}

async function load(
  deps: LedgerDeps,
  file: TakenFile,
  facts: DatasetFacts,
  work: (host: LoadHost) => Promise<TablesLoaded>,
): Promise<TablesLoaded> {
  const registered = await deps.transaction((client) => register(client, deps, file, facts))
  try {
    return await work(hostOf(deps, file, facts, registered))
  } catch (error) {
    // What was left out is worth keeping although nothing was loaded: it can be mended.
    if (error instanceof LoadRefused) await deps.transaction((client) => writeRejects(client, deps, file.fileId, null, error.rejects))
    throw error
  }
}

interface Registered {
  datasetId: number
  /** The file was dealt with before, and a person wants it again. */
  isReload: boolean
  corrections: Correction[]
  dismissed: { sheet: string | null; line: number }[]
  refusedColumns: string[]
  refusedWidths: string[]
  isTableRefused: boolean
}

/** By itself, so that a load that dies leaves its dataset to the next attempt: one file, one dataset. */
async function register(client: ClientBase, deps: LedgerDeps, file: TakenFile, facts: DatasetFacts): Promise<Registered> {
  const dataset = await registerDataset(client, deps, file, facts)
  await dropLeftOvers(client)
  return { ...dataset, ...(await knownRejects(client, file.fileId)), ...(await refusedProposals(client, deps, facts.targetTable)) }
}

function hostOf(deps: LedgerDeps, file: TakenFile, facts: DatasetFacts, registered: Registered): LoadHost {
  const { datasetId, isReload, ...known } = registered
  return {
    ...known,
    datasetId,
    staging: stagingFor('load', datasetId),
    only: null,
    isDryRun: false,
    prepare: deps.transaction,
    formerCounts: (client) => formerCounts(client, deps, facts),
    commit: (work) =>
      deps.transaction(async (client) => {
        await requireFile(client, deps, file)
        const loaded = await work(client, () => endFormer(client, datasetId, file.fileId, facts))
        await settleBytes(client, deps, file, isReload)
        await settleLoad(client, deps, { datasetId, file, facts }, loaded)
        await writeRejects(client, deps, file.fileId, loaded.state === 'waiting' ? null : datasetId, loaded.rejects)
        return loaded
      }),
  }
}

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

/** After the rows: only now the bytes of a large file are known, and whoever loads the same waits here for whoever came first. */
async function settleBytes(client: ClientBase, deps: LedgerDeps, file: TakenFile, isReload: boolean): Promise<void> {
  const hash = await file.hash
  if ((await faceAt(file.bytesAt)) !== file.face) throw fileChanged(file.name)
  await writeHash(client, file.fileId, hash)
  if (isReload) return
  const bytes = { ...deps, ...hash, fileId: file.fileId, path: file.path, loadsSameBytes: file.loadsSameBytes }
  await lockBytes(client, bytes)
  const known = await findKnownBytes(client, bytes)
  if (known !== null && isDealtWith(known)) throw new BytesAlreadyLoaded(known)
}
