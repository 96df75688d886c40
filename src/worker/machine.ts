import { randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * Names one boot of one machine, or one container: two processes with the same answer see each other's process numbers. Where that cannot be
 * known the answer is unique, so that nobody is taken for a neighbour by mistake.
 */
export function machineId(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return randomBytes(16).toString('hex')
  }
}

/** Does a process of this machine with that number exist? */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** A worker's name: where it runs and which process it is, unique for ever. */
export function workerName(): string {
  return `${hostname()}:${process.pid}:${randomBytes(2).toString('hex')}`
}
