import { loginUrl } from '../../control-plane/logins.ts'
import { lockDataDir } from '../../db/embedded/data-lock.ts'
import { type Keeper, keepRunning } from '../../db/embedded/keep-running.ts'
import { type EmbeddedServer, startEmbedded } from '../../db/embedded/start.ts'
import { explainError } from '../../db/explain-error.ts'
import type { Call, Command } from '../command.ts'
import { startDemo } from '../demo.ts'
import type { RunningWorker } from '../deps.ts'
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
    'An embedded Postgres that dies is started again; when it keeps dying, all ends with exit code 1.',
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
/** While Postgres is away no run can end, and the farewell takes longer. */
const drainSecondsWithoutPostgres = 0.5

async function runWithDatabase(call: Call, signals: StopSignals): Promise<number> {
  const { databaseUrl, dataDir } = call.config()
  if (databaseUrl !== undefined) return serve(call, databaseUrl, signals, lives)
  const server = await startServer(call, dataDir)
  const keeper = keepRunning(server, (line) => call.out.line(line))
  try {
    return await serve(call, server.url, signals, keeper)
  } finally {
    await keeper.stop()
    await server.stop()
    call.out.line('Postgres has stopped.')
  }
}

/** What keeps the database there. */
type Life = Omit<Keeper, 'stop'>

/** Of a database that is somebody else's to keep. */
const lives: Life = { failed: new Promise<never>(() => undefined), isRunning: () => true, persist: (work) => work() }

async function startServer(call: Call, dataDir: string): Promise<EmbeddedServer> {
  const server = await startEmbedded({ dataDir, log: (line) => call.out.line(line) })
  call.out.line(`Postgres runs on port ${server.port}, its data in ${server.folder}`)
  return server
}

async function serve(call: Call, url: string, signals: StopSignals, life: Life): Promise<number> {
  let isStopping = false
  signals.first.then(() => {
    isStopping = true
  })
  await life.persist(() => prepareDatabase(call, url))
  const { demo, dataDir } = call.config()
  const say = (line: string): void => call.out.line(line)
  const site = demo && !isStopping ? await life.persist(() => startDemo({ url, dataDir, say })) : null
  try {
    return isStopping ? 0 : await work(call, url, signals, life)
  } finally {
    await site?.close()
  }
}

async function work(call: Call, url: string, signals: StopSignals, life: Life): Promise<number> {
  const worker = await life.persist(() => startPrintingWorker(call, url))
  try {
    call.out.line(`Worker ${worker.worker} takes runs of ${worker.lanes.join(', ')}.`)
    await printAddress(call, life)
    await workUntilStopped(call, dependingOn(life, worker), signals, drainSeconds)
  } catch (error) {
    // where the database is gone for good, there is nobody to say farewell to
    await worker.stop(0).catch(() => undefined)
    throw error
  }
  return 0
}

/** A worker that cannot go on without its database, and does not wait for it at its end. */
function dependingOn(life: Life, worker: RunningWorker): RunningWorker {
  return {
    ...worker,
    failed: Promise.race([worker.failed, life.failed]),
    stop: (limitSeconds) => worker.stop(life.isRunning() ? limitSeconds : Math.min(limitSeconds, drainSecondsWithoutPostgres)),
  }
}

/** The one line with an address, which stands at its end: people and scripts look for it. */
async function printAddress(call: Call, life: Life): Promise<void> {
  try {
    const address = await life.persist(() =>
      withSecrets(call, async (secrets, base) => loginUrl(base, 'rota_dba', await secrets.get('login.rota_dba'))),
    )
    call.out.line(`Ready. Connect DBeaver or psql to ${address}`)
  } catch (error) {
    // Rota runs without it; why its password is not known was said when the logins were looked at.
    call.out.line(`Ready. The address of rota_dba is not known here: ${explainError(error).message}`)
  }
}
