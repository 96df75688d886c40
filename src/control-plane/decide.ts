/**
 * What becomes of one due run: a pure function of the facts at that moment, so that every rule of overlap, pause, hold and catch-up reads
 * in one place and says in words what it did. dispatch.ts gathers the facts and writes the decisions down.
 */
import type { RunRow } from '../db/row-types.ts'
import type { DueRun, OpenRun, OpenRuns, Terms } from './decision-facts.ts'

export type Decision =
  | { kind: 'queue'; trigger?: 'catch_up'; reason: string | null }
  | { kind: 'wait'; waitsFor: 'lane' | 'run' | 'resource' | 'job' | 'data'; trigger?: 'catch_up'; reason: string; cancels?: OpenRun[] }
  | { kind: 'end'; state: 'skipped' | 'missed'; reason: string }

/** A fire that is taken up within this time is on time; catch_up speaks of later ones. */
export const lateAfterSeconds = 15

/** Decides one due run and enters it into `open`, where the runs decided after it find it. */
export function decide(run: DueRun, open: OpenRuns): Decision {
  const decision = run.attempt > 0 ? retry(run) : (ended(run) ?? late(run) ?? hold(run, open) ?? queue(run))
  if (decision.kind === 'queue') enter(run, open)
  if (decision.kind === 'wait' && run.state === 'planned') enterHeld(run, decision.waitsFor, decision.cancels ?? [], open)
  return decision
}

function retry(run: DueRun): Decision {
  // It kept its place between the attempts, so only a paused lane can hold it.
  return run.lanePause ? { kind: 'wait', waitsFor: 'lane', reason: run.lanePause } : { kind: 'queue', reason: null }
}

function ended(run: DueRun): Decision | null {
  if (!run.schedule) return { kind: 'end', state: 'skipped', reason: 'the schedule was deleted' }
  if (run.isBeforeHome && run.trigger !== 'always') {
    return { kind: 'end', state: 'missed', reason: 'this database became the live one after that fire' }
  }
  if (run.isRequested) return null
  if (run.schedulePause) return { kind: 'end', state: 'skipped', reason: run.schedulePause }
  if (run.config && !run.config.isActive) {
    return { kind: 'end', state: 'skipped', reason: `config "${run.config.name}" is switched off (is_active is false)` }
  }
  return null
}

function late(run: DueRun): Decision | null {
  const { schedule } = run
  if (!schedule || !isLate(run) || run.lanePause) return null
  const why = whyLate(run)
  const miss = (rule: string): Decision => ({ kind: 'end', state: 'missed', reason: `${why}; ${rule}` })
  if (schedule.catchUp === 'skip') return miss('not caught up (catch_up is skip)')
  if (run.lateSeconds > schedule.maxLateSeconds) return miss('too late to be caught up (max_late)')
  if (schedule.catchUp === 'last' && run.laterDue > 0) return miss('a later fire is caught up in its place (catch_up is last)')
  if (run.laterDue >= schedule.maxCatchUp) return miss('more fires than max_catch_up were missed')
  return null
}

/** A fire of the clock that nobody took up in time; one that waits for another run of its schedule was taken up. */
function isLate(run: DueRun): boolean {
  const isFire = run.trigger === 'cron' && !run.isRequested && (run.state === 'planned' || run.waitsFor === 'lane')
  return isFire && run.lateSeconds > lateAfterSeconds
}

function whyLate(run: DueRun): string {
  return run.waitsFor === 'lane' ? 'its lane was paused' : (run.outage ?? 'the workers did not get to it in time')
}

function hold(run: DueRun, open: OpenRuns): Decision | null {
  const { schedule } = run
  if (!schedule) return null
  if (run.lanePause) return { kind: 'wait', waitsFor: 'lane', reason: run.lanePause }
  const decision = overlapping(run, schedule, open) ?? waitForResource(schedule, open) ?? waitForJob(run, open) ?? waitForData(run)
  const lateness = whyCaughtUp(run)
  if (decision?.kind !== 'wait' || lateness === null) return decision
  return { ...decision, trigger: 'catch_up', reason: `${lateness}; ${decision.reason}` }
}

/** Null: it is on time. What the row said when it began to wait still holds when it starts. */
function whyCaughtUp(run: DueRun): string | null {
  if (isLate(run)) return `caught up: ${whyLate(run)}`
  return run.trigger === 'catch_up' ? (run.reason?.split('; ')[0] ?? null) : null
}

