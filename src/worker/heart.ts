/** Signs of life: of this worker and its runs, and the lack of them in others. */
import type { Pool } from 'pg'
import { JobError } from '../../systemscripts/errors.ts'
import { type AttemptEnd, endAttempts } from '../control-plane/attempt-ends.ts'
import { beat, type Lease } from '../control-plane/runs.ts'
import { deadAfterSeconds, type LostAttempt, neighbours, readState, reapDeadWorkers, setWorkerState } from '../control-plane/workers.ts'
import { explainError } from '../db/explain-error.ts'
import type { RunningAttempt } from './execute.ts'
import { isProcessAlive } from './machine.ts'

/** `still`: nothing fires in this database. `outdated`: the database has migrations that this code does not know. */
export type Standing = 'running' | 'still' | 'outdated'

export interface Heart {
  /** Somebody may want a run stopped: look now. */
  beatNow(): void
  /** The worker's standing may have changed: look now. */
  lookNow(): void
  /** From now on the worker is said to take no more runs; it goes on giving signs of life. */
  drain(): Promise<void>
  stop(): Promise<void>
}

interface HeartDeps {
  control: Pool
  worker: string
  machine: string
  /** Highest migration that this code knows. */
  schemaVersion: number
  running: Map<string, RunningAttempt>
  /** Told at the first look, and when it changes; resolves once it is followed. */
  onStanding(standing: Standing): Promise<void>
  onReaped(lost: LostAttempt): void
  say(level: 'info' | 'warning' | 'error', message: string, error?: unknown): void
}

const beatMs = 3000
const lookMs = 5000
/** Two beats missed. */
const gapMs = 3 * beatMs

export function startHeart(deps: HeartDeps): Heart {
  const { control, worker, running, say } = deps
  const strays = new Set<string>()
  let beating: Promise<void> | undefined
  let looking: Promise<void> | undefined
  let mustBeat = false
  /** When a sign of life was last written, and since when without a gap: only then are old heartbeats the fault of the others. Wall clock, since a machine that was asleep has a gap. */
  let beatAt = Number.NEGATIVE_INFINITY
  let inContactSince = Number.POSITIVE_INFINITY
  let mustLook = false
  let standing: Standing | undefined
  let isDraining = false
  let isStopped = false

  async function beatOnce(): Promise<void> {
    const before = new Map(running)
    const held = await beat(control, worker)
    const now = Date.now()
    if (now - beatAt > gapMs) inContactSince = now
    beatAt = now
    const heldRuns = new Map(held.map((run) => [run.runId, run]))
    for (const [runId, attempt] of before) {
      const run = heldRuns.get(runId)
      if (!run || run.attempt !== attempt.lease.attempt) {
        // A run whose end was written while this went on is not lost.
        if (running.get(runId) === attempt) loseLease(attempt)
      } else if (run.cancelReason !== null) {
        attempt.stop(new JobError('cancelled', run.cancelReason))
      }
    }
    await endRunsNobodyRuns(held)
  }

  function loseLease(attempt: RunningAttempt): void {
    void Promise.race([attempt.ended, new Promise((resolve) => setTimeout(resolve, 1000))]).then(() => {
      if (running.get(attempt.lease.runId) !== attempt) return
      attempt.stop(new JobError('lease_lost', `Attempt ${attempt.lease.attempt} no longer holds run ${attempt.lease.runId}`))
    })
  }

  /** The ledger says this worker runs it, and it does not: ended, when two beats in a row saw it. */
  async function endRunsNobodyRuns(held: { runId: string; attempt: number }[]): Promise<void> {
    const found = held.filter((run) => !running.has(run.runId)).map((run) => ({ runId: run.runId, attempt: run.attempt, worker }))
    const seenTwice = found.filter((lease) => strays.has(lease.runId))
    strays.clear()
    for (const lease of found) strays.add(lease.runId)
    if (seenTwice.length === 0) return
    const vanished = new JobError('attempt_vanished', 'The attempt ended without a trace', { hint: 'Look at the log file of its worker.' })
    await endStrays(control, worker, seenTwice, { outcome: 'failed', error: explainError(vanished), isPermanent: false })
  }

  function beatNow(): void {
    mustBeat = true
    if (beating || isStopped) return
    beating = (async () => {
      while (mustBeat) {
        mustBeat = false
        await beatOnce()
      }
    })()
      .catch((error: unknown) => say('warning', 'No sign of life could be given; it is tried again', error))
      .finally(() => {
        beating = undefined
      })
  }

  function lookNow(): void {
    mustLook = true
    if (looking || isStopped) return
    looking = (async () => {
      while (mustLook && !isStopped) {
        mustLook = false
        await lookOnce()
      }
    })()
      .catch((error: unknown) => say('warning', 'Other workers could not be looked at', error))
      .finally(() => {
        looking = undefined
      })
  }

  async function lookOnce(): Promise<void> {
    const { isHome, schemaVersion } = await readState(control)
    const found: Standing = schemaVersion > deps.schemaVersion ? 'outdated' : isHome ? 'running' : 'still'
    const message =
      found === 'outdated'
        ? `this worker knows migrations up to ${deps.schemaVersion}, the database has ${schemaVersion}: update it`
        : found === 'still'
          ? `this database is a copy or not live: update dba.setting set value = 'true' where name = 'is_live'`
          : null
    // Before the row says so: who reads it there can rely on it.
    if (standing !== found) {
      standing = found
      if (message !== null) say('warning', `Takes no runs: ${message}`)
      await deps.onStanding(standing)
    }
    if (!isDraining) await setWorkerState(control, worker, found, message)
    if (found !== 'running') return
    const gone = (await neighbours(control, deps.machine)).filter((other) => other.worker !== worker && !isProcessAlive(other.pid))
    const now = Date.now()
    const isJudge = now - beatAt <= gapMs && now - inContactSince > deadAfterSeconds * 1000
    const lost = await reapDeadWorkers(
      control,
      gone.map((other) => other.worker),
      isJudge,
    )
    for (const attempt of lost) deps.onReaped(attempt)
  }

  const beats = setInterval(beatNow, beatMs)
  const looks = setInterval(lookNow, lookMs)
  lookNow()
  return {
    beatNow,
    lookNow,
    async drain() {
      isDraining = true
      await looking
      await setWorkerState(control, worker, 'draining')
    },
    async stop() {
      isStopped = true
      clearInterval(beats)
      clearInterval(looks)
      await beating
      await looking
    },
  }
}

/** Ends attempts that this worker holds in the ledger and nowhere else. */
export async function endStrays(control: Pool, worker: string, leases: Lease[], end: AttemptEnd): Promise<void> {
  for (const lease of leases) await endAttempts(control, [{ lease: { ...lease, worker }, end }], 'wait')
}
