/**
 * A report that attaches a query of 100,000 rows by 12 columns, through the whole job: asked, written as a file, composed, stored with fsync, written
 * into the folder outbox. Beside it, in turns, pandas' to_excel of as many rows that stand in its memory already. Memory is what the job takes above
 * a process that has done nothing yet.
 */
import { join } from 'node:path'
import { createSecrets, openSecretKey } from '../../src/control-plane/secrets.ts'
import { openPool } from '../../src/db/open.ts'
import { createRedactor } from '../../systemscripts/redact.ts'
import { testKey } from '../helpers/engine.ts'
import type { Bench, BenchDatabase, Measurement } from './bench-server.ts'
import { byPandas, median, type Taken, taken } from './report-documents.ts'

const ROWS = 100_000
const ROUNDS = 3

const TRADES = `select n as trade_id, '00' || n::bigint * 7919 % 100000 as account, 'Customer, "' || n % 999983 || '" & Söhne' as customer,
  (array['Kraków', 'Łódź', 'London', 'Wien'])[1 + n % 4] as city, date '2026-01-01' + n % 365 as traded_on, timestamp '2026-01-01' + n * interval '1 minute' as traded_at,
  n * 1.2345 as price, n % 1000 as quantity, n % 3 = 0 as is_open, 'EUR' as currency, '550e8400-e29b-41d4-a716-' || n as reference,
  case when n % 5 = 0 then E'two lines\\nof remark ' || n end as remark from generate_series(1, ${ROWS}) n`

export const report: Bench = async (server, say) => {
  const database = await server.migrated()
  await prepare(database)
  const own = new Map<string, Taken[]>()
  const peer: Taken[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const kinds of ['csv', 'xlsx', 'csv, xlsx']) {
      const one = await attempt(database, kinds.split(', '))
      own.set(kinds, [...(own.get(kinds) ?? []), one])
    }
    const others = await byPandas(join(database.dataDir, 'peer.xlsx'), ROWS).catch(() => null)
    if (others !== null) peer.push(others)
  }
  const measurements: Measurement[] = [...own].map(([kinds, runs]) => {
    const ours = median(runs)
    const value = `${Math.round(ROWS / ours.seconds)} rows/s, ${ours.seconds.toFixed(2)} s, cpu ${ours.cpuSeconds.toFixed(2)} s, ${ours.peakMiB.toFixed(0)} MiB above nothing`
    return {
      what: `report with ${kinds}`,
      value,
      ratio: peer.length === 0 ? '' : `${(median(peer).seconds / ours.seconds).toFixed(1)} x pandas to_excel`,
    }
  })
  for (const { what, value, ratio } of measurements) say(`${what}: ${value} ${ratio}`)
  return measurements
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

async function attempt({ url, pool, dataDir }: BenchDatabase, kinds: string[]): Promise<Taken> {
  await pool.query('delete from dba.reportquery')
  for (const kind of kinds)
    await pool.query(`insert into dba.reportquery (config_name, query_name, query_text, shown_as) values ('orders', $1, $2, $3)`, [
      `file_${kind}`,
      TRADES,
      kind,
    ])
  const worker = openPool(url, { role: 'rota_worker', applicationName: 'rota bench', max: 1 })
  const { rows } = await worker.query<{ run_id: string }>(
    `insert into dba.run (schedule_id, schedule_name, job, config_name, fire_key, due_at, state, attempt, worker)
     values (1, 'ask orders', 'report', 'orders', gen_random_uuid()::text, clock_timestamp(), 'running', 1, 'test') returning run_id`,
  )
  const runId = rows[0]?.run_id ?? ''
  const used = await taken(process.execPath, [join(import.meta.dirname, 'report-job.ts'), url, dataDir, runId])
  await worker.query(`update dba.run set state = 'succeeded', finished_at = clock_timestamp() where run_id = $1`, [runId])
  await worker.end()
  return used
}
