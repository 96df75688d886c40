/** A process that is killed in an attempt of a report: node report-victim.ts <url> <dataDir> <runId> <attempt> <seam>, a seam being `before 1`, `after 2`. */
import { openPool } from '../../src/db/open.ts'
import { attemptReport } from './report-attempt.ts'

const [url = '', dataDir = '', runId = '', attempt = '1', seam = ''] = process.argv.slice(2)
const dieAt = (moment: string) => (commit: number) => {
  if (seam === `${moment} ${commit}`) process.kill(process.pid, 'SIGKILL')
}
await attemptReport({
  pool: openPool(url, { role: 'rota_worker', applicationName: 'victim', max: 4 }),
  url,
  dataDir,
  runId,
  attempt: Number(attempt),
  beforeCommit: dieAt('before'),
  afterCommit: dieAt('after'),
})
process.exit(0)