function overlapping(run: DueRun, schedule: Terms, open: OpenRuns): Decision | null {
  if (schedule.overlap === 'allow') return null
  const active = open.ofSchedule.get(run.scheduleId)
  const held = open.heldOf.get(run.scheduleId) ?? []
  const other = active ?? held[0]
  if (run.isRequested || run.state === 'waiting' || isLate(run) || (other && isOwedBeside(other, run, schedule))) {
    return active ? { kind: 'wait', waitsFor: 'run', reason: stillOpen(active) } : null
  }
  if (!other) return null
  if (schedule.overlap === 'cancel') {
    const cancels = [...(active ? [active] : []), ...held.filter((one) => !one.isRequested)]
    return {
      kind: 'wait',
      waitsFor: 'run',
      reason: `overlap: ${stillOpen(other)}${cancels.includes(other) ? ' and was told to stop' : ''}`,
      cancels,
    }
  }
  // Only the clock fires again by itself: what a file, a notification or an upstream has to say is not thrown away.
  if (run.trigger !== 'cron') return { kind: 'wait', waitsFor: 'run', reason: stillOpen(other) }
  if (schedule.overlap === 'skip') return { kind: 'end', state: 'skipped', reason: `overlap: ${stillOpen(other)}` }
  if (held.length < Math.max(schedule.maxCatchUp, 1)) return { kind: 'wait', waitsFor: 'run', reason: `overlap: ${stillOpen(other)}` }
  return { kind: 'end', state: 'skipped', reason: `overlap: ${stillOpen(other)}, and ${held.length} runs wait already (max_catch_up)` }
}

/** A fire that was due before the other one was taken up: nobody looked in between, so it overlaps with nothing. */
function isOwedBeside({ takenUpAt }: OpenRun, { trigger, dueAt }: DueRun, { catchUp }: Terms): boolean {
  return catchUp === 'all' && trigger === 'cron' && takenUpAt !== null && dueAt < takenUpAt
}

function stillOpen({ runId, state, waitsFor }: OpenRun): string {
  return `run ${runId} is still ${state === 'waiting' ? `waiting for ${awaited(waitsFor)}` : state}`
}

function awaited(waitsFor: RunRow['waits_for']): string {
  const words: Record<NonNullable<typeof waitsFor>, string> = {
    retry: 'its next attempt',
    lane: 'its lane',
    run: 'another run',
    resource: 'its resource',
    job: 'its turn',
    data: 'its data',
  }
  return words[waitsFor ?? 'retry']
}

function waitForResource({ resource }: Terms, open: OpenRuns): Decision | null {
  const holder = resource === null ? undefined : open.ofResource.get(resource)
  if (!holder) return null
  return {
    kind: 'wait',
    waitsFor: 'resource',
    reason: `resource "${resource}" is in use by run ${holder.runId} of "${holder.scheduleName}"`,
  }
}

function waitForJob({ jobName, jobLimit }: DueRun, open: OpenRuns): Decision | null {
  const going = open.ofJob.get(jobName) ?? 0
  if (jobLimit === null || going < jobLimit) return null
  const runs = going === 1 ? 'a run of job "' : `${going} runs of job "`
  return {
    kind: 'wait',
    waitsFor: 'job',
    reason: `${runs}${jobName}" ${going === 1 ? 'is' : 'are'} open, and dba.job.max_running is ${jobLimit}`,
  }
}

function waitForData({ dataHold }: DueRun): Decision | null {
  return dataHold === null ? null : { kind: 'wait', waitsFor: 'data', reason: dataHold }
}

function queue(run: DueRun): Decision {
  const lateness = whyCaughtUp(run)
  return lateness === null ? { kind: 'queue', reason: null } : { kind: 'queue', trigger: 'catch_up', reason: lateness }
}

function enter(run: DueRun, open: OpenRuns): void {
  if (run.attempt > 0) return
  const entry = entryOf(run, 'queued', null)
  open.ofSchedule.set(run.scheduleId, entry)
  if (run.schedule?.resource) open.ofResource.set(run.schedule.resource, entry)
  open.ofJob.set(run.jobName, (open.ofJob.get(run.jobName) ?? 0) + 1)
  const held = open.heldOf.get(run.scheduleId) ?? []
  open.heldOf.set(
    run.scheduleId,
    held.filter((other) => other.runId !== run.runId),
  )
}

function enterHeld(run: DueRun, waitsFor: RunRow['waits_for'], cancelled: OpenRun[], open: OpenRuns): void {
  const held = open.heldOf.get(run.scheduleId) ?? []
  open.heldOf.set(run.scheduleId, [...held.filter((other) => !cancelled.includes(other)), entryOf(run, 'waiting', waitsFor)])
}

function entryOf(run: DueRun, state: RunRow['state'], waitsFor: RunRow['waits_for']): OpenRun {
  const { runId, scheduleId, scheduleName, isRequested, dueAt, lateSeconds } = run
  return { runId, scheduleId, scheduleName, state, waitsFor, isRequested, takenUpAt: new Date(dueAt.getTime() + lateSeconds * 1000) }
}
