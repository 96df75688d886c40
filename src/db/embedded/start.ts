import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Client } from 'pg'
import { findBinaries } from './binaries.ts'
import { clusterFolder, hasCluster } from './cluster-folder.ts'
import { createCluster } from './create-cluster.ts'
import { answers, type Cluster, ensureRunning, type RunningServer, urlOf } from './ensure-running.ts'
import { waitForLock } from './kernel-lock.ts'
import { readPostmaster, stopPostmaster } from './postmaster.ts'
import { serverUser } from './server-user.ts'
import { untilEnded } from './until-ended.ts'

export interface EmbeddedServer {
  /** Address of superuser `postgres` in database `rota`, password included. */
  url: string
  port: number
  /** True when the server was already running, for instance after its starter was killed. */
  adopted: boolean
  /** Postgres's own data folder. */
  folder: string
  logFile: string
  /** Resolves when its process is gone, within half a second, with what is known of its end. @throws the signal's reason */
  ended(signal: AbortSignal): Promise<string>
  /**
   * Starts it again after its end, on the same data, port and flags; after a crash Postgres recovers by itself. One that somebody else has
   * started meanwhile is adopted. After the signal a server may be starting: stop it.
   *
   * @throws JobError `embedded_start_failed`; the signal's reason
   */
  startAgain(signal: AbortSignal): Promise<void>
  /** Fast shutdown, also of an adopted server; returns when the process is gone. A second call does nothing. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** Absolute, or relative to the working directory; created when missing. */
  dataDir: string
  /** Told what a person should know: where the cluster lies, that it was adopted. Default: silent. */
  log?: (line: string) => void
  /** More arguments of `postgres`, such as `-c fsync=off`. Default: none. */
  flags?: string[]
}

/**
 * Runs the Postgres that belongs to a data folder: created on the first start, adopted when it still runs, started else; database
 * `rota` exists afterwards. The server outlives this process unless it is stopped. It listens on 127.0.0.1 only and logs to
 * `<dataDir>/postgres.log`.
 *
 * Several processes may call this at once: one starts the server, the others wait and adopt it.
 *
 * @throws PermanentError `embedded_not_installed`, `embedded_not_runnable`, `embedded_no_user`, `embedded_create_failed`,
 * `embedded_password_missing`, `data_folder_closed`; JobError `embedded_start_failed` with the last lines of its log.
 */
export async function startEmbedded({ dataDir, log = () => {}, flags = [] }: EmbeddedOptions): Promise<EmbeddedServer> {
  const home = resolve(dataDir)
  mkdirSync(home, { recursive: true })
  const { folder, isElsewhere } = clusterFolder(home)
  if (isElsewhere) {
    log(`The data folder ${home} is closed to the user that Postgres runs as, so the database lies in ${folder}`)
    openForPassing(dirname(folder))
  }
  const lock = await waitForLock(`start ${folder}`)
  try {
    const user = serverUser(folder)
    const binaries = findBinaries(user, dirname(folder))
    if (!hasCluster(folder)) {
      log(`Creating the embedded Postgres in ${folder}`)
      createCluster(folder, user, binaries)
    }
    const cluster = { folder, user, binaries, flags, logFile: join(home, 'postgres.log') }
    const running = await ensureRunning(cluster)
    if (running.adopted) log(`The embedded Postgres was still running on port ${running.port} and is used as it is`)
    await ensureDatabase(folder, running.port)
    return serverOf(cluster, running)
  } finally {
    await lock.release()
  }
}

/**
 * The running embedded server of a data folder, for a process that joins it. Starts nothing.
 *
 * @returns null when none runs, or none was ever made.
 */
export async function findEmbedded(dataDir: string): Promise<{ url: string } | null> {
  const home = resolve(dataDir)
  if (!statSync(home, { throwIfNoEntry: false })?.isDirectory()) return null
  const { folder } = clusterFolder(home)
  if (!hasCluster(folder)) return null
  const running = readPostmaster(folder)
  if (running === null || !running.isAlive || !(await answers(folder, running.port))) return null
  return { url: urlOf(folder, running.port) }
}

function serverOf(cluster: Cluster, first: RunningServer): EmbeddedServer {
  const { folder, user, binaries, logFile } = cluster
  const { port, adopted } = first
  let running = first
  return {
    url: urlOf(folder, port),
    port,
    adopted,
    folder,
    logFile,
    ended: (signal) => untilEnded(folder, running, signal),
    async startAgain(signal) {
      const lock = await waitForLock(`start ${folder}`, signal)
      try {
        running = await ensureRunning(cluster, { port, signal })
      } finally {
        await lock.release()
      }
    },
    stop: () => stopPostmaster(folder, user, binaries),
  }
}

/** Makes a folder of ours under /var/lib that the server's user can pass through, whatever our umask. */
function openForPassing(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const each of [folder, dirname(folder)]) chmodSync(each, 0o711)
}

async function ensureDatabase(folder: string, port: number): Promise<void> {
  const client = new Client({ connectionString: urlOf(folder, port, 'postgres') })
  client.on('error', () => {})
  await client.connect()
  try {
    const found = await client.query(`select 1 from pg_database where datname = 'rota'`)
    if (found.rowCount === 0) await client.query('create database rota')
  } finally {
    await client.end()
  }
}
