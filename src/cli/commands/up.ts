import { loginUrl } from '../../control-plane/logins.ts'
import { lockDataDir } from '../../db/embedded/data-lock.ts'
import { type EmbeddedServer, startEmbedded } from '../../db/embedded/start.ts'
import { explainError } from '../../db/explain-error.ts'
import type { Call, Command } from '../command.ts'
import { loadDemoOnce } from '../demo.ts'
import { withSecrets } from '../open-secrets.ts'
import { prepareDatabase } from '../prepare-database.ts'
import { startPrintingWorker, workUntilStopped } from '../run-worker.ts'
import { listenForStop, type StopSignals } from '../stop-signals.ts'

export const up: Command = {
  name: 'up',
  summary: 'Start everything: Postgres, schema, demo, worker; what npm start does.',
  description: [
    'Without DATABASE_URL an embedded Postgres runs in the data folder. ROTA_DEMO=off keeps the demo out.',
    'Prints the address of rota_dba for DBeaver, then one line per run. Ctrl-C ends all within seconds.',
  ].join('\n'),
  async run(call) {
    const config = call.config()
    const signals = listenForStop(call.deps.env)
    try {
      const lock = await lockDataDir(config.dataDir)
      try {
        return await runWithDatabase(call, signals)
      } finally {
        await lock.release()
      }
    } finally {
      signals.release()
    }
  },
}

/** Of the five seconds that a Ctrl-C may take; the rest is for the worker's farewell and Postgres. */
const drainSeconds = 2.5

async function runWithDatabase(call: Call, signals: StopSignals): Promise<number> {
  const { databaseUrl, dataDir } = call.config()
  if (databaseUrl !== undefined) return serve(call, databaseUrl, signals)
  const server = await startServer(call, dataDir)
  try {
    return await serve(call, server.url, signals)
  } finally {
    await server.stop()
    call.out.line('Postgres has stopped.')
  }
}

async function startServer(call: Call, dataDir: string): Promise<EmbeddedServer> {
  const server = await startEmbedded({ dataDir, log: (line) => call.out.line(line) })
  call.out.line(`Postgres runs on port ${server.port}, its data in ${server.folder}`)
  return server
}

async function serve(call: Call, url: string, signals: StopSignals): Promise<number> {
  let isStopping = false
  signals.first.then(() => {
    isStopping = true
  })
  await prepareDatabase(call, url)
  if (call.config().demo && !isStopping) await loadDemoOnce(call, url)
  if (isStopping) return 0
  const worker = await startPrintingWorker(call, url)
  call.out.line(`Worker ${worker.worker} takes runs of ${worker.lanes.join(', ')}.`)
  await printAddress(call)
  await workUntilStopped(call, worker, signals, drainSeconds)
  return 0
}

/** The one line with an address, which stands at its end: people and scripts look for it. */
async function printAddress(call: Call): Promise<void> {
  try {
    await withSecrets(call, async (secrets, base) => {
      call.out.line(`Ready. Connect DBeaver or psql to ${loginUrl(base, 'rota_dba', await secrets.get('login.rota_dba'))}`)
    })
  } catch (error) {
    // Rota runs without it; why its password is not known was said when the logins were looked at.
    call.out.line(`Ready. The address of rota_dba is not known here: ${explainError(error).message}`)
  }
}
