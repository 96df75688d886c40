/** A worker with the jobs of process-jobs.ts in a process of its own: node own-process.ts <url> <data folder>. Says its name, and ends on SIGTERM. */
import { startOwnWorker } from '../helpers/own-jobs.ts'
import { processJobs } from './process-jobs.ts'

const [url = '', dataDir = ''] = process.argv.slice(2)
const worker = await startOwnWorker({ url, dataDir, jobs: processJobs })
process.stdout.write(`${JSON.stringify({ worker: worker.name })}\n`)
process.once('SIGTERM', () => void worker.stop(1))
