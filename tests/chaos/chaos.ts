/**
 * npm run chaos [-- --minutes 10 --workers 4 --kill-every 3 --no-restarts]
 * npm run chaos -- imports [--minutes 10 --workers 4 --kill-every 4 --send-every 0.5 --no-restarts]
 *
 * A server of its own, with fsync, and worker processes that are killed at random and replaced. The first: 14 schedules that fire every second;
 * Postgres is restarted twice. The second: files arrive for every kind of import, connections are cut, and Postgres is killed once a minute.
 * Prints what stands in the ledger afterwards; exit code 1 when a law was broken.
 */
import { parseArgs } from 'node:util'
import { ensureLogins } from '../../src/control-plane/logins.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openPool } from '../../src/db/open.ts'
import { installQueue } from '../../src/worker/queue.ts'
import { startOwnServer } from '../helpers/own-server.ts'
import { workerSecrets } from '../helpers/worker-process.ts'
import { weatherImportStorm } from './imports/storm.ts'
import { type StormReport, weatherStorm } from './storm.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '10' },
    workers: { type: 'string', default: '4' },
    'kill-every': { type: 'string' },
    'send-every': { type: 'string', default: '0.5' },
    'no-restarts': { type: 'boolean', default: false },
  },
})

const server = await startOwnServer()
try {
  await migrate(server.url)
  await installQueue(server.url)
  const report = positionals[0] === 'imports' ? await importStorm() : await scheduleStorm()
  print(report)
  process.exitCode = report.violations.length === 0 ? 0 : 1
} finally {
  await server.end()
}

/** Checks that people wrote run under a login of their own. */
async function giveLogins(): Promise<void> {
  const pool = openPool(server.url, { applicationName: 'chaos', max: 1 })
  await ensureLogins(pool, await workerSecrets({ pool, dataDir: server.dataDir }))
  await pool.end()
}

async function scheduleStorm(): Promise<StormReport> {
  return await weatherStorm({
    ...where(),
    killEvery: Number(values['kill-every'] ?? 3),
    ...(values['no-restarts'] ? {} : { restartPostgres }),
  })
}

async function importStorm(): Promise<StormReport> {
  await giveLogins()
  return await weatherImportStorm({
    ...where(),
    killEvery: Number(values['kill-every'] ?? 4),
    sendEvery: Number(values['send-every']),
    ...(values['no-restarts'] ? {} : { crashPostgres }),
  })
}

function where() {
  return {
    url: server.url,
    dataDir: server.dataDir,
    seconds: Number(values.minutes) * 60,
    workers: Number(values.workers),
    say: (line: string) => console.log(line),
  }
}

async function restartPostgres(): Promise<void> {
  await server.stop()
  await server.start()
}

/** Without a checkpoint, as a power cut would. */
async function crashPostgres(): Promise<void> {
  console.log('Postgres is killed and comes back')
  process.kill(server.pid(), 'SIGQUIT')
  await server.stop()
  await server.start()
}

function print({ counts, violations }: StormReport): void {
  console.table(counts)
  for (const violation of violations) console.log(`VIOLATED  ${violation}`)
  console.log(violations.length === 0 ? 'Every law held.' : `${violations.length} violations.`)
}
