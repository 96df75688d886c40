import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Ending } from './after-everything.ts'

export interface Launched {
  process: ChildProcess
  /** What the script said in its first line of output, which is JSON. */
  said: Record<string, unknown>
}

/**
 * Runs a script of ours in a process of its own and returns when it has said its first line. What still runs at the end of the test is
 * killed.
 *
 * @param user another user to run as; only root can.
 */
export async function launch(
  t: Ending,
  script: URL | string,
  args: string[],
  user: { uid?: number; gid?: number } = {},
): Promise<Launched> {
  const path = typeof script === 'string' ? script : fileURLToPath(script)
  const child = spawn(process.execPath, [path, ...args], { ...user, stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => kill(child))
  for await (const line of createInterface({ input: child.stdout })) return { process: child, said: JSON.parse(line) }
  throw new Error(`${path} ended without a word`)
}

/** As with `kill -9`; returns when the process is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
