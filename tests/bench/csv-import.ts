/**
 * A CSV of 1,000,000 rows × 12 columns through the whole engine (request, claim, hash, ledger, load, dataset, archive): into a table that it makes,
 * and again into the table that is there; all columns text, and seven of them typed. Beside it, in turns on the same server, those of csv-peers.ts;
 * the slow ones on fewer rows, per row. Ratios are those of one round, their median. Also the processor time that server and client took together,
 * which says more than the clock where others use the machine, and how late the worker's event loop was at most.
 */
import { mkdirSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { eventually } from '../helpers/engine.ts'
import { type Bench, type BenchDatabase, type Measurement, quantile, startBenchWorker } from './bench-server.ts'
import { cpuSeconds } from './cpu-share.ts'
import { csvTypes, writeCsv } from './csv-file.ts'
import { csvPeers } from './csv-peers.ts'

const rows = 1_000_000
const rounds = 3

/** For as many rows. */
interface Spent {
  seconds: number
  cpu: number
}

export const csvImport: Bench = async (server, say) => {
  const database = await server.migrated()
  const plain = await server.empty()
  const peers = csvPeers(plain, say)
  const engine = await startEngine(database)
  const spent = new Map<string, Spent[]>()
  let latest = 0
  try {
    for (let round = 0; round <= rounds; round += 1) {
      const line: string[] = []
      const measure = async (what: string, measuredRows: number, work: () => Promise<number | null>): Promise<void> => {
        await database.pool.query('checkpoint')
        const cpuBefore = cpuSeconds(server.pid) + cpuSeconds(process.pid)
        const begun = performance.now()
        const own = await work()
        const seconds = own ?? (performance.now() - begun) / 1000
        const cpu = cpuSeconds(server.pid) + cpuSeconds(process.pid) - cpuBefore
        const share = rows / measuredRows
        line.push(`${what} ${(seconds * share).toFixed(2)} s`)
        if (round > 0) spent.set(what, [...(spent.get(what) ?? []), { seconds: seconds * share, cpu: cpu * share }])
      }
      for (const peer of peers) {
        await peer.prepare(round)
        await measure(peer.name, peer.rows, peer.load)
      }
      for (const kind of ['text', 'typed'] as const) {
        await database.pool.query(`drop table if exists bench.${kind}`)
        for (const target of ['new', 'same'] as const) {
          await engine.prepare(kind)
          await measure(`the engine, ${kind}, into a ${target === 'new' ? 'new' : 'used'} table`, rows, async () => {
            latest = Math.max(latest, await engine.load(kind))
            return null
          })
        }
      }
      say(`csv: ${line.join(', ')}${round === 0 ? ' (warming up)' : ''}`)
    }
    return [...figures(spent), { what: 'event loop of the worker late by at most', value: `${latest.toFixed(0)} ms` }]
  } finally {
    await engine.stop()
  }
}

/** Against the first, which is psql. */
function figures(spent: Map<string, Spent[]>): Measurement[] {
  const [psql = []] = spent.values()
  const times = (mine: Spent[], what: keyof Spent): string =>
    quantile(
      mine.map((one, round) => one[what] / (psql[round]?.[what] ?? Number.NaN)),
      0.5,
    ).toFixed(2)
  return [...spent].map(([what, mine]) => ({
    what,
    value: `${quantile(
      mine.map(({ seconds }) => seconds),
      0.5,
    ).toFixed(2)} s`,
    ratio: `${times(mine, 'seconds')} × psql, processor ${times(mine, 'cpu')} ×`,
  }))
}

interface Engine {
  /** Lays a file into the inbox; its bytes differ from those of all others. */
  prepare(kind: string): Promise<void>
  /** From the request to the end of the run. @returns by how many milliseconds the event loop was late at most meanwhile */
  load(kind: string): Promise<number>
  stop(): Promise<void>
}

async function startEngine(database: BenchDatabase): Promise<Engine> {
  const { pool, dataDir } = database
  for (const kind of ['text', 'typed']) {
    mkdirSync(join(dataDir, 'inbox', kind), { recursive: true })
    await pool.query(
      `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, settle, max_rejects)
       values ($1, $2, '*.csv', 'bench.' || $1, '0', case when $1 = 'typed' then null else 0 end)`,
      [kind, join(dataDir, 'inbox', kind)],
    )
    await pool.query(`insert into dba.scheduler (schedule_name, job, config_name) values ($1, 'import', $1)`, [kind])
  }
  for (const [column, type] of Object.entries(csvTypes)) {
    await pool.query(`insert into dba.importcolumn (config_name, column_name, type) values ('typed', $1, $2)`, [column, type])
  }
  const worker = await startBenchWorker(database, 2)
  let files = 0
  return {
    async prepare(kind) {
      await rm(join(dataDir, 'archive'), { recursive: true, force: true })
      files += 1
      const made = join(dataDir, `${kind}.csv`)
      await writeCsv(made, rows, files)
      await rename(made, join(dataDir, 'inbox', kind, `${files}.csv`))
    },
    async load(kind) {
      // A new one each time: it would count the time between two uses.
      const lateness = monitorEventLoopDelay({ resolution: 10 })
      lateness.enable()
      const { rows: asked } = await pool.query<{ run_id: string }>(`insert into dba.run (schedule_name) values ($1) returning run_id`, [
        kind,
      ])
      const ended = await eventually(
        async () =>
          (
            await pool.query(`select state, rows_written, error_message from dba.run where run_id = $1 and finished_at is not null`, [
              asked[0]?.run_id,
            ])
          ).rows,
        undefined,
        300,
      )
      lateness.disable()
      if (Number(ended[0]?.rows_written) !== rows) throw new Error(`the load went otherwise: ${JSON.stringify(ended[0])}`)
      return lateness.max / 1e6
    },
    stop: () => worker.stop(0),
  }
}
