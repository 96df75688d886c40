/** A worker: plans, dispatches, takes runs of its lanes, keeps them alive, and ends what dead workers left open. */
import { hostname } from 'node:os'
import type { Pool } from 'pg'
import { JobError } from '../../systemscripts/errors.ts'
import type { Redactor } from '../../systemscripts/redact.ts'
import { type ClaimedRun, type Lease, longQueued } from '../control-plane/runs.ts'
import { inTransaction } from '../control-plane/transaction.ts'
import { registerWorker, setWorkerState } from '../control-plane/workers.ts'
import { explainError } from '../db/explain-error.ts'
import type { Job } from '../job/define-job.ts'
import { startConductor } from './conductor.ts'
import { createEndWriter } from './end-writer.ts'
import { type AttemptContext, type EndedAttempt, type RunningAttempt, startAttempt } from './execute.ts'
import { endStrays, startHeart } from './heart.ts'
import { machineId, workerName } from './machine.ts'
import type { Queue } from './queue.ts'
import { createRunTaker } from './take-runs.ts'

export interface WorkerDeps {
  /** For planning, claiming and signs of life; apart from the jobs' pool so that no job can starve them. */
  control: Pool
  queue: Queue
  jobs: Map<string, Job>
  lanes: string[]
  concurrency: number
  version: string
  /** Highest migration that this code knows. */
  schemaVersion: number
  redactor: Redactor
  createContext(claimed: ClaimedRun, lease: Lease, signal: AbortSignal): AttemptContext
  onRunStart(claimed: ClaimedRun): void
  onRunEnd(claimed: ClaimedRun, ended: EndedAttempt): void
  /** Answers at the rows that wait for one: schedules, configs, connections. */
  answer(): Promise<void>
  /** Words for the worker's own log. */
  say(level: 'info' | 'warning' | 'error', message: string, error?: unknown): void
}

export interface Worker {
  name: string
  /** False: it takes no runs and makes none. */
  mayTake(): boolean
  /** To be called for every notification of channel rota. */
  notified(payload: string): void
  /** The database may have been away: look at everything. */
  lookAgain(): void
  /** Takes no more runs, waits for those that go on up to the limit, hands the rest back. May be called again with a shorter limit. */
  stop(limitSeconds: number): Promise<void>
}

const pollMs = 5000
const resendMs = 60_000
/** What a job that was told to stop gets before its run is handed back without it. */
const handBackMs = 1500

export async function startWorker(deps: WorkerDeps): Promise<Worker> {
  const { control, queue, lanes, concurrency, say } = deps
  const name = workerName()
  const machine = machineId()
  const ends = createEndWriter(control)
  const running = new Map<string, RunningAttempt>()
  let isTaking = true
  let mayTake = false

  await registerWorker(control, { worker: name, host: hostname(), pid: process.pid, version: deps.version, lanes, machine })

  const taker = createRunTaker({
    control,
    queue,
    worker: name,
    lanes,
    freePlaces: () => (isTaking && mayTake ? concurrency - running.size : 0),
    begin,
    onError: (error) => say('warning', 'Runs could not be taken; it is tried again', error),
  })
  const conductor = startConductor({
    pool: control,
    enqueue: (client, messages) => queue.send(client, messages),
    onLookedAtAll: deps.answer,
    onError: (error) => say('warning', 'Planning failed and is tried again', error),
  })
  const heart = startHeart({
    control,
    worker: name,
    machine,
    schemaVersion: deps.schemaVersion,
    running,
    async onStanding(standing) {
      mayTake = standing === 'running'
      await conductor.follow(standing)
      lookForLost()
      if (mayTake) taker.fill()
    },
    onReaped: (lost) =>
      say('warning', `Attempt ${lost.attempt} of "${lost.scheduleName}" was lost with worker ${lost.worker}; the run is ${lost.state}`),
    say,
  })
  const poll = setInterval(taker.fill, pollMs)
  const resend = setInterval(lookForLost, resendMs)

  function lookForLost(): void {
    if (!mayTake) return
    sendAgain(control, queue).catch((error: unknown) => say('warning', 'Long queued runs could not be looked at', error))
  }

  function begin(claimed: ClaimedRun): void {
    deps.onRunStart(claimed)
    const attempt = startAttempt(
      { pool: control, ends, worker: name, jobs: deps.jobs, createContext: deps.createContext, redactor: deps.redactor },
      claimed,
    )
    running.set(claimed.runId, attempt)
    attempt.ended
      .then((ended) => deps.onRunEnd(claimed, ended))
      .catch((error: unknown) => say('error', `The end of run ${claimed.runId} could not be written`, error))
      .finally(() => {
        running.delete(claimed.runId)
        if (isTaking) taker.fill()
      })
  }

  let stopping: Promise<void> | undefined
  let limitTimer: NodeJS.Timeout | undefined
  const limit = Promise.withResolvers<void>()

  async function drainAndStop(): Promise<void> {
    isTaking = false
    clearInterval(poll)
    clearInterval(resend)
    await conductor.stop()
    await heart.drain().catch(() => undefined)
    await Promise.race([limit.promise, allEnded()])
    const stopped = new JobError('worker_stopped', `Worker ${name} was stopped`, { hint: 'Nothing to do: another worker goes on with it.' })
    for (const attempt of running.values()) attempt.stop(stopped)
    await Promise.race([allEnded(), new Promise((resolve) => setTimeout(resolve, handBackMs))])
    await heart.stop()
    await endStrays(
      control,
      name,
      [...running.values()].map((attempt) => attempt.lease),
      { outcome: 'handed_back', error: explainError(stopped) },
    ).catch(() => undefined)
    await setWorkerState(control, name, 'stopped').catch(() => undefined)
  }

  async function allEnded(): Promise<void> {
    // What is being claimed at this moment is still begun.
    await taker.settled()
    while (running.size > 0) await Promise.allSettled([...running.values()].map((attempt) => attempt.ended))
  }

  return {
    name,
    mayTake: () => mayTake,
    notified(payload) {
      if (payload === 'queued') taker.fill()
      else if (payload === 'cancel') heart.beatNow()
      else if (payload === 'ended') conductor.wake()
      else if (payload === 'run') {
        heart.beatNow()
        conductor.wake()
      } else {
        // Settings say whether this database is live; a migration may be one that this code does not know.
        if (payload === 'setting' || payload === 'migration') heart.lookNow()
        conductor.wake({ lookAtAll: true })
      }
    },
    lookAgain() {
      heart.beatNow()
      conductor.wake({ lookAtAll: true })
      taker.fill()
    },
    async stop(limitSeconds) {
      stopping ??= drainAndStop()
      clearTimeout(limitTimer)
      limitTimer = setTimeout(limit.resolve, limitSeconds * 1000)
      await stopping
      clearTimeout(limitTimer)
    },
  }
}

/** Should the queue have lost a message, its run would stay queued for ever; sending one again that is there changes nothing. */
async function sendAgain(control: Pool, queue: Queue): Promise<void> {
  const messages = await longQueued(control)
  if (messages.length > 0) await inTransaction(control, (client) => queue.send(client, messages))
}
