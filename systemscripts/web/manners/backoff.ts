/** How patient a client is. All in seconds but attempts. */
export interface Patience {
  /** Tries of one page in all. Default 3. */
  attempts: number
  /** Upper end of the first wait after a failure; it doubles with each. Default 1. */
  baseSeconds: number
  /** No such wait is longer. Default 60. */
  capSeconds: number
  /** First wait of a whole host that answers 429, or 503, without saying how long; it doubles with each. Default 30. */
  throttledSeconds: number
  /** The same for a page that asks whether one is human, and for Cloudflare's error 1015. Default 60. */
  challengedSeconds: number
  /** What must be waited for longer than this, in all for one page, is left to another attempt of the run. Default 300. */
  longestWaitSeconds: number
}

export const usualPatience: Patience = {
  attempts: 3,
  baseSeconds: 1,
  capSeconds: 60,
  throttledSeconds: 30,
  challengedSeconds: 60,
  longestWaitSeconds: 300,
}

/**
 * Seconds to wait after the `failures`-th failure (from 1): exponential with full jitter, so that many clients that failed together do not
 * come again together (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
 *
 * @param random from 0 up to but not 1
 */
export function backoffSeconds(failures: number, patience: Patience, random: number): number {
  return random * Math.min(patience.capSeconds, patience.baseSeconds * 2 ** (failures - 1))
}

/** Seconds that a host is left alone when it asked for it without saying how long: at least the named time, up to a quarter more. */
export function penaltySeconds(firstSeconds: number, failures: number, random: number): number {
  return firstSeconds * 2 ** (failures - 1) * (1 + random / 4)
}
