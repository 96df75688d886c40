/**
 * npm run chaos [-- --minutes 10 --workers 4 --kill-every 3 --no-restarts]
 *
 * A server of its own, with fsync; 14 schedules that fire every second; worker processes that are killed at random and replaced; Postgres
 * restarted twice. Prints what stands in the ledger afterwards; exit code 1 when a law was broken.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbedded } from '../../src/db/embedded/start.ts'
import { migrate } from '../../src/db/migrate.ts'
import { installQueue } from '../../src/worker/queue.ts'
import { type StormReport, weatherStorm } from './storm.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    workers: { type: 'string', default: '4' },
    'kill-every': { type: 'string', default: '3' },
    'no-restarts': { type: 'boolean', default: false },
  },
})

const dataDir = mkdtempSync(join(tmpdir(), 'rota-chaos-'))
chmodSync(dataDir, 0o755)
let server = await startEmbedded({ dataDir })
try {
  await migrate(server.url)
  await installQueue(server.url)
  const report = await weatherStorm({
    url: server.url,
    dataDir,
    seconds: Number(values.minutes) * 60,
    workers: Number(values.workers),
    killEvery: Number(values['kill-every']),
    ...(values['no-restarts'] ? {} : { restartPostgres }),
    say: (line) => console.log(line),
  })
  print(report)
  process.exitCode = report.violations.length === 0 ? 0 : 1
} finally {
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
}

async function restartPostgres(): Promise<void> {
  const { port } = server
  await server.stop()
  server = await startEmbedded({ dataDir })
  if (server.port !== port) throw new Error(`Postgres came back on port ${server.port} instead of ${port}`)
}

function print({ counts, violations }: StormReport): void {
  console.table(counts)
  for (const violation of violations) console.log(`VIOLATED  ${violation}`)
  console.log(violations.length === 0 ? 'Every law held.' : `${violations.length} violations.`)
}
