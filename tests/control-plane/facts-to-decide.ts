/** Facts of a decision, as dispatch.ts gathers them: a fire on time that nothing stands against, and what may stand against it. */
import type { DueRun, OpenRun, OpenRuns, Terms } from '../../src/control-plane/decision-facts.ts'

export const outage = 'no worker was up from Mon 2026-11-16 06:00 UTC to Mon 2026-11-16 07:00 UTC'

export function fire(overrides: Partial<DueRun> = {}): DueRun {
  return {
    runId: 'this',
    scheduleId: 1,
    scheduleName: 'one',
    state: 'planned',
    waitsFor: null,
    trigger: 'cron',
    attempt: 0,
    isRequested: false,
    dueAt: secondsAfter(-0.01),
    lateSeconds: 0.01,
    laterDue: 0,
    isBeforeHome: false,
    outage: null,
    reason: null,
    schedule: terms(),
    config: null,
    lanePause: null,
    schedulePause: null,
    jobName: 'noop',
    jobLimit: null,
    dataHold: null,
    ...overrides,
  }
}

export function late(overrides: Partial<DueRun> = {}): DueRun {
  return fire({ lateSeconds: 600, outage, ...overrides })
}

export function terms(overrides: Partial<Terms> = {}): Terms {
  return { overlap: 'skip', resource: null, catchUp: 'last', maxLateSeconds: 86_400, maxCatchUp: 24, ...overrides }
}

export function nobody(): OpenRuns {
  return { ofSchedule: new Map(), ofResource: new Map(), ofJob: new Map(), heldOf: new Map() }
}

export function someone(state: OpenRun['state']): OpenRuns {
  return { ...nobody(), ofSchedule: new Map([[1, openRun('before', state, state === 'waiting' ? 'retry' : null)]]) }
}

export function held(runId: string, isRequested = false): OpenRuns {
  return { ...nobody(), heldOf: new Map([[1, [{ ...openRun(runId, 'waiting', 'resource'), isRequested }]]]) }
}

export function openRun(runId: string, state: OpenRun['state'], waitsFor: OpenRun['waitsFor']): OpenRun {
  return { runId, scheduleId: 1, scheduleName: 'one', state, waitsFor, isRequested: false, takenUpAt: secondsAfter(-60) }
}

/** The moment of all these decisions, moved. */
export function secondsAfter(seconds: number): Date {
  return new Date(Date.UTC(2026, 10, 16, 7) + seconds * 1000)
}
