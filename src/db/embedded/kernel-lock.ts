import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface KernelLock {
  /** Frees the lock; whoever waits for it wakes at once. A second call does nothing. */
  release(): Promise<void>
}

/** Who has a lock now: its process id, or null when it did not say so within a second. */
export interface LockHolder {
  holderPid: number | null
}

/**
 * A lock among the processes of this machine, under a name.
 *
 * The kernel holds it as a listening local socket, so it ends with its process, however that ends: `kill -9` leaves no stale
 * lock, and a process id that is used again cannot be mistaken for the holder. It does not keep the process alive, and it does
 * not reach into another container's network.
 *
 * @returns the lock, or who has it.
 */
export async function tryLock(name: string): Promise<KernelLock | LockHolder> {
  const address = addressOf(name)
  for (;;) {
    const lock = await listen(address)
    if (lock !== null) return lock
    const holder = await visit(address)
    if (holder !== 'nobody') return { holderPid: await holder.pid().finally(() => holder.leave()) }
    await removeDeadSocket(address)
  }
}

/** Takes the lock, waiting for as long as another process has it. @throws the signal's reason */
export async function waitForLock(name: string, signal?: AbortSignal): Promise<KernelLock> {
  const address = addressOf(name)
  for (;;) {
    signal?.throwIfAborted()
    const lock = await listen(address)
    if (lock !== null) return lock
    const holder = await visit(address)
    if (holder === 'nobody') await removeDeadSocket(address)
    else await goneOrAborted(holder, signal)
  }
}

/** Whether a process has the lock now. */
export async function isTaken(name: string): Promise<boolean> {
  const holder = await visit(addressOf(name))
  if (holder === 'nobody') return false
  holder.leave()
  return true
}

export function isHeld(result: KernelLock | LockHolder): result is KernelLock {
  return 'release' in result
}

/** Linux and Windows have addresses that are no files; elsewhere the socket is a file, which outlives a killed process. */
function addressOf(name: string): string {
  const key = createHash('sha256').update(name).digest('hex').slice(0, 32)
  if (process.platform === 'linux') return `\0rota-${key}`
  if (process.platform === 'win32') return `\\\\.\\pipe\\rota-${key}`
  return join(tmpdir(), `rota-${key}.lock`)
}

function listen(address: string): Promise<KernelLock | null> {
  const visitors = new Set<Socket>()
  const server = createServer((socket) => {
    visitors.add(socket)
    socket.unref()
    socket.on('error', () => socket.destroy())
    socket.on('close', () => visitors.delete(socket))
    socket.write(`${process.pid}\n`)
  })
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)))
    server.listen(address, () => {
      server.unref()
      resolve({ release: () => close(server, visitors) })
    })
  })
}

function close(server: Server, visitors: Set<Socket>): Promise<void> {
  return new Promise((resolve) => {
    // "not running" is the second call's answer
    server.close(() => resolve())
    for (const visitor of visitors) visitor.destroy()
  })
}

interface Visit {
  pid(): Promise<number | null>
  gone(): Promise<void>
  leave(): void
}

async function goneOrAborted(holder: Visit, signal: AbortSignal | undefined): Promise<void> {
  const leave = () => holder.leave()
  signal?.addEventListener('abort', leave)
  if (signal?.aborted) leave()
  await holder.gone()
  signal?.removeEventListener('abort', leave)
}

function visit(address: string): Promise<Visit | 'nobody'> {
  return new Promise((resolve) => {
    const socket = connect(address)
    socket.once('error', () => resolve('nobody'))
    socket.once('connect', () => {
      const gone = new Promise<void>((done) => socket.once('close', () => done()))
      const pid = new Promise<number | null>((done) => {
        socket.once('data', (said) => done(Number.parseInt(String(said), 10) || null))
        socket.once('close', () => done(null))
        setTimeout(() => done(null), 1000).unref()
      })
      resolve({ pid: () => pid, gone: () => gone, leave: () => socket.destroy() })
    })
  })
}

async function removeDeadSocket(address: string): Promise<void> {
  if (address.startsWith('/')) await rm(address, { force: true })
}
