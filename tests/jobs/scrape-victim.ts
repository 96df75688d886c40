/** A process that is killed in the middle of a scan: node scrape-victim.ts <url> <dataDir> <runId> <config>. Its first line says that it runs. */
import { openPool } from '../../src/db/open.ts'
import { attemptScrape } from './scrape-attempt.ts'

const [url = '', dataDir = '', runId = '', config = ''] = process.argv.slice(2)
console.log(JSON.stringify({ pid: process.pid }))
await attemptScrape({ pool: openPool(url, { role: 'rota_worker', applicationName: 'victim', max: 4 }), dataDir, runId, config }).catch(
  () => {},
)
process.exit(3)
