/**
 * What becomes of one due run: a pure function of the facts at that moment, so that every rule of overlap, pause, hold and catch-up reads
 * in one place and says in words what it did. dispatch.ts gathers the facts and writes the decisions down.
 */

/** A due run with everything the decision stands on. Times are the database's. */
export interface DueRun {
  runId: string
  scheduleId: number
  scheduleName: string
  /** 'planned', or 'waiting' when it is between attempts or held. */
  state: string
  waitsFor: string | null
  trigger: string
  attempt: number
  /** True when a person asked for it: a request, a one-off, a fire put back by hand. */
  isRequested: boolean
  lateSeconds: number
  /** Fires of the same schedule that are due as well and later than this one. */
  laterDue: number
  /** It was due before this database became the live one. */
  isBeforeHome: boolean
  /** Why it is late, from the lives of the workers; empty when it is not. */
  outage: string | null
  schedule: Terms | null
  config: { name: string; isActive: boolean } | null
  lane: string
  /** Set while the lane is paused. */
  lanePause: string | null
  /** Set while the schedule is paused at the time of the fire. */
  schedulePause: string | null
  jobName: string
  jobLimit: number | null
}

/** Terms of the schedule at this moment. */
export interface Terms {
  overlap: string
  resource: string | null
  catchUp: string
  maxLateSeconds: number
  maxCatchUp: number
}

/** An open run that another one may have to wait for. */
export interface OpenRun {
  runId: string
  scheduleId: number
  scheduleName: string
  state: string
}

/** Who is open now. Decisions of one batch take turns in it, so that two fires of a batch never start together by mistake. */
export interface OpenRuns {
  ofSchedule: Map<number, OpenRun>
  ofResource: Map<string, OpenRun>
  /** Open runs per job. */
  ofJob: Map<string, number>
  /** Held runs per schedule, for overlap = queue. */
  heldOf: Map<number, number>
}

export type Decision =
  | { kind: 'queue'; trigger?: 'catch_up'; reason: string | null }
  | { kind: 'wait'; waitsFor: 'lane' | 'run' | 'resource' | 'job'; reason: string; cancels?: OpenRun }
  | { kind: 'end'; state: 'skipped' | 'missed'; reason: string }

/** A fire that is taken up within this time is on time; catch_up speaks of later ones. */
export const lateAfterSeconds = 15

/** Decides one due run and, when it is queued, enters it into `open`. */
export function decide(run: DueRun, open: OpenRuns): Decision {
  const decision = run.attempt > 0 ? retry(run) : (ended(run) ?? late(run) ?? hold(run, open) ?? queue(run))
  if (decision.kind === 'queue') enter(run, open)
  return decision
}

function retry(run: DueRun): Decision {
  // It kept its place between the attempts, so only a paused lane can hold it.
  return run.lanePause ? { kind: 'wait', waitsFor: 'lane', reason: run.lanePause } : { kind: 'queue', reason: null }
}

function ended(run: DueRun): Decision | null {
  if (!run.schedule) return { kind: 'end', state: 'skipped', reason: 'the schedule was deleted' }
  if (run.isRequested) return null
  if (run.schedulePause) return { kind: 'end', state: 'skipped', reason: run.schedulePause }
  if (run.config && !run.config.isActive) {
    return { kind: 'end', state: 'skipped', reason: `config "${run.config.name}" is switched off (is_active is false)` }
  }
  return null
}

function late(run: DueRun): Decision | null {
  const { schedule } = run
  const wasHeldByLane = run.waitsFor === 'lane'
  if (!schedule || run.trigger !== 'cron' || run.isRequested || (run.state === 'waiting' && !wasHeldByLane)) return null
  if (run.isBeforeHome) return { kind: 'end', state: 'missed', reason: 'this database became the live one after that fire' }
  if (run.lateSeconds <= lateAfterSeconds || run.lanePause) return null
  const why = wasHeldByLane ? 'its lane was paused' : (run.outage ?? 'the workers did not get to it in time')
  const miss = (rule: string): Decision => ({ kind: 'end', state: 'missed', reason: `${why}; ${rule}` })
  if (schedule.catchUp === 'skip') return miss('not caught up (catch_up is skip)')
  if (run.lateSeconds > schedule.maxLateSeconds) return miss('too late to be caught up (max_late)')
  if (schedule.catchUp === 'last' && run.laterDue > 0) return miss('a later fire is caught up in its place (catch_up is last)')
  if (run.laterDue >= Math.max(schedule.maxCatchUp, 0)) return miss('more fires than max_catch_up were missed')
  return null
}

function hold(run: DueRun, open: OpenRuns): Decision | null {
  const { schedule } = run
  if (!schedule) return null
  if (run.lanePause) return { kind: 'wait', waitsFor: 'lane', reason: run.lanePause }
  const other = schedule.overlap === 'allow' ? undefined : open.ofSchedule.get(run.scheduleId)
  if (other) return overlapping(run, schedule, other, open)
  const holder = schedule.resource === null ? undefined : open.ofResource.get(schedule.resource)
  if (holder) {
    return {
      kind: 'wait',
      waitsFor: 'resource',
      reason: `resource "${schedule.resource}" is in use by run ${holder.runId} of "${holder.scheduleName}"`,
    }
  }
  const going = open.ofJob.get(run.jobName) ?? 0
  if (run.jobLimit !== null && going >= run.jobLimit) {
    return {
      kind: 'wait',
      waitsFor: 'job',
      reason: `${going} runs of job "${run.jobName}" are open, and dba.job.max_running is ${run.jobLimit}`,
    }
  }
  return null
}

function overlapping(run: DueRun, schedule: Terms, other: OpenRun, open: OpenRuns): Decision {
  const still = `run ${other.runId} is still ${other.state === 'waiting' ? 'waiting for its next attempt' : other.state}`
  if (run.isRequested || run.trigger === 'catch_up' || run.state === 'waiting') {
    return { kind: 'wait', waitsFor: 'run', reason: `${still}` }
  }
  if (schedule.overlap === 'cancel') {
    return { kind: 'wait', waitsFor: 'run', reason: `overlap: ${still} and was told to stop`, cancels: other }
  }
  if (schedule.overlap === 'queue') {
    const held = open.heldOf.get(run.scheduleId) ?? 0
    if (held < Math.max(schedule.maxCatchUp, 1)) {
      open.heldOf.set(run.scheduleId, held + 1)
      return { kind: 'wait', waitsFor: 'run', reason: `overlap: ${still}` }
    }
    return { kind: 'end', state: 'skipped', reason: `overlap: ${still}, and ${held} runs wait for it already (max_catch_up)` }
  }
  return { kind: 'end', state: 'skipped', reason: `overlap: ${still}` }
}

function queue(run: DueRun): Decision {
  if (run.trigger !== 'cron' || run.isRequested || run.lateSeconds <= lateAfterSeconds || run.state === 'waiting') {
    return { kind: 'queue', reason: null }
  }
  return { kind: 'queue', trigger: 'catch_up', reason: `caught up: ${run.outage ?? 'the workers did not get to it in time'}` }
}

function enter(run: DueRun, open: OpenRuns): void {
  if (run.attempt > 0) return
  const entry: OpenRun = { runId: run.runId, scheduleId: run.scheduleId, scheduleName: run.scheduleName, state: 'queued' }
  open.ofSchedule.set(run.scheduleId, entry)
  if (run.schedule?.resource) open.ofResource.set(run.schedule.resource, entry)
  open.ofJob.set(run.jobName, (open.ofJob.get(run.jobName) ?? 0) + 1)
}
