import { setTimeout as sleep } from 'node:timers/promises'
import { JobError, PermanentError } from '../errors.ts'
import { backoffSeconds } from './manners/backoff.ts'
import { HostWaitError } from './refusals.ts'
import type { WebClient } from './web-client.ts'

export interface Attempt {
  /** Tries before this one. */
  failures: number
  /** Milliseconds since 1970 UTC: no turn at a host is waited for beyond it. */
  latest: number
}

export interface TryingOptions {
  signal: AbortSignal
  /** Default: the client's. */
  attempts?: number
  /** Of errors that pass by themselves, which ones allow another try. Default: all. */
  mayRepeat?: (error: JobError) => boolean
}

/**
 * Tries until it works: after failures that pass by themselves with back-off, after a host's wish to be left alone once that time is over;
 * that wish goes to the budget, so that all others wait as well.
 *
 * @throws what the last try threw: a PermanentError at once, others when tries or patience are used up; the signal's reason
 */
export async function tryAgain<T>(client: WebClient, options: TryingOptions, attempt: (attempt: Attempt) => Promise<T>): Promise<T> {
  const { patience, budget } = client
  const { signal, attempts = patience.attempts, mayRepeat = () => true } = options
  const latest = Date.now() + patience.longestWaitSeconds * 1000
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt({ failures, latest })
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof JobError) || error instanceof PermanentError || error.code === 'host_busy') throw error
      if (error instanceof HostWaitError) await budget.penalise(error.host, error.until, error.message)
      if (failures + 1 >= attempts || !mayRepeat(error)) throw error
      const waitMs = error instanceof HostWaitError ? 0 : backoffSeconds(failures + 1, patience, Math.random()) * 1000
      const goesOnAt = error instanceof HostWaitError ? error.until.getTime() : Date.now() + waitMs
      if (goesOnAt > latest) throw error
      if (waitMs > 0) await sleep(waitMs, undefined, { signal })
    }
  }
}
