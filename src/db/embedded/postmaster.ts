import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { JobError } from '../../../systemscripts/errors.ts'
import type { Binaries } from './binaries.ts'
import { plainEnvironment } from './plain-environment.ts'
import { isServerOf } from './process-alive.ts'
import type { ServerUser } from './server-user.ts'

/** What a cluster's postmaster.pid says of the server that runs on it, or ran. */
export interface Postmaster {
  pid: number
  port: number
  /** "ready", "starting", "stopping", or "" while the server has not said. */
  status: string
  /** False for a file that a dead server left behind. */
  isAlive: boolean
}

/** Null: no server runs on the cluster, and the last one ended in order. */
export function readPostmaster(folder: string): Postmaster | null {
  const lines = readPidFile(folder)
  if (lines === null) return null
  const pid = Number(lines[0])
  return { pid, port: Number(lines[3] ?? 0), status: (lines[7] ?? '').trim(), isAlive: isServerOf(folder, pid) }
}

/**
 * Starts a server on the cluster, in a process group of its own: the terminal's Ctrl-C then reaches only us, and we stop the server
 * after the work. Returns at once with a promise of its end; whether it accepts connections is for postmaster.pid to say.
 *
 * A pid file that a dead server left is kept, with our pid on its first line: Postgres does not mistake its own parent for a running
 * server, and still finds the shared memory of the dead one in the file. Call it only under the cluster's start lock.
 */
export function spawnPostmaster(folder: string, user: ServerUser, binaries: Binaries, options: SpawnOptions): { ended: Promise<string> } {
  disownPidFile(folder)
  const log = openLog(options.logFile)
  const network = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-p', String(options.port)]
  const server = spawn(binaries.postgres, ['-D', folder, ...network, ...options.flags], {
    ...user,
    cwd: '/',
    detached: true,
    env: plainEnvironment(),
    stdio: ['ignore', log, log],
    windowsHide: true,
  })
  closeSync(log)
  const ended = new Promise<string>((resolve) => {
    server.once('error', (error) => resolve(error.message))
    server.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`))
  })
  server.unref()
  return { ended }
}

export interface SpawnOptions {
  port: number
  flags: string[]
  logFile: string
}

/**
 * Stops the server of a cluster, whoever started it, and returns when its process is gone. Open transactions are rolled back. A
 * server that has not ended after half a minute, or is not ready yet, is stopped without a checkpoint: nothing is lost, the next start
 * takes longer.
 *
 * @throws JobError `embedded_stop_failed`
 */
export async function stopPostmaster(folder: string, user: ServerUser, binaries: Binaries): Promise<void> {
  const server = readPostmaster(folder)
  if (server === null || !server.isAlive) return
  const isStarting = server.status === '' || server.status === 'starting'
  if (process.platform === 'win32') {
    const mode = isStarting ? 'immediate' : 'fast'
    spawnSync(binaries.pgCtl, ['stop', '-D', folder, '-m', mode], { ...user, stdio: 'ignore', windowsHide: true })
  } else {
    signal(server.pid, isStarting ? 'SIGQUIT' : 'SIGINT')
  }
  if (await isGoneWithin(folder, server.pid, 30)) return
  signal(server.pid, 'SIGQUIT')
  if (await isGoneWithin(folder, server.pid, 10)) return
  throw new JobError('embedded_stop_failed', 'The embedded Postgres does not stop', {
    detail: `Process ${server.pid} works on ${folder} and was asked twice within 40 seconds.`,
    hint: `Look at the end of the log postgres.log; as a last resort: kill -QUIT ${server.pid}.`,
  })
}

function readPidFile(folder: string): string[] | null {
  try {
    return readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function disownPidFile(folder: string): void {
  const lines = readPidFile(folder)
  if (lines !== null) writeFileSync(join(folder, 'postmaster.pid'), [String(process.pid), ...lines.slice(1)].join('\n'))
}

/** One log goes on over restarts; above 10 MB it moves aside, in place of the one moved before. */
function openLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > 10 * 1024 * 1024) renameSync(file, `${file}.1`)
  return openSync(file, 'a', 0o600)
}

async function isGoneWithin(folder: string, pid: number, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000
  while (isServerOf(folder, pid)) {
    if (performance.now() > deadline) return false
    await pause(10)
  }
  return true
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it ended between the look and the signal
  }
}
