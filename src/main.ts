/** Puts the house together: hands the command line its neighbours and the world around it. They are loaded when a command needs them. */
import { runCommandLine } from './cli/command-line.ts'

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  startWorker: async (options) => (await import('./compose-worker.ts')).startWorker(options),
  installQueue: async (url) => (await import('./worker/queue.ts')).installQueue(url),
  async compareJobs(query) {
    const { compareJobs, loadJobs } = await import('./load-jobs.ts')
    return compareJobs(await loadJobs(), query)
  },
})
