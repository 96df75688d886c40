export interface StopSignals {
  /** Resolves with the first request to stop. */
  first: Promise<StopSignal>
  /** Resolves with the second one: now at once. */
  second: Promise<StopSignal>
  /** Signals do again what they do by default. */
  release(): void
}

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/**
 * Requests to stop this process: Ctrl-C, SIGTERM, a closed terminal. After the second one a third ends the process on the spot.
 *
 * One Ctrl-C under `npm start` arrives twice, from the terminal and from npm, so what follows within half a second is the same request.
 */
export function listenForStop(): StopSignals {
  const first = Promise.withResolvers<StopSignal>()
  const second = Promise.withResolvers<StopSignal>()
  let requests = 0
  let lastAt = Number.NEGATIVE_INFINITY
  const hear = (signal: NodeJS.Signals) => {
    const now = performance.now()
    const isSameRequest = now - lastAt < 500
    lastAt = now
    if (isSameRequest) return
    requests += 1
    if (requests === 1) first.resolve(asStopSignal(signal))
    else if (requests === 2) second.resolve(asStopSignal(signal))
    else process.exit(130)
  }
  for (const signal of stopSignals) process.on(signal, hear)
  return {
    first: first.promise,
    second: second.promise,
    release() {
      for (const signal of stopSignals) process.off(signal, hear)
    },
  }
}

const stopSignals: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

function asStopSignal(signal: NodeJS.Signals): StopSignal {
  return stopSignals.find((known) => known === signal) ?? 'SIGTERM'
}
