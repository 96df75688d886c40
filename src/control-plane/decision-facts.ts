/** What a decision stands on: the run that is due, and the runs that are open beside it. */
import type { RunRow, SchedulerRow } from '../db/row-types.ts'

/** A due run with everything the decision stands on. Times are the database's. */
export interface DueRun {
  runId: string
  scheduleId: number
  scheduleName: string
  /** 'planned', or 'waiting' when it is between attempts or held. */
  state: RunRow['state']
  waitsFor: RunRow['waits_for']
  trigger: RunRow['trigger']
  attempt: number
  /** True when a person asked for it: a request, a one-off, a fire put back by hand. */
  isRequested: boolean
  dueAt: Date
  lateSeconds: number
  /** Fires of the same schedule that are due as well and later than this one. */
  laterDue: number
  /** It was due before this database became the live one. */
  isBeforeHome: boolean
  /** Why it is late, from the lives of the workers; null when it is not. */
  outage: string | null
  /** What its row says so far. */
  reason: string | null
  schedule: Terms | null
  config: { name: string; isActive: boolean } | null
  /** Set while the lane is paused. */
  lanePause: string | null
  /** Set while the schedule is paused at the time of the fire. */
  schedulePause: string | null
  jobName: string
  jobLimit: number | null
  /** Set while the data that it stands on is not there. */
  dataHold: string | null
}

/** Terms of the schedule at this moment. */
export interface Terms {
  overlap: SchedulerRow['overlap']
  resource: string | null
  catchUp: SchedulerRow['catch_up']
  maxLateSeconds: number
  maxCatchUp: number
}

/** An open run that another one may have to wait for. */
export interface OpenRun {
  runId: string
  scheduleId: number
  scheduleName: string
  state: RunRow['state']
  /** Set while it waits: for its next attempt (retry), or for what holds it. */
  waitsFor: RunRow['waits_for']
  /** True when a person asked for it. */
  isRequested: boolean
  /** When it was queued or held; null for one that a former look holds. */
  takenUpAt: Date | null
}

/** Who is open now. Decisions of one batch take turns in it, so that two fires of a batch never start together by mistake. */
export interface OpenRuns {
  ofSchedule: Map<number, OpenRun>
  ofResource: Map<string, OpenRun>
  /** Open runs per job. */
  ofJob: Map<string, number>
  /** Runs per schedule that have not begun and wait, first come first. */
  heldOf: Map<number, OpenRun[]>
}
