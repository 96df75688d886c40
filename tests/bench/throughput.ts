/**
 * 1,000 runs that do nothing through one worker at concurrency 10, beside 1,000 messages through bare pg-boss with as many workers: from the
 * end of the INSERT until the last one has ended. Interleaved rounds on the same server; a run is four ledger states, an attempt and its log lines.
 */
import { PgBoss } from 'pg-boss'
import { eventually } from '../helpers/engine.ts'
import { type Bench, type BenchDatabase, quantile, startBenchWorker } from './bench-server.ts'

const runs = 1000
const concurrency = 10
const rounds = 5

export const throughput: Bench = async (server, say) => {
  const rota = await startRota(await server.migrated())
  const boss = await startBoss(await server.empty())
  const seconds: { rota: number[]; boss: number[] } = { rota: [], boss: [] }
  try {
    for (let round = 0; round <= rounds; round++) {
      const ours = await rota.round()
      const bare = await boss.round()
      say(
        `throughput: ${(runs / ours).toFixed(0)} runs/s, pg-boss ${(runs / bare).toFixed(0)} messages/s${round === 0 ? ' (warming up)' : ''}`,
      )
      if (round > 0) {
        seconds.rota.push(ours)
        seconds.boss.push(bare)
      }
    }
  } finally {
    await rota.stop()
    await boss.stop()
  }
  const [ours, bare] = [quantile(seconds.rota, 0.5), quantile(seconds.boss, 0.5)]
  return [
    {
      what: `${runs} runs through one worker, concurrency ${concurrency}`,
      value: `${(runs / ours).toFixed(0)} runs/s`,
      ratio: `${(bare / ours).toFixed(2)} of pg-boss`,
    },
    { what: `${runs} messages through bare pg-boss, ${concurrency} workers`, value: `${(runs / bare).toFixed(0)} messages/s` },
  ]
}

interface Contestant {
  /** Seconds that all took. */
  round(): Promise<number>
  stop(): Promise<void>
}

async function startRota(database: BenchDatabase): Promise<Contestant> {
  const query = async (text: string, values?: unknown[]) => (await database.pool.query(text, values)).rows
  await query(`insert into dba.scheduler (schedule_name, job, overlap) values ('bench', 'noop', 'allow')`)
  const worker = await startBenchWorker(database, concurrency)
  await query(`insert into dba.run (schedule_name) values ('bench')`)
  await eventually(() => query(`select from dba.run where state = 'succeeded'`))
  return {
    async round() {
      await query('vacuum analyze')
      await query(`insert into dba.run (schedule_name) select 'bench' from generate_series(1, $1)`, [runs])
      const begun = performance.now()
      await eventually(
        () => query(`select from dba.run where state in ('planned', 'waiting', 'queued', 'running') limit 1`),
        (open) => open.length === 0,
        120,
      )
      return (performance.now() - begun) / 1000
    },
    stop: () => worker.stop(0),
  }
}

/** As fast as it goes: notifications, one message per fetch and worker, and each worker fetches again when it has done one. */
async function startBoss(database: BenchDatabase): Promise<Contestant> {
  const boss = new PgBoss({ connectionString: database.url, max: concurrency + 2, useListenNotify: true, schedule: false })
  boss.on('error', (error) => console.error(error))
  await boss.start()
  await boss.createQueue('bench', { notify: true, retryLimit: 0 })
  for (let index = 0; index < concurrency; index++) {
    const worker = { id: '' }
    worker.id = await boss.work('bench', { localConcurrency: 1, batchSize: 1, pollingIntervalSeconds: 0.5 }, async () => {
      queueMicrotask(() => boss.notifyWorker(worker.id))
    })
  }
  return {
    async round() {
      await database.pool.query('vacuum analyze')
      const messages = Array.from({ length: runs }, (_, index) => ({ data: { index } }))
      await boss.insert('bench', messages)
      const begun = performance.now()
      const isOpen = `select from pgboss.job where name = 'bench' and state < 'completed' limit 1`
      await eventually(
        async () => (await database.pool.query(isOpen)).rows,
        (open) => open.length === 0,
        120,
      )
      return (performance.now() - begun) / 1000
    },
    stop: () => boss.stop({ graceful: false, close: true }),
  }
}
