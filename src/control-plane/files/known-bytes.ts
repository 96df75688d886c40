/** Whether the bytes of a file have been met before: dba.file.sha256. */
import type { ClientBase, Pool } from 'pg'
import type { Filled } from '../../db/filled.ts'
import type { FileRow } from '../../db/row-types.ts'

export interface KnownFile {
  fileId: number
  fileName: string
  state: FileRow['state']
  keptPath: string
  reason: string | null
  /** Its rows are in the target, whatever has become of it since: a person may want it again at this moment. */
  isInForce: boolean
  /** Its bytes have not been seen to arrive at keptPath, and it lay where this one lies: it may be this one. */
  isOnItsWay: boolean
  loadedAt: Date
}

/** Whether it was dealt with for good, so that its bytes are not taken again. */
export function isDealtWith({ state, isInForce }: KnownFile): boolean {
  return isInForce || state === 'loaded' || state === 'stored' || state === 'quarantined' || state === 'waiting'
}

/** Thrown out of a load when the same bytes were loaded meanwhile. */
export class BytesAlreadyLoaded extends Error {
  override name = 'BytesAlreadyLoaded'
  readonly earlier: KnownFile

  constructor(earlier: KnownFile) {
    super(`The same bytes as file ${earlier.fileId}`)
    this.earlier = earlier
  }
}

export interface Bytes {
  fileId: number
  path: string
  sha256: string
  sizeBytes: number
  job: string
  configName: string | null
  /** Then only this very file counts, which another run has dealt with and not put away. */
  loadsSameBytes: boolean
}

/** Whether another file of so many bytes was dealt with. Where none was, these bytes are new. */
export async function isSizeMet(pool: Pool, { fileId, sizeBytes }: Pick<Bytes, 'fileId' | 'sizeBytes'>): Promise<boolean> {
  const { rows } = await pool.query<{ is_met: boolean }>(
    'select exists (select from dba.file where size_bytes = $2 and file_id <> $1 and kept_path is not null) as is_met',
    [fileId, sizeBytes],
  )
  return rows[0]?.is_met !== false
}

/**
 * The earlier file with the same bytes, if there is one: first one that lay at this very place and is not put away yet, else the last one of
 * the same config that was loaded, or waits for a person.
 */
export async function findKnownBytes(
  db: ClientBase | Pool,
  { fileId, path, sha256, sizeBytes, job, configName, loadsSameBytes }: Bytes,
): Promise<KnownFile | null> {
  const { rows } = await db.query<KnownRow>(
    `select file_id, file_name, state, kept_path, reason, updated_at, path = $2 and kept_at is null as is_on_its_way, in_force.is_true as is_in_force
     from dba.file f
     cross join lateral (
       select exists (select from dba.dataset d where d.dataset_id = f.dataset_id and d.state in ('active', 'quarantined')) as is_true
     ) in_force
     where size_bytes = $6 and sha256 = $3 and job = $4 and config_name is not distinct from $5 and file_id <> $1 and kept_path is not null
       and (not $7 and (state in ('loaded', 'stored', 'quarantined', 'waiting') or in_force.is_true) or path = $2 and kept_at is null and state <> 'loading')
     order by is_on_its_way desc, file_id desc
     limit 1`,
    [fileId, path, sha256, job, configName, sizeBytes, loadsSameBytes],
  )
  const row = rows[0]
  if (row === undefined) return null
  return {
    fileId: row.file_id,
    fileName: row.file_name,
    state: row.state,
    keptPath: row.kept_path,
    reason: row.reason,
    isInForce: row.is_in_force,
    isOnItsWay: row.is_on_its_way,
    loadedAt: row.updated_at,
  }
}

/** Holds back every other load of the same bytes until the caller's transaction ends. */
export async function lockBytes(client: ClientBase, { sha256, job, configName }: Bytes): Promise<void> {
  await client.query(`set local lock_timeout = '600s'`)
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`rota loads ${job} ${configName ?? ''} ${sha256}`])
}

type KnownRow = Pick<FileRow, 'file_id' | 'file_name' | 'state' | 'reason' | 'updated_at'> &
  Filled<FileRow, 'kept_path'> & { is_on_its_way: boolean; is_in_force: boolean }
