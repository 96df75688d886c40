/** Loads that are taken back: dba.dryrun says what would have become of a file. */
import type { ClientBase } from 'pg'
import type { RowReject } from '../../../systemscripts/copy-plan.ts'
import type { LoadHost, Sample, TablesLoaded } from '../../../systemscripts/table-loader/load.ts'
import { LoadRefused } from '../../../systemscripts/table-loader/load-refused.ts'
import { renamesInWords } from '../../../systemscripts/table-loader/renames.ts'
import type { DatasetFacts, DryRun, LoadWork } from '../../job/ledgers.ts'
import { reasonOf } from '../files/end-file.ts'
import { isFaultOfFile } from '../files/fault.ts'
import type { LedgerDeps } from '../files/ledger-deps.ts'
import { endFormer } from './end-load.ts'
import { formerCounts } from './former-counts.ts'
import { refusedProposals } from './proposals.ts'
import { stagingFor } from './staging.ts'

/** So many refused rows are shown. */
const SAMPLES = 20

/** The number of a dataset that is none. */
const NO_DATASET = 0

/** Thrown so that the transaction is rolled back; carries what it found. */
class TakenBack extends Error {
  override name = 'TakenBack'
  readonly loaded: TablesLoaded

  constructor(loaded: TablesLoaded) {
    super('a dry run is taken back')
    this.loaded = loaded
  }
}

export async function dryRun(deps: LedgerDeps, request: DryRun, facts: DatasetFacts, work: LoadWork): Promise<number> {
  const { dryRunId, refused } = await deps.transaction(async (client) => ({
    dryRunId: await begin(client, deps, request, facts),
    refused: await refusedProposals(client, deps, facts.targetTable),
  }))
  try {
    const loaded = await work({ ...hostOf(deps, facts, dryRunId), ...refused })
    await deps.transaction((client) => answer(client, dryRunId, loaded))
  } catch (error) {
    deps.signal.throwIfAborted()
    if (!isFaultOfFile(error)) throw error
    await deps.transaction((client) => answerFailed(client, dryRunId, error))
  }
  return dryRunId
}

function hostOf(deps: LedgerDeps, facts: DatasetFacts, dryRunId: number): LoadHost {
  return {
    datasetId: NO_DATASET,
    staging: stagingFor('dry', dryRunId),
    corrections: [],
    dismissed: [],
    refusedColumns: [],
    refusedWidths: [],
    isTableRefused: false,
    only: null,
    isDryRun: true,
    prepare: deps.transaction,
    formerCounts: (client) => formerCounts(client, deps, facts),
    async commit(work) {
      try {
        return await deps.transaction(async (client) => {
          throw new TakenBack(await work(client, () => endFormer(client, NO_DATASET, null, facts)))
        })
      } catch (error) {
        if (error instanceof TakenBack) return error.loaded
        throw error
      }
    },
  }
}

/** Somebody has asked for it by dba.request_dry_run, or the command line does so now. */
async function begin(
  client: ClientBase,
  { runId, configName }: LedgerDeps,
  { dryRunId, file }: DryRun,
  facts: DatasetFacts,
): Promise<number> {
  await client.query('delete from dba.dryrunrow where dryrun_id = $1', [dryRunId])
  const values = [runId, facts.targetTable, facts.label, facts.datasetDate]
  const asked = await client.query<{ dryrun_id: number }>(
    `update dba.dryrun set state = 'running', run_id = $1, target_table = $2, label = $3, dataset_date = $4 where dryrun_id = $5 returning dryrun_id`,
    [...values, dryRunId],
  )
  if (asked.rows[0] !== undefined) return asked.rows[0].dryrun_id
  const made = await client.query<{ dryrun_id: number }>(
    `insert into dba.dryrun (run_id, target_table, label, dataset_date, config_name, file, state) values ($1, $2, $3, $4, $5, $6, 'running') returning dryrun_id`,
    [...values, configName, file],
  )
  return made.rows[0]?.dryrun_id ?? 0
}

async function answer(client: ClientBase, dryRunId: number, loaded: TablesLoaded): Promise<void> {
  const drifts = loaded.tables.map(({ drift }) => drift)
  const names = (of: (drift: (typeof drifts)[number]) => string[]) => [...new Set(drifts.flatMap(of))]
  await client.query(
    `update dba.dryrun
     set state = 'done', message = $2, is_target_new = $3, columns_to_add = $4, columns_ignored = $5, columns_missing = $6, ddl = $7,
         rows_read = $8, rows_insert = $9, rows_update = $10, rows_skip = $11, rows_delete = $12, rows_reject = $13, finished_at = clock_timestamp()
     where dryrun_id = $1`,
    [
      dryRunId,
      messageOf(loaded),
      loaded.isTargetNew,
      JSON.stringify(loaded.additions),
      names(({ ignored }) => ignored),
      names(({ missing }) => missing),
      loaded.proposals.length === 0 ? loaded.ddl : loaded.proposals.map(({ ddl }) => ddl).join('\n'),
      loaded.rowsRead,
      loaded.rowsInserted,
      loaded.rowsUpdated,
      loaded.rowsSkipped,
      loaded.rowsTakenOut,
      loaded.rejects.count,
    ],
  )
  await writeSamples(client, dryRunId, loaded.samples, loaded.rejects.told)
}

function messageOf({ state, reason, rejects, widened, tables }: TablesLoaded): string {
  if (state === 'empty') return `The dataset would be empty: ${reason ?? ''}`
  if (state === 'waiting') return reason ?? 'The file would wait for a decision.'
  if (state === 'quarantined') return `The rows would be kept in quarantine. ${reason ?? ''}`.trim()
  const refused = rejects.count === 0 ? '' : ` Without ${rejects.count.toLocaleString('en')} rows that do not fit.`
  const wider = widened.map(({ name, type }) => ` Column "${name}" would become ${type}.`).join('')
  const renames = [...new Set(tables.map(({ drift }) => renamesInWords(drift.renames)))].filter((words) => words !== '').join(' ')
  return [`The file would be loaded.${wider}${refused}`, renames, reason ?? ''].filter((words) => words !== '').join(' ')
}

async function answerFailed(client: ClientBase, dryRunId: number, error: Error): Promise<void> {
  const rejects = error instanceof LoadRefused ? error.rejects : { count: 0, told: [] }
  await client.query(
    `update dba.dryrun set state = 'failed', message = $2, rows_reject = $3, finished_at = clock_timestamp() where dryrun_id = $1`,
    [dryRunId, reasonOf(error), rejects.count],
  )
  await writeSamples(client, dryRunId, [], rejects.told)
}

async function writeSamples(client: ClientBase, dryRunId: number, samples: Sample[], rejects: RowReject[]): Promise<void> {
  const rows = [
    ...samples,
    ...rejects
      .slice(0, SAMPLES)
      .map(({ sheet, line, column, rule, message, raw }) => ({ kind: 'reject', sheet, line, data: raw, column, rule, message })),
  ]
  await client.query(
    `insert into dba.dryrunrow (dryrun_id, kind, sheet, line, data, former, column_name, rule, message)
     select $1, kind, sheet, line, data, former, "column", rule, message
     from jsonb_to_recordset($2::jsonb) as t (kind text, sheet text, line bigint, data jsonb, former jsonb, "column" text, rule text, message text)`,
    [dryRunId, JSON.stringify(rows)],
  )
}
