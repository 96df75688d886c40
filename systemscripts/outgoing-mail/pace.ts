import { setTimeout as wait } from 'node:timers/promises'

export interface PaceOptions {
  /** At most so many in any second. Default: no limit. */
  perSecond?: number
  /** In any minute. Default: no limit. */
  perMinute?: number
}

/** Resolves when one more may go, in the order of the calls; in no stretch of a second or minute go more than allowed. */
export function createPace({ perSecond, perMinute }: PaceOptions): (signal?: AbortSignal) => Promise<void> {
  const windows = [
    { most: perSecond, lengthMs: 1000 },
    { most: perMinute, lengthMs: 60_000 },
  ].flatMap(({ most, lengthMs }) => (most === undefined ? [] : [{ most, lengthMs, gone: [] as number[] }]))
  let line: Promise<unknown> = Promise.resolve()
  if (windows.length === 0) return async (signal) => signal?.throwIfAborted()
  return async (signal) => {
    const turn = line.then(() => go(signal))
    // One that gives up lets the next one in.
    line = turn.catch(() => {})
    await turn
  }

  async function go(signal: AbortSignal | undefined): Promise<void> {
    for (const { most, lengthMs, gone } of windows) {
      const first = gone.length < most ? undefined : gone[gone.length - most]
      const left = first === undefined ? 0 : first + lengthMs - performance.now()
      if (left > 0) await wait(left, undefined, signal ? { signal } : {})
    }
    signal?.throwIfAborted()
    const now = performance.now()
    for (const { most, gone } of windows) {
      gone.push(now)
      if (gone.length > 2 * most) gone.splice(0, gone.length - most)
    }
  }
}
