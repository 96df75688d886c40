/** A signal that ends with another one or after a time, and whose timer and listener go when it is not needed any more. */
export interface Deadline {
  signal: AbortSignal
  /** It was the time that ended it. */
  hasPassed(): boolean
  end(): void
}

export function deadline(outer: AbortSignal, seconds: number): Deadline {
  const controller = new AbortController()
  let hasPassed = false
  const timer = setTimeout(() => {
    hasPassed = true
    controller.abort(new Error('deadline passed'))
  }, seconds * 1000)
  const pass = (): void => controller.abort(outer.reason)
  if (outer.aborted) pass()
  else outer.addEventListener('abort', pass, { once: true })
  return {
    signal: controller.signal,
    hasPassed: () => hasPassed,
    end() {
      clearTimeout(timer)
      outer.removeEventListener('abort', pass)
    },
  }
}
