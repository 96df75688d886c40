/** What runs left that died, or could not put their files away: the ledger knows it, and any later run of the same settings finishes it. */
import { lstat } from 'node:fs/promises'
import { faceAt, faceOf } from '../../../systemscripts/file-face.ts'
import { hashFile } from '../../../systemscripts/hash-file.ts'
import type { Filled } from '../../db/filled.ts'
import type { FileRow } from '../../db/row-types.ts'
import type { Keeping } from '../../job/ledgers.ts'
import { ofAnotherLiveRun, releaseClaim } from './claim.ts'
import { markKept } from './end-file.ts'
import type { LedgerDeps } from './ledger-deps.ts'
import { isBelow, isKept, isThere, placeFor, putAway, removeCsvs, removeReason, writeReason } from './put-away.ts'

/**
 * Puts away what the ledger says is dealt with and has not been seen to arrive at its place, and forgets claims of dead runs whose file is gone.
 * What another live run has is left to it; several may come here at once.
 *
 * @param onError told of each file that cannot be put away now
 * @returns numbers of those files
 */
export async function finishLeftOvers(
  deps: LedgerDeps,
  keepingOf: (path: string) => Keeping,
  onError: (file: { path: string; name: string }, error: unknown) => void,
): Promise<Set<number>> {
  await forgetVanished(deps)
  const unfinished = new Set<number>()
  const { rows } = await deps.pool.query<LeftOver>(leftOverQuery, [deps.runId, deps.job, deps.configName])
  for (const file of rows) {
    deps.signal.throwIfAborted()
    try {
      await finish(deps, file, keepingOf(file.path))
    } catch (error) {
      deps.signal.throwIfAborted()
      unfinished.add(file.file_id)
      onError({ path: file.path, name: file.file_name }, error)
    }
  }
  return unfinished
}

type LeftOver = Pick<FileRow, 'file_id' | 'file_name' | 'path' | 'size_bytes' | 'sha256' | 'modified_at' | 'state' | 'reason'> &
  Filled<FileRow, 'kept_path'> & { day: string }

const leftOverQuery = `
  select file_id, file_name, path, size_bytes, sha256, modified_at, state, kept_path, reason, to_char(seen_at at time zone 'UTC', 'YYYY-MM-DD') as day
  from dba.file f
  where kept_at is null and kept_path is not null and state <> 'loading' and job = $2 and config_name is not distinct from $3 and not ${ofAnotherLiveRun}
  order by file_id`

async function finish({ pool, log, signal }: LedgerDeps, file: LeftOver, keeping: Keeping): Promise<void> {
  const { file_id: fileId, file_name: name, state, reason } = file
  const keptPath = (await moveFromSource(file, keeping, signal)) ?? (await moveFromKept(file, keeping))
  if (keptPath !== null && state === 'failed' && isBelow(keeping.failedFolder, keptPath))
    await writeReason(keptPath, fileId, { code: 'file_failed', message: reason ?? '', detail: null, hint: null })
  await markKept(pool, fileId, keptPath)
  if (keptPath === null) log(`File "${name}" was gone before it could be put away`, { file_id: fileId }, { step: name, level: 'warning' })
  else log(`File "${name}" was ${state} before and is put away now`, { file_id: fileId }, { step: name })
}

/** Also where a kill came between the two names of a move: the old one goes then. @returns null when it does not lie there any more */
async function moveFromSource(file: LeftOver, { doneFile }: Keeping, signal: AbortSignal): Promise<string | null> {
  const { path, size_bytes: sizeBytes, sha256, modified_at: modifiedAt, kept_path: place } = file
  const stats = await lstat(path).catch(() => null)
  if (!stats?.isFile() || stats.size !== sizeBytes || stats.mtime.getTime() !== modifiedAt?.getTime()) return null
  if ((await hashFile(path, signal)).sha256 !== sha256) return null
  return await putAway({ from: path, place, face: faceOf(stats), doneFile: doneFile ?? null })
}

/** What had failed and was loaded since goes to the others. */
async function moveFromKept(file: LeftOver, { archiveFolder, failedFolder }: Keeping): Promise<string | null> {
  const { file_id: fileId, file_name: name, day, kept_path: keptPath, size_bytes: sizeBytes, state } = file
  const isMisplaced = isBelow(failedFolder, keptPath) && ['loaded', 'stored', 'quarantined', 'waiting'].includes(state)
  const place = isMisplaced ? placeFor(archiveFolder, { day, name, fileId }) : keptPath
  const face = isMisplaced ? await faceAt(keptPath) : null
  if (face !== null) {
    await removeReason(keptPath)
    const moved = await putAway({ from: keptPath, place, face, doneFile: null })
    if (moved !== null) return moved
  }
  return (await isKept(place, sizeBytes)) ? place : null
}

/** Its sender took it back. */
async function forgetVanished(deps: LedgerDeps): Promise<void> {
  const { pool, transaction, runId, job, configName } = deps
  const claimed = `state = 'loading' and kept_path is null and job = $2 and config_name is not distinct from $3 and not ${ofAnotherLiveRun}`
  const { rows } = await pool.query<Pick<FileRow, 'file_id' | 'path'>>(`select file_id, path from dba.file f where ${claimed}`, [
    runId,
    job,
    configName,
  ])
  for (const { file_id: fileId, path } of rows) {
    if (await isThere(path)) continue
    const csvPaths = await transaction(async (client) => {
      const { rowCount } = await client.query(`update dba.file f set run_id = $1 where file_id = $4 and ${claimed}`, [
        runId,
        job,
        configName,
        fileId,
      ])
      return rowCount === 1 ? await releaseClaim(client, deps, fileId) : []
    })
    await removeCsvs(csvPaths)
  }
}
