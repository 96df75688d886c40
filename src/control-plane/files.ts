/** The file ledger that jobs see as `ctx.files`. The laws of one run per file and of bytes loaded once are in files/. */
import { rm } from 'node:fs/promises'
import type { Pool } from 'pg'
import { PermanentError } from '../../systemscripts/errors.ts'
import { hashFile } from '../../systemscripts/hash-file.ts'
import { TargetError } from '../../systemscripts/table-loader/refusals.ts'
import { explainError, isConnectionLost } from '../db/explain-error.ts'
import type { Filled } from '../db/filled.ts'
import type { FileRow } from '../db/row-types.ts'
import type { JobContext, Log } from '../job/define-job.ts'
import type { ArrivedFile, FileLedger, Keeping, TakenFile } from '../job/ledgers.ts'
import type { Outcome } from '../job/outcome.ts'
import { type Claim, claimFile, releaseClaim, retryQuery } from './files/claim.ts'
import { endStored, endUnloaded, type FileEnd, markKept, reasonOf, writeCsvPaths } from './files/end-file.ts'
import { isFaultOfFile } from './files/fault.ts'
import { BytesAlreadyLoaded, findKnownBytes, isDealtWith, type KnownFile } from './files/known-bytes.ts'
import { runOutcome } from './files/outcome.ts'
import { isBelow, isThere, placeFor, putAway, removeReason, writeReason } from './files/put-away.ts'

/** What the ledgers of one run stand on. */
export interface LedgerDeps {
  pool: Pool
  /** The run's fenced transaction. */
  transaction: JobContext<unknown>['transaction']
  runId: string
  job: string
  configName: string | null
  log: Log
  signal: AbortSignal
}

