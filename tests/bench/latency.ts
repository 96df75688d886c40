/**
 * An idle system: milliseconds from the moment that a run is due until its job begins, as the job itself sees it, in turns with
 * graphile-worker on the same server. Asked for: an INSERT into dba.run beside graphile_worker.add_job. By the clock: 20 schedules beside 20
 * cron items, both every minute.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { parseCronItems, run as runGraphile } from 'graphile-worker'
import { openPool } from '../../src/db/open.ts'
import { defineJob } from '../../src/job/define-job.ts'
import { declareJobs, startOwnWorker } from '../helpers/own-jobs.ts'
import { type Bench, type BenchDatabase, type Measurement, quantile } from './bench-server.ts'

const requests = 200
const betweenMs = 100
const everyMinute = 20
const minutes = 2

export const latency: Bench = async (server, say) => {
  const rota = await startRota(await server.migrated())
  const graphile = await startGraphile(await server.empty())
  try {
    const asked: { rota: number[]; graphile: number[] } = { rota: [], graphile: [] }
    for (let round = 0; round < requests; round++) {
      // What follows the one before has come to rest.
      await pause(betweenMs)
      asked.rota.push(await rota.request())
      await pause(betweenMs)
      asked.graphile.push(await graphile.request())
    }
    await rota.schedule()
    say(`latency: waiting for ${minutes} whole minutes`)
    // Both begin with the first whole minute that both were there for.
    const from = Math.ceil((Date.now() + 2000) / 60_000) * 60_000
    await pause(from + (minutes - 1) * 60_000 + 10_000 - Date.now())
    return [...figures('request', asked), ...figures('cron', { rota: rota.lateness(from), graphile: graphile.lateness(from) })]
  } finally {
    await rota.stop()
    await graphile.stop()
  }
}

function figures(what: string, { rota, graphile }: { rota: number[]; graphile: number[] }): Measurement[] {
  return [0.5, 0.99].flatMap((share) => {
    const name = share === 0.5 ? 'median' : 'p99'
    const [ours, theirs] = [quantile(rota, share), quantile(graphile, share)]
    return [
      {
        what: `${what}: due until started, ${name} of ${rota.length}`,
        value: `${ours.toFixed(1)} ms`,
        ratio: `${(ours / theirs).toFixed(2)} of graphile-worker`,
      },
      { what: `${what}: graphile-worker, ${name} of ${graphile.length}`, value: `${theirs.toFixed(1)} ms` },
    ]
  })
}

interface Contestant {
  /** Asks for one run; milliseconds until it began. */
  request(): Promise<number>
  /** Milliseconds by which the runs of whole minutes from this one on began late. */
  lateness(from: number): number[]
  stop(): Promise<void>
}

async function startRota(database: BenchDatabase): Promise<Contestant & { schedule(): Promise<void> }> {
  const query = async (text: string, values?: unknown[]) => (await database.pool.query(text, values)).rows
  const starts = createStarts()
  const told = defineJob({
    name: 'told',
    config: (row) => row,
    async run({ run }) {
      starts.tell(run.trigger === 'cron' ? run.scheduledFor.getTime() : null)
      return {}
    },
  })
  await declareJobs(query, [told])
  await query(`insert into dba.scheduler (schedule_name, job, overlap) values ('asked', 'told', 'allow')`)
  const worker = await startOwnWorker({ ...database, jobs: [told], concurrency: 10 })
  return {
    request: () => starts.timed(() => query(`insert into dba.run (schedule_name) values ('asked')`)),
    async schedule() {
      await query(
        `insert into dba.scheduler (schedule_name, job, cron) select 'minute ' || n, 'told', '* * * * *' from generate_series(1, $1) n`,
        [everyMinute],
      )
    },
    lateness: (from) => starts.lateness(from),
    stop: () => worker.stop(1),
  }
}

async function startGraphile(database: BenchDatabase): Promise<Contestant> {
  const starts = createStarts()
  const items = Array.from({ length: everyMinute }, (_, n) => ({ task: 'told', match: '* * * * *', identifier: `minute ${n}` }))
  const pool = openPool(database.url, { applicationName: 'graphile-worker', max: 12 })
  const runner = await runGraphile({
    pgPool: pool,
    concurrency: 10,
    noHandleSignals: true,
    parsedCronItems: parseCronItems(items),
    taskList: {
      told: async (payload) => {
        starts.tell(cronMoment(payload))
      },
    },
  })
  runner.events.setMaxListeners(50)
  return {
    request: () => starts.timed(() => runner.addJob('told', {})),
    lateness: (from) => starts.lateness(from),
    async stop() {
      await runner.stop()
      await pool.end()
    },
  }
}

function cronMoment(payload: unknown): number | null {
  if (typeof payload !== 'object' || payload === null || !('_cron' in payload)) return null
  const { _cron: cron } = payload
  return typeof cron === 'object' && cron !== null && 'ts' in cron && typeof cron.ts === 'string' ? Date.parse(cron.ts) : null
}

interface Starts {
  /** A job has begun; null: it was asked for. */
  tell(dueAt: number | null): void
  /** Milliseconds from the call until the next job that was asked for begins. */
  timed(ask: () => Promise<unknown>): Promise<number>
  lateness(from: number): number[]
}

function createStarts(): Starts {
  const late: { dueAt: number; by: number }[] = []
  let begun = Promise.withResolvers<number>()
  return {
    tell(dueAt) {
      if (dueAt === null) begun.resolve(performance.now())
      else late.push({ dueAt, by: Date.now() - dueAt })
    },
    async timed(ask) {
      begun = Promise.withResolvers()
      const asked = performance.now()
      await ask()
      return (await begun.promise) - asked
    },
    lateness: (from) => late.filter(({ dueAt }) => dueAt >= from).map(({ by }) => by),
  }
}
