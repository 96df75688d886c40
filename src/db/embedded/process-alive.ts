import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Whether a process with this id exists; a zombie does not count. */
export function isAlive(pid: number): boolean {
  return signalReaches(pid) && commandLine(pid) !== ''
}

/**
 * Whether the process with this id is the server of this cluster: alive, and started on this folder. Windows does not tell how a
 * process was started without a slow detour; there a living one is believed.
 */
export function isServerOf(folder: string, pid: number): boolean {
  if (!signalReaches(pid)) return false
  const line = commandLine(pid)
  return line === null || `${line} `.includes(` ${folder} `)
}

function signalReaches(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Null where it cannot be known; empty for a zombie, whose memory, where the command line lay, is gone. */
function commandLine(pid: number): string | null {
  if (process.platform === 'win32') return null
  if (process.platform !== 'linux') return spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}
