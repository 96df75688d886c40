/** One file, from its claim to the place where its bytes are kept. */
import { lstat } from 'node:fs/promises'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { faceAt, faceOf, fileChanged } from '../../../systemscripts/file-face.ts'
import { type FileHash, hashFile } from '../../../systemscripts/hash-file.ts'
import { explainError, isConnectionLost } from '../../db/explain-error.ts'
import type { ArrivedFile, FileLedger, Keeping, TakenFile } from '../../job/ledgers.ts'
import { type Claim, claimFile, releaseClaim } from './claim.ts'
import { endUnloaded, type FileEnd, markKept, reasonOf, writeHash } from './end-file.ts'
import { isFaultOfAll, isFaultOfFile } from './fault.ts'
import { BytesAlreadyLoaded, findKnownBytes, isDealtWith, isSizeMet, type KnownFile } from './known-bytes.ts'
import type { LedgerDeps } from './ledger-deps.ts'
import { isBelow, isKept, placeFor, putAway, removeCsvs, removeReason, writeReason } from './put-away.ts'

/** What went wrong in a run, for its end. */
export interface Troubles {
  /** A file that stays where it is: another attempt may mend it. */
  postpone(file: { path: string; name: string }, error: unknown): void
  /** It is tried anew. */
  forget(file: { path: string }): void
  /** A file has failed for good. */
  fail(error: Error): void
}

interface HeldFile extends Claim {
  path: string
  keeping: Keeping
  /** Of the file that was taken (file-face.ts). */
  face: string
  sizeBytes: number
  hash: Promise<FileHash>
}

/** Smaller ones are read in the time that it takes to ask whether their size was met. */
const HASHED_BESIDE_BYTES = 4 * 1024 * 1024

