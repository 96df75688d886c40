/** A process that is killed in the middle of an import: node import-victim.ts <url> <dataDir> <runId> <seam>, seam as "before 4", "after 4" or "kept". */
import { openPool } from '../../src/db/open.ts'
import { attemptImport } from './import-attempt.ts'

const [url = '', dataDir = '', runId = '', seam = ''] = process.argv.slice(2)
const pool = openPool(url, { role: 'rota_worker', applicationName: 'victim', max: 4 })

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => {})
}

const query = pool.query.bind(pool)
/** The one statement after a file has been moved. */
const dyingPool = new Proxy(pool, {
  get(target, property) {
    if (property !== 'query') return Reflect.get(target, property)
    return (...given: Parameters<typeof query>) =>
      seam === 'kept' && String(given[0]).includes('kept_at = clock_timestamp()') ? die() : query(...given)
  },
})

await attemptImport({
  pool: dyingPool,
  dataDir,
  runId,
  config: 'prices',
  beforeCommit: (commit) => (seam === `before ${commit}` ? die() : undefined),
  afterCommit: (commit) => (seam === `after ${commit}` ? die() : undefined),
}).catch(() => {})
process.exit(3)
