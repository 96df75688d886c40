/** Plans and dispatches: wakes at the next due moment, when it is told that something changed, and every 30 s in case nobody told. */
import type { Pool } from 'pg'
import { dispatchDueRuns, type Enqueue, untilNextDue } from '../control-plane/dispatch.ts'
import { forgetDeletedSchedules, planReactions, planSchedules } from '../control-plane/plan.ts'
import type { Standing } from './heart.ts'

export interface Conductor {
  /**
   * Until it is told, and while it is `outdated`, it rests; `still` it has rows answered and no more. Resolves when a tick that had begun
   * under another standing has ended.
   */
  follow(standing: Standing): Promise<void>
  /** Something changed. `lookAtAll`: schedules were written, so all are compared with their plans. */
  wake(options?: { lookAtAll: boolean }): void
  /** Ends after the tick that goes on; does not wait for answers. */
  stop(): Promise<void>
}

interface ConductorDeps {
  pool: Pool
  enqueue: Enqueue
  /** Called after a tick that looked at all schedules, beside the work: what it looks at may be slow. One at a time. */
  onLookedAtAll(): Promise<void>
  onError(error: unknown): void
}

const idleMs = 30_000
/** After a fault, and for what is due and was left because somebody else holds it. */
const retryMs = 1000
/** A timer that is later than this may have slept through an outage: then what is owed is planned before anything is dispatched. */
const onTimeMs = 3000

export function startConductor({ pool, enqueue, onLookedAtAll, onError }: ConductorDeps): Conductor {
  let timer: NodeJS.Timeout | undefined
  let ticking: Promise<void> | undefined
  let isAnswering = false
  let mustAnswer = false
  let isWoken = false
  let mustLookAtAll = true
  let isStopped = false
  let standing: Standing | undefined
  // By the wall clock, which goes on while the machine is asleep.
  let expectedAt = 0
  let lookedAt = 0

  function wake(options?: { lookAtAll: boolean }): void {
    isWoken = true
    if (options?.lookAtAll) mustLookAtAll = true
    if (isStopped || ticking || isResting()) return
    clearTimeout(timer)
    ticking = run().finally(() => {
      ticking = undefined
      if (isWoken) wake()
    })
  }

  function isResting(): boolean {
    return standing === undefined || standing === 'outdated'
  }

  async function run(): Promise<void> {
    let wait = retryMs
    try {
      let begun = performance.now()
      while (isWoken && !isStopped && !isResting()) {
        isWoken = false
        begun = performance.now()
        await tick()
      }
      const due = Math.min((await untilNextDue(pool)) ?? idleMs, idleMs)
      const hasSeenIt = due < begun - performance.now()
      wait = hasSeenIt ? retryMs : Math.max(due, 0)
    } catch (error) {
      // What this tick should have done is found again by looking at everything.
      mustLookAtAll = true
      onError(error)
    }
    if (isStopped || isResting()) return
    expectedAt = Date.now() + wait
    timer = setTimeout(() => wake(), Math.ceil(wait) + 1)
  }

  async function tick(): Promise<void> {
    const now = Date.now()
    const lookAtAll = mustLookAtAll || now - lookedAt >= idleMs
    mustLookAtAll = false
    if (standing === 'running') await planAndDispatch(lookAtAll, now)
    if (lookAtAll) {
      lookedAt = now
      answer()
    }
  }

  async function planAndDispatch(lookAtAll: boolean, now: number): Promise<void> {
    const isOnTime = !lookAtAll && now - expectedAt < onTimeMs
    // On time, what is due starts first; the next fires are planned behind it.
    if (isOnTime) await dispatchDueRuns(pool, enqueue)
    if (lookAtAll) await forgetDeletedSchedules(pool)
    await planSchedules(pool, lookAtAll, onError, () => dispatchDueRuns(pool, enqueue))
    await planReactions(pool)
    await dispatchDueRuns(pool, enqueue)
  }

  function answer(): void {
    mustAnswer = true
    if (!isAnswering) void answerAll()
  }

  async function answerAll(): Promise<void> {
    isAnswering = true
    try {
      while (mustAnswer && !isStopped) {
        mustAnswer = false
        await onLookedAtAll()
      }
    } catch (error) {
      if (!isStopped) onError(error)
    } finally {
      isAnswering = false
    }
  }

  return {
    async follow(next) {
      standing = next
      if (isResting() || next === 'still') await ticking
      if (isResting()) clearTimeout(timer)
      else wake({ lookAtAll: true })
    },
    wake,
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await ticking
    },
  }
}
