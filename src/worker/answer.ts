/** Looks at schedules and their configs without running them, and answers at the row. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Pool } from 'pg'
import { listMatchingFiles } from '../../systemscripts/settled-files.ts'
import type { Config } from '../config.ts'
import { type Answer, readUnanswered, type UnansweredSchedule, writeAnswers } from '../control-plane/answers.ts'
import { explainSchedule } from '../control-plane/explain-schedule.ts'
import { createHosts } from '../control-plane/hosts.ts'
import { explainError } from '../db/explain-error.ts'
import type { Connections } from '../job/connections.ts'
import type { Job } from '../job/define-job.ts'
import { folderOf } from './context.ts'
import { splitGlob } from './watched-glob.ts'

export interface AnswerDeps {
  control: Pool
  jobs: Map<string, Job>
  lanes: string[]
  config: Config
  connections: Connections
  redact(text: string): string
  /** Told when the answer of a slow check could not be written; it is looked at again. */
  onError(error: unknown): void
}

const batchSize = 200
/** Per schedule; for a folder on a dead network drive. */
const checkLimitMs = 10_000
/** Checks that take longer are answered on their own, when they end. */
const patienceMs = 200

/**
 * The returned function answers every schedule that needs it, and leaves out rows that somebody holds open. It does not wait for slow
 * checks: those go on beside, and a schedule is not looked at again while they do unless it is edited. One call at a time.
 */
export function createScheduleAnswers(deps: AnswerDeps): () => Promise<void> {
  const underway = new Set<string>()

  async function answerAll(): Promise<void> {
    for (;;) {
      const unanswered = await readUnanswered(deps.control, deps.lanes, [...underway], batchSize)
      if (unanswered.length === 0) return
      const quick = await answerQuick(unanswered)
      const written = await writeAnswers(deps.control, quick)
      // Rows that are held open come again at the next look, not in this loop.
      if (written < quick.length || unanswered.length < batchSize) return
    }
  }

  /** Answers of the checks that end soon; the others write theirs themselves. */
  async function answerQuick(schedules: UnansweredSchedule[]): Promise<Answer[]> {
    const quick: Answer[] = []
    let isOver = false
    const checks = schedules.map(async (schedule) => {
      underway.add(schedule.key)
      try {
        const found = await answer(schedule, deps)
        if (isOver) await writeAnswers(deps.control, [found])
        else quick.push(found)
      } catch (error) {
        deps.onError(error)
      } finally {
        underway.delete(schedule.key)
      }
    })
    await withinPatience(Promise.all(checks))
    isOver = true
    return quick
  }

  return answerAll
}

async function withinPatience(work: Promise<unknown>): Promise<void> {
  const { promise: isOver, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, patienceMs)
  await Promise.race([work, isOver])
  clearTimeout(timer)
}

async function answer(schedule: UnansweredSchedule, deps: AnswerDeps): Promise<Answer> {
  const found = await findings(schedule, deps)
  return {
    scheduleId: schedule.scheduleId,
    version: schedule.version,
    configVersion: schedule.configVersion,
    explained: explainSchedule(schedule.terms),
    isOk: found.every((finding) => finding.isOk),
    message: deps.redact(found.map((finding) => finding.message).join('; ') || 'ready'),
  }
}

interface Finding {
  isOk: boolean
  message: string
}

async function findings(schedule: UnansweredSchedule, deps: AnswerDeps): Promise<Finding[]> {
  const { lane } = schedule.terms
  if (!schedule.laneHasWorker) {
    return [{ isOk: false, message: `lane "${lane}" has no live worker: start one with ROTA_LANES=${lane}` }]
  }
  if (!deps.lanes.includes(lane)) return []
  return [...(await lookForFiles(schedule, deps)), ...(await checkJob(schedule, deps))]
}

async function lookForFiles({ terms }: UnansweredSchedule, { config }: AnswerDeps): Promise<Finding[]> {
  if (terms.on_file === null) return []
  const { folder, pattern } = splitGlob(terms.on_file, config.dataDir)
  const signal = AbortSignal.timeout(checkLimitMs)
  try {
    const files = await Promise.race([listMatchingFiles(folder, { pattern, recurse: pattern.includes('/'), signal }), timedOut(signal)])
    return [{ isOk: true, message: `on_file: ${counted(files.length, 'file')} there now on host ${hostname()}` }]
  } catch (error) {
    return [{ isOk: false, message: `on_file: ${inWords(error)}` }]
  }
}

function counted(count: number, noun: string): string {
  return count === 0 ? `no ${noun}` : `${count} ${noun}${count === 1 ? '' : 's'}`
}

async function checkJob(schedule: UnansweredSchedule, deps: AnswerDeps): Promise<Finding[]> {
  const job = deps.jobs.get(schedule.terms.job)
  if (!job) return [{ isOk: false, message: `the worker on ${hostname()} has no job "${schedule.terms.job}"` }]
  const signal = AbortSignal.timeout(checkLimitMs)
  // A look is asked of hosts like any other run.
  const hosts = createHosts(deps.control, randomUUID())
  try {
    const { check } = job.prepare({ ...schedule.settings, ...schedule.args })
    if (check === null) return []
    const result = await Promise.race([
      check({
        args: schedule.args,
        connections: deps.connections,
        hosts,
        query: async (text, values) => (await deps.control.query<Record<string, unknown>>(text, values)).rows,
        folder: (path) => folderOf(deps.config, path),
        programDir: deps.config.programDir ?? null,
        chromium: deps.config.chromium ?? null,
        host: hostname(),
        signal,
      }),
      timedOut(signal),
    ])
    return [result]
  } catch (error) {
    return [{ isOk: false, message: inWords(error) }]
  } finally {
    await hosts.close().catch(() => {})
  }
}

function timedOut(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`the check took longer than ${checkLimitMs / 1000} s on host ${hostname()}`)), {
      once: true,
    })
  })
}

function inWords(error: unknown): string {
  const { message, detail, hint } = explainError(error)
  return [message, detail, hint].filter((part) => part !== null).join(' — ')
}
