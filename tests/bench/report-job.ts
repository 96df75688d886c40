/** Run as a process of its own by the bench: <address> <data folder> <run>. One attempt of the report "orders"; prints what it took. */
import { readFileSync } from 'node:fs'
import { openPool } from '../../src/db/open.ts'
import { attemptReport } from '../jobs/report-attempt.ts'

const [url = '', dataDir = '', runId = ''] = process.argv.slice(2)
const pool = openPool(url, { role: 'rota_worker', applicationName: 'rota bench', max: 4 })
await pool.query('select 1')
const begun = performance.now()
const { note } = await attemptReport({ pool, url, dataDir, runId })
const seconds = (performance.now() - begun) / 1000
const { userCPUTime, systemCPUTime } = process.resourceUsage()
console.log(JSON.stringify({ seconds, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMiB: peakMiB(), note }))
process.exit(0)

/** The most memory of the process so far. */
function peakMiB(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1024
  return Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024
}
