/** Kills workers, connections and the server while files arrive, then lets it all settle and judges tables, ledger and folders. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { startFleet } from '../fleet.ts'
import type { StormReport } from '../storm.ts'
import { setUpFeeds } from './feeds.ts'
import { filesBelow } from './folders.ts'
import { actAsPerson } from './person.ts'
import { watchTables } from './readers.ts'
import { sendFiles } from './sender.ts'
import { findViolations } from './verdict.ts'

export interface ImportStormOptions {
  /** A migrated database without schedules, with the queue's schema; superuser's login. */
  url: string
  dataDir: string
  seconds: number
  workers: number
  /** Mean seconds between two kills; of connections there are as many. */
  killEvery: number
  /** Mean seconds between two files. */
  sendEvery: number
  /** Kills the server and brings it up again; it is called once a minute. Left out: the server stays. */
  crashPostgres?(): Promise<void>
  say(line: string): void
}

const settleSeconds = 180

export async function weatherImportStorm(options: ImportStormOptions): Promise<StormReport> {
  const { url, dataDir, seconds, workers, killEvery, sendEvery, say } = options
  const client = await connect(url)
  await setUpFeeds(client, dataDir)
  await client.end()
  const fleet = await startFleet({ url, dataDir, concurrency: 10 }, workers)
  const isOver = new AbortController()
  const isSettled = new AbortController()
  try {
    say(`${workers} workers; a file every ${sendEvery} s, a worker and a connection killed every ${killEvery} s, for ${seconds} s`)
    const reading = watchTables(url, isSettled.signal)
    const sending = sendFiles(dataDir, sendEvery, isOver.signal)
    const troubles = [
      fleet.killAtRandom(killEvery, isOver.signal),
      every(killEvery, isOver.signal, () => onceConnected(url, cutOneConnection)),
      every(3, isOver.signal, () => onceConnected(url, actAsPerson)),
      ...(options.crashPostgres ? [every(60, isOver.signal, options.crashPostgres)] : []),
    ]
    await Promise.race([pause(seconds * 1000), ...troubles])
    isOver.abort()
    const sent = await sending
    await Promise.all(troubles)
    await settle(url, dataDir, say)
    isSettled.abort()
    const { looks, violations } = await reading
    const judge = await connect(url)
    violations.push(...fleet.violations, ...(await findViolations(judge, dataDir, sent)))
    const counts = { kills: fleet.kills.length, 'files sent': sent.length, 'looks of readers': looks, ...(await count(judge)) }
    await judge.end()
    return { counts, violations }
  } finally {
    isOver.abort()
    isSettled.abort()
    await fleet.end()
  }
}

/** @param seconds mean seconds in between */
async function every(seconds: number, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  for (;;) {
    await pause(seconds * 1000 * (0.3 + 1.4 * Math.random()), undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    await act()
  }
}

/** A server that is away is a storm of its own. */
async function onceConnected(url: string, act: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client
    .connect()
    .then(() => act(client))
    .catch(() => undefined)
  await client.end().catch(() => undefined)
}

/** One that is in the middle of a transaction, if there is one. */
async function cutOneConnection(client: Client): Promise<void> {
  await client.query(`
    select pg_terminate_backend(pid)
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name like 'rota%' and backend_type = 'client backend'
    order by xact_start is null, random()
    limit 1`)
}

/** Waits until every file has been dealt with, ends the schedules, and waits until nothing is open any more. */
async function settle(url: string, dataDir: string, say: (line: string) => void): Promise<void> {
  const client = await connect(url)
  const begun = performance.now()
  const isLate = () => performance.now() - begun > settleSeconds * 1000
  const isQuiet = async () => {
    const { rows } = await client.query<{ open: number }>(
      `select count(*)::integer as open from dba.file where state in ('loading', 'retry') or kept_at is null`,
    )
    return rows[0]?.open === 0 && (await filesBelow(join(dataDir, 'inbox'))).length === 0
  }
  while (!(await isQuiet()) && !isLate()) await pause(300)
  await client.query('update dba.scheduler set is_active = false')
  const openRuns = async () => {
    const { rows } = await client.query<{ open: number }>(
      `select count(*)::integer as open from dba.run where state in ('planned', 'waiting', 'queued', 'running')`,
    )
    return rows[0]?.open ?? 0
  }
  while ((await openRuns()) > 0 && !isLate()) await pause(300)
  say(`settled ${isLate() ? 'not ' : ''}within ${Math.round((performance.now() - begun) / 1000)} s`)
  await client.end()
}

async function count(client: Client): Promise<Record<string, number>> {
  const { rows } = await client.query<{ what: string; found: number }>(`
    select 'runs ' || state || coalesce(' ' || error_code, '') as what, count(*)::integer as found from dba.run group by state, error_code
    union all
    select 'attempts ' || coalesce(outcome, 'open') || coalesce(' ' || error_code, ''), count(*)::integer from dba.attempt group by outcome, error_code
    union all
    select 'files ' || state, count(*)::integer from dba.file group by state
    union all
    select 'datasets ' || state, count(*)::integer from dba.dataset group by state
    order by 1`)
  return Object.fromEntries(rows.map((row) => [row.what, row.found]))
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  return client
}
