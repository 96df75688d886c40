/** What one run may do at a host, as the database said last. */
export interface Share {
  slots: number
  gapSeconds: number
  /** Milliseconds since 1970 UTC, as all times here. */
  askAgainAt: number
  /** Before it nobody is asked. */
  notBefore: number
  reason: string
  open: number
  /** An answer that is on its way; more than one caller waits for it. */
  asking: Promise<void> | null
  waiting: Set<() => void>
  toldUntil: number
}

/** Nothing is known yet. */
export function newShare(): Share {
  return { slots: 0, gapSeconds: 0, askAgainAt: 0, notBefore: 0, reason: '', open: 0, asking: null, waiting: new Set(), toldUntil: 0 }
}

/** Who has waited longest goes next. */
export function release(share: Share): void {
  share.open -= 1
  const [next] = share.waiting
  next?.()
}

/** Ends when another request of this run has ended, when the database has said something new, with the signal, or after so long. */
export function nap(share: Share, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      share.waiting.delete(end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end, { once: true })
    share.waiting.add(end)
  })
}
