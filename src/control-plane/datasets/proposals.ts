/** Changes of targets that people decide about: dba.columnproposal. */
import { type ClientBase, escapeLiteral } from 'pg'
import type { LoadHost } from '../../../systemscripts/table-loader/load.ts'
import type { Proposal } from '../../../systemscripts/table-loader/proposal.ts'
import type { LedgerDeps } from '../files/ledger-deps.ts'

/** Writes them down; one that is open already stays as it is, so that several files wait for the same decision. */
export async function writeProposals(
  client: ClientBase,
  deps: LedgerDeps,
  fileId: number,
  targetTable: string,
  proposals: Proposal[],
): Promise<void> {
  const { runId, job, configName } = deps
  for (const proposal of proposals) {
    await client.query(
      `insert into dba.columnproposal (job, config_name, file_id, run_id, kind, target_table, column_name, ddl, reason)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict do nothing`,
      [
        job,
        configName,
        fileId,
        runId,
        proposal.kind,
        targetTable,
        proposal.columnName,
        withReadings(proposal, configName),
        proposal.reason,
      ],
    )
  }
}

/** What a person refused last: columns that are left out then, columns that stay as narrow as they are, and the table. */
export async function refusedProposals(
  client: ClientBase,
  { job, configName }: LedgerDeps,
  targetTable: string,
): Promise<Pick<LoadHost, 'refusedColumns' | 'refusedWidths' | 'isTableRefused'>> {
  const { rows } = await client.query<{ kind: string; column_name: string | null }>(
    `select kind, column_name
     from (
       select distinct on (kind, column_name) kind, column_name, state
       from dba.columnproposal
       where job = $1 and config_name is not distinct from $2 and target_table = $3 and kind in ('create_table', 'add_column', 'widen_column')
       order by kind, column_name, proposal_id desc
     ) as latest
     where state = 'refused'`,
    [job, configName, targetTable],
  )
  const columnsOf = (kind: string) => rows.flatMap((row) => (row.kind === kind && row.column_name !== null ? [row.column_name] : []))
  return {
    refusedColumns: columnsOf('add_column'),
    refusedWidths: columnsOf('widen_column'),
    isTableRefused: rows.some(({ kind }) => kind === 'create_table'),
  }
}

/** A column of another type than text may have to be told how its values are written. */
function withReadings({ ddl, readings }: Proposal, configName: string | null): string {
  const rules = readings.map(({ columnName, sourceName, type, format, nullTokens }) => {
    const values = [configName ?? '', columnName, sourceName, type].map(escapeLiteral).join(', ')
    const tokens = nullTokens.length === 0 ? 'null' : `array[${nullTokens.map(escapeLiteral).join(', ')}]`
    return `insert into dba.importcolumn (config_name, column_name, source_name, type, format, null_tokens) values (${values}, ${format === null ? 'null' : escapeLiteral(format)}, ${tokens}) on conflict do nothing;`
  })
  return [ddl, ...rules].join('\n')
}
