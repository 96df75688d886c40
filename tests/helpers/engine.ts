/** A real worker for tests: real queue, real Postgres, in this process. */

import type { RunLine, RunningWorker } from '../../src/cli/deps.ts'
import { startWorker } from '../../src/compose-worker.ts'
import type { Config } from '../../src/config.ts'
import { readConfig } from '../../src/config.ts'
import { installQueue } from '../../src/worker/queue.ts'
import type { TestDatabase } from './database.ts'

export interface TestWorker extends RunningWorker {
  lines: RunLine[]
}

/** Starts a worker on a test's database; it ends with the test. */
export async function workerOn(
  t: { after(end: () => Promise<void>): void },
  database: TestDatabase,
  environment: Record<string, string> = {},
): Promise<TestWorker> {
  const config: Config = readConfig({ ROTA_DATA_DIR: database.dataDir, ROTA_SECRET_KEY: testKey, ROTA_LOG_LEVEL: 'debug', ...environment })
  await installQueue(database.url)
  const lines: RunLine[] = []
  const worker = await startWorker({ config, url: database.url, log: () => undefined, onRunEnd: (line) => lines.push(line) })
  t.after(() => worker.stop(0))
  return { ...worker, lines }
}

/** ROTA_SECRET_KEY of those workers. */
export const testKey = 'a key for tests that is long enough to be taken'

/** Waits until a statement returns a row (or rows that `isReached` likes), looking every 20 ms. */
export async function eventually<Row extends Record<string, unknown>>(
  query: () => Promise<Row[]>,
  isReached: (rows: Row[]) => boolean = (rows) => rows.length > 0,
  // Longer than the 30 s in which a worker finds by itself what nobody told it.
  limitSeconds = 40,
): Promise<Row[]> {
  const end = performance.now() + limitSeconds * 1000
  for (;;) {
    const rows = await query()
    if (isReached(rows)) return rows
    if (performance.now() > end) throw new Error(`not reached within ${limitSeconds} s; last seen: ${JSON.stringify(rows).slice(0, 2000)}`)
    await new Promise((resolve) => setImmediate(() => setTimeout(resolve, 20)))
  }
}
