/**
 * npm run bench [-- throughput latency bulk burst scrape …]: measures on a server of its own, with fsync, and prints one table. Ratios compare what was
 * measured in the same run, in turns; figures of different runs or machines say little.
 */
import { type Bench, type Measurement, startBenchServer } from './bench-server.ts'
import { bulk } from './bulk.ts'
import { burst } from './burst.ts'
import { csvImport } from './csv-import.ts'
import { csvReading } from './csv-reading.ts'
import { inbox } from './inbox.ts'
import { latency } from './latency.ts'
import { outgoingMail } from './outgoing-mail.ts'
import { report } from './report.ts'
import { reportDocuments } from './report-documents.ts'
import { scrape } from './scrape.ts'
import { throughput } from './throughput.ts'
import { xlsx } from './xlsx.ts'

const benches: Record<string, Bench> = {
  throughput,
  latency,
  bulk,
  burst,
  reading: csvReading,
  csv: csvImport,
  xlsx,
  scrape,
  inbox,
  mail: outgoingMail,
  documents: reportDocuments,
  report,
}

const names = process.argv.slice(2)
const unknown = names.filter((name) => !(name in benches))
if (unknown.length > 0) throw new Error(`no bench "${unknown.join('", "')}"; there is: ${Object.keys(benches).join(', ')}`)

const table: (Measurement & { bench: string })[] = []
for (const [bench, measure] of Object.entries(benches)) {
  if (names.length > 0 && !names.includes(bench)) continue
  const server = await startBenchServer()
  try {
    for (const measurement of await measure(server, (line) => console.log(line))) table.push({ bench, ...measurement })
  } finally {
    await server.stop()
  }
}
console.table(table)
