import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** Share of one core that these processes used in so many seconds: user and system time of /proc (Linux only, else NaN). */
export async function cpuShare(processes: () => number[], seconds: number): Promise<number> {
  if (process.platform !== 'linux') return Number.NaN
  const before = ticksOf(processes())
  await pause(seconds * 1000)
  const after = ticksOf(processes())
  let used = 0
  for (const [pid, ticks] of after) used += ticks - (before.get(pid) ?? 0)
  return used / ticksPerSecond / seconds
}

/** Seconds of processor time, user and system, that a process and its children have used so far, those that have ended included (Linux only, else NaN). */
export function cpuSeconds(parent: number): number {
  if (process.platform !== 'linux') return Number.NaN
  const [, ...children] = withChildren(parent)
  const ended = statOf(parent)?.slice(13, 15) ?? []
  const ticks = [...ticksOf([parent, ...children]).values(), ...ended.map(Number)]
  return ticks.reduce((sum, one) => sum + one, 0) / ticksPerSecond
}

/** A server and its backends. */
export function withChildren(parent: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(statOf(Number(name))?.[1]) === parent)
    .map(Number)
  return [parent, ...children]
}

/** USER_HZ, the same on every Linux that Node runs on. */
const ticksPerSecond = 100

function ticksOf(pids: number[]): Map<number, number> {
  return new Map(
    pids.flatMap((pid) => {
      const stat = statOf(pid)
      return stat ? [[pid, Number(stat[11]) + Number(stat[12])] as const] : []
    }),
  )
}

/** The fields of /proc/<pid>/stat from the state on, which is field 3; the name before it may hold blanks. */
function statOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}
