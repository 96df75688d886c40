import { chmodSync, closeSync, mkdirSync, openSync, readSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { JobError } from '../../../systemscripts/errors.ts'
import { type Binaries, findBinaries } from './binaries.ts'
import { clusterFolder, hasCluster } from './cluster-folder.ts'
import { createCluster, passwordOf } from './create-cluster.ts'
import { waitForLock } from './kernel-lock.ts'
import { choosePort } from './port.ts'
import { readPostmaster, spawnPostmaster, stopPostmaster } from './postmaster.ts'
import { type ServerUser, serverUser } from './server-user.ts'

export interface EmbeddedServer {
  /** Address of superuser `postgres` in database `rota`, password included. */
  url: string
  port: number
  /** True when the server was already running, for instance after its starter was killed. */
  adopted: boolean
  /** Postgres's own data folder. */
  folder: string
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
    const { port, adopted } = await ensureRunning(folder, user, binaries, { flags, logFile: join(home, 'postgres.log') })
    if (adopted) log(`The embedded Postgres was still running on port ${port} and is used as it is`)
    await ensureDatabase(folder, port)
    return { url: urlOf(folder, port), port, adopted, folder, stop: () => stopPostmaster(folder, user, binaries) }
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

/** Makes a folder of ours under /var/lib that the server's user can pass through, whatever our umask. */
function openForPassing(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const each of [folder, dirname(folder)]) chmodSync(each, 0o711)
}

/** Seconds that crash recovery of a large database may take. */
const patienceSeconds = 120

async function ensureRunning(
  folder: string,
  user: ServerUser,
  binaries: Binaries,
  options: { flags: string[]; logFile: string },
): Promise<{ port: number; adopted: boolean }> {
  const deadline = performance.now() + patienceSeconds * 1000
  for (let starts = 0; performance.now() < deadline; ) {
    const running = readPostmaster(folder)
    if (running?.isAlive) {
      if (running.status === 'ready' && (await answers(folder, running.port))) return { port: running.port, adopted: starts === 0 }
      await pause(20)
      continue
    }
    const port = await choosePort(folder, user)
    const logStart = statSync(options.logFile, { throwIfNoEntry: false })?.size ?? 0
    const ended = await readyOrEnded(folder, port, spawnPostmaster(folder, user, binaries, { ...options, port }).ended, deadline)
    if (ended === 'ready') return { port, adopted: false }
    starts += 1
    const said = readFrom(options.logFile, logStart)
    // somebody took the port in between, or processes of a killed server are still ending
    const isPassing = /could not bind|pre-existing shared memory block/.test(said)
    if (!isPassing || starts === 5) throw startFailed(folder, options.logFile, ended, said)
    await pause(100 * starts)
  }
  throw startFailed(folder, options.logFile, `it was not ready after ${patienceSeconds} seconds`, readFrom(options.logFile, 0))
}

async function readyOrEnded(folder: string, port: number, ended: Promise<string>, deadline: number): Promise<string> {
  let end: string | null = null
  ended.then((how) => {
    end = how
  })
  while (performance.now() < deadline) {
    if (end !== null) return end
    const running = readPostmaster(folder)
    if (running?.isAlive && running.status === 'ready' && (await answers(folder, port))) return 'ready'
    await pause(20)
  }
  return `it was not ready after ${patienceSeconds} seconds`
}

/** The password opens it, so it is our server and not a stranger on the port. */
async function answers(folder: string, port: number): Promise<boolean> {
  const client = new Client({ connectionString: urlOf(folder, port, 'postgres'), connectionTimeoutMillis: 5000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

async function ensureDatabase(folder: string, port: number): Promise<void> {
  const client = new Client({ connectionString: urlOf(folder, port, 'postgres') })
  await client.connect()
  try {
    const found = await client.query(`select 1 from pg_database where datname = 'rota'`)
    if (found.rowCount === 0) await client.query('create database rota')
  } finally {
    await client.end()
  }
}

function urlOf(folder: string, port: number, database = 'rota'): string {
  return `postgres://postgres:${passwordOf(folder)}@127.0.0.1:${port}/${database}`
}

function readFrom(file: string, start: number): string {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  const from = Math.max(start <= size ? start : 0, size - 4096)
  if (size <= from) return ''
  const buffer = Buffer.alloc(size - from)
  const handle = openSync(file, 'r')
  readSync(handle, buffer, 0, buffer.length, from)
  closeSync(handle)
  return buffer.toString('utf8').trim()
}

function startFailed(folder: string, logFile: string, how: string, said: string): JobError {
  return new JobError('embedded_start_failed', `The embedded Postgres in "${folder}" did not start: ${how}`, {
    detail: said === '' ? `Nothing new stands in ${logFile}.` : said,
    hint: `Read ${logFile}. Disk full, a folder that belongs to another user, and another major version are the usual causes.`,
  })
}