export function createTaker(deps: LedgerDeps, troubles: Troubles): FileLedger['take'] {
  const { pool, transaction, log, signal } = deps
  return take

  async function take(file: ArrivedFile, keeping: Keeping, load: (file: TakenFile) => Promise<unknown>): Promise<void> {
    signal.throwIfAborted()
    troubles.forget(file)
    const claim = await transaction((client) => claimFile(client, deps, file))
    if (claim === null) return log(`File "${file.name}" is being loaded by another run`, {}, { step: file.name })
    const stats = await lstat(claim.bytesAt).catch(() => null)
    if (!stats?.isFile()) return await leaveVanished({ ...claim, path: file.path, keeping })
    const hashing = new AbortController()
    const hash = hashFile(claim.bytesAt, AbortSignal.any([signal, hashing.signal]))
    // Whoever needs it hears of it.
    hash.catch(() => {})
    const held: HeldFile = { ...claim, path: file.path, keeping, face: faceOf(stats), sizeBytes: stats.size, hash }
    try {
      await loadOnce(file, held, load)
    } catch (error) {
      await settle(held, error)
    } finally {
      hashing.abort()
    }
  }

  async function loadOnce(file: ArrivedFile, held: HeldFile, load: (file: TakenFile) => Promise<unknown>): Promise<void> {
    const { fileId, bytesAt, isRetry, keeping, face, sizeBytes, hash, csvPaths } = held
    const isHashedBeside = sizeBytes >= HASHED_BESIDE_BYTES && (isRetry || !(await isSizeMet(pool, { fileId, sizeBytes })))
    if (!isHashedBeside && (await isSettledByHash(held))) return
    const isArchived = isRetry && !isBelow(keeping.failedFolder, bytesAt)
    const place = isArchived ? bytesAt : placeFor(keeping.archiveFolder, held)
    await load({ ...file, fileId, bytesAt, hash, face, sizeBytes, place, csvPaths, loadsSameBytes: keeping.loadsSameBytes === true })
    if (isRetry) await removeReason(bytesAt)
    await clearAway(held, isArchived ? null : place)
  }

  /** @throws BytesAlreadyLoaded; JobError `file_changed`. @returns whether nothing is left to be loaded */
  async function isSettledByHash(held: HeldFile): Promise<boolean> {
    const { fileId, bytesAt, face, name } = held
    const bytes = await held.hash
    const known = await findKnown(held)
    // Another run may have loaded this very file and put it away since it was looked at: that is no second copy.
    if ((await faceAt(bytesAt)) !== face) throw fileChanged(name)
    // Whoever dealt with it puts it away or, when that is dead, the next run.
    if (known?.isOnItsWay) {
      await release(held)
      return true
    }
    await transaction((client) => writeHash(client, fileId, bytes))
    if (known !== null && isDealtWith(known)) throw new BytesAlreadyLoaded(known)
    return false
  }

  /** Null also for what a person wants again. */
  async function findKnown({ fileId, isRetry, path, hash, keeping }: HeldFile): Promise<KnownFile | null> {
    const { loadsSameBytes = false } = keeping
    return isRetry ? null : await findKnownBytes(pool, { ...deps, ...(await hash), fileId, path, loadsSameBytes })
  }

  /** Decides what an error means: for this file, for the others, for the run. */
  async function settle(held: HeldFile, error: unknown): Promise<void> {
    signal.throwIfAborted()
    if (isConnectionLost(error)) throw error
    // What a file was refused for while it was changing says nothing about it.
    const now = await faceAt(held.bytesAt)
    if (now === null) return await leaveVanished(held)
    if (now !== held.face) return await leave(held, fileChanged(held.name, error))
    if (error instanceof BytesAlreadyLoaded) return await endDuplicate(held, error.earlier)
    if (isFaultOfFile(error)) {
      // Rows of a copy that was loaded meanwhile may be what it was refused for.
      const known = await findKnown(held)
      return known !== null && isDealtWith(known) ? await endDuplicate(held, known) : await endFailed(held, error)
    }
    if (!isFaultOfAll(error)) return await leave(held, error)
    await release(held)
    throw error
  }

  async function endDuplicate(held: HeldFile, { fileId, fileName, state, isInForce, loadedAt }: KnownFile): Promise<void> {
    const at = loadedAt.toISOString().slice(0, 16).replace('T', ' ')
    const what = state === 'loaded' || (isInForce && state !== 'quarantined') ? 'loaded' : `${state} since`
    const reason = `Same bytes as file ${fileId} "${fileName}", ${what} ${at} UTC; nothing was loaded again.`
    log(`File "${held.name}" is a duplicate`, { reason }, { step: held.name, level: 'warning' })
    const place = placeFor(held.keeping.archiveFolder, held)
    await end(held, { state: 'duplicate', reason, place })
    await clearAway(held, place)
  }

  async function endFailed(held: HeldFile, error: Error): Promise<void> {
    troubles.fail(error)
    const said = explainError(error)
    log(`File "${held.name}" could not be loaded: ${said.message}`, { ...said }, { step: held.name, level: 'error' })
    // What is loaded again and fails stays where it was kept.
    const place = held.isRetry ? null : placeFor(held.keeping.failedFolder, held)
    await end(held, { state: 'failed', reason: reasonOf(error), place })
    await clearAway(held, place, async (keptPath) => {
      if (isBelow(held.keeping.failedFolder, keptPath)) await writeReason(keptPath, held.fileId, said)
    })
  }

  async function end(held: HeldFile, fileEnd: Omit<FileEnd, 'hash'>): Promise<void> {
    const hash = await held.hash.catch(() => null)
    await removeCsvs(await transaction((client) => endUnloaded(client, held, { ...fileEnd, hash })))
  }

  /**
   * After the commit: whatever happens here, the ledger is right, and the next run finishes it.
   * @param place null: the bytes stay where they are
   * @param andThen what belongs beside the kept file
   */
  async function clearAway(held: HeldFile, place: string | null, andThen?: (keptPath: string) => Promise<void>): Promise<void> {
    const { bytesAt: from, name, face, sizeBytes, fileId, keeping, isRetry } = held
    try {
      const moved = place === null ? from : await putAway({ from, place, face, doneFile: isRetry ? null : (keeping.doneFile ?? null) })
      const keptPath = moved ?? (place !== null && (await isKept(place, sizeBytes)) ? place : null)
      if (keptPath === null) log(`File "${name}" was gone before it could be put away`, {}, { step: name, level: 'warning' })
      else await andThen?.(keptPath)
      await markKept(pool, fileId, keptPath)
    } catch (error) {
      if (isConnectionLost(error)) throw error
      troubles.postpone(held, error)
    }
  }

  async function release({ fileId }: Claim): Promise<void> {
    await removeCsvs(await transaction((client) => releaseClaim(client, deps, fileId)))
  }

  /** Forgets that it was taken; another attempt may fare better. */
  async function leave(held: HeldFile, error: unknown): Promise<void> {
    await release(held)
    troubles.postpone(held, error)
  }

  async function leaveVanished(claim: Claim & { path: string; keeping: Keeping }): Promise<void> {
    const { name, bytesAt, isRetry } = claim
    if (isRetry) {
      const error = keptFileMissing(claim)
      troubles.fail(error)
      log(error.message, { ...explainError(error) }, { step: name, level: 'error' })
      await transaction((client) => endUnloaded(client, claim, { state: 'failed', reason: reasonOf(error), place: null, hash: null }))
      return
    }
    await release(claim)
    log(`File "${name}" was gone before it could be loaded`, { path: bytesAt }, { step: name, level: 'warning' })
  }
}

function keptFileMissing({ fileId, name, bytesAt }: Claim): PermanentError {
  return new PermanentError('kept_file_missing', `The kept bytes of file ${fileId} "${name}" are gone`, {
    detail: `They were kept as ${bytesAt}.`,
    hint: 'Put the file into its source folder again.',
  })
}
