/** Brings the ends of attempts into the ledger: one at once, and those that come while it is being written together in the next statement. */
import type { Pool } from 'pg'
import { PermanentError } from '../../systemscripts/errors.ts'
import { type AttemptEnd, type EndOfAttempt, endAttempts } from '../control-plane/attempt-ends.ts'
import type { Lease } from '../control-plane/runs.ts'
import { explainError, isConnectionLost, isPostgresError, isRetryable } from '../db/explain-error.ts'

export interface EndWriter {
  /**
   * Resolves when the end stands in the ledger: with the run's state, or null when the attempt no longer held the run. While the database is
   * away it is tried again and again; should the lease be lost meanwhile, it changes nothing. An outcome that the ledger cannot hold fails the
   * run, with the reason.
   */
  write(lease: Lease, end: AttemptEnd): Promise<string | null>
}

interface WaitingEnd extends EndOfAttempt {
  resolve(state: string | null): void
  reject(error: unknown): void
}

const mostTogether = 200

export function createEndWriter(pool: Pool): EndWriter {
  let waiting: WaitingEnd[] = []
  let isWriting = false

  async function writeAll(): Promise<void> {
    isWriting = true
    while (waiting.length > 0) {
      const batch = waiting.slice(0, mostTogether)
      waiting = waiting.slice(mostTogether)
      await writeBatch(pool, batch)
    }
    isWriting = false
  }

  return {
    write(lease, end) {
      return new Promise((resolve, reject) => {
        waiting.push({ lease, end, resolve, reject })
        if (!isWriting) void writeAll()
      })
    },
  }
}

/** What could not be written with the others is written by itself, beside what comes next: a row that somebody holds open holds up no other. */
async function writeBatch(pool: Pool, batch: WaitingEnd[]): Promise<void> {
  const states = await endAttempts(pool, batch, 'pass').catch(() => new Map<string, string>())
  for (const waiting of batch) {
    const state = states.get(waiting.lease.runId)
    if (state === undefined) writeAlone(pool, waiting).then(waiting.resolve, waiting.reject)
    else waiting.resolve(state)
  }
}

async function writeAlone(pool: Pool, { lease, end }: EndOfAttempt): Promise<string | null> {
  for (let wait = 100; ; wait = Math.min(wait * 2, 5000)) {
    try {
      const states = await endAttempts(pool, [{ lease, end }], 'wait')
      return states.get(lease.runId) ?? null
    } catch (error) {
      // The worker has stopped without us; what it left open is handed back or found by others.
      if (pool.ending) throw error
      if (!isConnectionLost(error) && !(isPostgresError(error) && isRetryable(error))) {
        if (end.outcome !== 'succeeded') throw error
        return await writeAlone(pool, { lease, end: { outcome: 'failed', error: explainError(notStored(error)), isPermanent: true } })
      }
      // It keeps no process alive: what a stopped worker could not write is found by others.
      await new Promise((resolve) => setTimeout(resolve, wait).unref())
    }
  }
}

function notStored(cause: unknown): PermanentError {
  return new PermanentError('outcome_not_stored', 'The job did its work, and its outcome could not be written down', {
    detail: explainError(cause).message,
    hint: 'The job must report whole numbers and plain JSON; until it does, what it moved stands in the target and not in dba.run.',
    cause,
  })
}
