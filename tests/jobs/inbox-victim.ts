/** A process that is killed in the middle of a run of job inbox: node inbox-victim.ts <url> <dataDir> <runId> <seam>, seam as "before 4" or "after 4". */
import { openPool } from '../../src/db/open.ts'
import { attemptInbox } from './inbox-attempt.ts'

const [url = '', dataDir = '', runId = '', seam = ''] = process.argv.slice(2)
const pool = openPool(url, { role: 'rota_worker', applicationName: 'victim', max: 4 })

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => {})
}

await attemptInbox({
  pool,
  url,
  dataDir,
  runId,
  beforeCommit: (commit) => (seam === `before ${commit}` ? die() : undefined),
  afterCommit: (commit) => (seam === `after ${commit}` ? die() : undefined),
}).catch((error) => console.error(error))
process.exit(3)
