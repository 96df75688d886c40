/**
 * A report that attaches a query of 100,000 rows by 12 columns, through the whole job: asked, written as a file, composed, stored with fsync, written
 * into the folder outbox. Beside it, in turns, pandas' to_excel of as many rows that stand in its memory already, and exceljs' ordinary writer.
 * The process has the flags that the command gives to a worker; memory is the most that all of it took, also of three times as many rows.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSecrets, openSecretKey } from '../../src/control-plane/secrets.ts'
import { openPool } from '../../src/db/open.ts'
import { createRedactor } from '../../systemscripts/redact.ts'
import { testKey } from '../helpers/engine.ts'
import type { Bench, BenchDatabase, Measurement } from './bench-server.ts'
import { byPandas, byWriter, hasExcelJs, median, type Taken, taken } from './report-documents.ts'

const ROWS = 100_000
const ROUNDS = 3

const TRADES = `select n as trade_id, '00' || n::bigint * 7919 % 100000 as account, 'Customer, "' || n % 999983 || '" & Söhne' as customer,
  (array['Kraków', 'Łódź', 'London', 'Wien'])[1 + n % 4] as city, date '2026-01-01' + n % 365 as traded_on, timestamp '2026-01-01' + n * interval '1 minute' as traded_at,
  n * 1.2345 as price, n % 1000 as quantity, n % 3 = 0 as is_open, 'EUR' as currency, '550e8400-e29b-41d4-a716-' || n as reference,
  case when n % 5 = 0 then E'two lines\\nof remark ' || n end as remark from generate_series(1, `

export const report: Bench = async (server, say) => {
  const database = await server.migrated()
  await prepare(database)
  const own = new Map<string, Taken[]>()
  const peers = new Map<string, Taken[]>()
  const others: Record<string, () => Promise<Taken>> = {
    'pandas to_excel': () => byPandas(join(database.dataDir, 'peer.xlsx'), ROWS),
    ...(hasExcelJs(say) ? { exceljs: () => byWriter('exceljs', join(database.dataDir, 'peer.xlsx'), ROWS) } : {}),
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const kinds of ['csv', 'xlsx', 'csv, xlsx']) {
      const one = await attempt(database, kinds.split(', '), ROWS)
      own.set(kinds, [...(own.get(kinds) ?? []), one])
    }
    for (const [name, write] of Object.entries(others)) {
      const one = await write().catch((error: Error) => say(`${name} is not measured: ${error.message.split('\n').at(-2)}`))
      if (one) peers.set(name, [...(peers.get(name) ?? []), one])
    }
  }
  const measurements: Measurement[] = [...own].map(([kinds, runs]) => {
    const ours = median(runs)
    const ratios = [...peers].map(([name, theirs]) => `${(median(theirs).seconds / ours.seconds).toFixed(1)} x ${name}`)
    return { what: `report with ${kinds}`, value: inWords(ours, ROWS), ratio: ratios.join(', ') }
  })
  for (const [name, runs] of peers) measurements.push({ what: `xlsx alone by ${name}`, value: inWords(median(runs), ROWS) })
  const more = await attempt(database, ['csv', 'xlsx'], 3 * ROWS)
  measurements.push({ what: 'report with csv, xlsx of three times the rows', value: inWords(more, 3 * ROWS) })
  for (const { what, value, ratio = '' } of measurements) say(`${what}: ${value} ${ratio}`)
  return measurements
}

function inWords({ seconds, cpuSeconds, peakMiB }: Taken, rows: number): string {
  return `${Math.round(rows / seconds)} rows/s, ${seconds.toFixed(2)} s, cpu ${cpuSeconds.toFixed(2)} s, ${peakMiB.toFixed(0)} MiB`
}

async function prepare({ pool, dataDir }: BenchDatabase): Promise<void> {
  await pool.query(`alter role rota_query login password 'bench'`)
  const secrets = createSecrets({
    db: pool,
    key: await openSecretKey({ secretKey: testKey, dataDir }),
    redactor: createRedactor(),
    dataDir,
  })
  await secrets.set('login.rota_query', 'bench')
  await pool.query(
    `insert into dba.reportconfig (config_name, subject, sender, to_addresses, max_bytes) values ('orders', 'Trades', 'rota@example.com', '{a@example.com}', 209715200)`,
  )
}

async function attempt({ url, pool, dataDir }: BenchDatabase, kinds: string[], rowCount: number): Promise<Taken> {
  await pool.query('delete from dba.reportquery')
  for (const kind of kinds)
    await pool.query(
      `insert into dba.reportquery (config_name, query_name, query_text, shown_as, max_rows) values ('orders', $1, $2, $3, $4)`,
      [`file_${kind}`, `${TRADES}${rowCount}) n`, kind, rowCount],
    )
  const worker = openPool(url, { role: 'rota_worker', applicationName: 'rota bench', max: 1 })
  const { rows } = await worker.query<{ run_id: string }>(
    `insert into dba.run (schedule_id, schedule_name, job, config_name, fire_key, due_at, state, attempt, worker)
     values (1, 'ask orders', 'report', 'orders', gen_random_uuid()::text, clock_timestamp(), 'running', 1, 'test') returning run_id`,
  )
  const runId = rows[0]?.run_id ?? ''
  const used = await taken(process.execPath, [...workerFlags(), join(import.meta.dirname, 'report-job.ts'), url, dataDir, runId])
  await worker.query(`update dba.run set state = 'succeeded', finished_at = clock_timestamp() where run_id = $1`, [runId])
  await worker.end()
  return used
}

/** Of Node, as the command gives them. */
function workerFlags(): string[] {
  const command = readFileSync(join(import.meta.dirname, '../../src/cli/rota'), 'utf8')
  return /^exec "\$node" (.*) "\$project/m.exec(command)?.[1]?.split(' ') ?? []
}
