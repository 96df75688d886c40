/** Lets so many in at once, the others wait in order. `take` gives what gives the place back. */
export function createTurns(places: number): { take(signal?: AbortSignal): Promise<() => void> } {
  let free = places
  const waiting: (() => void)[] = []

  function giveBack(): void {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }

  return {
    async take(signal) {
      signal?.throwIfAborted()
      if (free > 0) free -= 1
      else {
        await new Promise<void>((resolve, reject) => {
          const stop = (): void => {
            waiting.splice(waiting.indexOf(enter), 1)
            reject(signal?.reason)
          }
          const enter = (): void => {
            signal?.removeEventListener('abort', stop)
            resolve()
          }
          waiting.push(enter)
          signal?.addEventListener('abort', stop, { once: true })
        })
      }
      let isGiven = false
      return () => {
        if (isGiven) return
        isGiven = true
        giveBack()
      }
    },
  }
}
