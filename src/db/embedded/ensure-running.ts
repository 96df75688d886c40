import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { JobError } from '../../../systemscripts/errors.ts'
import type { Binaries } from './binaries.ts'
import { passwordOf } from './create-cluster.ts'
import { endOrphans } from './orphans.ts'
import { choosePort } from './port.ts'
import { readPostmaster, spawnPostmaster } from './postmaster.ts'
import type { ServerUser } from './server-user.ts'

/** A cluster that exists, and how its server is started. */
export interface Cluster {
  /** Postgres's own data folder. */
  folder: string
  user: ServerUser
  binaries: Binaries
  /** More arguments of `postgres`. */
  flags: string[]
  logFile: string
}

export interface RunningServer {
  pid: number
  port: number
  /** True when it was running already. */
  adopted: boolean
  /** Resolves with how it ended; null for an adopted one, which is no child of ours. */
  ended: Promise<string> | null
}

export interface StartOptions {
  /** The only port it may start on. Default: the last one, else a free one. */
  port?: number
  /** Gives up the wait. A server that was started by then may live: stop it afterwards. */
  signal?: AbortSignal
}

/** Seconds that crash recovery of a large database may take. */
const patienceSeconds = 120

/**
 * The server of a cluster: the one that runs, else a new one. Accepts connections when this returns. Call it only under the cluster's
 * start lock.
 *
 * @throws JobError `embedded_start_failed` with the last lines of its log; the signal's reason
 */
export async function ensureRunning(cluster: Cluster, { port: only, signal }: StartOptions = {}): Promise<RunningServer> {
  const { folder, user, binaries, logFile } = cluster
  const deadline = performance.now() + patienceSeconds * 1000
  for (let starts = 0; performance.now() < deadline; ) {
    signal?.throwIfAborted()
    const found = readPostmaster(folder)
    if (found?.isAlive) {
      const { pid, port, status } = found
      if (status === 'ready' && (await answers(folder, port))) return { pid, port, adopted: starts === 0, ended: null }
      await pause(20)
      continue
    }
    if (found !== null) endOrphans(folder)
    const port = only ?? (await choosePort(folder, user))
    const logStart = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
    const { ended } = spawnPostmaster(folder, user, binaries, { ...cluster, port })
    const outcome = await readyOrEnded(folder, port, ended, { deadline, signal })
    if (typeof outcome !== 'string') return { pid: outcome.pid, port, adopted: false, ended }
    starts += 1
    const said = readFrom(logFile, logStart)
    // somebody took the port in between, or processes of a killed server are still ending
    const isPassing = /could not bind|pre-existing shared memory block/.test(said)
    if (!isPassing || starts === 5) throw startFailed(cluster, outcome, said)
    await pause(100 * starts)
  }
  throw startFailed(cluster, `it was not ready after ${patienceSeconds} seconds`, readFrom(logFile, 0))
}

/** Whether our server accepts connections there: the password opens it, so it is not a stranger on the port. */
export async function answers(folder: string, port: number): Promise<boolean> {
  const client = new Client({ connectionString: urlOf(folder, port, 'postgres'), connectionTimeoutMillis: 5000, query_timeout: 5000 })
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

/** Superuser's address. */
export function urlOf(folder: string, port: number, database = 'rota'): string {
  return `postgres://postgres:${passwordOf(folder)}@127.0.0.1:${port}/${database}`
}

/** The last lines of a log, 4 kB at most, from a byte on when the log still reaches so far. */
export function readFrom(file: string, start: number): string {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  const from = Math.max(start <= size ? start : 0, size - 4096)
  if (size <= from) return ''
  const buffer = Buffer.alloc(size - from)
  const handle = openSync(file, 'r')
  readSync(handle, buffer, 0, buffer.length, from)
  closeSync(handle)
  return buffer.toString('utf8').trim()
}

interface Wait {
  /** By `performance.now()`. */
  deadline: number
  signal: AbortSignal | undefined
}

/** Its process number once it is ready, else how it ended. */
async function readyOrEnded(
  folder: string,
  port: number,
  ended: Promise<string>,
  { deadline, signal }: Wait,
): Promise<{ pid: number } | string> {
  let end: string | null = null
  ended.then((how) => {
    end = how
  })
  while (performance.now() < deadline) {
    if (end !== null) return end
    const running = readPostmaster(folder)
    if (running?.isAlive) {
      // not before: whoever stops it finds it by its pid file
      signal?.throwIfAborted()
      if (running.status === 'ready' && (await answers(folder, port))) return { pid: running.pid }
    }
    await pause(20)
  }
  return `it was not ready after ${patienceSeconds} seconds`
}

function startFailed({ folder, logFile }: Cluster, how: string, said: string): JobError {
  return new JobError('embedded_start_failed', `The embedded Postgres in "${folder}" did not start: ${how}`, {
    detail: said === '' ? `Nothing new stands in ${logFile}.` : said,
    hint: `Read ${logFile}. Disk full, a folder that belongs to another user, and another major version are the usual causes.`,
  })
}
