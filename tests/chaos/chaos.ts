/**
 * npm run chaos [-- --minutes 10 --workers 4 --kill-every 3 --no-restarts]
 *
 * A server of its own, with fsync; 14 schedules that fire every second; worker processes that are killed at random and replaced; Postgres
 * restarted twice. Prints what stands in the ledger afterwards; exit code 1 when a law was broken.
 */
import { parseArgs } from 'node:util'
import { migrate } from '../../src/db/migrate.ts'
import { installQueue } from '../../src/worker/queue.ts'
import { startOwnServer } from '../helpers/own-server.ts'
import { type StormReport, weatherStorm } from './storm.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    workers: { type: 'string', default: '4' },
    'kill-every': { type: 'string', default: '3' },
    'no-restarts': { type: 'boolean', default: false },
  },
})

const server = await startOwnServer()
try {
  await migrate(server.url)
  await installQueue(server.url)
  const report = await weatherStorm({
    url: server.url,
    dataDir: server.dataDir,
    seconds: Number(values.minutes) * 60,
    workers: Number(values.workers),
    killEvery: Number(values['kill-every']),
    ...(values['no-restarts'] ? {} : { restartPostgres }),
    say: (line) => console.log(line),
  })
  print(report)
  process.exitCode = report.violations.length === 0 ? 0 : 1
} finally {
  await server.end()
}

async function restartPostgres(): Promise<void> {
  await server.stop()
  await server.start()
}

function print({ counts, violations }: StormReport): void {
  console.table(counts)
  for (const violation of violations) console.log(`VIOLATED  ${violation}`)
  console.log(violations.length === 0 ? 'Every law held.' : `${violations.length} violations.`)
}
