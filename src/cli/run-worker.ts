import type { Call } from './command.ts'
import type { RunningWorker } from './deps.ts'
import { durationText } from './moments.ts'
import { runLine } from './run-line.ts'
import type { StopSignals } from './stop-signals.ts'

/** Starts a worker of this process that prints one line per run as it ends. */
export function startPrintingWorker({ deps, out, config }: Call, url: string): Promise<RunningWorker> {
  return deps.startWorker({
    config: config(),
    url,
    log: (line) => out.line(line),
    onRunEnd: (line) => out.line(runLine(line)),
  })
}

/**
 * Keeps the process until it is asked to stop, then lets the worker end what it has begun. A second request ends that wait.
 *
 * @throws what the worker failed with, when it cannot go on.
 */
export async function workUntilStopped(call: Call, worker: RunningWorker, signals: StopSignals, drainSeconds: number): Promise<void> {
  const signal = await Promise.race([signals.first, worker.failed])
  call.out.line(
    `${signal === 'SIGINT' ? 'Ctrl-C' : signal}: no more runs are taken; those that go on have ${durationText(drainSeconds)}. Once more: at once.`,
  )
  const drained = worker.stop(drainSeconds)
  const isHurried = await Promise.race([drained.then(() => false), signals.second.then(() => true)])
  if (isHurried) await worker.stop(0)
}
