/** Puts the house together: hands the command line its neighbours and the world around it. */
import { runCommandLine } from './cli/command-line.ts'
import { startWorker } from './compose-worker.ts'
import { compareJobs, loadJobs } from './load-jobs.ts'
import { installQueue } from './worker/queue.ts'

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  startWorker,
  installQueue,
  compareJobs: async (query) => compareJobs(await loadJobs(), query),
})
