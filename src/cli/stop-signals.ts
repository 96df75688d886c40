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
 * Requests to stop this process: Ctrl-C, SIGTERM, a closed terminal, the end of the npm that started it. After the second request a third
 * ends the process on the spot.
 *
 * One Ctrl-C under `npm start` arrives twice, from the terminal and from npm, so what follows within half a second is the same request.
 */
export function listenForStop(env: NodeJS.ProcessEnv): StopSignals {
  const first = Promise.withResolvers<StopSignal>()
  const second = Promise.withResolvers<StopSignal>()
  let requests = 0
  let lastAt = Number.NEGATIVE_INFINITY
  const request = (signal: StopSignal) => {
    const now = performance.now()
    const isSameRequest = now - lastAt < 500
    lastAt = now
    if (isSameRequest) return
    requests += 1
    if (requests === 1) first.resolve(signal)
    else if (requests === 2) second.resolve(signal)
    else process.exit(130)
  }
  const listeners = stopSignals.map((signal) => ({ signal, hear: () => request(signal) }))
  for (const { signal, hear } of listeners) process.on(signal, hear)
  const watch = watchNpm(env, () => request('SIGTERM'))
  return {
    first: first.promise,
    second: second.promise,
    release() {
      clearInterval(watch)
      for (const { signal, hear } of listeners) process.off(signal, hear)
    },
  }
}

const stopSignals: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** npm gives a SIGTERM to the shell between it and us, which ends without a word to us. */
function watchNpm({ npm_lifecycle_event: startedBy }: NodeJS.ProcessEnv, onEnd: () => void): NodeJS.Timeout | undefined {
  if (startedBy !== 'start' && startedBy !== 'npx') return undefined
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    onEnd()
  }, 250)
  return watch.unref()
}
