/** One attempt of one run, from its claim to its end: settings → job.run → outcome. Reading this file is reading what happens to a run. */
import type { Pool } from 'pg'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import type { Redactor } from '../../systemscripts/redact.ts'
import type { AttemptEnd } from '../control-plane/attempt-ends.ts'
import type { ClaimedRun, Lease } from '../control-plane/runs.ts'
import { readSettings } from '../control-plane/settings.ts'
import { explainError, isPostgresError, isRetryable } from '../db/explain-error.ts'
import type { Job, JobContext } from '../job/define-job.ts'
import type { Outcome } from '../job/outcome.ts'
import type { EndWriter } from './end-writer.ts'
import { maskEnd } from './mask-end.ts'

export interface AttemptDeps {
  /** For the settings. */
  pool: Pool
  ends: EndWriter
  worker: string
  jobs: Map<string, Job>
  redactor: Redactor
  /** Everything a job is handed but its settings. */
  createContext(claimed: ClaimedRun, lease: Lease, signal: AbortSignal): AttemptContext
}

export interface AttemptContext {
  context: Omit<JobContext<unknown>, 'config'>
  /** Makes sure that the lines of a failed attempt stand in the table, as far as the database is there. */
  flushLog(): Promise<void>
  /** Writes no more progress, and waits for what is being written. */
  close(): Promise<void>
}

/** An attempt that goes on. */
export interface RunningAttempt {
  lease: Lease
  claimed: ClaimedRun
  /** Asks it to stop; the reason's code says how it ends: cancelled, lease_lost, worker_stopped. */
  stop(reason: JobError): void
  /** The end, once it is written down; null when the attempt no longer held the run. */
  ended: Promise<EndedAttempt>
}

export interface EndedAttempt {
  end: AttemptEnd
  /** State of the run afterwards; null: not ours any more. */
  state: string | null
  seconds: number
}

/** A job that was asked to stop gets this long to do so; then it is left behind, and the fence keeps it from doing harm. */
const stopGraceMs = 10_000

export function startAttempt(deps: AttemptDeps, claimed: ClaimedRun): RunningAttempt {
  const lease: Lease = { runId: claimed.runId, attempt: claimed.attempt, worker: deps.worker }
  const controller = new AbortController()
  return { lease, claimed, stop: (reason) => controller.abort(reason), ended: executeAttempt(deps, claimed, lease, controller) }
}

async function executeAttempt(deps: AttemptDeps, claimed: ClaimedRun, lease: Lease, controller: AbortController): Promise<EndedAttempt> {
  const begun = performance.now()
  const limit = startLimit(claimed.timeoutSeconds, controller)
  const { context, flushLog, close } = deps.createContext(claimed, lease, controller.signal)
  let end: AttemptEnd
  try {
    end = maskEnd({ outcome: 'succeeded', facts: await runJob(deps, claimed, context, controller.signal) }, deps.redactor)
  } catch (error) {
    end = maskEnd(endOf(error, controller.signal), deps.redactor)
    if (end.outcome === 'failed') {
      const { code, message, detail, hint } = end.error
      context.log(message, { code, detail, hint }, { level: 'error' })
    }
    await flushLog()
  } finally {
    clearTimeout(limit)
  }
  await close()
  const state = isLost(controller.signal) ? null : await deps.ends.write(lease, end)
  return { end, state, seconds: (performance.now() - begun) / 1000 }
}

async function runJob(
  deps: AttemptDeps,
  claimed: ClaimedRun,
  context: Omit<JobContext<unknown>, 'config'>,
  signal: AbortSignal,
): Promise<Outcome> {
  const job = deps.jobs.get(claimed.job)
  if (!job) {
    throw new JobError('job_unknown_here', `This worker has no job "${claimed.job}"`, {
      detail: `It has ${[...deps.jobs.keys()].map((name) => `"${name}"`).join(', ')}.`,
      hint: 'Bring this worker to the version of the others, or give the schedule a lane that it does not take part in.',
    })
  }
  const prepared = job.prepare(await readSettings(deps.pool, claimed))
  signal.throwIfAborted()
  const work = prepared.run(context)
  return await Promise.race([work, leftBehind(signal)])
}

/** Rejects some time after the signal, for jobs that do not listen to it. */
function leftBehind(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const give = () => setTimeout(() => reject(signal.reason), stopGraceMs).unref()
    if (signal.aborted) give()
    else signal.addEventListener('abort', give, { once: true })
  })
}

function startLimit(timeoutSeconds: number | null, controller: AbortController): NodeJS.Timeout | undefined {
  if (timeoutSeconds === null) return undefined
  return setTimeout(() => {
    controller.abort(
      new JobError('timed_out', `The attempt took longer than ${timeoutSeconds} s`, {
        hint: 'Raise dba.scheduler.timeout, or find out in dba.run_log where the time went.',
      }),
    )
  }, timeoutSeconds * 1000)
}

function isLost(signal: AbortSignal): boolean {
  return signal.reason instanceof JobError && signal.reason.code === 'lease_lost'
}

/** A stopped attempt ends by the reason it was stopped for, whatever the job made of it. */
function endOf(error: unknown, signal: AbortSignal): AttemptEnd {
  const reason: unknown = signal.aborted ? signal.reason : undefined
  if (reason instanceof JobError) {
    if (reason.code === 'cancelled') return { outcome: 'cancelled', reason: reason.message }
    if (reason.code === 'worker_stopped') return { outcome: 'handed_back', error: explainError(reason) }
    return { outcome: 'failed', error: explainError(reason), isPermanent: false }
  }
  const isPermanent = error instanceof PermanentError || (!(error instanceof JobError) && isPostgresError(error) && !isRetryable(error))
  return { outcome: 'failed', error: explainError(error), isPermanent }
}
