import { setTimeout as sleep } from 'node:timers/promises'
import { hostBusy } from '../refusals.ts'
import { type ActiveWindow, nextOpening } from './active-window.ts'

/** How often a host is asked, shared by everybody who asks it. An implementation in memory follows; others may keep it in a database. */
export interface HostBudget {
  /**
   * Waits until the host may be asked, and takes that turn: after the minimum gap since the last turn began, while fewer than the allowed
   * number are open, in the active window, and after any penalty.
   *
   * @throws JobError `host_busy` as soon as it is known that this will not be before `wait.latest`; the signal's reason
   */
  acquire(host: string, wait: TurnWait): Promise<HostTurn>
  /** Nobody asks the host before then. An earlier time than one already said changes nothing. */
  penalise(host: string, until: Date, reason: string): Promise<void>
}

export interface TurnWait {
  signal: AbortSignal
  /** Milliseconds since 1970 UTC. */
  latest: number
  /** What the host's robots.txt asks for; the larger of it and the budget's own gap counts. Default 0. */
  minGapSeconds?: number
}

export interface HostTurn {
  /** Once the answer is read, or has failed. A second call does nothing. */
  release(): Promise<void>
}

export interface HostLimits {
  /** Between the beginnings of two requests. Default 1. */
  minGapSeconds?: number
  /** Requests at once. Default 2. */
  parallel?: number
  /** Default null: always. */
  activeWindow?: ActiveWindow | null
}

interface HostState {
  open: number
  lastBeganAt: number
  penalisedUntil: number
  reason: string
  waiting: Set<() => void>
}

/** Windows are looked at again after so long, since clocks change. */
const LONGEST_NAP_MS = 10 * 60_000

/** A budget of this process alone. Who came first is served first, as far as timers allow. */
export function memoryHostBudget(limitsOf: (host: string) => HostLimits, now: () => number = Date.now): HostBudget {
  const hosts = new Map<string, HostState>()

  return {
    async acquire(host, { signal, latest, minGapSeconds = 0 }) {
      const state = stateOf(host)
      const limits = limitsOf(host)
      const gap = Math.max(minGapSeconds, limits.minGapSeconds ?? 1) * 1000
      for (;;) {
        signal.throwIfAborted()
        const begins = earliestBegin(state, gap, limits.activeWindow ?? null, now())
        if (begins.at > latest) throw hostBusy(host, new Date(begins.at), begins.why)
        if (begins.at <= now() && state.open < (limits.parallel ?? 2)) return begin(state)
        await change(state, begins.at > now() ? Math.min(begins.at - now(), LONGEST_NAP_MS) : null, signal)
      }
    },
    async penalise(host, until, reason) {
      const state = stateOf(host)
      if (until.getTime() <= state.penalisedUntil) return
      state.penalisedUntil = until.getTime()
      state.reason = reason
      wake(state)
    },
  }

  function stateOf(host: string): HostState {
    const known = hosts.get(host)
    if (known !== undefined) return known
    const state = { open: 0, lastBeganAt: Number.NEGATIVE_INFINITY, penalisedUntil: 0, reason: '', waiting: new Set<() => void>() }
    hosts.set(host, state)
    return state
  }

  function begin(state: HostState): HostTurn {
    let isReleased = false
    state.open += 1
    state.lastBeganAt = now()
    return {
      async release() {
        if (isReleased) return
        isReleased = true
        state.open -= 1
        wake(state)
      },
    }
  }
}

/** Whoever else is asked at the moment does not count. */
function earliestBegin(state: HostState, gapMs: number, window: ActiveWindow | null, now: number): { at: number; why: string } {
  const afterGap = state.lastBeganAt + gapMs
  const at = Math.max(now, afterGap, state.penalisedUntil)
  const why = state.penalisedUntil >= Math.max(now, afterGap) ? state.reason : 'the gap between requests is kept'
  if (window === null) return { at, why }
  const opening = nextOpening(window, at)
  return opening === at ? { at, why } : { at: opening, why: `it is asked from ${window.from} to ${window.to} ${window.timeZone} only` }
}

function wake(state: HostState): void {
  const waiting = [...state.waiting]
  state.waiting.clear()
  for (const go of waiting) go()
}

/** Ends when a turn is given back, a penalty comes, or the time is over; null: no time. */
async function change(state: HostState, afterMs: number | null, signal: AbortSignal): Promise<void> {
  const ended = new AbortController()
  const all = AbortSignal.any([signal, ended.signal])
  let go = (): void => {}
  const woken = new Promise<void>((resolve) => {
    go = resolve
    state.waiting.add(go)
  })
  try {
    // Without a time of its own the wait is ended by a turn given back; the day is only a bound.
    await Promise.race([woken, sleep(afterMs ?? 86_400_000, undefined, { signal: all })])
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    state.waiting.delete(go)
    ended.abort()
  }
}