/** The ledger of one run. Keeps in mind what went wrong, until `outcome` says it. */
export function createFileLedger(deps: LedgerDeps): FileLedger {
  const { pool, transaction, runId, log, signal } = deps
  /** Errors of files that stay where they are: another attempt may mend them. */
  const postponed: unknown[] = []
  let lastFailure: Error | undefined
  return { toRetry, hasMet, take, keepCsv, store, outcome }

  async function toRetry(): Promise<ArrivedFile[]> {
    const { rows } = await pool.query<RetryRow>(retryQuery, [runId, deps.job, deps.configName])
    return rows.map((row) => ({
      fileId: row.file_id,
      path: row.path,
      name: row.file_name,
      sizeBytes: row.size_bytes,
      modifiedAt: row.modified_at,
    }))
  }

  async function hasMet(path: string): Promise<boolean> {
    const { rows } = await pool.query<{ met: boolean }>('select exists (select from dba.file where path = $1 or kept_path = $1) as met', [
      path,
    ])
    return rows[0]?.met === true
  }

  async function keepCsv(file: TakenFile, paths: string[]): Promise<void> {
    await transaction((client) => writeCsvPaths(client, file.fileId, paths))
  }

  async function store(file: TakenFile): Promise<void> {
    await transaction((client) => endStored(client, file.fileId, file.place))
  }

  async function outcome(whenNone: string): Promise<Outcome> {
    const result = await runOutcome(pool, runId, whenNone, lastFailure)
    if (postponed.length > 0) throw postponed[0]
    return result
  }

  async function take(file: ArrivedFile, keeping: Keeping, load: (file: TakenFile) => Promise<unknown>): Promise<void> {
    signal.throwIfAborted()
    const claim = await transaction((client) => claimFile(client, deps, file))
    if (claim === null) return log(`File "${file.name}" is being loaded by another run`, {}, { step: file.name })
    try {
      await loadOnce(file, claim, keeping, load)
    } catch (error) {
      await settle(claim, keeping, error)
    }
  }

  async function loadOnce(file: ArrivedFile, claim: Claim, keeping: Keeping, load: (file: TakenFile) => Promise<unknown>): Promise<void> {
    const bytes = await hashFile(claim.bytesAt, signal).catch(nullIfMissing)
    if (bytes === null) return await leaveVanished(claim)
    const { sha256, sizeBytes } = bytes
    const known = claim.isRetry ? null : await findKnownBytes(pool, { ...deps, fileId: claim.fileId, path: file.path, sha256 })
    if (known?.isOnItsWay) {
      if (!(await isThere(known.keptPath))) return await finishPuttingAway(claim, keeping, known)
      await markKept(pool, known.fileId, known.keptPath)
    }
    if (known !== null && isDealtWith(known)) {
      // Another run loaded this very file and has put it away since it was looked at: that is no second copy.
      if (!(await isThere(claim.bytesAt))) return await leaveVanished(claim)
      throw new BytesAlreadyLoaded(known)
    }
    await transaction((client) =>
      client.query('update dba.file set sha256 = $2, size_bytes = $3 where file_id = $1', [claim.fileId, sha256, sizeBytes]),
    )
    const place = placeFor(keeping.archiveFolder, claim)
    await load({ ...file, fileId: claim.fileId, bytesAt: claim.bytesAt, sha256, sizeBytes, place })
    await clearAway(claim, keeping, claim.isRetry && !isBelow(keeping.failedFolder, claim.bytesAt) ? null : place)
    if (claim.isRetry) await removeReason(claim.bytesAt)
  }

  /** Decides what an error means: for this file, for the others, for the run. */
  async function settle(claim: Claim, keeping: Keeping, error: unknown): Promise<void> {
    signal.throwIfAborted()
    if (error instanceof BytesAlreadyLoaded) return await endDuplicate(claim, keeping, error.earlier)
    if (isFaultOfFile(error)) return await endFailed(claim, keeping, error)
    if (isConnectionLost(error)) throw error
    await transaction((client) => releaseClaim(client, deps, claim.fileId))
    if (error instanceof TargetError) throw error
    log(`File "${claim.name}" is left for another attempt`, { ...explainError(error) }, { step: claim.name, level: 'warning' })
    postponed.push(error)
  }

  async function endDuplicate(claim: Claim, keeping: Keeping, { fileId, fileName, state, loadedAt }: KnownFile): Promise<void> {
    const at = loadedAt.toISOString().slice(0, 16).replace('T', ' ')
    const what = state === 'loaded' ? 'loaded' : `${state} since`
    const reason = `Same bytes as file ${fileId} "${fileName}", ${what} ${at} UTC; nothing was loaded again.`
    log(`File "${claim.name}" is a duplicate`, { reason }, { step: claim.name, level: 'warning' })
    await end(claim, keeping, { state: 'duplicate', reason, place: placeFor(keeping.archiveFolder, claim) })
  }

  async function endFailed(claim: Claim, keeping: Keeping, error: Error): Promise<void> {
    lastFailure = error
    const said = explainError(error)
    log(`File "${claim.name}" could not be loaded: ${said.message}`, { ...said }, { step: claim.name, level: 'error' })
    // What is loaded again and fails stays where it was kept.
    const place = claim.isRetry ? null : placeFor(keeping.failedFolder, claim)
    const keptPath = await end(claim, keeping, { state: 'failed', reason: reasonOf(error), place })
    if (keptPath !== null && isBelow(keeping.failedFolder, keptPath)) await writeReason(keptPath, claim.fileId, said)
  }

  async function end(claim: Claim, keeping: Keeping, fileEnd: FileEnd): Promise<string | null> {
    await transaction((client) => endUnloaded(client, claim, fileEnd))
    return await clearAway(claim, keeping, fileEnd.place)
  }

  /** After the commit: whatever happens here, the ledger is right, and the next run finishes it. @returns where the bytes are now */
  async function clearAway(claim: Claim, keeping: Keeping, place: string | null): Promise<string | null> {
    try {
      const keptPath = place === null ? claim.bytesAt : await putAway(claim.bytesAt, place)
      if (keptPath === null) log(`File "${claim.name}" was gone before it could be put away`, {}, { step: claim.name, level: 'warning' })
      await markKept(pool, claim.fileId, keptPath)
      if (keeping.doneFile !== undefined && !claim.isRetry) await rm(keeping.doneFile, { force: true })
      return keptPath
    } catch (error) {
      log(`File "${claim.name}" could not be put away`, { ...explainError(error) }, { step: claim.name, level: 'warning' })
      postponed.push(error)
      return null
    }
  }

  async function finishPuttingAway(claim: Claim, keeping: Keeping, known: KnownFile): Promise<void> {
    await transaction((client) => releaseClaim(client, deps, claim.fileId))
    if (known.isInOtherHands) return
    log(`File "${claim.name}" was ${known.state} before and is put away now`, { file_id: known.fileId }, { step: claim.name })
    const keptPath = await clearAway({ ...claim, fileId: known.fileId }, keeping, known.keptPath)
    if (keptPath === null || known.state !== 'failed') return
    await writeReason(keptPath, known.fileId, { code: 'file_failed', message: known.reason ?? '', detail: null, hint: null })
  }

  async function leaveVanished(claim: Claim): Promise<void> {
    if (claim.isRetry) {
      throw new PermanentError('kept_file_missing', `The kept bytes of file ${claim.fileId} "${claim.name}" are gone`, {
        detail: `They were kept as ${claim.bytesAt}.`,
        hint: 'Put the file into its source folder again.',
      })
    }
    await transaction((client) => releaseClaim(client, deps, claim.fileId))
    log(`File "${claim.name}" was gone before it could be read`, {}, { step: claim.name, level: 'warning' })
  }
}

/** Another run may put a file away between the look at its folder and the look into it. */
function nullIfMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
  throw error
}

type RetryRow = Pick<FileRow, 'file_id' | 'path' | 'file_name' | 'size_bytes'> & Filled<FileRow, 'modified_at'>
