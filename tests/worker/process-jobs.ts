/** Jobs for tests that need a worker in a process of its own; see own-process.ts beside it. */
import { setTimeout as pause } from 'node:timers/promises'
import { defineJob, type Job } from '../../src/job/define-job.ts'

/** Writes a row in its transaction, and commits when public.gate is open. */
const gated = defineJob({
  name: 'gated',
  config: (row) => row,
  async run({ transaction, run, log }) {
    await transaction(async (client) => {
      await client.query('insert into public.effect (run_id, attempt) values ($1, $2)', [run.runId, run.attempt])
      log('Written, not committed')
      for (;;) {
        const { rowCount } = await client.query('select from public.gate')
        if (rowCount !== 0) return
        await pause(50)
      }
    })
    return { rowsWritten: 1 }
  },
})

export const processJobs: Job[] = [gated]
