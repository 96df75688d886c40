/** How a file ends in the ledger. The ledger says where the bytes will be kept before they move, so that a kill between the two heals. */
import type { ClientBase, Pool } from 'pg'
import type { FileHash } from '../../../systemscripts/hash-file.ts'
import { explainError } from '../../db/explain-error.ts'
import type { FileRow } from '../../db/row-types.ts'
import type { Claim } from './claim.ts'

export interface FileEnd {
  state: 'duplicate' | 'failed'
  reason: string
  /** Where the bytes will be kept; null: they stay where they are kept already. */
  place: string | null
  /** Null: they could not be read. */
  hash: FileHash | null
}

/** Within the caller's transaction. */
export async function writeHash(client: ClientBase, fileId: number, { sha256, sizeBytes }: FileHash): Promise<void> {
  await client.query(
    'update dba.file set sha256 = $2, size_bytes = $3 where file_id = $1 and (sha256, size_bytes) is distinct from ($2, $3::bigint)',
    [fileId, sha256, sizeBytes],
  )
}

/**
 * Within the caller's transaction: the end of a file that was not loaded, and of the dataset that it would have become.
 * @returns paths of the CSVs that are the file's no more
 */
export async function endUnloaded(client: ClientBase, { fileId }: Claim, { state, reason, place, hash }: FileEnd): Promise<string[]> {
  if (hash !== null) await writeHash(client, fileId, hash)
  if (state === 'failed') {
    await client.query(`update dba.dataset set state = 'failed', reason = $2 where file_id = $1 and state = 'new'`, [fileId, reason])
  } else {
    await client.query(`delete from dba.dataset where file_id = $1 and state = 'new'`, [fileId])
    await client.query(`delete from dba.reject where file_id = $1 and state = 'open' and fixed is null`, [fileId])
  }
  const { rows } = await client.query<Pick<FileRow, 'csv_paths'>>('select csv_paths from dba.file where file_id = $1', [fileId])
  await client.query(
    `update dba.file f
     set state = $2, reason = $3, kept_path = coalesce($4, kept_path), csv_paths = null, updated_at = clock_timestamp(),
         dataset_id = (select max(d.dataset_id) from dba.dataset d where d.file_id = f.file_id)
     where file_id = $1`,
    [fileId, state, reason, place],
  )
  return rows[0]?.csv_paths ?? []
}

/** What was kept elsewhere, in the failed folder, is on its way again. */
export const staysKept = (place: string) =>
  `kept_path = coalesce(kept_path, ${place}), kept_at = case when kept_path = ${place} then kept_at end`

/** Within the caller's transaction, with the dataset: the file is loaded. Its bytes stay where they are until they are put away. */
export async function endLoaded(client: ClientBase, fileId: number, datasetId: number, place: string): Promise<void> {
  await client.query(
    `update dba.file
     set state = 'loaded', reason = null, dataset_id = $2, ${staysKept('$3')}, updated_at = clock_timestamp()
     where file_id = $1`,
    [fileId, datasetId, place],
  )
}

/** Within the caller's transaction: the file is kept, and no rows of it are loaded. */
export async function endStored(client: ClientBase, fileId: number, place: string): Promise<void> {
  await client.query(
    `update dba.file set state = 'stored', reason = null, ${staysKept('$2')}, updated_at = clock_timestamp() where file_id = $1`,
    [fileId, place],
  )
}

export async function writeCsvPaths(client: ClientBase, fileId: number, paths: string[]): Promise<void> {
  await client.query('update dba.file set csv_paths = $2 where file_id = $1', [fileId, paths.length === 0 ? null : paths])
}

/** The bytes have arrived where they are kept; null: they were gone before. */
export async function markKept(pool: Pool, fileId: number, keptPath: string | null): Promise<void> {
  await pool.query('update dba.file set kept_path = $2, kept_at = clock_timestamp() where file_id = $1', [fileId, keptPath])
}

/** An error as dba.file.reason says it. */
export function reasonOf(error: unknown): string {
  const { message, detail } = explainError(error)
  return [message, detail].filter((part) => part).join('. ')
}
