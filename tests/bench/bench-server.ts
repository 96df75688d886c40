import { Client, type Pool } from 'pg'
import type { RunningWorker } from '../../src/cli/deps.ts'
import { startWorker } from '../../src/compose-worker.ts'
import { readConfig } from '../../src/config.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openPool } from '../../src/db/open.ts'
import { installQueue } from '../../src/worker/queue.ts'
import { startOwnServer } from '../helpers/own-server.ts'

/** One line of the table that `npm run bench` prints. */
export interface Measurement {
  what: string
  value: string
  /** Beside something else of the same run. */
  ratio?: string
}

export type Bench = (server: BenchServer, say: (line: string) => void) => Promise<Measurement[]>

export interface BenchDatabase {
  /** Superuser's address. */
  url: string
  /** As superuser. */
  pool: Pool
  dataDir: string
}

export interface BenchServer {
  /** Process number of the postmaster. */
  pid: number
  /** A database with all migrations and the queue; it goes with the server. */
  migrated(): Promise<BenchDatabase>
  /** A database with nothing in it. */
  empty(): Promise<BenchDatabase>
  stop(): Promise<void>
}

export async function startBenchServer(): Promise<BenchServer> {
  const server = await startOwnServer()
  const pools: Pool[] = []
  let databases = 0
  const root = new Client({ connectionString: server.url })
  await root.connect()

  async function empty(): Promise<BenchDatabase> {
    databases += 1
    await root.query(`create database bench_${databases}`)
    const url = server.url.replace(/rota$/, `bench_${databases}`)
    const pool = openPool(url, { applicationName: 'rota bench', max: 4 })
    pools.push(pool)
    return { url, pool, dataDir: server.dataDir }
  }
  return {
    pid: server.pid(),
    empty,
    async migrated() {
      const database = await empty()
      await migrate(database.url)
      await installQueue(database.url)
      await database.pool.query('select dba.adopt_home()')
      return database
    },
    async stop() {
      await Promise.all(pools.map((pool) => pool.end()))
      await root.end()
      await server.end()
    },
  }
}

/** A worker as `rota worker` starts it, in this process. */
export async function startBenchWorker({ url, dataDir }: BenchDatabase, concurrency: number): Promise<RunningWorker> {
  const config = readConfig({ ROTA_DATA_DIR: dataDir, ROTA_CONCURRENCY: String(concurrency) })
  return await startWorker({ config, url, log: () => undefined })
}

/** The value below which this share of the sorted numbers lies. */
export function quantile(numbers: number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
