import type { Command } from '../command.ts'
import { withDatabase } from '../open-database.ts'
import { startPrintingWorker, workUntilStopped } from '../run-worker.ts'
import { listenForStop } from '../stop-signals.ts'

export const worker: Command = {
  name: 'worker',
  summary: 'Add a worker: to the running embedded server of this data folder, or to DATABASE_URL.',
  description: [
    'Takes runs of the lanes in ROTA_LANES (default: default), ROTA_CONCURRENCY at once (default 10).',
    'SIGTERM or Ctrl-C lets runs that go on end, for 30 s at most; the rest is handed back and runs elsewhere.',
  ].join('\n'),
  async run(call) {
    const url = await withDatabase(call, async (database) => database.url)
    const signals = listenForStop(call.deps.env)
    try {
      const running = await startPrintingWorker(call, url)
      call.out.line(`Worker ${running.worker} takes runs of ${running.lanes.join(', ')}. Ctrl-C stops it.`)
      await workUntilStopped(call, running, signals, drainSeconds)
      call.out.line('Stopped.')
      return 0
    } finally {
      signals.release()
    }
  },
}

const drainSeconds = 30
