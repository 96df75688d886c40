import { setTimeout as pause } from 'node:timers/promises'
import type { RunningServer } from './ensure-running.ts'
import { isServerOf } from './process-alive.ts'

/** How often a server that is no child of ours is looked at. */
const lookMs = 500

/**
 * Waits for the end of a server's process: a child's is told at once, with exit code or signal; another's is found by looking.
 *
 * @returns what is known of how it ended, in words.
 * @throws the signal's reason
 */
export async function untilEnded(folder: string, { pid, ended }: RunningServer, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  if (ended !== null) return await Promise.race([ended, aborted(signal)])
  while (isServerOf(folder, pid)) await pause(lookMs, undefined, { signal })
  return 'how is not known, since an earlier run had started it'
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}
