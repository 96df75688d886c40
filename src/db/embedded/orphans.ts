import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/**
 * Ends the processes that a killed postmaster left behind. Most see its death and end by themselves; one in the middle of a long
 * calculation does not, and its hold on the dead server's shared memory would keep the next server from starting. What they had not
 * committed is lost with the dead server either way. Call it only while no postmaster lives, under the cluster's start lock.
 *
 * They are found on Linux only, by the folder they work in; elsewhere it does nothing, and the start waits for them.
 */
export function endOrphans(folder: string): void {
  if (process.platform !== 'linux') return
  for (const entry of readdirSync('/proc')) {
    if (/^\d+$/.test(entry)) endIfServer(entry, folder)
  }
}

function endIfServer(pid: string, folder: string): void {
  try {
    // every process of a server works in its data folder, and its title says what it does
    if (readlinkSync(`/proc/${pid}/cwd`) !== folder || !readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('postgres:')) return
    process.kill(Number(pid), 'SIGKILL')
  } catch {
    // it ended meanwhile, or belongs to somebody else
  }
}
