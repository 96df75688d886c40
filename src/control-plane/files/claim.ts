/** Who has a file: dba.file.state = 'loading' and the run. */
import type { ClientBase } from 'pg'
import type { Filled } from '../../db/filled.ts'
import type { FileRow } from '../../db/row-types.ts'
import type { ArrivedFile } from '../../job/ledgers.ts'

export interface Claimant {
  runId: string
  job: string
  configName: string | null
}

export interface Claim {
  fileId: number
  name: string
  /** Where the bytes are. */
  bytesAt: string
  /** When it was first met, by the database's clock: `yyyy-mm-dd` in UTC. Stays the same over attempts. */
  day: string
  /** A person asked for it: its bytes are kept already. */
  isRetry: boolean
  /** CSVs that it became before. */
  csvPaths: string[]
}

/** The run of that row goes on, and is not the one that asks ($1). */
export const ofAnotherLiveRun = `(run_id <> $1 and exists (select from dba.run r where r.run_id = f.run_id and r.state = 'running'))`

/**
 * Makes the file the run's own, within the caller's transaction. The claim of a run that has ended or died is taken over, and so is one of an
 * earlier attempt of this run.
 *
 * @returns null when another live run has it; the index a_file_is_loaded_by_one_run_at_a_time decides between two that ask at once
 */
export async function claimFile(client: ClientBase, who: Claimant, file: ArrivedFile): Promise<Claim | null> {
  return file.fileId === undefined ? await claimArrival(client, who, file) : await claimRetry(client, who, file.fileId)
}

const dayMet = `to_char(seen_at at time zone 'UTC', 'YYYY-MM-DD') as day`

/** Kept files that a person wants loaded again, and those whose reload was cut short; oldest first. */
export const retryQuery = `
  select f.file_id, path, file_name, size_bytes, coalesce(modified_at, seen_at) as modified_at, d.label, to_char(d.dataset_date, 'YYYY-MM-DD') as dataset_date
  from dba.file f
  left join lateral (select label, dataset_date from dba.dataset d where d.file_id = f.file_id order by d.dataset_id desc limit 1) d on true
  where job = $2 and config_name is not distinct from $3
    and (state = 'retry' or state = 'loading' and kept_path is not null and not ${ofAnotherLiveRun})
  order by f.file_id`

/**
 * Forgets a claim as if the file had never been looked at; a retry stays with the run, whose next attempt goes on with it.
 * @returns paths of the CSVs that are the file's no more
 */
export async function releaseClaim(client: ClientBase, { runId }: Claimant, fileId: number): Promise<string[]> {
  await client.query(`delete from dba.dataset where file_id = $1 and state = 'new'`, [fileId])
  const { rows } = await client.query<Pick<FileRow, 'csv_paths'>>(
    `delete from dba.file where file_id = $1 and state = 'loading' and run_id = $2 and kept_path is null returning csv_paths`,
    [fileId, runId],
  )
  return rows[0]?.csv_paths ?? []
}

async function claimArrival(client: ClientBase, { runId, job, configName }: Claimant, file: ArrivedFile): Promise<Claim | null> {
  const values = [runId, file.path, job, configName, file.name, file.sizeBytes, file.modifiedAt]
  const taken = await client.query<ClaimRow>(
    `update dba.file f
     set run_id = $1, job = $3, config_name = $4, file_name = $5, size_bytes = $6, modified_at = $7, sha256 = null, updated_at = clock_timestamp()
     where path = $2 and state = 'loading' and kept_path is null and not ${ofAnotherLiveRun}
     returning file_id, coalesce(csv_paths, '{}') as csv_paths, ${dayMet}`,
    values,
  )
  const made = async () =>
    await client.query<ClaimRow>(
      `insert into dba.file (run_id, path, job, config_name, file_name, size_bytes, modified_at, state)
       values ($1, $2, $3, $4, $5, $6, $7, 'loading')
       on conflict (path) where state = 'loading' and kept_path is null do nothing
       returning file_id, coalesce(csv_paths, '{}') as csv_paths, ${dayMet}`,
      values,
    )
  const row = taken.rows[0] ?? (await made()).rows[0]
  return row === undefined
    ? null
    : { fileId: row.file_id, name: file.name, bytesAt: file.path, day: row.day, isRetry: false, csvPaths: row.csv_paths }
}

async function claimRetry(client: ClientBase, { runId }: Claimant, fileId: number): Promise<Claim | null> {
  const { rows } = await client.query<ClaimRow & Pick<FileRow, 'file_name'> & Filled<FileRow, 'kept_path'>>(
    `update dba.file f
     set state = 'loading', run_id = $1, reason = null, updated_at = clock_timestamp()
     where file_id = $2 and (state = 'retry' or state = 'loading' and not ${ofAnotherLiveRun})
     returning kept_path, file_name, coalesce(csv_paths, '{}') as csv_paths, ${dayMet}`,
    [runId, fileId],
  )
  const row = rows[0]
  return row === undefined
    ? null
    : { fileId, name: row.file_name, bytesAt: row.kept_path, day: row.day, isRetry: true, csvPaths: row.csv_paths }
}

type ClaimRow = Pick<FileRow, 'file_id'> & Filled<FileRow, 'csv_paths'> & { day: string }
